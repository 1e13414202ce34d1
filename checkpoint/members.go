package checkpoint

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// state is what this worker thinks of another.
type state int

const (
	foreign  state = iota // a Java worker: it has no beat, its rows tell
	unproven              // its row is there, but nobody was seen to move it yet
	alive
	leaving // alive, hands over what it has and takes nothing
	dead
)

func (s state) String() string {
	return [...]string{"foreign", "unproven", "alive", "leaving", "dead"}[s]
}

// beatOf tells beats of different processes apart.
type beatOf struct {
	run  string
	beat int64
}

type member struct {
	row   Worker
	beat  sighting[beatOf]
	state state
}

// judge says what a worker is from its row and from since when its beat stands.
func judge(w Worker, beat sighting[beatOf], asked time.Time, duration time.Duration) state {
	switch {
	case w.Beat == 0:
		return foreign
	case beat.still(asked, duration):
		return dead
	case w.Leaving:
		return leaving
	case !beat.moved:
		return unproven
	}
	return alive
}

// poll reads the worker table and notes who lives. A change makes the rows stale.
func (k *Keeper) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.o.Duration/2)
	defer cancel()
	asked := time.Now()
	workers, err := k.t.workers(ctx)
	got := time.Now()

	k.mu.Lock()
	defer k.mu.Unlock()
	k.deaf.note(asked, err)
	if err != nil {
		return err
	}
	now := make(map[string]member, len(workers))
	changed := false
	for _, w := range workers {
		if w.ID == k.o.Worker {
			continue
		}
		old, known := k.members[w.ID]
		m := member{row: w, beat: old.beat.see(beatOf{w.Run, w.Beat}, got)}
		m.state = judge(w, m.beat, asked, k.o.Duration)
		if !known || m.state != old.state || w.Max != old.row.Max {
			changed = true
			if m.state != unproven {
				k.log.Info("worker is "+m.state.String(), zap.String("other", w.ID))
			}
		}
		delete(k.departed, w.ID)
		now[w.ID] = m
	}
	for id, m := range k.members {
		if _, ok := now[id]; ok {
			continue
		}
		changed = true
		// Only who is leaving removes its own row, when it holds nothing any more.
		// Of any other vanished row we know nothing: its leases' counters will tell.
		if m.state == leaving {
			k.departed[id] = true
			k.log.Info("worker has left", zap.String("other", id))
		}
	}
	k.members, k.polled = now, asked
	if changed {
		k.rescan, k.replan = true, true
	}
	return nil
}

// staying lists who may be given leases. The caller holds mu.
func (k *Keeper) staying() []Member {
	var ms []Member
	if !k.draining {
		ms = append(ms, Member{ID: k.o.Worker, Max: k.o.MaxLeases})
	}
	for id, m := range k.members {
		if m.state == alive {
			ms = append(ms, Member{ID: id, Max: m.row.Max})
		}
	}
	return ms
}

// lists tells whether this worker lists the stream for the fleet: the one
// with the smallest id among those that stay. The caller holds mu.
func (k *Keeper) lists() bool {
	for _, m := range k.staying() {
		if m.ID < k.o.Worker {
			return false
		}
	}
	return !k.draining && k.ready()
}

// joined: the others have had the time to be seen, and to see this worker. Before that nobody
// hands it anything. The caller holds mu.
func (k *Keeper) joined() bool {
	return !k.born.IsZero() && time.Since(k.born) >= 5*k.o.Heartbeat/2
}

// ready: it may take leases. The caller holds mu.
func (k *Keeper) ready() bool { return k.joined() && k.trusted() }
