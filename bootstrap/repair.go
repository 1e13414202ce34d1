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
	// Idle: nothing is under way, and nothing is due.
	Idle bool
	// Wait is how long nothing is to be expected, if not Changed.
	Wait time.Duration
	// Next is when the next window may be exported; zero if none is known.
	Next time.Time
}

// Step does the next thing there is to do, if any: one change of the ledger, or the conversion
// of one export. After an error that is no [Advice] it may be called again soon.
func (r *Repairer) Step(ctx context.Context) (Outcome, error) {
	if !r.w.started && r.w.DropRaw {
		if err := r.w.sweep(ctx); err != nil {
			return Outcome{}, err
		}
	}
	l, err := r.w.read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Idle: true, Wait: r.w.Poll}
	var advice error // of one part; the others go on
	for _, part := range []func(context.Context, *ledger.Ledger, *Outcome) error{r.fix, r.follow, r.plan, r.exports} {
		err := part(ctx, &l, &out)
		if a := (*Advice)(nil); errors.As(err, &a) && !out.Changed {
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
				out.Idle = false
				o, err := r.w.advance(ctx, e, x, i == 0)
				if a := (*Advice)(nil); errors.As(err, &a) && !o.changed {
					if advice == nil {
						advice = err // the others go on
					}
					continue
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

// CatchUp steps until nothing is under way, and all is in the lake that was due when it
// began. It returns when the next window is.
func (r *Repairer) CatchUp(ctx context.Context) (next time.Time, err error) {
	r.until = time.Now()
	defer func() { r.until = time.Time{} }()
	err = r.w.steps(ctx, func() (bool, time.Duration, error) {
		out, err := r.Step(ctx)
		next = out.Next
		return out.Idle && !out.Changed, out.pause(), err
	})
	return next, err
}

// pause is how long to wait before the next step.
func (o Outcome) pause() time.Duration {
	if o.Changed {
		return 0
	}
	if next := time.Until(o.Next); next > 0 {
		return min(o.Wait, next)
	}
	return o.Wait
}

// Run steps until ctx ends. What a person must mend is logged, and looked at again after
// Retry; nothing else ends it either.
func (r *Repairer) Run(ctx context.Context) error {
	told := ""
	for fails := 0; ; {
		out, err := r.Step(ctx)
		wait := out.pause()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			fails, told = 0, ""
		case lasting(err):
			if text := err.Error(); text != told {
				told = text
				r.w.Log.Error("somebody must mend this", zap.Error(err))
			}
			if wait = r.w.Retry; out.Changed {
				wait = 0
			}
		default:
			r.w.metrics.errors.Inc()
			fails++
			wait = backoff(fails)
			r.w.Log.Warn("a step failed and is tried again", zap.Int("attempt", fails), zap.Duration("in", wait), zap.Error(err))
		}
		if pause(ctx, wait) != nil {
			return nil
		}
	}
}

// steps calls step until it is done, fails for good, or failed too often in a row.
func (w *workshop) steps(ctx context.Context, step func() (done bool, wait time.Duration, err error)) error {
	for fails := 0; ; {
		done, wait, err := step()
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			fails = 0
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case lasting(err) || fails >= maxFails:
			return err
		default:
			w.metrics.errors.Inc()
			fails++
			wait = backoff(fails)
			w.Log.Warn("a step failed and is tried again", zap.Int("attempt", fails), zap.Duration("in", wait), zap.Error(err))
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// maxFails in a row end a command: about ten minutes.
const maxFails = 12

// backoff doubles from a second to a minute.
func backoff(fails int) time.Duration { return min(time.Second<<min(fails-1, 6), time.Minute) }
