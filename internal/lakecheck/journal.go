package lakecheck

import (
	"fmt"

	"dynamolake/transform"
)

// journal looks every change of the journal up in the lake, and every change of
// the lake up in the journal.
func (c *checker) journal(lake *Lake) {
	r := &c.report
	for i := range c.truth.Journal {
		want := &c.truth.Journal[i]
		if want.Shard == "" && c.truth.Timeline != nil {
			c.missed(lake, want)
			continue
		}
		seq, err := transform.ParseSeq(want.Seq)
		if err != nil {
			r.add(&r.Lost, "journal: %v", err)
			continue
		}
		id := change{want.Shard, seq}
		c.place[id] = i
		got, ok := c.rows[id]
		if !ok {
			c.missed(lake, want)
			continue
		}
		if problem := got.differs(want); problem != "" {
			r.add(&r.WrongContent, "%s: change %s: %s", got.object.Key, want.Seq, problem)
		}
	}
	for _, o := range lake.Objects {
		for i := range o.Rows {
			row := &o.Rows[i]
			id := change{row.Shard, row.Seq}
			if _, known := c.place[id]; !known && c.rows[id].row == row {
				r.add(&r.Unknown, "%s: change %s of %s is not in the journal", o.Key, row.Seq.Digits(), row.Shard)
			}
		}
	}
}

// missed judges a change that no row of the stream has: where the ledger does not claim
// one, a window or a full export may have what came of it.
func (c *checker) missed(lake *Lake, want *Record) {
	r, t := &c.report, c.truth.Timeline
	if t == nil {
		r.add(&r.Lost, "change %s of %s (%s %.300s) is in no object", want.Seq, want.Shard, want.Op, want.KeyJSON)
		return
	}
	at := want.At.UTC().Format(clockTime)
	if t.claims(want.At) {
		r.add(&r.Lost, "change %s of %s at %s (%s %.300s) is in no object, and the ledger says that the stream has it", want.Seq, want.Shard, at, want.Op, want.KeyJSON)
		return
	}
	seeded := false
	for _, x := range lake.Exports {
		switch {
		case x.Source == full:
			seeded = seeded || want.before(x.To)
		case want.Micros >= x.From.UnixMicro() && want.Micros < x.To.UnixMicro():
			r.Compacted++
			return
		}
	}
	switch {
	case seeded:
		r.Seeded++
	case !c.truth.AsOf.IsZero() && !want.before(c.truth.AsOf): // the lake does not reach there
	default:
		r.add(&r.Lost, "change %s of %s at %s (%s %.300s) is in no object, and no export covers it", want.Seq, want.Shard, at, want.Op, want.KeyJSON)
	}
}

// clockTime is how problems tell times: a lake that is wrong is of some days at most.
const clockTime = "02 15:04:05.000000"

// differs says where the row is not the journal's change; empty where it is.
func (l located) differs(want *Record) string {
	row := l.row
	if row.Op != want.Op {
		return fmt.Sprintf("it is %s, want %s", row.Op, want.Op)
	}
	if row.EventID != want.EventID {
		return fmt.Sprintf("its event is %q, want %q", row.EventID, want.EventID)
	}
	if row.Key == "" {
		return "" // its object's Err says why it could not be rebuilt
	}
	if p := differ("key", row.Key, want.KeyJSON); p != "" {
		return p
	}
	if want.NewJSON != "" || row.Op == transform.Remove.String() {
		if p := differ("image", row.Image, want.NewJSON); p != "" {
			return p
		}
	}
	if !l.object.HasOld {
		return ""
	}
	old := ""
	if row.Old != nil {
		var err error
		if old, err = canonical(*row.Old); err != nil {
			return fmt.Sprintf("its old image: %v", err)
		}
	}
	return differ("old image", old, want.OldJSON)
}

// differ compares a canonical image with one in any form.
func differ(what, got, want string) string {
	w, err := canonical(want)
	if err != nil {
		return fmt.Sprintf("%s to compare with: %v", what, err)
	}
	if got != w {
		return fmt.Sprintf("its %s is %.300s, want %.300s", what, got, w)
	}
	return ""
}
