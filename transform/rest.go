package transform

import "bytes"

// rest tells where key attributes stand in the image: for Insert and Modify those
// in New that their columns hold, which _rest leaves out; for Remove those in
// Keys that their columns do not hold, which are all that _rest has. Positions
// count from the image's brace, a before b; {0, 0} is none.
type rest struct{ a, b span32 }

// span32 is a span in half the memory: a process holds very many changes.
type span32 struct{ from, to uint32 }

// add notes a member of the image that starts at base in the body.
func (r *rest) add(m span, base int) {
	s := span32{uint32(m.from - base), uint32(m.to - base)}
	switch {
	case r.a.to == 0:
		r.a = s
	case s.from < r.a.from:
		r.a, r.b = s, r.a
	default:
		r.b = s
	}
}

// HasRest tells whether the row has a _rest: always for Insert and Modify; for
// Remove only if a key attribute does not fit its column.
func (c *Change) HasRest() bool { return c.Op != Remove || c.rest.a.to != 0 }

// AppendRest appends the row's _rest to dst: bytes as the service wrote them, cut
// at attributes. Without a _rest it appends nothing; an item that has only its
// key gives {}.
func (c *Change) AppendRest(dst []byte) []byte {
	if !c.HasRest() {
		return dst
	}
	a, b := c.rest.a, c.rest.b
	if c.Op == Remove {
		dst = append(dst, '{')
		dst = append(dst, bytes.TrimRight(c.Keys[a.from:a.to], ", \t\r\n")...)
		if b.to != 0 {
			dst = append(dst, ',')
			dst = append(dst, bytes.TrimRight(c.Keys[b.from:b.to], ", \t\r\n")...)
		}
		return append(dst, '}')
	}
	if len(c.New) == 0 {
		return append(dst, "{}"...)
	}
	start := len(dst)
	dst = append(dst, c.New[:a.from]...)
	tail := c.New[a.to:]
	if b.to != 0 {
		dst = append(dst, c.New[a.to:b.from]...)
		tail = c.New[b.to:]
	}
	if tail[0] == '}' && len(dst) > start {
		// The last attribute went: its predecessor's comma goes too.
		dst = append(dst[:start+1], bytes.TrimRight(dst[start+1:], ", \t\r\n")...)
	}
	return append(dst, tail...)
}
