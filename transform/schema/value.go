package schema

// value adds the typed value at i to the leaves of a list's element, whole or not at
// all: with a misfit beyond Rounded its cells are to be taken back, and end means
// nothing.
func (r *Run) value(b []byte, i int, n *node, rep uint8) (end int, why Misfit) {
	switch n.kind {
	case listNode:
		return r.list(b, i, n, rep)
	case structNode:
		return r.record(b, i, n, rep)
	}
	return r.scalar(b, i, n, rep)
}

// list does so for a list or a set.
func (r *Run) list(b []byte, i int, n *node, rep uint8) (end int, why Misfit) {
	t, content := open(b, i)
	var member tag
	switch {
	case n.typ.Kind == List && t == 'L':
	case n.typ.Kind == Set && (t == tagSS || t == tagNS || t == tagBS):
		member = t &^ 0x20 // the set's tag is its members' in lower case
	default:
		return 0, otherType(b, t, content)
	}
	i = space(b, content+1)
	if b[i] == ']' {
		if n.typ.Kind == Set && !writes(member, n.elem.typ) {
			return 0, OtherType // an empty set, of the wrong type
		}
		for leaf := n.span.from; leaf < n.span.to; leaf++ {
			r.cells[leaf] = append(r.cells[leaf], Cell{Rep: rep, Def: n.span.def})
		}
	}
	for b[i] != ']' {
		var m Misfit
		if n.typ.Kind == Set {
			i, m = r.content(b, i, member, n.elem, rep)
		} else {
			i, m = r.value(b, i, n.elem, rep)
		}
		if m > Rounded {
			return 0, m
		}
		why = max(why, m)
		rep = n.rep
		i = next(b, i)
	}
	return closing(b, i+1), why
}

// writes tells whether an attribute of that tag is what a scalar column wants.
func writes(t tag, elem Type) bool {
	switch elem.Kind {
	case String:
		return t == 'S'
	case Binary:
		return t == 'B'
	case Timestamp, Date:
		return t == 'S' && elem.Form == ISO || t == 'N' && elem.Form != ISO
	}
	return t == 'N' && elem.Kind != Bool
}

// record does so for a struct in a list: a field that has no place makes it unfit.
func (r *Run) record(b []byte, i int, n *node, rep uint8) (end int, why Misfit) {
	t, content := open(b, i)
	if t != 'M' {
		return 0, otherType(b, t, content)
	}
	mark := r.mark(n)
	at := -1
	for i = space(b, content+1); b[i] != '}'; {
		var child *node
		var nameEnd int
		var fresh bool
		child, nameEnd, at, fresh = r.learned[n.id].find(n, b, i+1, at)
		if child == nil {
			if r.learned[n.id].news(at, fresh, b, colon(b, nameEnd+1)) {
				r.fresh = true
			}
			return 0, OtherType
		}
		if leaf := child.span.from; len(r.cells[leaf]) > r.marks[mark+leaf-n.span.from] {
			return 0, Twice
		}
		var m Misfit
		if i, m = r.value(b, colon(b, nameEnd+1), child, rep); m > Rounded {
			return 0, m
		}
		why = max(why, m)
		i = next(b, i)
	}
	r.fill(n.span.from, n.span.to, r.marks[mark:], rep, n.span.def)
	r.marks = r.marks[:mark]
	return closing(b, i+1), why
}

// scalar adds the typed value at i to a leaf.
func (r *Run) scalar(b []byte, i int, n *node, rep uint8) (end int, why Misfit) {
	t, content := open(b, i)
	if n.typ.Kind == JSON {
		return r.json(b, i, n, rep)
	}
	switch t {
	case 'S', 'N', 'B', tagBOOL:
		end, why = r.content(b, content, t, n, rep)
		if why > Rounded {
			return 0, why
		}
		return closing(b, end), why
	}
	return 0, otherType(b, t, content)
}

// content adds what a type tag announces, or what is a member of a set, to a leaf.
func (r *Run) content(b []byte, i int, t tag, n *node, rep uint8) (end int, why Misfit) {
	c := Cell{Rep: rep, Def: n.span.def}
	if t == tagBOOL {
		if n.typ.Kind != Bool {
			return 0, OtherType
		}
		end = i + len("true")
		if c.Low = 1; b[i] == 'f' {
			c.Low, end = 0, i+len("false")
		}
		r.cells[n.span.from] = append(r.cells[n.span.from], c)
		return end, Fits
	}
	if !writes(t, n.typ) {
		return 0, OtherType
	}
	text, end, ok := r.arena.text(b, i)
	if !ok {
		return 0, NotText
	}
	switch n.typ.Kind {
	case String:
		c.Bytes = text
	case Int64:
		c.Low, why = int64Of(text)
	case Decimal:
		c.Low, c.High, why = decimal(text, n.typ.Precision, n.typ.Scale)
	case Double:
		c.Low, why = doubleOf(text)
	case Binary:
		if c.Bytes, ok = r.arena.binary(text); !ok {
			why = Spelling
		}
	case Timestamp:
		if n.typ.Form != ISO {
			c.Low, why = epoch(text, n.typ.Form)
		} else if c.Low, ok = isoTime(text, n.typ.Digits); !ok {
			why = Spelling
		}
	case Date:
		c.Low, why = date(text, n.typ.Form)
	}
	if why > Rounded {
		return 0, why
	}
	r.cells[n.span.from] = append(r.cells[n.span.from], c)
	return end, why
}
