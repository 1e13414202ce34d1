package transform

import (
	"bytes"
	"unicode/utf8"
)

// keys reads the Keys of a record or a line.
func (s *scanner) keys(from int, keys *KeySchema, c *Change, r *raw) int {
	twice := r.once(1 << 10)
	i := s.attributes(from, 0, keys, &r.inKeys)
	if i >= 0 {
		c.Keys, r.keys = s.b[from:i:i], span{from, i}
	}
	return s.unless(twice, i)
}

// newImage reads a NewImage, or the Item of a full export.
func (s *scanner) newImage(from int, keys *KeySchema, c *Change, r *raw) int {
	twice := r.once(1 << 11)
	i := s.attributes(from, 0, keys, &r.inNew)
	if i >= 0 {
		c.New, r.img = s.b[from:i:i], span{from, i}
	}
	return s.unless(twice, i)
}

// oldImage reads an OldImage. It must be well typed; its key is not looked at.
func (s *scanner) oldImage(from int, c *Change, r *raw) int {
	twice := r.once(1 << 12)
	i := s.attributes(from, 0, nil, nil)
	if i >= 0 {
		c.Old = s.b[from:i:i]
	}
	return s.unless(twice, i)
}

// settle checks what a record or a line, read from start to i, says as a whole,
// and fills in the key and the rest. It returns i, or -1.
func (s *scanner) settle(start, i int, keys *KeySchema, c *Change, r *raw) int {
	if !s.utf8 && !utf8.Valid(s.b[start:i]) {
		return s.fail(start, "text that is not UTF-8")
	}
	given := &r.inKeys
	why := ""
	if c.Op == Snapshot {
		given = &r.inNew
		why = c.whole(keys, r)
	} else {
		why = c.told(keys, r)
	}
	if why == "" {
		why = s.settleKey(c, r, keys.Hash.Type, &c.Hash, given.hash, r.inNew.hash)
	}
	if why == "" && keys.HasRange() {
		why = s.settleKey(c, r, keys.Range.Type, &c.Range, given.rng, r.inNew.rng)
	}
	if why != "" {
		return s.fail(start, why)
	}
	return i
}

// told returns what is wrong with a change's parts, or nothing.
func (c *Change) told(keys *KeySchema, r *raw) string {
	attributes := 1
	if keys.HasRange() {
		attributes = 2
	}
	switch {
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
	return ""
}

// whole does so for the item of a full export, which has no Keys.
func (c *Change) whole(keys *KeySchema, r *raw) string {
	switch {
	case c.New == nil:
		return "no Item"
	case r.inNew.hash.to == 0:
		return "Item lacks the partition key"
	case keys.HasRange() && r.inNew.rng.to == 0:
		return "Item lacks the sort key"
	case r.inNew.twice:
		return "Item has a key attribute twice"
	}
	return ""
}

// settleKey does so for one key attribute, which stands in Keys and in NewImage,
// or in an Item alone.
func (s *scanner) settleKey(c *Change, r *raw, t KeyType, v *KeyValue, given, inNew member) string {
	var ok bool
	if *v, ok = s.keyValue(given.value, t); !ok {
		return "a key attribute of another type than the table's key"
	}
	if c.Op == Remove {
		if !v.Exact {
			c.rest.add(given.span, r.keys.from)
		}
		return ""
	}
	if inNew.to == 0 {
		return "NewImage lacks a key attribute"
	}
	k, n := given.value, inNew.value
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
