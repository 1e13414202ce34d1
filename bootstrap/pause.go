package bootstrap

import (
	"context"
	"math/rand/v2"
	"time"
)

// pause waits for about d, so that workers that began together do not stay together.
func pause(ctx context.Context, d time.Duration) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if d > 0 {
		d = max(d, minWait) // what is left of a wait must not become none, over and over
	}
	d = d*9/10 + time.Duration(rand.Int64N(int64(max(d/5, 1))))
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
