package lakecheck

import "dynamolake/transform"

// Check compares a lake of a stream with the journal of what happened and with the items that
// the table ends with (key to item, DynamoDB JSON in any form). A nil journal or
// nil items leave that comparison out.
func Check(lake *Lake, journal []Record, items map[string]string) Report {
	return Truth{Journal: journal, Items: items}.Check(lake)
}

// Check compares a lake with the truth.
func (t Truth) Check(lake *Lake) Report {
	c := checker{
		truth:  t,
		report: Report{Files: len(lake.Objects) + len(lake.Exported)},
		rows:   map[change]located{},
		events: map[string]change{},
		place:  map[change]int{},
		keys:   keysOf(t.Journal),
	}
	c.objects(lake)
	for _, chain := range lake.Chains {
		c.chain(chain)
	}
	c.exports(lake)
	if t.Timeline != nil {
		c.timeline(lake)
	}
	if t.Journal != nil {
		c.journal(lake)
	}
	c.lineage(c.histories())
	c.fold()
	c.report.Changes = len(c.rows)
	return c.report
}

// change names a change: sequence numbers are unique within a shard.
type change struct {
	shard string
	seq   transform.Seq
}

// located is a row and where it is.
type located struct {
	row    *Row
	object *Object
}

type checker struct {
	truth    Truth
	report   Report
	rows     map[change]located // the first row of each change
	events   map[string]change
	exported []located      // rows of exports, one of each item and export
	place    map[change]int // where the journal has the change
	keys     []string       // of the journal, canonical
}

// objects takes in every row of every object, as a reader with a glob would.
func (c *checker) objects(lake *Lake) {
	r := &c.report
	for _, o := range lake.Orphans {
		r.add(&r.Orphans, "%s: no chain leads there", o.Key)
	}
	for _, o := range lake.Objects {
		if o.Err != nil {
			r.add(&r.WrongContent, "%s: %v", o.Key, o.Err)
		}
		for i := range o.Rows {
			row := &o.Rows[i]
			id := change{row.Shard, row.Seq}
			if first, seen := c.rows[id]; seen {
				r.add(&r.Doubled, "%s: change %s of %s is in %s too", o.Key, row.Seq.Digits(), row.Shard, first.object.Key)
				continue
			}
			c.rows[id] = located{row, o}
			other, seen := c.events[row.EventID]
			switch {
			case row.EventID == "":
			case seen:
				r.add(&r.Doubled, "%s: event %s is there as change %s of %s and as %s of %s",
					o.Key, row.EventID, other.seq.Digits(), other.shard, row.Seq.Digits(), row.Shard)
			default:
				c.events[row.EventID] = id
			}
		}
	}
}

// chain checks that rows ascend along the walk, each within its object's bounds.
// An equal neighbour has been counted as doubled already.
func (c *checker) chain(chain *Chain) {
	r := &c.report
	var last transform.Seq
	for _, o := range chain.Objects {
		if o.Err == nil && o.End.Compare(o.After) < 0 {
			r.add(&r.OutOfOrder, "%s: ends at %s, before it starts", o.Key, o.End.Digits())
		}
		for i := range o.Rows {
			seq := o.Rows[i].Seq
			switch {
			case seq.Compare(last) < 0:
				r.add(&r.OutOfOrder, "%s: change %s follows %s", o.Key, seq.Digits(), last.Digits())
			case seq.Compare(o.After) <= 0 || seq.Compare(o.End) > 0:
				r.add(&r.OutOfOrder, "%s: change %s is outside the object's bounds, after %s up to %s",
					o.Key, seq.Digits(), o.After.Digits(), o.End.Digits())
			}
			last = seq
		}
	}
}
