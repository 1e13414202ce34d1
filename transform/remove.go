package transform

// Removed is a change as one that takes the item away, for a part of the table that the item
// leaves with it. Its old image, its key and its time are those of the change.
func (k *KeySchema) Removed(c *Change) Change {
	r := *c
	r.Op, r.New, r.rest = Remove, nil, rest{}
	if c.Op == Remove {
		r.rest = c.rest
	} else if !c.Hash.Exact || k.HasRange() && !c.Range.Exact {
		var page Page
		var f found
		s := scanner{b: c.Keys, page: &page, utf8: true}
		s.attributes(0, 0, k, &f) // the decoder has passed it
		if !c.Hash.Exact {
			r.rest.add(f.hash.span, 0)
		}
		if k.HasRange() && !c.Range.Exact {
			r.rest.add(f.rng.span, 0)
		}
	}
	return r
}
