package awssim

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// A timeline is the clock of one partition of a table and, while point-in-time
// recovery is on, what it has stamped. Exports read it and nothing else: what a
// window holds depends on stamps only, so windows that touch neither lose
// a change nor repeat one, however far the clocks are apart.
type timeline struct {
	offset  int64    // of its clock, in microseconds
	last    int64    // its last stamp; the next is greater
	changes []change // by stamp
}

// A change is one write that changed something. Images are shared with the table.
type change struct {
	micros   int64 // WriteTimestampMicros
	k        key
	old, new item // nil where there is none
}

// pitr is a table's point-in-time recovery. What the table held when it was turned
// on counts as written before all time: it has no changes to undo.
type pitr struct {
	on    bool
	since time.Time // turned on, or as far back as changes are kept
	days  int
}

const latestLag = 5 * time.Minute // of LatestRestorableDateTime

func (c *Cloud) newTimelines(table string) []timeline {
	lines := make([]timeline, c.cfg.ExportFiles)
	for i := range lines {
		if most := uint64(c.cfg.ClockSkew.Microseconds()); most > 0 {
			lines[i].offset = int64(mix(c.cfg.Seed, hashKey(uint64(i), value{s: table}))%(2*most+1)) - int64(most)
		}
	}
	return lines
}

func (t *table) timeline(hash uint64) *timeline {
	return &t.lines[hash>>32*uint64(len(t.lines))>>32]
}

// stamp gives a write its time on its partition's clock, and keeps it for exports.
func (c *Cloud) stamp(t *table, ch change, now time.Time) int64 {
	line := t.timeline(hashKey(c.cfg.Seed, ch.k.hash))
	ch.micros = max(now.UnixMicro()+line.offset, line.last+1)
	line.last = ch.micros
	if t.pitr.on {
		c.forget(t, line, now)
		line.changes = append(line.changes, ch)
	}
	return ch.micros
}

// forget drops changes that are older than the recovery period, but for those an
// export under way still needs.
func (c *Cloud) forget(t *table, line *timeline, now time.Time) {
	keep := t.earliest(now)
	if len(line.changes) == 0 || line.changes[0].micros >= keep.UnixMicro() {
		return
	}
	for _, e := range c.running {
		if e.t == t && e.from.Before(keep) {
			keep = e.from
		}
	}
	n := line.find(keep.UnixMicro())
	if n == 0 {
		return
	}
	clear(line.changes[:n])
	line.changes = line.changes[n:]
	if keep.After(t.pitr.since) {
		t.pitr.since = keep
	}
}

// find is the index of the first change stamped at micros or later.
func (l *timeline) find(micros int64) int {
	return sort.Search(len(l.changes), func(i int) bool { return l.changes[i].micros >= micros })
}

// earliest is EarliestRestorableDateTime.
func (t *table) earliest(now time.Time) time.Time {
	period := now.AddDate(0, 0, -t.pitr.days)
	if period.After(t.pitr.since) {
		return period
	}
	return t.pitr.since
}

// latest is LatestRestorableDateTime.
func (t *table) latest(now time.Time) time.Time {
	if at := now.Add(-latestLag); at.After(t.earliest(now)) {
		return at
	}
	return t.earliest(now)
}

// setPITR turns recovery on for so many days, or off with 0. Turned on while it is
// on, only the days change.
func (c *Cloud) setPITR(t *table, days int, now time.Time) {
	switch {
	case days == 0:
		c.freeze(t)
		t.pitr = pitr{}
		for i := range t.lines {
			t.lines[i].changes = nil
		}
	case t.pitr.on:
		t.pitr.since = t.earliest(now)
		t.pitr.days = days
	default:
		t.pitr = pitr{on: true, since: now.Truncate(time.Millisecond), days: days}
	}
}

type keyText struct{ hash, sort string }

func (k key) text() keyText { return keyText{k.hash.s, k.sort.s} }

// itemsAt is the table as of all writes stamped before micros, by timeline and in no
// order: what is there now, with what was stamped later undone.
func (c *Cloud) itemsAt(t *table, micros int64) [][]item {
	out := make([][]item, len(t.lines))
	undone := map[keyText]bool{}
	for i := range t.lines {
		line := &t.lines[i]
		for _, ch := range line.changes[line.find(micros):] {
			if k := ch.k.text(); !undone[k] {
				undone[k] = true
				if ch.old != nil {
					out[i] = append(out[i], ch.old)
				}
			}
		}
	}
	t.scan(c.cfg.Seed, nil, func(p *partition, it item) bool {
		k := keyText{hash: p.key.s}
		if v, ok := it.get(t.sort.name); ok && t.sort.name != "" {
			k.sort = v.s
		}
		if !undone[k] {
			i := p.hash >> 32 * uint64(len(t.lines)) >> 32
			out[i] = append(out[i], it)
		}
		return true
	})
	return out
}

// changed is what one timeline stamped from, inclusive, to, exclusive: one change
// a key, from its image before the first to its image after the last, stamped as
// the last. What came and went is left out.
func (l *timeline) changed(from, to int64) []change {
	var out []change
	at := map[keyText]int{}
	for _, ch := range l.changes[l.find(from):l.find(to)] {
		if i, ok := at[ch.k.text()]; ok {
			out[i].new, out[i].micros = ch.new, ch.micros
			continue
		}
		at[ch.k.text()] = len(out)
		out = append(out, ch)
	}
	return slices.DeleteFunc(out, func(ch change) bool { return ch.old == nil && ch.new == nil })
}

// SetPITR turns a table's point-in-time recovery on with a recovery period of so
// many days, or off with 0; the delay after CreateTable does not apply.
func (c *Cloud) SetPITR(table string, days int) error {
	c.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[table]
	if t == nil || days < 0 || days > 35 {
		return fmt.Errorf("awssim: no table %q, or %d days are not 0 to 35", table, days)
	}
	c.setPITR(t, days, time.Now())
	return nil
}

// ItemsAt returns the table as a full export at that time shows it, like Items: as
// of all writes that their partitions' clocks stamped before it.
func (c *Cloud) ItemsAt(table string, at time.Time) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[table]
	if t == nil || !t.pitr.on || at.Before(t.earliest(time.Now())) {
		return nil, fmt.Errorf("awssim: table %q cannot be seen as of %s", table, at.UTC().Format(time.RFC3339Nano))
	}
	out := map[string]string{}
	for _, items := range c.itemsAt(t, at.UnixMicro()) {
		for _, it := range items {
			out[t.keyPart(it).String()] = it.String()
		}
	}
	return out, nil
}
