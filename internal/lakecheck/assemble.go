package lakecheck

import (
	"errors"
	"fmt"
)

// tree is an attribute's value under assembly. Each leaf walks from the root as far down as its
// cell's definition level says, and makes what is not there yet.
type tree struct {
	kind   *kind
	value  any // of a scalar
	elems  []*tree
	fields map[string]*tree
	// seen is how many elements each leaf has found here; of others than lists, 1. All leaves below must
	// agree.
	seen map[*leaf]int
}

// assemble puts together the value of a column in a row; nil if it is null.
func (a *attribute) assemble(row int) (*tree, error) {
	var root *tree
	for _, l := range a.leaves {
		count := make([]int, l.rep+1) // the element that is at hand, by repetition level
		for _, c := range l.row(row) {
			if c.rep > l.rep || c.def > l.def {
				return nil, fmt.Errorf("levels %d and %d", c.rep, c.def)
			}
			if c.rep > 0 {
				count[c.rep]++
			}
			clear(count[c.rep+1:])
			if err := l.insert(&root, &a.kind, c, count); err != nil {
				return nil, err
			}
		}
	}
	if root == nil {
		return nil, nil
	}
	return root, root.agreed()
}

// insert walks down with one cell.
func (l *leaf) insert(slot **tree, k *kind, c cell, count []int) error {
	for def, rep := int16(1), 0; c.def >= def; {
		t := *slot
		if t == nil {
			t = &tree{kind: k, seen: map[*leaf]int{}, fields: map[string]*tree{}}
			*slot = t
		}
		switch {
		case k.elem != nil:
			if c.def == def { // empty
				t.seen[l] = 0
				return nil
			}
			rep++
			at := count[rep]
			if t.seen[l] = at + 1; at > len(t.elems) {
				return errors.New("an element is passed over")
			}
			if at == len(t.elems) {
				t.elems = append(t.elems, nil)
			}
			if c.def == def+1 {
				return errors.New("an element is null")
			}
			slot, k, def = &t.elems[at], k.elem, def+2
		case k.name == "struct":
			t.seen[l] = 1
			f := k.fieldOf(l, def)
			inside := t.fields[f.From[0]]
			if c.def == def {
				return nil
			}
			if inside == nil {
				inside = &tree{kind: &f.kind, seen: map[*leaf]int{}, fields: map[string]*tree{}}
				t.fields[f.From[0]] = inside
			}
			slot, k, def = &inside, &f.kind, def+1
		default:
			t.seen[l], t.value = 1, c.value
			return nil
		}
	}
	return nil
}

// fieldOf is the field of a struct that a leaf is below. The leaf's path has a name for each definition level, but
// for the two that a list takes together with its two names.
func (k *kind) fieldOf(l *leaf, def int16) *attribute {
	name := l.path[def]
	for i := range k.fields {
		if k.fields[i].Field == name {
			return &k.fields[i]
		}
	}
	panic("a leaf outside of its struct")
}

// agreed tells whether all leaves have found the same lists and structs.
func (t *tree) agreed() error {
	if n := t.kind.count(); len(t.seen) != n {
		return fmt.Errorf("%d of %d leaves have a value of type %s", len(t.seen), n, t.kind.name)
	}
	for _, n := range t.seen {
		if t.kind.elem != nil && n != len(t.elems) {
			return fmt.Errorf("a list has %d elements, and %d in another leaf", len(t.elems), n)
		}
	}
	for _, e := range t.elems {
		if e == nil {
			return errors.New("an element is not there")
		}
		if err := e.agreed(); err != nil {
			return err
		}
	}
	for _, f := range t.fields {
		if err := f.agreed(); err != nil {
			return err
		}
	}
	return nil
}
