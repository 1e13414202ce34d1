package bootstrap

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer/dataset"
)

// workshop takes exports from one state to the next. One goroutine drives it.
type workshop struct {
	Options
	metrics *metrics
	decoder *transform.Decoder

	polled   map[string]time.Time // by ARN: when AWS may be asked next
	failures map[string]*failure  // by place in the ledger
	stuck    map[string]stuck     // by ARN: conversions that somebody must mend
	started  bool                 // the ledger was looked at before
	hold     time.Time            // until then AWS takes no export
	before   map[int64]*record    // by epoch: the window that was converted last here

	newRejects atomic.Int64 // that this process put
}

// failure is how often an export failed that is wanted again and again.
type failure struct {
	arns map[string]bool
	at   time.Time // of the last
}

// stuck is why a conversion does not go on, and since when.
type stuck struct {
	err error
	at  time.Time
}

// outcome of a step: the ledger was changed, or is to be looked at again in a while.
type outcome struct {
	changed bool
	wait    time.Duration
}

func newWorkshop(o Options) *workshop {
	if o.Datasets == nil {
		o.Datasets = dataset.Fixed(dataset.Whole(dataset.Options{Table: o.Table.Name, Keys: o.Table.Keys, OldImage: o.OldImage}))
	}
	return &workshop{
		Options:  o,
		metrics:  newMetrics(o.Registerer),
		decoder:  transform.NewDecoder(o.Table.Keys),
		polled:   map[string]time.Time{},
		failures: map[string]*failure{},
		stuck:    map[string]stuck{},
		before:   map[int64]*record{},
	}
}

func (w *workshop) explain(doing, call string, err error) error {
	return explain(doing, call, w.Table, err)
}

// read returns the ledger, which must be of this very table.
func (w *workshop) read(ctx context.Context) (ledger.Ledger, error) {
	l, err := w.Ledger.Read(ctx)
	if err == nil {
		err = w.same(&l)
	}
	return l, err
}

// update changes the ledger, and notes the table's id there.
func (w *workshop) update(ctx context.Context, f func(*ledger.Ledger) error) (ledger.Ledger, error) {
	return w.Ledger.Update(ctx, func(l *ledger.Ledger) error {
		if err := w.same(l); err != nil {
			return err
		}
		before := string(l.JSON())
		err := f(l)
		if string(l.JSON()) != before && l.TableID == "" {
			l.TableID = w.Table.ID
		}
		return err
	})
}

func (w *workshop) same(l *ledger.Ledger) error {
	if !l.OfAnother(w.Table.ID) {
		return nil
	}
	return &Advice{
		What: "table " + w.Table.Name + " is not the one that the lake is of",
		Fix:  fmt.Sprintf("it was deleted and made anew (id %s, now %s); give the new table a lake or prefix of its own", l.TableID, w.Table.ID),
	}
}

// change changes one export, unless others have taken it on already.
func (w *workshop) change(ctx context.Context, epoch int64, x ledger.Export, f func(*ledger.Ledger, *ledger.Export) error) error {
	_, err := w.update(ctx, func(l *ledger.Ledger) error {
		now := l.Find(epoch, x.From)
		if now == nil || now.Status != x.Status || now.Try != x.Try || now.ARN != x.ARN {
			return nil
		}
		return f(l, now)
	})
	return err
}

// advance does what is next for an export; first tells that nothing of its epoch
// comes before it.
func (w *workshop) advance(ctx context.Context, epoch ledger.Epoch, x ledger.Export, first bool) (outcome, error) {
	switch x.Status {
	case ledger.Planned:
		return w.start(ctx, epoch.Number, x)
	case ledger.Running:
		return w.poll(ctx, epoch, x)
	case ledger.Failed:
		return w.again(ctx, epoch.Number, x)
	case ledger.Exported:
		if first {
			return w.convert(ctx, epoch, x)
		}
	}
	return outcome{wait: w.Poll}, nil
}

// place is where an export lies.
func (w *workshop) place(x ledger.Export) (func(moved) raw, string) {
	if path, ok := strings.CutPrefix(x.Manifest, "file://"); ok && x.Bucket == "" {
		return func(m moved) raw { return inFolder{m} }, path
	}
	return func(m moved) raw { return inBucket{w.S3, x.Bucket, m} }, x.Manifest
}

// name of an export in logs.
func named(epoch int64, x ledger.Export) []zap.Field {
	fields := []zap.Field{zap.Int64("epoch", epoch), zap.String("export", x.ID())}
	if !x.From.IsZero() { // a full export is of a moment
		fields = append(fields, zap.Time("from", x.From))
	}
	return append(fields, zap.Time("to", x.To))
}
