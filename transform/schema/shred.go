package schema

import "bytes"

// Shred adds a row: the cells of an image, and what of it stays for _rest. hash and
// rng say whether the key columns hold the key's attributes exactly, as
// transform's KeyValue.Exact does; those are then in no _rest. The image must be DynamoDB
// JSON that transform's decoder has passed.
func (r *Run) Shred(image []byte, hash, rng bool) {
	r.start()
	r.kept = [2]bool{hash, rng}
	r.banned = r.banned[:0]
	for {
		_, _, twice := r.object(image, 0, r.plan.root)
		if twice == nil {
			break
		}
		// An attribute for the second time, which the service never writes. Neither
		// is better than the other, so both stay: once more, without its column.
		r.again()
		r.banned = append(r.banned, twice)
	}
	for _, n := range r.banned {
		r.misfit(n, Twice)
	}
	r.fill(0, len(r.cells), r.begin, 0, 0)
}

// again takes back what the row has so far.
func (r *Run) again() {
	last := r.rows[len(r.rows)-1]
	r.cuts, r.fits, r.marks = r.cuts[:last.cuts], r.fits[:last.fits], r.marks[:0]
	r.serial++
	for i := range r.cells {
		r.cells[i] = r.cells[i][:r.begin[i]]
	}
}

// misfit counts a value, for each of the columns that it was for.
func (r *Run) misfit(n *node, why Misfit) {
	if n.column >= 0 {
		r.fits = append(r.fits, Fit{n.column, why})
		return
	}
	for _, c := range n.children {
		r.misfit(c, why)
	}
}

// object takes apart the members of an object that is the image, or the content of a
// map whose remainder can stay in _rest. It cuts out the members that went into
// columns, commas included, and tells how many members stayed. If an attribute is there
// twice it gives up and returns it.
func (r *Run) object(b []byte, i int, n *node) (end, stayed int, twice *node) {
	cut := len(r.cuts) // those from here on are in this object
	kept := i + 1      // behind the last value that stayed
	last := false      // the last member was cut
	at := -1
	for i = space(b, i+1); b[i] != '}'; {
		start := i
		var child *node
		var nameEnd int
		var fresh bool
		child, nameEnd, at, fresh = r.learned[n.id].find(n, b, i+1, at)
		i = colon(b, nameEnd+1)
		if child == nil && r.learned[n.id].news(at, fresh, b, i) {
			r.fresh = true
		}
		if child != nil && (r.plain() || !r.isBanned(child)) {
			if r.seen[child.id] == r.serial {
				return 0, 0, child
			}
			r.seen[child.id] = r.serial
			inside := len(r.cuts)
			i, last, twice = r.member(b, i, child)
			if twice != nil {
				return 0, 0, twice
			}
			if last {
				r.cuts = r.cuts[:inside]
			}
		} else {
			i, last = valueEnd(b, i), false
		}
		if !last {
			kept = i
			stayed++
			i = next(b, i)
			continue
		}
		i = next(b, i)
		if k := len(r.cuts); k > cut && r.cuts[k-1].to == uint32(start) {
			r.cuts[k-1].to = uint32(i)
		} else {
			r.cuts = append(r.cuts, span{uint32(start), uint32(i)})
		}
	}
	if last {
		// The comma in front goes too.
		r.cuts[len(r.cuts)-1].from = uint32(kept)
	}
	return i + 1, stayed, nil
}

func (r *Run) plain() bool { return len(r.banned) == 0 }

func (r *Run) isBanned(n *node) bool {
	for _, b := range r.banned {
		if b == n {
			return true
		}
	}
	return false
}

// member takes the typed value at i into its columns, and tells whether they have all of
// it.
func (r *Run) member(b []byte, i int, n *node) (end int, whole bool, twice *node) {
	switch n.kind {
	case hashNode, rangeNode:
		return valueEnd(b, i), r.kept[n.kind-hashNode], nil
	case mapNode, structNode:
		t, content := open(b, i)
		if t != 'M' {
			r.misfit(n, otherType(b, t, content))
			return valueEnd(b, i), false, nil
		}
		mark := r.mark(n) // of no leaves for a mapNode
		end, stayed, twice := r.object(b, content, n)
		if twice != nil {
			return 0, false, twice
		}
		if n.kind == structNode {
			r.fill(n.span.from, n.span.to, r.marks[mark:], 0, n.span.def)
			r.marks = r.marks[:mark]
			return closing(b, end), stayed == 0, nil
		}
		// Columns that are all null would not tell of an empty map.
		return closing(b, end), stayed == 0 && b[space(b, content+1)] != '}', nil
	}
	if n.kind == scalarNode {
		end, why := r.scalar(b, i, n, 0)
		if why > Rounded {
			end = valueEnd(b, i)
		}
		if why != Fits {
			r.misfit(n, why)
		}
		return end, why == Fits, nil
	}
	mark := r.mark(n)
	end, why := r.list(b, i, n, 0)
	if why > Rounded {
		end = valueEnd(b, i)
		for k, begin := range r.marks[mark : mark+n.span.to-n.span.from] {
			leaf := n.span.from + k
			r.cells[leaf] = r.cells[leaf][:begin]
		}
	}
	r.marks = r.marks[:mark]
	if why != Fits {
		r.misfit(n, why)
	}
	return end, why == Fits, nil
}

// mark pushes the lengths of a node's leaves, and returns where they begin.
func (r *Run) mark(n *node) int {
	mark := len(r.marks)
	for leaf := n.span.from; leaf < n.span.to; leaf++ {
		r.marks = append(r.marks, len(r.cells[leaf]))
	}
	return mark
}

// otherType tells NULL from other types that a column did not want.
func otherType(b []byte, t tag, content int) Misfit {
	if t == tagNULL && bytes.HasPrefix(b[content:], []byte("true")) {
		return IsNull
	}
	return OtherType
}
