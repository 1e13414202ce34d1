package lakecheck

import (
	"maps"
	"slices"
	"time"

	"dynamolake/transform"
)

// exports takes in the rows of all exports, and compares each export with what the
// journal says of its time.
func (c *checker) exports(lake *Lake) {
	r := &c.report
	recorded := map[*Object]bool{}
	for _, x := range lake.Exports {
		if x.Err != nil {
			r.add(&r.WrongContent, "%s: %v", x.Key, x.Err)
		}
		for _, o := range x.Objects {
			recorded[o] = true
		}
		if x.Overlap != nil {
			recorded[x.Overlap] = true
		}
		c.export(x)
	}
	for _, o := range lake.Exported {
		if o.Err != nil {
			r.add(&r.WrongContent, "%s: %v", o.Key, o.Err)
		}
		if recorded[o] {
			continue
		}
		if t := c.truth.Timeline; t != nil && t.epoch(o.Epoch) != nil && t.epoch(o.Epoch).GivenUp {
			continue // begun, and given up; its rows are below the base
		}
		r.add(&r.Orphans, "%s: no record of an export names it", o.Key)
	}
}

// export compares one.
func (c *checker) export(x *Export) {
	r := &c.report
	want := c.expected(x)
	seen := map[string]bool{}
	for _, o := range x.Objects {
		for i := range o.Rows {
			row := &o.Rows[i]
			if row.Key == "" {
				continue // its object's Err says why it could not be rebuilt
			}
			if seen[row.Key] {
				r.add(&r.Doubled, "%s: item %.300s is there twice", o.Key, row.Key)
				continue
			}
			seen[row.Key] = true
			c.exported = append(c.exported, located{row, o})
			if w, ok := want[row.Key]; c.truth.Journal == nil {
			} else if !ok {
				r.add(&r.Unknown, "%s: item %.300s (%s) is not in the journal's account of it", o.Key, row.Key, row.Op)
			} else if p := w.differs(row, o.HasOld && x.Source == incremental, c.truth.part); p != "" {
				r.add(&r.WrongContent, "%s: item %.300s: %s", o.Key, row.Key, p)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !seen[key] {
			r.add(&r.Lost, "%s: item %.300s (%s) is missing in the export from %v to %v", x.Key, key, want[key].op, x.From, x.To)
		}
	}
	c.overlap(x, seen)
}

// overlap looks at rows that say that an item came and went unseen.
func (c *checker) overlap(x *Export, seen map[string]bool) {
	if x.Overlap == nil {
		return
	}
	r := &c.report
	removed := map[string]bool{}
	for i := range c.truth.Journal {
		if c.truth.Journal[i].Op == transform.Remove.String() {
			removed[c.keys[i]] = true
		}
	}
	for i := range x.Overlap.Rows {
		row := &x.Overlap.Rows[i]
		if row.Op != transform.Remove.String() || seen[row.Key] || c.truth.Journal != nil && !removed[row.Key] {
			r.add(&r.WrongContent, "%s: item %.300s (%s) did not go unseen", x.Overlap.Key, row.Key, row.Op)
			continue
		}
		c.exported = append(c.exported, located{row, x.Overlap})
	}
}

// compacted is what an export has of one item.
type compacted struct {
	op       string
	new, old string // DynamoDB JSON in any form
	at       time.Time
}

// expected is what the journal says that an export has, by canonical key.
func (c *checker) expected(x *Export) map[string]compacted {
	items := map[string]compacted{}
	if x.Source == full {
		for key, image := range c.stateAt(x.To) {
			items[key] = compacted{op: transform.Snapshot.String(), new: image, at: x.To}
		}
		return items
	}
	for i := range c.truth.Journal {
		rec := &c.truth.Journal[i]
		if rec.Micros == 0 || rec.Micros < x.From.UnixMicro() || rec.Micros >= x.To.UnixMicro() {
			continue
		}
		w, ok := items[c.keys[i]]
		if !ok {
			w.old = rec.OldJSON
		}
		w.new, w.at = rec.NewJSON, time.UnixMicro(rec.Micros).UTC()
		items[c.keys[i]] = w
	}
	for key, w := range items {
		switch {
		case w.old == "" && w.new == "": // it came and went
			delete(items, key)
			continue
		case w.old == "":
			w.op = transform.Insert.String()
		case w.new == "":
			w.op = transform.Remove.String()
		default:
			w.op = transform.Modify.String()
		}
		items[key] = w
	}
	return items
}

// differs says where a row is not what is expected; empty where it is.
func (w compacted) differs(row *Row, hasOld, part bool) string {
	if row.Op != w.op {
		return "it is " + row.Op + ", want " + w.op
	}
	// An item that a dataset no longer has may be changed further, which the dataset's journal does not
	// tell: its row has the time of the last change all the same.
	later := part && w.op == transform.Remove.String() && row.Created.After(w.at)
	if !row.Created.Equal(w.at) && !later {
		return "it is of " + row.Created.String() + ", want " + w.at.String()
	}
	if p := differ("image", row.Image, w.new); p != "" || !hasOld {
		return p
	}
	old := ""
	if row.Old != nil {
		var err error
		if old, err = canonical(*row.Old); err != nil {
			return "its old image: " + err.Error()
		}
	}
	return differ("old image", old, w.old)
}
