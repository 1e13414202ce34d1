package bootstrap

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
)

// Seed says how a full export is to be made.
type Seed struct {
	Enable   bool // turn on what it needs: point-in-time recovery and the stream
	NoStream bool // the table's stream will not be read
	Again    bool // also where the lake has a full export, and nothing is lost
}

// Result is what is in the lake of one export.
type Result struct {
	Epoch    int64
	Export   string // its id
	From, To time.Time
	Items    int64
	Rejects  int64
	// Already: it was there before.
	Already bool
	// Streamed is from when on the stream has everything that a lake without one is to go on with; zero where nothing
	// was changed about that.
	Streamed time.Time
}

// Bootstrap brings the whole table into the lake. Called again after whatever ended it, by
// anyone, it goes on where it was, with the same export.
func Bootstrap(ctx context.Context, o Options, s Seed) (Result, error) {
	if err := o.check(true); err != nil {
		return Result{}, err
	}
	w := newWorkshop(o)
	l, err := w.read(ctx)
	if err != nil {
		return Result{}, err
	}
	e := l.Seeding()
	var streamed time.Time
	if e == nil {
		r, done := w.seeded(&l, s.Again)
		if done {
			r.Streamed, err = w.turn(ctx, &l, s)
			return r, err
		}
		if e, err = w.seed(ctx, s); err != nil {
			return Result{}, err
		}
	} else {
		w.Log.Info("going on with a full export that was begun", named(e.Number, e.Exports[0])...)
		if streamed, err = w.turn(ctx, &l, s); err != nil {
			return Result{}, err
		}
	}
	r, err := w.finish(ctx, e.Number, time.Time{})
	r.Streamed = streamed
	return r, err
}

// turn does what [Seed.Enable] says in a lake whose full export was begun or made before. One that was to have no stream
// gets it: windows that followed the export end where it begins, or the ledger has a gap between the two. Either is what a
// [Repairer] exports.
func (w *workshop) turn(ctx context.Context, l *ledger.Ledger, s Seed) (from time.Time, err error) {
	if !s.Enable || s.NoStream {
		return from, nil
	}
	if _, err := w.enableRecovery(ctx); err != nil {
		return from, err
	}
	had := l.Streaming() != nil
	now, err := w.position(ctx, true)
	if e := now.Streaming(); err == nil && e != nil && !had {
		from = e.From
	}
	return from, err
}

// seeded tells whether nothing is to be done: there is a full export, and nothing is lost
// behind it.
func (w *workshop) seeded(l *ledger.Ledger, again bool) (Result, bool) {
	base := l.Base()
	if base == nil || again {
		return Result{}, false
	}
	for _, g := range l.Gaps {
		if g.State == ledger.GapLost {
			return Result{}, false
		}
	}
	return Result{Epoch: base.Number, Export: base.Exports[0].ID(), To: base.To, Items: base.Items, Rejects: base.Rejects, Already: true}, true
}

// seed checks what the export needs, and chooses its time.
func (w *workshop) seed(ctx context.Context, s Seed) (*ledger.Epoch, error) {
	r, err := w.recovery(ctx)
	if err == nil && !r.on && s.Enable {
		r, err = w.enableRecovery(ctx)
	}
	if err == nil && !r.on {
		err = w.pitrOff()
	}
	if err == nil && !s.NoStream {
		_, err = w.position(ctx, s.Enable)
	}
	if err != nil {
		return nil, err
	}
	var epoch *ledger.Epoch
	told := false
	err = w.steps(ctx, func() (bool, time.Duration, error) {
		r, err := w.recovery(ctx)
		if err != nil {
			return false, 0, err
		}
		if !r.on {
			return false, 0, w.pitrOff()
		}
		at := r.now.UTC().Truncate(w.Timing.Resolution)
		l, err := w.read(ctx)
		if err != nil {
			return false, 0, err
		}
		if wait, why := w.early(&l, r, at); wait > 0 {
			if !told {
				told = true
				w.Log.Info("waiting until "+why, zap.Duration("wait", wait))
			}
			return false, min(wait, w.Poll), nil
		}
		l, err = w.update(ctx, func(l *ledger.Ledger) error {
			_, err := l.StartFull(ledger.Export{To: at, Status: ledger.Planned, Asked: time.Now().UTC()}, s.Again)
			if errors.Is(err, ledger.ErrSeeding) {
				return nil // another worker was faster
			}
			return err
		})
		switch {
		case errors.Is(err, ledger.ErrAdopting), errors.Is(err, ledger.ErrTooEarly):
			if !told {
				told = true
				w.Log.Info("waiting until the stream's shards have passed the gap; the consumer must run for that", zap.Error(err))
			}
			// There may be nobody else to find out where the gap ends.
			var out Outcome
			return false, adoptEvery, (&Repairer{w: w}).fix(ctx, &l, &out)
		case errors.Is(err, ledger.ErrSeeded):
			return false, 0, &Advice{What: "table " + w.Table.Name, Fix: "there is no place for another full export before the stream: what follows the one there is is whole, or is being repaired", Err: err}
		case err != nil:
			return false, 0, err
		}
		epoch = l.Seeding()
		return epoch != nil, w.Poll, nil
	})
	return epoch, err
}

// early is how long an export at a time would be too early for the stream, or for what PITR has, and for which.
func (w *workshop) early(l *ledger.Ledger, r recovery, at time.Time) (wait time.Duration, why string) {
	wait, why = r.earliest.Sub(at), "point-in-time recovery has the export's time"
	if s := l.Streaming(); s != nil {
		if d := s.From.Add(w.Timing.Overlap).Sub(at); d > wait {
			wait, why = d, "the export's time lies behind the stream's beginning"
		}
	}
	return wait, why
}

// position records from where on the stream has everything, before the export is
// asked for.
func (w *workshop) position(ctx context.Context, enable bool) (ledger.Ledger, error) {
	t, err := w.streamOn(ctx, enable)
	if err != nil {
		return ledger.Ledger{}, err
	}
	// Not the oldest that the stream has: the fleet may be started hours from now, and
	// what it can no longer have then would be a gap.
	now := time.Now()
	from := now.Add(-w.Timing.Overlap)
	if born, ok := ledger.StreamBirth(t.StreamARN); ok && born.After(from) {
		from = born
	}
	return w.update(ctx, func(l *ledger.Ledger) error {
		// Of a stream that took the place of the one that is read, the consumer knows
		// when that one is drained.
		if l.Streaming() == nil {
			l.StartStream(t.StreamARN, from, time.Time{}, now, w.Timing)
		}
		return nil
	})
}

// finish takes one export through all its states.
func (w *workshop) finish(ctx context.Context, epoch int64, from time.Time) (Result, error) {
	r := Result{Epoch: epoch, From: from}
	err := w.steps(ctx, func() (bool, time.Duration, error) {
		l, err := w.read(ctx)
		if err != nil {
			return false, 0, err
		}
		x := l.Find(epoch, from)
		if x == nil || x.Status == ledger.Converted {
			return true, 0, w.count(ctx, &l, &r)
		}
		r.Export, r.To = x.ID(), x.To
		e := l.Epoch(epoch)
		out, err := w.advance(ctx, *e, *x, e.Exports[0].From.Equal(from))
		w.started = true
		if out.changed {
			out.wait = 0
		}
		return false, out.wait, err
	})
	return r, err
}

// count fills in what was converted.
func (w *workshop) count(ctx context.Context, l *ledger.Ledger, r *Result) error {
	if e := l.Epoch(r.Epoch); e != nil && e.Source == ledger.Full && len(e.Exports) > 0 {
		r.Export, r.To, r.Items, r.Rejects = e.Exports[0].ID(), e.To, e.Items, e.Rejects
		return nil
	}
	if r.Export == "" {
		return nil
	}
	done, err := readRecord(ctx, w.Store, recordKey(w.prefix(), r.Export))
	if done != nil {
		r.To, r.Items, r.Rejects = done.To, done.Items, done.Rejects
	}
	return err
}
