package checkpoint

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Drain hands everything over, while Run goes on: it takes nothing any more, says
// so, asks all sessions to stop, gives each row to another worker as soon as its
// session is over, and removes the worker's row. After an error the rest is
// still owned, and others take it when this worker is dead.
func (k *Keeper) Drain(ctx context.Context) error {
	k.mu.Lock()
	if k.ctx == nil {
		k.mu.Unlock()
		return fmt.Errorf("drain worker %s: it does not run", k.o.Worker)
	}
	k.draining = true
	held := len(k.leases)
	k.mu.Unlock()
	k.log.Info("draining", zap.Int("leases", held))
	// Say so before looking who stays, so that of two that drain at once at least one
	// does not hand over to the other.
	if err := k.beat(ctx); err != nil {
		k.log.Warn("others are not told of the drain", zap.Error(err))
	}
	if err := k.poll(ctx, 0); err != nil {
		k.log.Warn("who stays is not known for sure", zap.Error(err))
	}
	k.mu.Lock()
	targets := map[string]string{}
	for _, m := range Plan(k.staying(), k.claims()) {
		if m.From == k.o.Worker {
			targets[m.Key] = m.To
		}
	}
	for _, l := range k.leases {
		k.revoke(l, targets[l.key])
	}
	k.fresh = true
	k.mu.Unlock()
	signal(k.wanting)

	for {
		k.mu.Lock()
		rest := len(k.leases) + len(k.taking)
		k.mu.Unlock()
		if rest == 0 {
			break
		}
		if !pause(ctx, time.Second, k.dropped) {
			return fmt.Errorf("drain worker %s: %d leases not handed over: %w", k.o.Worker, rest, context.Cause(ctx))
		}
	}
	if err := k.forward(ctx); err != nil {
		return err
	}
	k.post(ctx)
	return k.leave(ctx)
}

// forward passes on what others handed to this worker while it drained.
func (k *Keeper) forward(ctx context.Context) error {
	k.mu.Lock()
	known := k.rows != nil && k.trusted()
	k.mu.Unlock()
	if !known {
		return nil
	}
	if err := k.scan(ctx, 0); err != nil {
		return fmt.Errorf("drain worker %s: %w", k.o.Worker, err)
	}
	k.mu.Lock()
	late := map[string]Row{}
	to := k.pick()
	for key, r := range k.rows {
		if n, old := k.orphans[key]; r.Owner == k.o.Worker && r.Holder == "" && !r.ended() && (!old || n != r.Counter) {
			late[key] = r
		}
	}
	k.mu.Unlock()
	parallel(writers, late, func(key string) {
		r := late[key]
		u := update{
			set: item{attrCounter: num(r.Counter + 1)}, add: item{attrSwitches: one()},
			where: []string{"#" + attrCounter + " = :n", "#" + attrOwner + " = :me"},
			args:  item{":n": num(r.Counter), ":me": str(k.o.Worker)},
		}
		if to != "" {
			u.set[attrOwner] = str(to)
		} else {
			u.remove = []string{attrOwner}
		}
		err := k.t.update(ctx, key, u)
		k.m.write("give", err)
		if err == nil {
			k.mu.Lock()
			k.knock(to)
			k.mu.Unlock()
		}
	})
	return nil
}

// leave removes the table from the worker's row, and with the last the row, which says that it holds
// nothing.
func (k *Keeper) leave(ctx context.Context) error {
	k.p.beating.take()
	defer k.p.beating.pass()
	k.mu.Lock()
	k.left = true
	others := k.p.end(k.o.Scope.name())
	k.mu.Unlock()
	var err error
	if others {
		_, _, err = k.tell(ctx)
	} else {
		err = k.t.removeWorker(ctx, Worker{ID: k.o.Worker, Run: k.p.run})
	}
	if err != nil {
		return fmt.Errorf("drain worker %s: %w", k.o.Worker, err)
	}
	k.log.Info("drained")
	return nil
}

// parallel calls f for each key, at most n at once.
func parallel[V any](n int, keys map[string]V, f func(key string)) {
	slots := make(chan struct{}, n)
	var wg sync.WaitGroup
	for key := range keys {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(key)
		})
	}
	wg.Wait()
}
