package writer

import (
	"iter"

	"dynamolake/transform"
)

// Slice is what the next object of a chain will hold: the changes after one
// position up to another, of one UTC day. It aliases the batch that cut it and
// is valid until that batch advances.
type Slice struct {
	After transform.Seq // the chain's cursor
	// End is the last position covered: that of the last change, or, where a
	// page ends without one (rejects), the page's last.
	End      transform.Seq
	ShardEnd bool  // nothing follows End in the shard
	Rows     int   // may be 0; the object is written all the same
	Bytes    int64 // of DynamoDB JSON: keys and images

	parts [][]transform.Change
}

// Changes yields the slice's changes in order.
func (s Slice) Changes() iter.Seq[*transform.Change] {
	return func(yield func(*transform.Change) bool) {
		for _, part := range s.parts {
			for i := range part {
				if !yield(&part[i]) {
					return
				}
			}
		}
	}
}

// From is the part of the slice behind a position, for a chain that is there already.
func (s Slice) From(after transform.Seq) Slice {
	if after.Compare(s.After) <= 0 {
		return s
	}
	rest := Slice{After: after, End: s.End, ShardEnd: s.ShardEnd}
	if after.Compare(s.End) > 0 {
		rest.End = after
	}
	for _, part := range s.parts {
		if part = part[seen(part, after):]; len(part) > 0 {
			rest.parts = append(rest.parts, part)
			rest.Rows += len(part)
			for i := range part {
				rest.Bytes += size(&part[i])
			}
		}
	}
	return rest
}

// MaxTS is the youngest time that a change tells, in microseconds; 0 where none does.
func (s Slice) MaxTS() (micros int64) {
	for c := range s.Changes() {
		micros = max(micros, c.Created)
	}
	return micros
}

func (s Slice) upTo(part []transform.Change) Slice {
	if n := len(part); n > 0 {
		s.parts = append(s.parts, part)
		s.End = part[n-1].Seq
	}
	return s
}
