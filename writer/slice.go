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

func (s Slice) upTo(part []transform.Change) Slice {
	if n := len(part); n > 0 {
		s.parts = append(s.parts, part)
		s.End = part[n-1].Seq
	}
	return s
}
