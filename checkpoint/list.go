package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"
)

// lister is what listing the stream remembers from one time to the next.
type lister struct {
	before   map[string]bool // ids in the last complete listing, nil before there is one
	unlisted map[string]int  // parents that exist: in how many listings they were missing
	again    bool            // the listing did not hold together: list again soon
	next     time.Time
}

// listings is the loop that lists the stream while that is this worker's part.
func (k *Keeper) listings(ctx context.Context) {
	var tr trouble
	s := lister{unlisted: map[string]int{}}
	for pause(ctx, k.o.Heartbeat/2, nil) {
		k.mu.Lock()
		lists := k.lists()
		k.mu.Unlock()
		if !lists {
			s = lister{unlisted: map[string]int{}}
			continue
		}
		if time.Now().Before(s.next) {
			continue
		}
		began := time.Now()
		err := k.list(ctx, &s)
		if ctx.Err() != nil {
			return
		}
		tr.note(k.log, "listing the stream", err)
		every := max(k.o.ListEvery, 10*time.Since(began))
		if err != nil || s.again {
			every = min(every, 5*time.Second)
		}
		s.next = began.Add(every*19/20 + jitter(every/10, k.o.Worker, began.UnixNano()))
	}
}

// list lists the stream once, creates the rows that are missing and removes
// those that are done with. The rows are read after the listing, so a
// shard that ended in between has its children's rows.
func (k *Keeper) list(ctx context.Context, s *lister) error {
	listed, err := k.o.Stream.Shards(ctx)
	if err != nil {
		return fmt.Errorf("list shards: %w", err)
	}
	if err := k.scan(ctx, 0); err != nil {
		return err
	}
	k.mu.Lock()
	rows, stray := maps.Clone(k.rows), k.stray
	k.mu.Unlock()
	if err := k.remove(ctx, stray); err != nil {
		return err
	}

	gone, found, err := k.parents(ctx, newLineage(listed, rows).unknownParents(), s)
	if err != nil {
		return err
	}
	g := newLineage(append(listed, found...), rows)
	create, free := g.missing(k.o.Initial, k.clock(), gone)
	if err := k.create(ctx, create); err != nil {
		return err
	}
	if err := k.unblock(ctx, free); err != nil {
		return err
	}
	now := make(map[string]bool, len(g.shards))
	for id := range g.shards {
		now[id] = true
	}
	removed := 0
	if s.before != nil {
		free, remove := g.finished(s.before)
		if err := k.unblock(ctx, free); err != nil {
			return err
		}
		if err := k.remove(ctx, remove); err != nil {
			return err
		}
		removed = len(remove)
	}
	s.before = now
	k.forget(ctx)
	if len(create)+len(free)+removed > 0 {
		k.log.Info("lease rows follow the stream", zap.Int("shards", len(listed)), zap.Int("created", len(create)), zap.Int("unblocked", len(free)), zap.Int("removed", removed))
	}
	if len(create)+len(free) > 0 {
		k.mu.Lock()
		k.rescan = true
		for _, m := range k.staying() {
			k.knock(m.ID)
		}
		k.mu.Unlock()
		signal(k.wake)
	}
	return nil
}

// parents asks the stream for parents that a listing does not show. Those that
// are there are shown by a later one, and their children wait. One that exists, is
// missing from two listings and is old enough gets a row nevertheless: it is about to be
// trimmed. A young one would begin before its own parent, which nobody can tell.
func (k *Keeper) parents(ctx context.Context, unknown []string, s *lister) (gone map[string]bool, found []Shard, err error) {
	gone = map[string]bool{}
	missing := map[string]int{}
	var mu sync.Mutex
	keys := map[string]bool{}
	for _, p := range unknown {
		keys[p] = true
	}
	parallel(8, keys, func(p string) {
		there, e := k.o.Stream.Exists(ctx, p)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case e != nil:
			err = fmt.Errorf("look for parent shard %s: %w", p, e)
		case !there:
			gone[p] = true
		default:
			missing[p] = s.unlisted[p] + 1
			if missing[p] >= 2 && trimming(p, k.clock()) {
				found = append(found, Shard{ID: p, Closed: true})
			}
		}
	})
	s.unlisted = missing
	s.again = len(missing) > len(found)
	return gone, found, err
}

// create puts rows that are not there, those of one generation at once, parents
// first. That a row is there already is well.
func (k *Keeper) create(ctx context.Context, rows []Row) error {
	for len(rows) > 0 {
		wave, made := map[string]Row{}, map[string]bool{}
		var rest []Row
		for _, r := range rows {
			made[r.Key] = true
			if len(r.Parents) > 0 && made[r.Parents[0]] {
				rest = append(rest, r)
				continue
			}
			wave[r.Key] = r
		}
		err := k.each(wave, func(key string) error {
			row := wave[key]
			row.Checkpoint.Created, row.Stream = k.clock(), k.o.Label
			err := k.t.create(ctx, row)
			k.m.write("create", err)
			return err
		})
		if err != nil {
			return err
		}
		rows = rest
	}
	return nil
}

// unblock tells rows that they need not wait for a parent. It leaves the counter
// alone, which belongs to their owners.
func (k *Keeper) unblock(ctx context.Context, ids []string) error {
	keys := map[string]Row{}
	for _, id := range ids {
		keys[id] = Row{}
	}
	return k.each(keys, func(key string) error {
		err := k.t.update(ctx, key, update{
			set:   item{attrParentGone: yes()},
			where: []string{"attribute_exists(#" + attrKey + ")"},
		})
		k.m.write("unblock", err)
		return err
	})
}

func (k *Keeper) remove(ctx context.Context, rows []Row) error {
	keys := map[string]Row{}
	for _, r := range rows {
		keys[r.Key] = r
	}
	return k.each(keys, func(key string) error {
		err := k.t.remove(ctx, keys[key])
		k.m.write("remove", err)
		return err
	})
}

// each calls f for the rows, several at once, and returns the first error. A
// refused condition is none: somebody else was there.
func (k *Keeper) each(rows map[string]Row, f func(key string) error) error {
	var mu sync.Mutex
	var first error
	parallel(writers, rows, func(key string) {
		err := f(key)
		if _, ok := errors.AsType[refused](err); ok {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = err
		}
	})
	return first
}

// forget removes the rows of workers that are dead and have not been seen for a day.
func (k *Keeper) forget(ctx context.Context) {
	k.mu.Lock()
	old := map[string]Worker{}
	for id, m := range k.members {
		if m.state == dead && k.o.Wall().Sub(m.row.Updated) > 24*time.Hour {
			old[id] = m.row
		}
	}
	k.mu.Unlock()
	parallel(writers, old, func(id string) {
		k.m.write("forget", k.t.removeWorker(ctx, old[id]))
	})
}
