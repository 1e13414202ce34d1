package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// grant makes a row that this worker now owns a lease. The caller holds mu.
func (k *Keeper) grant(r Row, epoch int) {
	if k.leases[r.Key] != nil {
		return
	}
	if k.ctx == nil || k.epoch != epoch || !k.trusted() {
		k.rescan = true // somebody may have taken it meanwhile: read again
		return
	}
	l := k.lease(r)
	l.renewAt = time.Now().Add(jitter(k.o.Renew, r.Key, r.Counter))
	k.m.taken.Inc()
	k.offer(l)
	k.replan = true // it may be one too many
	if k.draining {
		k.revoke(l, "")
	}
}

func (k *Keeper) lease(r Row) *Lease {
	l := &Lease{
		k: k, key: r.Key, parents: r.Parents, token: r.Counter, counter: r.Counter,
		at: r.Checkpoint, currentTo: r.CurrentTo, stored: r.CurrentTo,
		epoch: r.Epoch, olderTo: r.OlderTo, rowsIn: r.RowsIn, halted: r.Gap != "", moved: time.Now(),
		revoked: make(chan struct{}), writing: make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// offer makes a lease known to the KCL Worker, as a new generation. The caller
// holds mu.
func (k *Keeper) offer(l *Lease) {
	k.generation++
	l.generation = k.generation
	k.leases[l.key] = l
	k.m.held.Set(float64(len(k.leases)))
	k.fresh = true
	signal(k.wanting)
}

// resume starts again the sessions that ended on their own. The caller holds mu.
func (k *Keeper) resume() {
	for _, old := range k.leases {
		if old.state != over || old.lost != nil || old.ended || old.handing || time.Now().Before(old.resumeAt) {
			continue
		}
		select {
		case old.writing <- struct{}{}: // and never given back: nobody writes for it again
		default:
			continue
		}
		l := k.lease(Row{Key: old.key, Parents: old.parents, Counter: old.counter, Checkpoint: old.at, Epoch: old.epoch, OlderTo: old.olderTo, RowsIn: old.rowsIn})
		l.token, l.renewAt, l.restarts = old.token, old.renewAt, old.restarts
		l.currentTo, l.stored, l.halted, l.moved = old.currentTo, old.stored, old.halted, old.moved
		old.lost = old.gone("its session is over")
		old.cancel()
		close(old.revoked)
		k.offer(l)
	}
}

// revoke asks the session to stop; when it has, the row goes to target, or, if that
// is "", to whom it then fits. The caller holds mu.
func (k *Keeper) revoke(l *Lease, target string) {
	if l.lost != nil || l.ended || l.handing {
		return
	}
	l.handing, l.target = true, target
	close(l.revoked)
	if l.state != live {
		l.state = over
		k.release(l)
	}
	signal(k.wanting)
}

// lose takes a lease away from its session. The caller holds mu.
func (k *Keeper) lose(l *Lease, reason, why string) {
	if l.lost != nil {
		return
	}
	l.lost = l.gone(why)
	k.m.lost.WithLabelValues(reason).Inc()
	l.cancel()
	if !l.handing {
		close(l.revoked)
	}
	if l.state != live {
		l.state = over
		k.drop(l)
	}
	signal(k.wanting)
}

// drop forgets a lease whose session is over. The caller holds mu.
func (k *Keeper) drop(l *Lease) {
	if k.leases[l.key] != l {
		return
	}
	delete(k.leases, l.key)
	k.m.held.Set(float64(len(k.leases)))
	k.rescan = k.rescan || l.lost != nil
	if l.lost == nil {
		l.lost = l.gone("its session is over")
		l.cancel()
		if !l.handing {
			close(l.revoked)
		}
	}
	k.replan = true
	signal(k.dropped)
	signal(k.wake)
}

// release completes a hand-over: the row goes to the next owner. The caller
// holds mu.
func (k *Keeper) release(l *Lease) {
	k.task(func(ctx context.Context) {
		done, err := l.begin(ctx)
		if err == nil {
			err = k.give(ctx, l)
			done()
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, ErrLost) {
			k.log.Warn("lease not handed over; it is taken back", zap.String("shard", l.key), zap.Error(err))
		}
		k.rescan = k.rescan || err != nil
		k.drop(l)
	})
}

func (k *Keeper) give(ctx context.Context, l *Lease) error {
	k.mu.Lock()
	to := l.target
	if k.members[to].state != alive && !l.java {
		to = k.pick()
		l.target = to
	}
	k.mu.Unlock()
	u := update{add: item{attrSwitches: one()}, remove: []string{attrHolder}}
	switch {
	case l.java: // the next owner is in the row
	case to != "":
		u.set = item{attrOwner: str(to)}
	default:
		u.remove = append(u.remove, attrOwner)
	}
	err := l.write(ctx, "give", u, func(r Row) bool { return r.Owner == to && r.Holder == "" })
	if err != nil {
		return err
	}
	k.m.handed.Inc()
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.rows[l.key]
	r.Key, r.Owner, r.Holder, r.Counter, r.Checkpoint = l.key, to, "", l.counter, l.at
	r.Epoch, r.OlderTo, r.RowsIn = l.epoch, l.olderTo, l.rowsIn
	k.rows[l.key] = r
	k.knock(to)
	return nil
}

// pick is another worker for one lease more: one that has the least, "" if there is
// none. The caller holds mu.
func (k *Keeper) pick() string {
	staying := k.staying()
	if len(staying) == 0 {
		return "" // the whole fleet stops: do not count for each lease
	}
	load := map[string]int{}
	for _, c := range k.claims() {
		load[c.Owner]++
	}
	var best Member
	for _, m := range staying {
		if m.ID == k.o.Worker || m.Max > 0 && load[m.ID] >= m.Max {
			continue
		}
		if best.ID == "" || cmp.Or(cmp.Compare(load[m.ID], load[best.ID]), m.compare(best)) < 0 {
			best = m
		}
	}
	return best.ID
}

// knock tells a worker soon that there is something for it in the lease table.
// The caller holds mu.
func (k *Keeper) knock(id string) {
	if id != "" && id != k.o.Worker {
		k.knocks[id] = true
		signal(k.posting)
	}
}

// posts is the loop that knocks, once for what comes together.
func (k *Keeper) posts(ctx context.Context) {
	for pause(ctx, time.Hour, k.posting) && pause(ctx, 50*time.Millisecond, nil) {
		k.post(ctx)
	}
}

// post knocks on everybody who is waited for. A knock that fails is no harm: rows
// are read every so often anyway.
func (k *Keeper) post(ctx context.Context) {
	k.mu.Lock()
	ids := k.knocks
	k.knocks = map[string]bool{}
	k.mu.Unlock()
	parallel(writers, ids, func(id string) {
		ctx, cancel := context.WithTimeout(ctx, k.o.Duration/4)
		defer cancel()
		_, err := k.t.updateWorker(ctx, id, update{
			add:   item{attrInbox: one()},
			where: []string{"attribute_exists(#" + attrWorker + ")"},
		})
		k.m.write("knock", err)
	})
}
