package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// After is the row as a rewind writes it: nobody's.
func (re Rewound) After() Row {
	r := re.Row
	if re.Stays != "" {
		return r
	}
	r.Checkpoint, r.ParentGone, r.CurrentTo = re.To, re.ParentGone, re.CurrentTo
	r.Owner, r.Holder, r.Switches = "", "", 0
	r.Counter++
	return r
}

// Apply writes what a rewind makes of a row, if the row is as it was read. A worker that takes or renews
// the lease meanwhile raises its counter: then nothing is written and the error says who has it.
func Apply(ctx context.Context, client *dynamodb.Client, app string, re Rewound) error {
	if re.Stays != "" {
		return nil
	}
	return move(ctx, client, app, re.Row.Counter, re.Row.Checkpoint, re.After())
}

// Restorable tells whether a row can be put back as it was before a rewind: an error says that something
// has changed it since, false that the rewind had never been written.
func Restorable(before, after, now Row) (bool, error) {
	switch {
	case now.unmoved(before):
		return false, nil
	case !now.unmoved(after):
		return false, changed(before.Key, now, true)
	}
	return true, nil
}

// Restore puts a row back as it was before a rewind, but for its owner, if it is Restorable.
func Restore(ctx context.Context, client *dynamodb.Client, app string, before, after, now Row) (bool, error) {
	if can, err := Restorable(before, after, now); !can {
		return false, err
	}
	before.Owner, before.Holder = "", ""
	return true, move(ctx, client, app, after.Counter, after.Checkpoint, before)
}

// move replaces how far a row says that its shard is, under the condition that it is as it was read.
func move(ctx context.Context, client *dynamodb.Client, app string, counter int64, was Checkpoint, to Row) error {
	u := update{
		set:    item{attrAt: str(to.Checkpoint.text()), attrAtSub: num(0), attrSwitches: num(0), attrCounter: num(counter + 1)},
		remove: append(attrPending(), attrOwner, attrHolder),
		where:  []string{"#" + attrCounter + " = :n", "#" + attrAt + " = :was"},
		args:   item{":n": num(counter), ":was": str(was.text())},
	}
	optional := func(attr string, t time.Time) {
		if t.IsZero() {
			u.remove = append(u.remove, attr)
		} else {
			u.set[attr] = num(t.UnixMilli())
		}
	}
	optional(attrCurrentTo, to.CurrentTo)
	if to.ParentGone {
		u.set[attrParentGone] = yes()
	} else {
		u.remove = append(u.remove, attrParentGone)
	}
	t := &tables{client: client, app: app, of: to.Of}
	err := t.update(ctx, to.Key, u)
	no, is := errors.AsType[refused](err)
	if !is {
		return err
	}
	now, there := no.row()
	if there && now.Counter == counter+1 && now.Checkpoint.text() == to.Checkpoint.text() && now.in() == "" {
		return nil // the reply to it was lost, and the SDK asked again
	}
	return changed(to.Key, now, there)
}

func changed(key string, now Row, there bool) error {
	switch {
	case !there:
		return fmt.Errorf("shard %s: its lease row is gone; nothing was written to it", key)
	case now.in() != "":
		return fmt.Errorf("shard %s: worker %s has taken the lease meanwhile (checkpoint %s); nothing was written to it, stop the fleet first", key, now.in(), now.Checkpoint.text())
	}
	return fmt.Errorf("shard %s: its lease row has changed meanwhile (checkpoint %s); nothing was written to it", key, now.Checkpoint.text())
}

// Live tells which leases somebody holds who lives: whose owner's beat moves or, as a Java worker
// has none, whose own counter does. It reads the tables until all owners have been seen to live, or
// for as long as patience. No owner, no waiting.
func Live(ctx context.Context, client *dynamodb.Client, app, name string, patience time.Duration) (Table, map[string]bool, error) {
	first, err := ReadTable(ctx, client, app, name)
	if err != nil {
		return first, nil, err
	}
	began, now, live := time.Now(), first, map[string]bool{}
	for {
		owned := 0
		for _, r := range now.Leases {
			if r.in() != "" && !r.ended() {
				owned++
			}
		}
		if owned == 0 || len(live) == owned || time.Since(began) >= patience {
			return now, live, nil
		}
		if !pause(ctx, min(time.Second, patience), nil) {
			return now, nil, fmt.Errorf("watching the fleet: %w", context.Cause(ctx))
		}
		if now, err = ReadTable(ctx, client, app, name); err != nil {
			return now, nil, err
		}
		live = moved(first, now)
	}
}

// moved compares two readings of the tables.
func moved(first, now Table) map[string]bool {
	beats, counters := map[string]beatOf{}, map[string]int64{}
	for _, w := range first.Workers {
		beats[w.ID] = beatOf{w.Run, w.Beat}
	}
	for _, r := range first.Leases {
		counters[r.Key] = r.Counter
	}
	beating := map[string]bool{}
	for _, w := range now.Workers {
		beating[w.ID] = w.Beat != 0 && beats[w.ID] != beatOf{w.Run, w.Beat}
	}
	live := map[string]bool{}
	for _, r := range now.Leases {
		if r.in() != "" && !r.ended() && (beating[r.in()] || counters[r.Key] != r.Counter) {
			live[r.Key] = true
		}
	}
	return live
}
