package transform

// line reads one line of an export.
func (s *scanner) line(i int, view View, keys *KeySchema, c *Change) int {
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
		full, ours := view == ViewFull, true
		switch string(name) {
		case "Item":
			if !full {
				return s.fail(i, "a line of a full export in an incremental one")
			}
			i = s.newImage(i, keys, c, &r)
		case "Metadata":
			if full {
				i = s.skip(i, 1)
				break
			}
			twice := r.once(1)
			i = s.unless(twice, s.metadata(i, c, &r))
		case "Keys":
			i, ours = s.keys(i, keys, c, &r), !full
		case "NewImage":
			i, ours = s.newImage(i, keys, c, &r), !full
		case "OldImage":
			i, ours = s.oldImage(i, c, &r), !full
		default:
			i = s.skip(i, 1)
		}
		if i < 0 {
			return i
		}
		if !ours {
			return s.fail(i, "a line of an incremental export in a full one")
		}
		i, more = s.next(i, '}')
	}
	if i < 0 {
		return i
	}
	c.Op = happened(c, view)
	return s.settle(start, i, keys, c, &r)
}

// happened tells what a line says from what it has.
func happened(c *Change, view View) Op {
	switch {
	case view == ViewFull:
		return Snapshot
	case c.New == nil:
		return Remove
	case view == ViewNew || c.Old != nil:
		return Modify
	}
	return Insert
}

// metadata reads the Metadata of a line.
func (s *scanner) metadata(i int, c *Change, r *raw) int {
	return s.fields(i, func(name []byte, i int) int {
		if string(name) != "WriteTimestampMicros" {
			return s.skip(i, 2)
		}
		twice := r.once(2)
		c.Created, i = s.written(i)
		return s.unless(twice, i)
	})
}

// written reads a WriteTimestampMicros: a number, alone or in a string, or a
// typed N. The service writes the last; its documentation and others differ.
func (s *scanner) written(from int) (int64, int) {
	var text []byte
	i := from
	switch {
	case s.is(i, '{'):
		if i = s.value(i, 0); i < 0 {
			return 0, i
		}
		v, ok := s.keyValue(span{from, i}, 'N')
		if !ok {
			return 0, s.fail(from, "WriteTimestampMicros is no number")
		}
		text = v.Bytes
	case s.is(i, '"'):
		text, i = s.text(i)
	default:
		if i = s.number(i); i >= 0 {
			text = s.b[from:i]
		}
	}
	if i < 0 {
		return 0, i
	}
	micros, exact, ok := microseconds(text, 0)
	if !ok || !exact {
		return 0, s.fail(from, "WriteTimestampMicros is no whole number of microseconds before the year 10000")
	}
	return micros, i
}
