package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
)

// Repairer sees to what is missing in a lake: gaps of the stream, windows that follow
// the table, exports that somebody left unfinished. Any number may run at once, on one table, in any
// process. One goroutine drives each.
type Repairer struct {
	w *workshop
	// facts of the table, as long as they are fresh
	recovery recovery
	asked    time.Time
	// until ends what is planned, for who wants to get done; zero for who does not.
	until time.Time
}

// NewRepairer returns a repairer. It asks for nothing yet.
func NewRepairer(o Options) (*Repairer, error) {
	if err := o.check(true); err != nil {
		return nil, err
	}
	return &Repairer{w: newWorkshop(o)}, nil
}

// Outcome is how things stand after a [Repairer.Step].
type Outcome struct {
	// Changed: something was done, and there may be more to do at once.
	Changed bool
	// Idle: nothing is under way that comes to its end by itself, and nothing is due.
	Idle bool
	// Wait is how long nothing is to be expected, if not Changed.
	Wait time.Duration
	// Next is when the next window may be exported; zero if none is known.
	Next time.Time
}

// Step does the next thing there is to do, if any: one change of the ledger, or the conversion
// of one export. After an error that is no [Advice] it may be called again soon.
func (r *Repairer) Step(ctx context.Context) (Outcome, error) {
	out := Outcome{Idle: true, Wait: r.w.Poll}
	if !r.w.started && r.w.DropRaw {
		if err := r.w.sweep(ctx); err != nil {
			return out, err
		}
	}
	l, err := r.w.read(ctx)
	if err != nil {
		return out, err
	}
	var advice error // of one part; the others go on
	for _, part := range []func(context.Context, *ledger.Ledger, *Outcome) error{r.fix, r.follow, r.plan, r.exports} {
		err := part(ctx, &l, &out)
		if err != nil && lasting(err) && !out.Changed {
			if advice == nil {
				advice = err
			}
			continue
		}
		if err != nil || out.Changed {
			out.Idle = false
			return out, err
		}
	}
	r.w.started = true
	if advice == nil && out.Idle {
		advice = r.lost(&l)
	}
	return out, advice
}

// lost says that only a full export can help.
func (r *Repairer) lost(l *ledger.Ledger) error {
	for _, g := range l.Missing() {
		if g.State == ledger.GapLost {
			return &Advice{
				What: "changes of table " + r.w.Table.Name + " from " + g.From.Format(time.RFC3339) + " to " + g.To.Format(time.RFC3339) + " are lost (" + g.Reason + ")",
				Fix:  "start anew with a full export: dynamolake bootstrap --table " + r.w.Table.Name,
			}
		}
	}
	return nil
}

// fix finds out where open gaps end.
func (r *Repairer) fix(ctx context.Context, l *ledger.Ledger, out *Outcome) error {
	if r.w.Adopted == nil {
		return nil
	}
	for _, g := range l.Gaps {
		if g.State != ledger.GapOpen {
			continue
		}
		done, through, err := r.w.Adopted(ctx, g.After)
		if err != nil {
			return fmt.Errorf("ask whether all shards write under epoch %d: %w", g.After, err)
		}
		if !done {
			out.Idle = false
			out.Wait = min(out.Wait, adoptEvery)
			continue
		}
		_, err = r.w.update(ctx, func(l *ledger.Ledger) error {
			if now := l.Gap(g.Number); now == nil || now.State != ledger.GapOpen || now.After != g.After {
				return nil
			}
			return l.FixGap(g.Number, through, r.w.Timing)
		})
		if err != nil {
			return err
		}
		r.w.Log.Info("a gap will be repaired by exports", zap.Int64("gap", g.Number), zap.Time("from", g.From), zap.String("reason", g.Reason))
		out.Changed = true
		return nil
	}
	return nil
}

// adoptEvery is how often it is asked whether all shards have adopted an epoch.
const adoptEvery = 10 * time.Second

// follow sees to it that windows follow the table, if they are to.
func (r *Repairer) follow(ctx context.Context, l *ledger.Ledger, out *Outcome) error {
	if !r.w.Follow || l.Streaming() != nil {
		return nil
	}
	next := *l
	next.Epochs = append([]ledger.Epoch(nil), l.Epochs...)
	n := len(next.Epochs)
	_, err := next.Follow()
	switch {
	case errors.Is(err, ledger.ErrNoBase) && l.Seeding() != nil:
		return nil // when that is converted
	case errors.Is(err, ledger.ErrNoBase):
		return &Advice{What: "the lake of table " + r.w.Table.Name + " has no full export to go on from", Fix: "make one with: dynamolake bootstrap --table " + r.w.Table.Name}
	case err != nil:
		return err
	case len(next.Epochs) == n:
		return nil
	}
	_, err = r.w.update(ctx, func(l *ledger.Ledger) error {
		_, err := l.Follow()
		if errors.Is(err, ledger.ErrStreaming) {
			return nil
		}
		return err
	})
	out.Changed = err == nil
	return err
}

// plan adds the windows that are due.
func (r *Repairer) plan(ctx context.Context, l *ledger.Ledger, out *Outcome) error {
	w := r.w
	// What would be due if AWS had everything up to now? That costs no call.
	due := false
	for _, s := range l.Plan(ledger.Facts{PITR: true, Latest: r.latest(time.Now()), Window: w.Window}, w.Timing) {
		if s.Due.IsZero() {
			due = true
		} else if out.Next.IsZero() || s.Due.Before(out.Next) {
			out.Next = s.Due
		}
	}
	if !due {
		return nil
	}
	if time.Since(r.asked) > w.Poll {
		var err error
		if r.recovery, err = w.recovery(ctx); err != nil {
			return err
		}
		r.asked = time.Now()
	}
	f := ledger.Facts{
		PITR: r.recovery.on, Earliest: r.recovery.earliest, Latest: r.latest(r.recovery.now.Add(time.Since(r.asked))),
		Window: w.Window, InFlight: w.InFlight,
	}
	for _, s := range l.Plan(f, w.Timing) {
		switch {
		case s.Lost:
			_, err := w.update(ctx, func(l *ledger.Ledger) error {
				for _, now := range l.Plan(f, w.Timing) {
					if now.Epoch == s.Epoch && now.Lost {
						l.GiveUp(now.Epoch, now.Why, f.Earliest, time.Now())
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			w.Log.Error("changes are lost", zap.Int64("epoch", s.Epoch), zap.String("why", s.Why))
			out.Changed = true
			return nil
		case s.Why != "":
			return w.pitrOff()
		case len(s.Plan) > 0:
			_, err := w.update(ctx, func(l *ledger.Ledger) error {
				for _, now := range l.Plan(f, w.Timing) {
					for _, x := range now.Plan {
						x.Asked = time.Now().UTC()
						if err := l.Add(now.Epoch, x); err != nil {
							return err
						}
					}
				}
				return nil
			})
			out.Changed = err == nil
			return err
		case !s.Due.IsZero() && (out.Next.IsZero() || s.Due.Before(out.Next)):
			out.Next = s.Due
		}
	}
	return nil
}

// latest is when a window may end at the latest.
func (r *Repairer) latest(now time.Time) time.Time {
	if !r.until.IsZero() && now.After(r.until) {
		now = r.until
	}
	return now.Add(-r.w.Timing.Safe)
}

// exports takes every export a step further: those that AWS works on first, then
// those that we do.
func (r *Repairer) exports(ctx context.Context, l *ledger.Ledger, out *Outcome) error {
	var advice error
	for _, mine := range []bool{false, true} {
		for _, e := range l.Epochs {
			for i, x := range e.Exports {
				if x.Status == ledger.Converted || mine != (x.Status == ledger.Exported) || x.Foreign && x.Bucket == "" {
					continue
				}
				o, err := r.w.advance(ctx, e, x, i == 0)
				if err != nil && lasting(err) && !o.changed {
					if advice == nil {
						advice = err // the others go on
					}
					continue
				}
				if x.Status != ledger.Exported || i == 0 { // else it waits for those before it
					out.Idle = false
				}
				if err != nil || o.changed {
					out.Changed = o.changed
					return err
				}
				out.Wait = min(out.Wait, max(o.wait, minWait))
			}
		}
	}
	return advice
}

const minWait = 10 * time.Millisecond
