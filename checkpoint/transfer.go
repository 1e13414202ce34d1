package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Transfer is the plan of a copy of a table's lease rows into the lease table of another application, which
// serves several tables: a fleet that begins there goes on where the old one was.
type Transfer struct {
	App  string // the lease table that they go to
	Rows []Row  // as they are to be there, of nobody
	New  []Row  // those that are not there yet
}

// PlanTransfer plans it for rows that nobody may change any more. label is the stream's of rows that do not say theirs. The lease
// table need not exist. An error says in one line why they must not go there, and what to do.
func PlanTransfer(ctx context.Context, client *dynamodb.Client, rows []Row, app string, to Scope, label string) (Transfer, error) {
	there, err := ReadTable(ctx, client, app, "")
	if _, absent := errors.AsType[*types.ResourceNotFoundException](err); err != nil && !absent {
		return Transfer{}, err
	}
	return transfer(rows, there, app, to, label)
}

// transfer is PlanTransfer's rule: rows of the table that are there are the same, from a copy that was cut off.
func transfer(rows []Row, there Table, app string, to Scope, label string) (Transfer, error) {
	if !there.Multi && len(there.Leases) > 0 {
		return Transfer{}, fmt.Errorf("lease table %s is of a fleet that reads one table: its keys do not say whose they are; give --to another name", app)
	}
	t := Transfer{App: app}
	has := map[string]Row{}
	for _, r := range there.Leases {
		if to.has(r) {
			has[r.key()] = r
		}
	}
	for _, r := range rows {
		r.Of, r.Owner, r.Holder = to.stream(cmp.Or(r.Stream, label)), "", ""
		now, found := has[r.key()]
		delete(has, r.key())
		if found && (!now.unmoved(r) || now.in() != "") {
			return Transfer{}, fmt.Errorf("lease table %s has positions of table %s already, and they are others (shard %s); a fleet reads it there: stop the one here instead", app, to.Table, r.Key)
		}
		t.Rows = append(t.Rows, r)
		if !found {
			t.New = append(t.New, r)
		}
	}
	for key := range has {
		return Transfer{}, fmt.Errorf("lease table %s has positions of table %s already, of a shard that is not known here (%s); a fleet reads it there: stop the one here instead", app, to.Table, key)
	}
	// A fleet may begin meanwhile. The child's row does not come before the parent's: its id is the younger one.
	slices.SortFunc(t.New, func(a, b Row) int { return cmp.Compare(a.Key, b.Key) })
	return t, nil
}

// Carry writes the rows that are not there yet. It creates the lease table, and that of its workers, where there is none. Cut
// off, it goes on where it was when it is planned and called again.
func (t Transfer) Carry(ctx context.Context, client *dynamodb.Client) error {
	to := &tables{client: client, app: t.App}
	if err := to.ensure(ctx, t.App, attrKey, "a lease table"); err != nil {
		return err
	}
	if err := to.ensure(ctx, workerTable(t.App), attrWorker, "a worker table"); err != nil {
		return err
	}
	for _, r := range t.New {
		to.of = r.Of
		err := to.create(ctx, r)
		if no, is := errors.AsType[refused](err); is {
			if now, ok := no.row(); ok && now.unmoved(r) {
				continue // the reply was lost, and the SDK asked again
			}
			return fmt.Errorf("shard %s: a fleet began to read it there meanwhile; stop it, and see dynamolake checkpoint list --app %s", r.Key, t.App)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
