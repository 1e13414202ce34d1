package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dynamolake/writer"
)

// other is what the lake is compared with.
type other interface {
	// each gives all items, by their canonical keys and forms, from several goroutines.
	each(ctx context.Context, progress func(items int64), take func(key, item []byte) error) error
	name() string
}

// suspect is a key of which the lake and the other side have different items.
type suspect struct {
	key   []byte // canonical; nil while it is not known
	other digest // zero: none
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
	suspects map[digest]*suspect
	beyond   int64 // suspects that are not remembered
}

// compare folds the lake and compares it, in as many passes as memory demands.
func (v *run) compare(ctx context.Context) error {
	c := &comparison{v: v, suspects: map[digest]*suspect{}}
	if v.AgainstTable != nil {
		c.with = v.AgainstTable
	} else {
		c.with, c.at = v.AgainstExport, v.AgainstExport.At
		if l := v.ledger; !l.Covers(c.at, v.through()) {
			v.notes.add(Behind, c.with.name(), "the lake has the state from %s to %s, and the export is of %s: it cannot be compared; choose another export, or wait until the lake has reached that time", stamp(v.report.Since), stamp(v.report.Reach), stamp(c.at))
			return nil
		}
	}
	c.out.With, c.out.At = c.with.name(), c.at
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
	if v.AgainstTable != nil {
		if err := c.settle(ctx, v.AgainstTable); err != nil {
			return err
		}
	}
	return c.conclude(ctx)
}

// pass compares a part of the keys.
func (c *comparison) pass(ctx context.Context, s *state) error {
	v := c.v
	if err := v.fold(ctx, s); err != nil {
		return err
	}
	total := int64(len(s.keys))
	progress := func(items int64) { v.tell(Progress{Stage: "compare", Done: items, Total: total}) }
	err := c.with.each(ctx, progress, func(key, item []byte) error {
		c.item(s, key, item)
		return nil
	})
	if err != nil {
		return err
	}
	for key, e := range s.keys {
		if e.live() {
			c.out.Lake++
		}
		if e.flag&met != 0 || !e.live() {
			continue
		}
		if c.young(e) {
			c.out.TooYoung++
			continue
		}
		c.suspect(key, &suspect{lake: e, known: true})
	}
	return nil
}

// fold puts the rows that were there when the lake was listed into a state.
func (v *run) fold(ctx context.Context, s *state) error {
	return v.eachRow(ctx, "fold", v.extent.has, func(text []byte, r *writer.Row) error {
		s.put(digestOf(text), entryOf(r), func() digest {
			item, err := v.item(r)
			if err != nil {
				return digest{} // equal to no item; depth rows says why
			}
			return digestOf(item)
		})
		return nil
	})
}

// item compares an item of the other side.
func (c *comparison) item(s *state, keyText, item []byte) {
	key := digestOf(keyText)
	e, known, ours := s.meet(key)
	if !ours {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Items++
	d := digestOf(item)
	switch {
	case known && c.young(e):
		c.out.TooYoung++
	case known && e.live() && e.item == d:
		c.out.Equal++
	default:
		c.suspect(key, &suspect{key: slices.Clone(keyText), other: d, lake: e, known: known})
	}
}

// young tells whether an item's last change is too close to the export's time, or later.
func (c *comparison) young(e entry) bool {
	if c.at.IsZero() || e.flag&snapshot != 0 {
		return false
	}
	return e.ts == 0 || !time.UnixMicro(e.ts).Before(c.at.Add(-c.v.Skew))
}

func (c *comparison) suspect(key digest, s *suspect) {
	if int64(len(c.suspects)) >= max(c.v.Memory/suspectBytes, 1000) {
		c.beyond++
		return
	}
	c.suspects[key] = s
}

// conclude turns what still differs into doubts.
func (c *comparison) conclude(ctx context.Context) error {
	c.out.Differing = int64(len(c.suspects)) + c.beyond
	if c.out.Differing > 0 {
		names, err := c.names(ctx)
		if err != nil {
			return err
		}
		for key, s := range c.suspects {
			c.v.notes.add(Item, key.String(), "%s", c.text(s, names[key]))
		}
		if c.beyond > 0 {
			c.v.notes.add(Item, c.with.name(), "%d more items differ, too many to look at", c.beyond)
		}
	}
	c.v.report.Compared = &c.out
	return nil
}

func (c *comparison) text(s *suspect, names []string) string {
	const then = "make a new full export with dynamolake bootstrap --again, and report this"
	switch {
	case !s.known:
		return "the lake has never had the item of this key hash, and " + c.with.name() + " has it; " + then
	case s.other == digest{}:
		return "the lake has the item of this key hash, and " + c.with.name() + " does not; " + then
	case !s.lake.live():
		return "the lake has the item of this key hash as removed, and " + c.with.name() + " has it; " + then
	case len(names) == 0:
		return "the lake and " + c.with.name() + " have different items of this key hash; " + then
	}
	return fmt.Sprintf("the lake and %s have different items of this key hash, in the attributes %s; %s", c.with.name(), strings.Join(names, ", "), then)
}
