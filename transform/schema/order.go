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
}

// What is learned of an object, so that hostile items cannot fill the memory. Names
// beyond it are looked up each time.
const (
	mostNames   = 4096
	longestName = 255
)

// find returns the node of a raw name. at is what it returned for the name before, -1
// for the first; fresh is true when the run has not met the name before.
func (o *order) find(n *node, raw []byte, at int) (child *node, now int, fresh bool) {
	if len(o.known) == 0 {
		o.known = append(o.known, name{}) // stands before the first
		o.index = map[string]int{}
	}
	before := &o.known[at+1]
	if guess := before.next; guess < len(o.known) && guess > 0 && o.known[guess].raw == string(raw) {
		return o.known[guess].node, guess - 1, false
	}
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
