package rule

import (
	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Match is whether a dataset holds an item in some state.
type Match byte

// The matches. Unknown is what one says of a state that the record does not tell.
const (
	Unknown Match = iota
	No
	Yes
)

func (m Match) String() string { return [...]string{"unknown", "no", "yes"}[m] }

// Decide says what a dataset gets of a change, if anything: old is whether it held the item
// before, now whether it holds it after. For a Remove now does not count, for Insert
// and Snapshot old does not.
func Decide(op transform.Op, old, now Match) (out transform.Op, write bool) {
	switch op {
	case transform.Insert, transform.Snapshot:
		return op, now == Yes
	case transform.Remove:
		return op, old != No
	case transform.Modify:
		switch {
		case now == Yes && old == No:
			return transform.Insert, true
		case now == Yes:
			return op, true
		case now == No:
			return transform.Remove, old != No
		}
	}
	return op, false
}

// Fate is what becomes of a change in a dataset.
type Fate byte

// The fates.
const (
	Skip   Fate = iota // the dataset has nothing of it
	Write              // a row
	Refuse             // a reject
)

func (f Fate) String() string { return [...]string{"skip", "write", "refuse"}[f] }

// Append says what an append-only dataset does with what Decide gave.
func Append(op transform.Op, deletes schema.Policy) Fate {
	switch op {
	case transform.Modify:
		return Refuse
	case transform.Remove:
		if deletes == schema.Drop {
			return Skip
		}
	}
	return Write
}
