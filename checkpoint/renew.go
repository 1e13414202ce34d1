package checkpoint

import (
	"context"
	"errors"
	"time"
)

// renewals is the loop that writes the rows that have not been written for
// Renew: for Java readers, and to learn of a lease that was taken by hand. It is
// the beat, not these, that keeps the leases.
func (k *Keeper) renewals(ctx context.Context) {
	tick := max(k.o.Renew/40, 50*time.Millisecond)
	failed := make(chan error, 1024)
	var tr trouble
	for pause(ctx, tick, nil) {
		k.mu.Lock()
		now := time.Now()
		for _, l := range k.leases {
			if l.lost != nil || l.ended || l.handing && l.state == over || now.Before(l.renewAt) {
				continue
			}
			l.renewAt = now.Add(k.o.Renew/2 + jitter(k.o.Renew/4, l.key, l.counter)) // unless it succeeds
			k.task(func(ctx context.Context) {
				err := l.renew(ctx)
				if errors.Is(err, ErrLost) {
					err = nil // its session is told
				}
				select {
				case failed <- err:
				default:
				}
			})
		}
		k.mu.Unlock()
		answered, bad := len(failed), error(nil)
		for range answered {
			if err := <-failed; err != nil {
				bad = err
			}
		}
		if answered > 0 {
			tr.note(k.log, "renewing leases", bad)
		}
	}
}

// renew raises the counter, unless a write that does so is under way.
func (l *Lease) renew(ctx context.Context) error {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	default:
		return nil
	}
	if l.Checkpoint().Sentinel == ShardEnd {
		return nil
	}
	return l.write(ctx, "renew", update{}, func(r Row) bool { return r.in() == l.k.o.Worker })
}
