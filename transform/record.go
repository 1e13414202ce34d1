package transform

import (
	"bytes"
	"unicode/utf8"
)

// record reads one record and leaves the decision whether it makes sense to the
// parts.
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
		if i < 0 {
			return i
		}
		if twice {
			return s.fail(i, "field for the second time before here")
		}
		i, more = s.next(i, '}')
	}
	if i < 0 {
		return i
	}
	if !s.utf8 && !utf8.Valid(s.b[start:i]) {
		return s.fail(start, "text that is not UTF-8")
	}
	c.TTL = c.TTL && c.Op == Remove
	if why := s.settle(keys, c, &r); why != "" {
		return s.fail(start, why)
	}
	return i
}

// raw is what a record's fields left behind to be put together at its end, for
// they come in any order.
type raw struct {
	seen      uint
	keys, img span
	inKeys    found
	inNew     found
}

// once notes a field and tells whether it had been noted before.
func (r *raw) once(field uint) (twice bool) {
	twice = r.seen&field != 0
	r.seen |= field
	return twice
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
		twice, from := false, i
		switch string(name) {
		case "ApproximateCreationDateTime":
			twice = r.once(16)
			c.Created, i = s.epoch(i)
		case "Keys":
			twice = r.once(32)
			if i = s.attributes(i, 0, keys, &r.inKeys); i >= 0 {
				c.Keys, r.keys = s.b[from:i:i], span{from, i}
			}
		case "NewImage":
			twice = r.once(64)
			if i = s.attributes(i, 0, keys, &r.inNew); i >= 0 {
				c.New, r.img = s.b[from:i:i], span{from, i}
			}
		case "OldImage":
			twice = r.once(128)
			if i = s.attributes(i, 0, nil, nil); i >= 0 {
				c.Old = s.b[from:i:i]
			}
		case "SequenceNumber":
			twice = r.once(256)
			c.Seq, i = s.seq(i)
		case "SizeBytes":
			twice = r.once(512)
			c.Size, i = s.size(i)
		default:
			i = s.skip(i, 4)
		}
		if i < 0 {
			return i
		}
		if twice {
			return s.fail(i, "field for the second time before here")
		}
		i, more = s.next(i, '}')
	}
	return i
}

// settle checks what a record says as a whole, and fills in the key and the rest.
// It returns what is wrong, or nothing.
func (s *scanner) settle(keys *KeySchema, c *Change, r *raw) string {
	attributes := 1
	if keys.HasRange() {
		attributes = 2
	}
	switch {
	case c.Op == 0:
		return "no eventName"
	case c.Seq.IsZero():
		return "no SequenceNumber"
	case c.Keys == nil:
		return "no Keys"
	case r.inKeys.hash.to == 0:
		return "Keys lacks the partition key"
	case keys.HasRange() && r.inKeys.rng.to == 0:
		return "Keys lacks the sort key"
	case r.inKeys.members != attributes:
		return "Keys has attributes that are not of the table's key"
	case c.Op == Remove && c.New != nil:
		return "REMOVE with a NewImage"
	case c.Op != Remove && c.New == nil:
		return c.Op.String() + " without NewImage"
	case r.inNew.twice:
		return "NewImage has a key attribute twice"
	}
	if why := s.settleKey(c, r, keys.Hash.Type, &c.Hash, r.inKeys.hash, r.inNew.hash); why != "" {
		return why
	}
	if !keys.HasRange() {
		return ""
	}
	return s.settleKey(c, r, keys.Range.Type, &c.Range, r.inKeys.rng, r.inNew.rng)
}

// settleKey does so for one key attribute, which stands in Keys and in NewImage.
func (s *scanner) settleKey(c *Change, r *raw, t KeyType, v *KeyValue, inKeys, inNew member) string {
	var ok bool
	if *v, ok = s.keyValue(inKeys.value, t); !ok {
		return "Keys has a key attribute of another type than the table's key"
	}
	if c.Op == Remove {
		if !v.Exact {
			c.rest.add(inKeys.span, r.keys.from)
		}
		return ""
	}
	if inNew.to == 0 {
		return "NewImage lacks a key attribute"
	}
	k, n := inKeys.value, inNew.value
	if !bytes.Equal(s.b[k.from:k.to], s.b[n.from:n.to]) {
		// The column speaks for both, so they must say the same.
		if other, ok := s.keyValue(n, t); !ok || !bytes.Equal(other.Bytes, v.Bytes) {
			return "a key attribute in NewImage differs from Keys"
		}
	}
	if v.Exact {
		c.rest.add(inNew.span, r.img.from)
	}
	return ""
}
