package checkpoint

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Grant is one shard that the KCL Worker is to run, once per generation.
type Grant struct {
	Shard      string
	Generation int64
}

// wanted lists the shards that are to have a consumer: granted, or read already. It
// answers at once when there is something new, else after a second, or a longer beat. A
// shard whose consumer has gone is left out of one answer, so that the Worker
// forgets it, before it comes again.
func (k *Keeper) wanted(ctx context.Context) []Grant {
	longest := time.NewTimer(max(time.Second, k.o.Heartbeat))
	defer longest.Stop()
	for waiting := true; ; {
		k.mu.Lock()
		if k.fresh || !waiting {
			grants := k.answer()
			k.mu.Unlock()
			return grants
		}
		if k.draining || k.ctx == nil {
			longest.Reset(20 * time.Millisecond) // the Worker is about to be told to stop
		}
		k.mu.Unlock()
		select {
		case <-k.wanting:
		case <-longest.C:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
}

// answer makes one listing. The Worker keeps what it knows of a shard for as long as
// the shard is listed, so a new generation is preceded by one answer without it.
// The caller holds mu.
func (k *Keeper) answer() []Grant {
	k.fresh = false
	before := k.listed
	k.listed = map[string]int64{}
	var grants []Grant
	for shard, l := range k.leases {
		if l.state == over {
			continue
		}
		if gen, ok := before[shard]; ok && gen != l.generation {
			k.fresh = true
			continue
		}
		k.listed[shard] = l.generation
		grants = append(grants, Grant{Shard: shard, Generation: l.generation})
	}
	slices.SortFunc(grants, func(a, b Grant) int { return cmp.Compare(a.Shard, b.Shard) })
	return grants
}

// start begins the session of a grant, once. It does no I/O: the lease is held
// already.
func (k *Keeper) start(shard string, generation int64) (*Lease, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.leases[shard]
	if l == nil || l.generation != generation || l.state != granted || l.handing || k.draining || l.check() != nil {
		return nil, false
	}
	l.state = live
	for _, other := range k.leases {
		if other.state == granted {
			k.fresh = true // the Worker starts one consumer per listing
			signal(k.wanting)
			break
		}
	}
	return l, true
}

// held finds the lease of a shard, if its session is not over.
func (k *Keeper) held(shard string) (*Lease, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.leases[shard]
	return l, l != nil && l.state != over
}

// stopped notes that the Worker's consumer of a shard has gone.
func (k *Keeper) stopped(shard string) {
	k.mu.Lock()
	l := k.leases[shard]
	k.mu.Unlock()
	if l != nil {
		l.Done()
	}
}
