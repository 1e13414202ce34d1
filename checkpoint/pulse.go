package checkpoint

import (
	"slices"
	"strings"
	"time"
)

// Pulse is how a worker's leases are. It is told from memory.
type Pulse struct {
	Now     time.Time     // by the service's clock, as far as it is known
	Begun   bool          // it has a part in its fleet: others had the time to see it live, and the lease table was read
	Trusted bool          // a beat came through in time, so that the leases may be used
	Failing time.Duration // for how long the two tables could not be read; 0 while they can
	Leaving bool          // it hands everything over
	Held    []Held        // in the order of shards
}

// Held is one lease of this worker.
type Held struct {
	Shard     string
	CurrentTo time.Time     // all of the shard up to here is durable; zero if unknown
	Still     time.Duration // for how long it has not come further
	Halted    bool          // at a gap
}

// fails is since when something fails; zero while it works.
type fails struct{ since time.Time }

func (f *fails) note(began time.Time, err error) {
	switch {
	case err == nil:
		f.since = time.Time{}
	case f.since.IsZero():
		f.since = began
	}
}

func (f fails) span(now time.Time) time.Duration {
	if f.since.IsZero() {
		return 0
	}
	return now.Sub(f.since)
}

// Pulse tells how the leases are.
func (d *Driver) Pulse() Pulse { return d.k.pulse() }

// Reach is up to when the fleet has all shards in the lake, as this worker's last scan of
// the lease table says: as [Through]. now is the service's clock.
func (d *Driver) Reach() (through time.Time, reading bool, now time.Time) { return d.k.reach() }

func (k *Keeper) pulse() Pulse {
	at := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	p := Pulse{
		Now: at, Begun: k.joined() && k.rows != nil, Trusted: k.trusted(), Leaving: k.draining,
		Failing: max(k.blind.span(now), k.deaf.span(now)),
	}
	for _, l := range k.leases {
		if l.ended {
			continue
		}
		p.Held = append(p.Held, Held{Shard: l.key, CurrentTo: l.currentTo, Still: now.Sub(l.moved), Halted: l.halted})
	}
	slices.SortFunc(p.Held, func(a, b Held) int { return strings.Compare(a.Shard, b.Shard) })
	return p
}

func (k *Keeper) reach() (through time.Time, reading bool, now time.Time) {
	now = k.now()
	k.mu.Lock()
	rows := make([]Row, 0, len(k.rows))
	for _, r := range k.rows {
		rows = append(rows, r)
	}
	k.mu.Unlock()
	through, reading = Through(rows)
	return through, reading, now
}
