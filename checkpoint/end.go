package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// End stores that all of a closed shard is durable. The children's rows come
// first: they belong to this worker, but cannot be read before the second write,
// the parent's ShardEnd. A crash between the two repeats both; the reverse order
// could lose a child. After it the children are granted here at once. No
// children is right for a shard whose stream was disabled.
func (l *Lease) End(ctx context.Context, children []Shard) error {
	done, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	at := l.Checkpoint()
	if at.Sentinel == ShardEnd {
		return nil
	}
	begin := Checkpoint{Sentinel: TrimHorizon}
	if at.Sentinel == AtTimestamp {
		begin = at // nothing was found yet at or after that time
	}
	begin.Created = l.k.clock()
	ours, theirs := map[string]Row{}, map[string]Row{}
	ids := make([]string, 0, len(children))
	for _, c := range children {
		ids = append(ids, c.ID)
		r := Row{Key: c.ID, Parents: []string{l.key}, Checkpoint: begin, Stream: l.k.o.Label, Owner: l.heir(len(children))}
		if r.Owner != "" {
			r.Counter = 1
		}
		now, mine, err := l.bear(ctx, r)
		if err != nil {
			return fmt.Errorf("end shard %s: %w", l.key, err)
		}
		if mine {
			ours[c.ID] = now
		} else {
			theirs[c.ID] = now
		}
	}
	u := update{
		set:    item{attrAt: str(ShardEnd), attrAtSub: num(0), attrSwitches: num(0)},
		remove: append(attrPending(), attrGap, attrOwner, attrHolder),
	}
	if len(ids) > 0 {
		u.set[attrChildren] = set(ids)
	}
	if err := l.write(ctx, "end", u, func(r Row) bool { return r.ended() }); err != nil {
		return fmt.Errorf("end shard %s: %w", l.key, err)
	}
	l.ending(ids, ours, theirs)
	return nil
}

// heir is who gets a child of this shard: this worker, unless it drains, hands the
// shard over, or would hold too much.
func (l *Lease) heir(children int) string {
	k := l.k
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.draining:
		return k.pick()
	case l.handing && k.members[l.target].state == alive:
		return l.target
	case k.o.MaxLeases > 0 && len(k.leases)-1+children > k.o.MaxLeases:
		return k.pick()
	}
	return k.o.Worker
}

// bear creates a child's row, or finds the one that is there. mine tells whether
// this call, or an earlier one without an answer, created it.
func (l *Lease) bear(ctx context.Context, r Row) (now Row, mine bool, err error) {
	k := l.k
	wait := 50 * time.Millisecond
	for {
		if err := l.Check(); err != nil {
			return Row{}, false, err
		}
		try, cancel := context.WithTimeout(ctx, k.o.Duration/2)
		err := k.t.create(try, r)
		cancel()
		k.m.write("create", err)
		if err == nil {
			return r, true, nil
		}
		if no, ok := errors.AsType[refused](err); ok {
			now, ok := no.row()
			if !ok {
				return Row{}, false, fmt.Errorf("row of child %s: not a lease row", r.Key)
			}
			same := now.Owner == r.Owner && now.Counter == r.Counter && now.in() == r.Owner
			return now, same, nil
		}
		if lasting(err) || !pause(ctx, wait, nil) {
			return Row{}, false, err
		}
		wait = min(2*wait, 2*time.Second)
	}
}

// ending notes what End wrote, and sees to it that the children are read.
func (l *Lease) ending(ids []string, ours, theirs map[string]Row) {
	k := l.k
	k.mu.Lock()
	defer k.mu.Unlock()
	l.ended, l.at = true, Checkpoint{Sentinel: ShardEnd, Start: l.at.Start, Created: l.at.Created}
	if k.rows == nil {
		k.rows = map[string]Row{}
	}
	r := k.rows[l.key]
	r.Key, r.Owner, r.Holder, r.Counter, r.Checkpoint, r.Children = l.key, "", "", l.counter, l.at, ids
	r.Epoch, r.OlderTo, r.RowsIn, r.CurrentTo = l.epoch, l.olderTo, l.rowsIn, l.currentTo
	k.rows[l.key] = r
	k.replan = true
	for id, c := range ours {
		k.rows[id] = c
		switch {
		case c.Owner != k.o.Worker:
			k.knock(c.Owner)
		case l.lost == nil:
			k.grant(c, k.epoch)
		}
	}
	for id, c := range theirs {
		k.rows[id] = c
		mine := c.in() == k.o.Worker && k.leases[id] == nil
		if l.lost == nil && !k.draining && !k.taking[id] && eligible(c, k.rows) && (mine || k.free(c)) {
			k.take(c)
		} else if c.in() != k.o.Worker {
			k.knock(c.in())
		}
	}
	signal(k.wake)
}
