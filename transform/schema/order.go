package schema

// order is what a run has learned of the names in one object: which follows which. Items
// of a table mostly have their attributes in one order, so the next name
// is compared, not looked up. Names without a column are learned too.
type order struct {
	known []name
	index map[string]int
}

type name struct {
	raw  string // as the image has it, escapes included
	node *node  // nil if no column wants it
	next int
	void bool // no column wants it, and it had no value yet that gives a column its type
}

// What is learned of an object, so that hostile items cannot fill the memory. Names
// beyond it are looked up each time. A longer one gets no column by itself: the service allows 64 KB,
// and a version of the schema has them all.
const (
	mostNames   = 4096
	longestName = 255
)

// find returns the node of the name at i, behind its opening quote, and where its
// closing quote is. at is what find returned for the name before, -1 for the first; fresh is true when
// the run has not met the name before.
func (o *order) find(n *node, b []byte, i, at int) (child *node, end, now int, fresh bool) {
	if len(o.known) == 0 {
		o.known = append(o.known, name{}) // stands before the first
		o.index = map[string]int{}
	}
	before := &o.known[at+1]
	if guess := before.next; guess > 0 {
		// A name that is as expected need not even be searched for its end.
		g := &o.known[guess]
		if end = i + len(g.raw); end < len(b) && b[end] == '"' && string(b[i:end]) == g.raw {
			return g.node, end, guess - 1, false
		}
	}
	end, _ = strEnd(b, i)
	child, now, fresh = o.lookUp(n, b[i:end], at)
	return child, end, now, fresh
}

// lookUp does so for a name that is not the expected one, and learns.
func (o *order) lookUp(n *node, raw []byte, at int) (child *node, now int, fresh bool) {
	before := &o.known[at+1]
	if i, ok := o.index[string(raw)]; ok {
		before.next = i
		return o.known[i].node, i - 1, false
	}
	child = n.names[string(raw)]
	if child == nil {
		for _, c := range raw {
			if c == '\\' {
				text, _ := unescape(nil, raw)
				child = n.names[string(text)]
				break
			}
		}
	}
	if len(o.known) == mostNames || len(raw) > longestName {
		return child, at, false
	}
	i := len(o.known)
	before.next = i
	o.known = append(o.known, name{raw: string(raw), node: child})
	o.index[string(raw)] = i
	return child, i - 1, child == nil
}

// news tells whether the value at i, of a name that has no column, is worth a look: it is the name's first, or the first that
// is not NULL and not empty. at and fresh are what find returned.
func (o *order) news(at int, fresh bool, b []byte, i int) bool {
	n := &o.known[at+1]
	if !fresh && !n.void {
		return false
	}
	before := n.void
	n.void = isVoid(b, i)
	return fresh || before && !n.void
}

// isVoid tells whether a typed value is NULL, or a list, map or set without members.
func isVoid(b []byte, i int) bool {
	t, i := open(b, i)
	switch t {
	case tagNULL:
		return true
	case 'L', 'M', tagSS, tagNS, tagBS:
		i = space(b, i+1)
		return b[i] == ']' || b[i] == '}'
	}
	return false
}
