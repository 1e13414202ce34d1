package lakecheck

import (
	"cmp"
	"maps"
	"slices"

	"dynamolake/transform"
)

// history is the changes of one key, as a reader orders them: by _epoch, then by
// _seq.
type history struct {
	key  string
	rows []located
}

func (c *checker) histories() []history {
	byKey := map[string][]located{}
	for _, l := range c.rows {
		if l.row.Key != "" { // else it could not be rebuilt: counted already
			byKey[l.row.Key] = append(byKey[l.row.Key], l)
		}
	}
	list := make([]history, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		rows := byKey[key]
		slices.SortFunc(rows, func(a, b located) int {
			return cmp.Or(cmp.Compare(a.row.Epoch, b.row.Epoch), a.row.Seq.Compare(b.row.Seq), cmp.Compare(a.row.Shard, b.row.Shard))
		})
		list = append(list, history{key, rows})
	}
	return list
}

// lineage checks every key's order against what happened, and that it held for
// readers at any moment: that no object with an older value of the key came into
// the lake after one with a newer value. Stores may round the times, but never so
// that they swap.
func (c *checker) lineage(histories []history) {
	r := &c.report
	for _, h := range histories {
		for i := 1; i < len(h.rows); i++ {
			a, b := h.rows[i-1], h.rows[i]
			idA, idB := change{a.row.Shard, a.row.Seq}, change{b.row.Shard, b.row.Seq}
			atA, okA := c.place[idA]
			atB, okB := c.place[idB]
			switch {
			case okA && okB && atA > atB:
				r.add(&r.OutOfOrder, "key %.300s: change %s of %s happened after %s of %s, readers order it before",
					h.key, idA.seq.Digits(), idA.shard, idB.seq.Digits(), idB.shard)
			case a.object != b.object && a.object.Modified.After(b.object.Modified):
				r.add(&r.OutOfOrder, "key %.300s: %s, with change %s, came after %s, with the later change %s",
					h.key, a.object.Key, idA.seq.Digits(), b.object.Key, idB.seq.Digits())
			}
		}
	}
}

// newest is the last row of each key: of the highest _epoch, in it of the highest
// _seq or _ts. Nothing below the newest full export counts.
func (c *checker) newest() map[string]*Row {
	base := int64(0)
	if c.truth.Timeline != nil {
		base = c.truth.Timeline.Base
	}
	last := map[string]*Row{}
	take := func(row *Row) {
		if row.Key == "" || row.Epoch < base {
			return
		}
		old := last[row.Key]
		if old == nil || cmp.Or(cmp.Compare(old.Epoch, row.Epoch), old.Seq.Compare(row.Seq), old.Created.Compare(row.Created)) < 0 {
			last[row.Key] = row
		}
	}
	for _, l := range c.rows {
		take(l.row)
	}
	for _, l := range c.exported {
		take(l.row)
	}
	return last
}

// fold applies every key's last row and compares the outcome with the table.
func (c *checker) fold() {
	r := &c.report
	folded := map[string]string{}
	for key, row := range c.newest() {
		if row.Op != transform.Remove.String() {
			folded[key] = row.Image
		}
	}
	r.Items = len(folded)
	items := c.truth.Items
	if !c.truth.AsOf.IsZero() {
		items = c.stateAt(c.truth.AsOf)
	}
	if items == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(items)) {
		k, err := canonical(key)
		if err != nil {
			r.add(&r.WrongItems, "the table's key %.300s: %v", key, err)
			continue
		}
		got, ok := folded[k]
		delete(folded, k)
		if !ok {
			r.add(&r.WrongItems, "item %.300s is in the table, not in the lake", k)
		} else if p := differ("content", got, items[key]); p != "" {
			r.add(&r.WrongItems, "item %.300s: %s", k, p)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(folded)) {
		r.add(&r.WrongItems, "item %.300s is in the lake, not in the table", key)
	}
}
