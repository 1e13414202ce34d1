package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// other is what the lake is compared with.
type other interface {
	// each gives all items, by their canonical keys, as DynamoDB JSON, from several goroutines.
	each(ctx context.Context, progress func(items int64), take func(key, item []byte) error) error
	name() string
}

// suspect is a key of which the lake and the other side have different items in a dataset.
type suspect struct {
	key   []byte // canonical; nil while it is not known
	other wanted // nil: none
	lake  entry
	known bool // the lake has a row of it
}

// suspectBytes is the share of the memory that is reckoned for one, generously. Those that
// find no room cannot settle.
const suspectBytes = 1024

// comparison is one under way.
type comparison struct {
	v        *run
	with     other
	at       time.Time // of an export; zero when it is the table as it is
	mu       sync.Mutex
	out      Compared
	suspects map[itemKey]*suspect
	beyond   int64 // suspects that are not remembered
}

// compare folds the lake and compares it, in as many passes as memory demands. The other side is
// read once for all datasets.
func (v *run) compare(ctx context.Context) error {
	c := &comparison{v: v, suspects: map[itemKey]*suspect{}}
	if v.AgainstTable != nil {
		c.with = v.AgainstTable
	} else {
		c.with, c.at = v.AgainstExport, v.AgainstExport.At
		if l := v.ledger; !l.Covers(c.at, v.through()) {
			v.notes.add(Behind, c.with.name(), "the lake has the state from %s to %s, and the export is of %s: it cannot be compared; choose another export, or wait until the lake has reached that time", stamp(v.report.Since), stamp(v.report.Reach), stamp(c.at))
			return nil
		}
	}
	for _, name := range v.current {
		if d := v.datasets[name]; d.Unseeded && !d.AppendOnly {
			v.notes.add(NoBase, "dataset "+name, "it is younger than the full export that the state begins with, so what was there before %s is not in it, and it cannot be compared; make a new full export with dynamolake bootstrap --again, or compare another dataset with --dataset", beginningOf(d))
		}
	}
	if len(v.sets) == 0 {
		return nil
	}
	limit := int(v.Memory * 3 / 4 / entryBytes)
	for parts := []part{{}}; len(parts) > 0; {
		s := newState(parts[len(parts)-1], limit)
		parts = parts[:len(parts)-1]
		c.out.Passes++
		if err := c.pass(ctx, s); err != nil {
			return err
		}
		parts = append(parts, s.left...)
	}
	if err := c.refused(ctx); err != nil {
		return err
	}
	if v.AgainstTable != nil {
		if err := c.settle(ctx, v.AgainstTable); err != nil {
			return err
		}
		if err := c.refused(ctx); err != nil { // meanwhile
			return err
		}
	}
	return c.conclude(ctx)
}

func beginningOf(d *Dataset) string {
	if d.Begins.IsZero() {
		return "its first change"
	}
	return stamp(d.Begins)
}

// pass compares a part of the keys.
func (c *comparison) pass(ctx context.Context, s *state) error {
	v := c.v
	if err := v.fold(ctx, s); err != nil {
		return err
	}
	total := int64(len(s.keys))
	progress := func(items int64) { v.tell(Progress{Stage: "compare", Done: items, Total: total}) }
	err := c.with.each(ctx, progress, func(key, item []byte) error { return c.item(s, key, item) })
	if err != nil {
		return err
	}
	for key, e := range s.keys {
		out := &v.sets[key.set].out
		if e.live() {
			out.Lake++
		}
		if e.flag&met != 0 || !e.live() {
			continue
		}
		if c.young(e) {
			out.TooYoung++
			continue
		}
		c.suspect(key, &suspect{lake: e, known: true})
	}
	return nil
}

// fold puts the rows that were there when the lake was listed into a state.
func (v *run) fold(ctx context.Context, s *state) error {
	return v.eachRow(ctx, "fold", v.extent.has, func(text []byte, r row) error {
		s.put(itemKey{digestOf(text), r.set}, entryOf(r), func() digest {
			item, err := v.item(r)
			if err != nil {
				return digest{} // equal to no item; depth rows says why
			}
			return digestOf(item)
		})
		return nil
	})
}

// item compares an item of the other side in all datasets.
func (c *comparison) item(s *state, keyText, item []byte) error {
	key := digestOf(keyText)
	if !s.has(key) {
		return nil
	}
	for i, set := range c.v.sets {
		w, err := set.wants(item)
		if err != nil {
			return err
		}
		c.judge(s, itemKey{key, uint16(i)}, keyText, w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Items++
	return nil
}

func (c *comparison) judge(s *state, key itemKey, keyText []byte, w wanted) {
	e, known, ours := s.meet(key)
	if !ours {
		return // it became too much
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	set := c.v.sets[key.set]
	out := &set.out
	if w.takes() {
		out.Items++
	}
	switch {
	case known && c.young(e):
		out.TooYoung++
	case !w.agrees(e, known, set.from):
		c.suspect(key, &suspect{key: slices.Clone(keyText), other: w, lake: e, known: known})
	case known && e.live():
		out.Equal++
	}
}

// young tells whether an item's last change is too close to the export's time, or later.
func (c *comparison) young(e entry) bool {
	if c.at.IsZero() || e.flag&snapshot != 0 {
		return false
	}
	return e.ts == 0 || !time.UnixMicro(e.ts).Before(c.at.Add(-c.v.Skew))
}

func (c *comparison) suspect(key itemKey, s *suspect) {
	if int64(len(c.suspects)) >= max(c.v.Memory/suspectBytes, 1000) {
		c.beyond++
		return
	}
	c.suspects[key] = s
}

// conclude turns what still differs into doubts.
func (c *comparison) conclude(ctx context.Context) error {
	v := c.v
	c.out.Differing = c.beyond
	if len(c.suspects) > 0 {
		names, err := c.names(ctx)
		if err != nil {
			return err
		}
		for key, s := range c.suspects {
			v.sets[key.set].out.Differing++
			v.notes.add(Item, key.key.String(), "%s", c.text(s, v.sets[key.set].name, names[key]))
		}
	}
	if c.beyond > 0 {
		v.notes.add(Item, c.with.name(), "%d more items differ, too many to look at", c.beyond)
	}
	c.out.With, c.out.At = c.with.name(), c.at
	for _, s := range v.sets {
		s.out.With, s.out.At, s.out.Passes = c.out.With, c.at, c.out.Passes
		c.out.add(&s.out)
		v.datasets[s.name].Compared = &s.out
	}
	v.report.Compared = &c.out
	return nil
}

// add sums up over datasets; the items of the other side are counted once.
func (c *Compared) add(s *Compared) {
	c.Lake, c.Equal, c.TooYoung = c.Lake+s.Lake, c.Equal+s.Equal, c.TooYoung+s.TooYoung
	c.Settled, c.Refused, c.Differing = c.Settled+s.Settled, c.Refused+s.Refused, c.Differing+s.Differing
}

func (c *comparison) text(s *suspect, dataset string, names []string) string {
	const then = "make a new full export with dynamolake bootstrap --again, and report this"
	lake, they := "the lake", c.with.name()
	if c.v.catalog.latest > 0 {
		lake = "dataset " + dataset
	}
	switch {
	case !s.known:
		return lake + " has never had the item of this key hash, and " + they + " has it; " + then
	case s.other == nil:
		return lake + " has the item of this key hash, and " + they + " does not; " + then
	case !s.lake.live():
		return lake + " has the item of this key hash as removed, and " + they + " has it; " + then
	case s.other[s.lake.age] == digest{}:
		return lake + " has the item of this key hash, which its filter does not take as " + they + " has it; " + then
	case len(names) == 0:
		return lake + " and " + they + " have different items of this key hash; " + then
	}
	return fmt.Sprintf("%s and %s have different items of this key hash, in the attributes %s; %s", lake, they, strings.Join(names, ", "), then)
}
