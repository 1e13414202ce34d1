package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// beats raises this worker's beat every Heartbeat, and with each extends the
// trust window.
func (k *Keeper) beats(ctx context.Context) error {
	var tr trouble
	for {
		sent := time.Now()
		err := k.beat(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrReplaced) {
			return err
		}
		tr.note(k.log, "beat", err)
		next := k.o.Heartbeat
		if err != nil {
			next /= 4
		}
		if !pause(ctx, max(next-time.Since(sent), next/4), nil) {
			return nil
		}
	}
}

// beat raises the beat once. The window is counted from before the request leaves:
// whoever sees the new beat starts to count later.
func (k *Keeper) beat(ctx context.Context) error {
	k.p.beating.take()
	defer k.p.beating.pass()
	k.mu.Lock()
	left := k.left
	if !left {
		k.p.serve(k.o.Scope.name(), k.draining)
	}
	k.mu.Unlock()
	if left {
		return nil
	}
	sent, w, ok := k.p.latest(k.o.Heartbeat / 2)
	if !ok {
		var err error
		if sent, w, err = k.tell(ctx); err != nil {
			return err
		}
	}

	k.mu.Lock()
	defer k.mu.Unlock()
	now, first := time.Now(), k.born.IsZero()
	if first {
		k.born = now
	} else if !now.Before(k.deadline) {
		// The beat came through, but too late to have kept others from taking
		// over: they may have counted to the end before it landed.
		k.expire()
	}
	k.deadline = deadline(sent, k.o.Duration, k.o.Margin)
	if k.passed {
		k.passed = false
		k.log.Info("beat is through again; taking leases anew")
	}
	if w.Inbox != k.inbox {
		k.inbox = w.Inbox
		if !first {
			k.rescan = true
			signal(k.wake)
		}
	}
	return nil
}

// tell writes the beat, and what the process serves. The first makes the row this process's; the
// caller has the turn.
func (k *Keeper) tell(ctx context.Context) (sent time.Time, w Worker, err error) {
	u := update{
		set: item{attrUpdated: num(k.o.Wall().Unix()), attrRun: str(k.p.run), attrMax: num(int64(k.o.MaxLeases))},
		add: item{attrBeat: one()},
	}
	if k.p.begun() {
		u.where = []string{"(#" + attrRun + " = :mine OR attribute_not_exists(#" + attrWorker + "))"}
		u.args = item{":mine": str(k.p.run)}
	}
	told := k.p.content(&u)
	sent = time.Now()
	ctx, cancel := context.WithTimeout(ctx, k.o.Duration/4)
	defer cancel()
	w, err = k.t.updateWorker(ctx, k.o.Worker, u)
	k.m.write("beat", err)
	if _, ok := errors.AsType[refused](err); ok {
		return sent, w, fmt.Errorf("worker %s: %w", k.o.Worker, ErrReplaced)
	}
	if err == nil {
		k.p.beaten(sent, w, told)
	}
	return sent, w, err
}

// watch ends the leases at the deadline, so that sessions stop even if none of
// them asks.
func (k *Keeper) watch(ctx context.Context) {
	for {
		k.mu.Lock()
		wait := k.o.Heartbeat
		if !k.deadline.IsZero() && !k.passed && !k.left {
			if wait = time.Until(k.deadline); wait <= 0 {
				k.expire()
				wait = k.o.Heartbeat
			}
		}
		k.mu.Unlock()
		if !pause(ctx, wait, nil) {
			return
		}
	}
}

// trusted tells whether the worker may act on its leases now. The caller holds mu.
func (k *Keeper) trusted() bool {
	return !k.passed && !k.deadline.IsZero() && time.Now().Before(k.deadline)
}

// expire loses every lease, because others may be taking them. The caller holds mu.
func (k *Keeper) expire() {
	if k.passed {
		return
	}
	k.passed = true
	k.epoch++
	k.log.Warn("no beat came through in time; all leases are given up", zap.Int("leases", len(k.leases)))
	for _, l := range k.leases {
		k.lose(l, lostByDeadline, "the worker's own deadline passed")
	}
}
