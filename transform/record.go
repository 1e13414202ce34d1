package transform

import "unicode/utf8"

// record reads one stream record and leaves the decision whether it makes sense
// to the parts.
func (s *scanner) record(i int, keys *KeySchema, c *Change) int {
	start := i
	var r raw
	i, more := s.first(i, '{', '}')
	for more {
		var name []byte
		if name, i = s.name(i); i < 0 {
			return i
		}
		if end, null := s.word(i, "null"); null {
			i, more = s.next(end, '}')
			continue
		}
		twice := false
		switch string(name) {
		case "dynamodb":
			twice = r.once(1)
			i = s.stream(i, keys, c, &r)
		case "eventID":
			twice = r.once(2)
			if c.EventID, i = s.text(i); !utf8.Valid(c.EventID) {
				return s.fail(i, "eventID is not UTF-8")
			}
		case "eventName":
			twice = r.once(4)
			c.Op, i = s.op(i)
		case "userIdentity":
			twice = r.once(8)
			c.TTL, i = s.ttl(i)
		default:
			i = s.skip(i, 3)
		}
		if i = s.unless(twice, i); i < 0 {
			return i
		}
		i, more = s.next(i, '}')
	}
	if i < 0 {
		return i
	}
	c.TTL = c.TTL && c.Op == Remove
	switch {
	case c.Op == 0:
		return s.fail(start, "no eventName")
	case c.Seq.IsZero():
		return s.fail(start, "no SequenceNumber")
	}
	return s.settle(start, i, keys, c, &r)
}

// raw is what the fields of a record or a line left behind to be put together at
// its end, for they come in any order.
type raw struct {
	seen      uint
	keys, img span
	inKeys    found
	inNew     found
}

// once notes a field and tells whether it had been noted before. Bits
// from 1<<10 on are for what records and lines have in common.
func (r *raw) once(field uint) (twice bool) {
	twice = r.seen&field != 0
	r.seen |= field
	return twice
}

// unless goes on at i unless the field before it was there twice.
func (s *scanner) unless(twice bool, i int) int {
	if twice && i >= 0 {
		return s.fail(i, "field for the second time before here")
	}
	return i
}

// stream reads a record's dynamodb field.
func (s *scanner) stream(i int, keys *KeySchema, c *Change, r *raw) int {
	i, more := s.first(i, '{', '}')
	for more {
		var name []byte
		if name, i = s.name(i); i < 0 {
			return i
		}
		if end, null := s.word(i, "null"); null {
			i, more = s.next(end, '}')
			continue
		}
		twice := false
		switch string(name) {
		case "ApproximateCreationDateTime":
			twice = r.once(16)
			c.Created, i = s.epoch(i)
		case "SequenceNumber":
			twice = r.once(32)
			c.Seq, i = s.seq(i)
		case "SizeBytes":
			twice = r.once(64)
			c.Size, i = s.size(i)
		case "Keys":
			i = s.keys(i, keys, c, r)
		case "NewImage":
			i = s.newImage(i, keys, c, r)
		case "OldImage":
			i = s.oldImage(i, c, r)
		default:
			i = s.skip(i, 4)
		}
		if i = s.unless(twice, i); i < 0 {
			return i
		}
		i, more = s.next(i, '}')
	}
	return i
}
