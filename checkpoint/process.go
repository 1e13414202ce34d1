package checkpoint

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Process is what the keepers of one process have in common, one for each table that it
// serves: the row in the worker table, with one beat for all, and the readings of both tables.
// Each keeper has a trust window of its own, counted from beats that told of its table.
type Process struct {
	run     string // this process, as opposed to others that use the worker id
	beating turn   // one beat at a time, none after the row is removed
	workers reading[[]Worker]
	leases  reading[snapshot]

	mu      sync.Mutex
	app     string // those of the first keeper; the others must have the same
	worker  string
	serving map[string]bool // the tables, and whether they are being handed over
	known   bool            // a beat with the row's present content was through
	sent    time.Time       // when that left
	row     Worker          // what it answered
}

// NewProcess returns what the [Options] of all keepers of a process have.
func NewProcess() *Process {
	return &Process{
		run: rand.Text(), beating: newTurn(), serving: map[string]bool{},
		workers: reading[[]Worker]{turn: newTurn()}, leases: reading[snapshot]{turn: newTurn()},
	}
}

// join makes sure that keepers which share a beat share the row as well.
func (p *Process) join(o Options) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.app == "" {
		p.app, p.worker = o.App, o.Worker
	}
	if p.app != o.App || p.worker != o.Worker {
		return fmt.Errorf("keepers of one process share a lease table and a worker id: %s and %s, not %s and %s", p.app, p.worker, o.App, o.Worker)
	}
	return nil
}

// serve notes that a table is served, or handed over, which the next beat tells.
func (p *Process) serve(table string, handing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if was, ok := p.serving[table]; !ok || was != handing {
		p.serving[table], p.known = handing, false
	}
}

// end notes that a table is served no more, and tells whether any still is.
func (p *Process) end(table string) (others bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.serving[table]; ok {
		delete(p.serving, table)
		p.known = false
	}
	return len(p.serving) > 0
}

// age is how old a reading may be that a keeper takes from another: a keeper alone makes its own.
func (p *Process) age(most time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.serving) < 2 {
		return 0
	}
	return most
}

// latest is the last beat if it is young enough, and tells of all that the row is to have. A
// keeper alone makes each of its own.
func (p *Process) latest(within time.Duration) (sent time.Time, row Worker, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent, p.row, p.known && len(p.serving) > 1 && time.Since(p.sent) <= within
}

// begun tells whether a beat was through.
func (p *Process) begun() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.sent.IsZero()
}

// beaten notes a beat that was through. told is what it told of.
func (p *Process) beaten(sent time.Time, row Worker, told map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent, p.row, p.known = sent, row, maps.Equal(told, p.serving)
}

// content is what a beat tells of the tables.
func (p *Process) content(u *update) (told map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var tables, handing []string
	for _, table := range slices.Sorted(maps.Keys(p.serving)) {
		if table == "" {
			if p.serving[table] {
				u.set[attrLeaving] = yes()
			} else {
				u.remove = append(u.remove, attrLeaving)
			}
			continue
		}
		tables = append(tables, table)
		if p.serving[table] {
			handing = append(handing, table)
		}
	}
	if len(tables) > 0 {
		u.set[attrTables] = set(tables)
		if len(handing) > 0 {
			u.set[attrHanding] = set(handing)
		} else {
			u.remove = append(u.remove, attrHanding)
		}
	}
	return maps.Clone(p.serving)
}

// reading is one that several keepers share: who asks while another waits for the answer, or
// soon after, gets the same.
type reading[V any] struct {
	turn  turn
	value V
	asked time.Time // when the request left
	got   time.Time // when the answer had come
}

// read answers as of a time after the call, or up to age before it.
func (r *reading[V]) read(ctx context.Context, age time.Duration, f func(context.Context) (V, error)) (v V, asked, got time.Time, err error) {
	since := time.Now().Add(-age)
	select {
	case r.turn <- struct{}{}:
		defer r.turn.pass()
	case <-ctx.Done():
		now := time.Now()
		return v, now, now, context.Cause(ctx)
	}
	if !r.asked.IsZero() && r.asked.After(since) {
		return r.value, r.asked, r.got, nil
	}
	asked = time.Now()
	v, err = f(ctx)
	got = time.Now()
	if err == nil {
		r.value, r.asked, r.got = v, asked, got
	}
	return v, asked, got, err
}
