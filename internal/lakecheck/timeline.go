package lakecheck

import "time"

// timeline holds the epochs of the rows, and the windows of the exports, against the ledger.
func (c *checker) timeline(lake *Lake) {
	r, t := &c.report, c.truth.Timeline
	type of struct {
		epoch  int64
		source string
	}
	told := map[of]bool{}
	for _, objects := range [][]*Object{lake.Objects, lake.Exported} {
		for _, o := range objects {
			for i := range o.Rows {
				row := &o.Rows[i]
				e := t.epoch(row.Epoch)
				if is := (of{row.Epoch, row.Source}); (e == nil || e.Source != row.Source) && !told[is] {
					told[is] = true
					r.add(&r.WrongContent, "%s: rows of %s with epoch %d, and the ledger knows no such epoch", o.Key, row.Source, row.Epoch)
				}
			}
		}
	}
	at := map[int64]time.Time{} // up to when windows are there
	for _, x := range lake.Exports {
		e := t.epoch(x.Epoch)
		switch {
		case e == nil || e.Source != x.Source:
			r.add(&r.Unknown, "%s: an export of epoch %d, which the ledger does not know", x.Key, x.Epoch)
		case e.Source == full:
			if x.ID != e.Export || !x.To.Equal(e.To) {
				r.add(&r.WrongContent, "%s: a full export at %v; the ledger has export %s at %v", x.Key, x.To, e.Export, e.To)
			}
		case x.From.Before(e.From) || x.To.After(e.To) && !e.GivenUp:
			r.add(&r.Unknown, "%s: a window from %v to %v, outside its epoch, %v to %v", x.Key, x.From, x.To, e.From, e.To)
		default:
			if begin, ok := at[x.Epoch]; ok && !x.From.Equal(begin) || !ok && !x.From.Equal(e.From) {
				r.add(&r.Lost, "%s: the window before it is missing, or repeated", x.Key)
			}
			at[x.Epoch] = x.To
		}
	}
	for _, e := range t.Epochs {
		if e.Source == incremental && e.From.Before(e.To) && at[e.Number].Before(e.To) {
			r.add(&r.Lost, "epoch %d: windows up to %v, the ledger says %v", e.Number, at[e.Number], e.To)
		}
	}
}
