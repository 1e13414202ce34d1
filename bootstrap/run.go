package bootstrap

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// CatchUp steps until nothing is under way, and all is in the lake that was due when it
// began. It returns when the next window is.
func (r *Repairer) CatchUp(ctx context.Context) (next time.Time, err error) {
	r.until = time.Now()
	defer func() { r.until = time.Time{} }()
	err = r.w.steps(ctx, func() (bool, time.Duration, error) {
		out, err := r.Step(ctx)
		next = out.Next
		if err != nil && lasting(err) && !out.Idle {
			err = nil // what can be finished is, then it will be said again
		}
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

// Run steps until ctx ends, or there are [TooManyRejects]. What else a person must mend is logged, and looked
// at again after Retry.
func (r *Repairer) Run(ctx context.Context) error {
	told := ""
	for fails := 0; ; {
		out, err := r.Step(ctx)
		wait := out.pause()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, new(*TooManyRejects)):
			return err
		case err == nil:
			if fails = 0; !out.Changed {
				told = "" // all was looked at, and nothing is to be mended
			}
		case lasting(err):
			if text := err.Error(); text != told {
				told = text
				r.w.Log.Error("somebody must mend this", zap.Error(err))
			}
			if out.Idle {
				wait = r.w.Retry
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
