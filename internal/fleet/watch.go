package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/writer"
)

// ErrNone says that there is no lease table.
var ErrNone = errors.New("no worker was ever started on this table, or with another --app")

// Leases reads once what a fleet's tables have of a table, or of all where it is ""; who lives is not to be told from that.
func Leases(ctx context.Context, db *dynamodb.Client, app, table string) (checkpoint.Table, error) {
	leases, err := checkpoint.ReadTable(ctx, db, app, table)
	if _, missing := errors.AsType[*ddbtypes.ResourceNotFoundException](err); missing {
		return leases, fmt.Errorf("there is no lease table %q: %w", app, ErrNone)
	}
	return leases, err
}

// Place is where a fleet keeps what is to be known of it. Store and Ledger are of the lake,
// and nil where only the leases are asked for.
type Place struct {
	DynamoDB *dynamodb.Client
	Table    consumer.Table
	App      string // the lease table
	Into     string // the place of a replay; empty: the table's own part of the lake
	Store    writer.Store
	Ledger   *ledger.Store
}

// Watcher reads reports. It remembers what it saw, so that only its first takes the
// time to see beats move. One goroutine at a time may use it.
type Watcher struct {
	p     Place
	keeps time.Duration
	looks []look // young ones, oldest first

	gaps     []consumer.Gap
	gapsRead time.Time
}

// NewWatcher reads nothing yet.
func NewWatcher(p Place) *Watcher { return &Watcher{p: p, keeps: ledger.RealTiming().Retention} }

// gapsEvery is how long the recorded losses are taken for unchanged: each is an object of
// its own.
const gapsEvery = time.Minute

// Report reads the tables and the ledger, and waits until it is known who lives. A lake of
// exports alone has no fleet; without either the error is [ErrNone].
func (w *Watcher) Report(ctx context.Context) (Report, error) {
	var book ledger.Ledger
	if w.p.Ledger != nil {
		var err error
		if book, err = w.p.Ledger.Read(ctx); err != nil {
			return Report{}, err
		}
	}
	if w.p.Store != nil && (w.gapsRead.IsZero() || time.Since(w.gapsRead) > gapsEvery) {
		gaps, err := consumer.Gaps(ctx, w.p.Store, writer.PlacePrefix(w.p.Table.Account, w.p.Table.Region, w.p.Table.Name, w.p.Into))
		if err != nil {
			return Report{}, err
		}
		w.gaps, w.gapsRead = gaps, time.Now()
	}
	leases, alive, err := w.watch(ctx)
	none := err
	if errors.Is(err, ErrNone) && len(book.Epochs) > 0 {
		err = nil
	}
	if err != nil {
		return Report{}, err
	}
	r := New(w.p.Table, leases, alive, w.gaps, time.Now(), w.keeps)
	if none != nil {
		r.Fleet = "none: " + none.Error()
	}
	if w.p.Ledger != nil {
		r.Cover(&book, leases.Leases)
	}
	return r, nil
}

// How long a beat is watched for: a live worker beats once a second.
const (
	firstLook = 1500 * time.Millisecond
	patience  = 5 * time.Second
)

// watch reads the tables until every worker's beat has moved since a look before, or it
// has been watched for as long as patience lasts.
func (w *Watcher) watch(ctx context.Context) (checkpoint.Table, map[string]bool, error) {
	if len(w.looks) == 0 || time.Since(w.looks[len(w.looks)-1].at) > remembered {
		w.looks = nil
		first, err := Leases(ctx, w.p.DynamoDB, w.p.App, w.p.Table.Name)
		if err != nil {
			return first, nil, err
		}
		if len(first.Workers) == 0 {
			return first, nil, nil
		}
		w.looks = []look{lookAt(first.Workers, time.Now())}
	}
	base := w.looks[0].at
	var now checkpoint.Table
	alive := map[string]bool{}
	for _, watched := range []time.Duration{firstLook, patience} {
		select {
		case <-ctx.Done():
			return checkpoint.Table{}, nil, fmt.Errorf("watching the fleet: %w", context.Cause(ctx))
		case <-time.After(time.Until(base.Add(watched))):
		}
		var err error
		if now, err = Leases(ctx, w.p.DynamoDB, w.p.App, w.p.Table.Name); err != nil {
			return now, nil, err
		}
		at := lookAt(now.Workers, time.Now())
		alive = moved(w.looks, at)
		if len(alive) == len(now.Workers) || at.at.Sub(base) >= patience {
			w.looks = recent(append(w.looks, at))
			break
		}
	}
	return now, alive, nil
}
