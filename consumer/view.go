package consumer

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"dynamolake/checkpoint/ledger"
)

// errReplaced ends the reading of a stream: the ledger says that another took its place.
var errReplaced = errors.New("another stream has taken this one's place")

// view is what a worker knows of the ledger while it reads one stream. It only ever
// becomes younger.
type view struct {
	store  *ledger.Store
	timing ledger.Timing
	arn    string // of the stream that is read

	now      atomic.Pointer[ledger.Ledger]
	read     atomic.Pointer[time.Time] // when the youngest answer was asked for
	asked    atomic.Int64              // reads that were begun
	turn     chan struct{}             // holds a token while somebody reads or changes the ledger
	answered int64                     // the youngest read that was answered; guarded by turn
}

// ledgerTimeout bounds one look at the ledger, or one change of it, tries included: others wait
// for their turn.
const ledgerTimeout = 30 * time.Second

func newView(store *ledger.Store, timing ledger.Timing, arn string, l ledger.Ledger) *view {
	v := &view{store: store, timing: timing, arn: arn, turn: make(chan struct{}, 1)}
	v.now.Store(&l)
	v.heard(time.Now())
	return v
}

func (v *view) heard(asked time.Time) { v.read.Store(&asked) }

// age is how old what is known may be.
func (v *view) age() time.Duration { return time.Since(*v.read.Load()) }

func (v *view) take(ctx context.Context) error {
	select {
	case v.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (v *view) pass() { <-v.turn }

// fresh looks at the ledger as it is at some time after the call. Those who wait for it
// together share one request.
func (v *view) fresh(ctx context.Context) error {
	before := v.asked.Load()
	if err := v.take(ctx); err != nil {
		return err
	}
	defer v.pass()
	if v.answered > before {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	n, asked := v.asked.Add(1), time.Now()
	l, err := v.store.Read(ctx)
	if err != nil {
		return err
	}
	v.heard(asked)
	v.answered = n
	v.keep(l)
	return nil
}

// update changes the ledger, while it is still about this stream.
func (v *view) update(ctx context.Context, f func(*ledger.Ledger) error) error {
	if err := v.take(ctx); err != nil {
		return err
	}
	defer v.pass()
	return v.change(ctx, f)
}

// change is update for who has the turn.
func (v *view) change(ctx context.Context, f func(*ledger.Ledger) error) error {
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	n, asked := v.asked.Add(1), time.Now()
	l, err := v.store.Update(ctx, func(l *ledger.Ledger) error {
		if _, err := current(l, v.arn); err != nil {
			return err
		}
		return f(l)
	})
	if err != nil {
		return err
	}
	v.heard(asked)
	v.answered = n
	v.keep(l)
	return nil
}

// lose records a loss and returns its gap. Many shards of a worker may lose something at
// once: what the ledger says already costs no call.
func (v *view) lose(ctx context.Context, loss ledger.Loss) (gap, epoch int64, err error) {
	if err := v.take(ctx); err != nil {
		return 0, 0, err
	}
	defer v.pass()
	if _, err := v.epoch(); err != nil {
		return 0, 0, err
	}
	if gap, epoch, ok := v.now.Load().Covered(loss, v.timing); ok {
		return gap, epoch, nil
	}
	err = v.change(ctx, func(l *ledger.Ledger) error {
		gap, epoch, err = l.OpenGap(loss, v.timing)
		return err
	})
	return gap, epoch, err
}

// keep must be called in turn.
func (v *view) keep(l ledger.Ledger) {
	if l.Revision >= v.now.Load().Revision {
		v.now.Store(&l)
	}
}

// epoch is what the stream's rows are written under, or errReplaced.
func (v *view) epoch() (int64, error) { return current(v.now.Load(), v.arn) }

func current(l *ledger.Ledger, arn string) (int64, error) {
	s := l.Streaming()
	if s == nil || s.StreamARN != arn {
		return 0, errReplaced
	}
	return s.Number, nil
}

// begin is from when on the lake was to have the stream, before anything was lost.
func (v *view) begin() time.Time {
	for _, e := range v.now.Load().Epochs {
		if e.Source == ledger.Stream && e.StreamARN == v.arn {
			return e.From
		}
	}
	return time.Time{}
}

// repaired is up to when windows of gaps have what a shard lost from a time on: that time
// where none has it.
func (v *view) repaired(since time.Time) time.Time {
	for _, g := range v.now.Load().Gaps {
		if g.From.After(since) {
			continue
		}
		if g.To.IsZero() {
			since = later(since, g.Resumed)
		}
		since = later(since, g.To)
	}
	return since
}
