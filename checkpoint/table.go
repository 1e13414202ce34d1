package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Table is what a lease table has of one table, as status shows it, in key order.
type Table struct {
	Leases  []Row
	Workers []Worker
	Multi   bool      // the lease table serves several tables
	Read    time.Time // when, by the service's clock; zero if unknown
}

// ReadTable reads both tables of an application: what they have of the table of a name, or, where that
// is "", of all.
func ReadTable(ctx context.Context, client *dynamodb.Client, app, table string) (Table, error) {
	t := &tables{client: client, app: app}
	leases, err := t.leases(ctx)
	if err != nil {
		return Table{}, err
	}
	workers, err := t.workers(ctx)
	if err != nil {
		return Table{}, err
	}
	return Table{Leases: leases.rows, Workers: workers, Read: leases.server}.only(table), nil
}

// AskAdopted asks a fleet's lease table what [Adopted] says of it. Where no worker
// was ever started there is nobody to wait for.
func AskAdopted(client *dynamodb.Client, app, name string) func(ctx context.Context, epoch int64) (done bool, through time.Time, err error) {
	return func(ctx context.Context, epoch int64) (bool, time.Time, error) {
		table, err := ReadTable(ctx, client, app, name)
		if _, absent := errors.AsType[*types.ResourceNotFoundException](err); absent {
			return true, time.Time{}, nil
		}
		if err != nil {
			return false, time.Time{}, err
		}
		done, through := Adopted(table.Leases, epoch)
		return done, through, nil
	}
}

// tables makes the calls. It holds no rules and no state.
type tables struct {
	client *dynamodb.Client
	app    string
	of     string // identifier of the stream whose rows are written; "" where keys are shard ids
}

// refused is a write whose condition did not hold.
type refused struct {
	item item // what is there instead, nil if nothing is
}

func (refused) Error() string { return "the condition did not hold" }

// row is the lease row that refused a write; ok is false if there is none.
func (r refused) row() (Row, bool) {
	row, err := rowOf(r.item)
	return row, r.item != nil && err == nil
}

// cause translates the errors of a conditional write.
func cause(err error) error {
	if c, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return refused{item: c.Item}
	}
	return err
}

// lasting tells errors that trying again will not cure.
func lasting(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorFault() != smithy.FaultServer && api.ErrorCode() != "" &&
		!retry.NewStandard().IsErrorRetryable(err)
}

// snapshot is one scan of the lease table.
type snapshot struct {
	rows   []Row     // in key order
	broken []string  // what makes other rows no leases
	server time.Time // the service's clock, zero if unknown
}

func (t *tables) leases(ctx context.Context) (snapshot, error) {
	items, server, err := t.scan(ctx, t.app)
	if err != nil {
		return snapshot{}, err
	}
	s := snapshot{server: server}
	for _, it := range items {
		if !isLease(it) {
			continue
		}
		r, err := rowOf(it)
		if err != nil {
			s.broken = append(s.broken, err.Error())
			continue
		}
		s.rows = append(s.rows, r)
	}
	slices.SortFunc(s.rows, func(a, b Row) int { return cmp.Compare(a.key(), b.key()) })
	return s, nil
}

func (t *tables) workers(ctx context.Context) ([]Worker, error) {
	items, _, err := t.scan(ctx, workerTable(t.app))
	if err != nil {
		return nil, err
	}
	workers := make([]Worker, 0, len(items))
	for _, it := range items {
		workers = append(workers, workerOf(it))
	}
	slices.SortFunc(workers, func(a, b Worker) int { return cmp.Compare(a.ID, b.ID) })
	return workers, nil
}

// scan reads a whole table, consistently: a beat or a hand-over that is there
// must be seen. server is the service's time of the first page, zero if unknown.
func (t *tables) scan(ctx context.Context, table string) (items []item, server time.Time, err error) {
	in := &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)}
	for {
		out, err := t.client.Scan(ctx, in)
		if err != nil {
			return nil, server, denied("use", table, err)
		}
		if server.IsZero() {
			server, _ = middleware.GetServerTime(out.ResultMetadata)
		}
		items = append(items, out.Items...)
		if len(out.LastEvaluatedKey) == 0 {
			return items, server, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// create puts a row that must not exist; if one does, it is in the refused error.
func (t *tables) create(ctx context.Context, r Row) error {
	r.Of = t.of
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &t.app, Item: r.item(),
		ConditionExpression:                 aws.String("attribute_not_exists(" + attrKey + ")"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		return fmt.Errorf("create lease row %s: %w", r.key(), cause(err))
	}
	return nil
}

func (t *tables) update(ctx context.Context, shard string, u update) error {
	key := Row{Of: t.of, Key: shard}.key()
	_, err := t.change(ctx, t.app, item{attrKey: str(key)}, u)
	if err != nil {
		return fmt.Errorf("update lease row %s: %w", key, err)
	}
	return nil
}

func (t *tables) updateWorker(ctx context.Context, id string, u update) (Worker, error) {
	it, err := t.change(ctx, workerTable(t.app), item{attrWorker: str(id)}, u)
	if err != nil {
		return Worker{}, fmt.Errorf("update worker row %s: %w", id, err)
	}
	return workerOf(it), nil
}

func (t *tables) change(ctx context.Context, table string, key item, u update) (item, error) {
	expr, cond, names, values := u.expressions()
	in := &dynamodb.UpdateItemInput{
		TableName: &table, Key: key,
		UpdateExpression:         &expr,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if cond != "" {
		in.ConditionExpression = &cond
	}
	if table != t.app {
		in.ReturnValues = types.ReturnValueAllNew
	}
	out, err := t.client.UpdateItem(ctx, in)
	if err != nil {
		return nil, cause(err)
	}
	return out.Attributes, nil
}

// remove deletes a row that did not change since it was read.
func (t *tables) remove(ctx context.Context, r Row) error {
	_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &t.app, Key: item{attrKey: str(r.key())},
		ConditionExpression:       aws.String("#n = :n AND #at = :at"),
		ExpressionAttributeNames:  map[string]string{"#n": attrCounter, "#at": attrAt},
		ExpressionAttributeValues: item{":n": num(r.Counter), ":at": str(r.Checkpoint.text())},
	})
	if err != nil {
		return fmt.Errorf("remove lease row %s: %w", r.key(), cause(err))
	}
	return nil
}

// removeWorker deletes a worker's row if it is still of the process that was seen
// and, unless Beat is 0, has not beaten since.
func (t *tables) removeWorker(ctx context.Context, w Worker) error {
	cond, names, values := "#run = :run", map[string]string{"#run": attrRun}, item{":run": str(w.Run)}
	if w.Beat != 0 {
		cond += " AND #beat = :beat"
		names["#beat"], values[":beat"] = attrBeat, num(w.Beat)
	}
	_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(workerTable(t.app)), Key: item{attrWorker: str(w.ID)},
		ConditionExpression:       &cond,
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	})
	if err != nil {
		return fmt.Errorf("remove worker row %s: %w", w.ID, cause(err))
	}
	return nil
}
