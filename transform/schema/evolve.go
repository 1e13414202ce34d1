package schema

import (
	"cmp"
	"slices"
	"strings"

	"dynamolake/transform"
)

// Evolve returns the next version of a schema: with columns, and fields of structs, for
// what the sample has and the dataset has no column for, if the dataset wants them. It says whether
// anything changed; if not, the schema is the same. Nothing that is there changes: an
// attribute of another type than its column stays in _rest.
//
// It depends on nothing but its arguments. To add what two workers saw, evolve what the
// first one wrote by what the second one saw.
func (s *Schema) Evolve(dataset string, sample *Sample, keys transform.KeySchema, limits Limits) (next *Schema, changed bool) {
	next = s.clone()
	d := next.Dataset(dataset)
	if d == nil || !d.NewAttributes {
		return s, false
	}
	e := evolution{d: d, limits: limits, left: d.MaxColumns - d.leaves()}
	for _, k := range keys.Columns() {
		e.keys = append(e.keys, k.Name)
		e.attrs = append(e.attrs, k.Attr)
	}
	e.candidates(nil, sample.attrs)
	// Where there is not room for all, the most frequent come first. The columns stand in
	// the order in which the attributes were met.
	byCount := slices.Clone(e.found)
	slices.SortStableFunc(byCount, func(a, b *candidate) int { return -cmp.Compare(a.facts.count, b.facts.count) })
	for _, c := range byCount {
		e.take(c)
	}
	for _, c := range e.found {
		if c.taken {
			d.Columns = append(d.Columns, Column{Name: e.name(c.path), From: c.path, Type: c.typ})
			e.changed = true
		}
	}
	if !e.changed {
		return s, false
	}
	next.Version++
	next.Number(s)
	if len(next.YAML(true)) > maxFile {
		return s, false // nobody could read it
	}
	return next, true
}

type evolution struct {
	d           *Dataset
	limits      Limits
	left        int // leaf columns that may still come
	keys, attrs []string
	found       []*candidate
	changed     bool
}

// candidate is an attribute that may get a column, or that has a column which may get fields.
type candidate struct {
	path   Path
	facts  *facts
	column *Column
	typ    Type
	taken  bool
}

// candidates looks through an object's names.
func (e *evolution) candidates(at Path, attrs map[string]*facts) {
	for _, name := range inOrder(attrs) {
		path := append(slices.Clone(at), name)
		if len(at) == 0 && slices.Contains(e.attrs, name) || len(path) > maxTypeDepth {
			continue
		}
		var column *Column
		inside := slices.ContainsFunc(e.d.Flatten, func(p Path) bool { return p.within(path) })
		for i := range e.d.Columns {
			c := &e.d.Columns[i]
			if slices.Equal(c.From, path) {
				column = c
			} else if c.From.within(path) {
				inside = true // columns are inside already
			}
		}
		switch f := attrs[name]; {
		case column != nil:
			e.found = append(e.found, &candidate{path: path, facts: f, column: column})
		case inside:
			e.candidates(path, f.fields)
		default:
			e.found = append(e.found, &candidate{path: path, facts: f})
		}
	}
}

// take gives a candidate its columns if there is room.
func (e *evolution) take(c *candidate) {
	if c.column != nil {
		e.grow(&c.column.Type, c.facts, 1)
		return
	}
	t, ok := c.facts.typ(e.limits, 1)
	if n := t.leaves(); ok && n <= e.left {
		c.typ, c.taken = t, true
		e.left -= n
	}
}

// grow adds fields to a struct, and to structs inside.
func (e *evolution) grow(t *Type, f *facts, depth int) {
	switch t.Kind {
	case List:
		if f.elems != nil {
			e.grow(t.Elem, f.elems, depth+1)
		}
	case Struct:
		for _, name := range inOrder(f.fields) {
			inner := f.fields[name]
			i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.From == name })
			if i >= 0 {
				e.grow(&t.Fields[i].Type, inner, depth+1)
				continue
			}
			if len(t.Fields) >= e.limits.Fields {
				continue
			}
			before := t.leaves()
			if !t.addField(name, inner, e.limits, depth) {
				continue
			}
			if n := t.leaves() - before; n > e.left {
				t.Fields = t.Fields[:len(t.Fields)-1]
			} else {
				e.left -= n
				e.changed = true
			}
		}
	}
}

// name is the new column's.
func (e *evolution) name(path Path) string {
	taken := func(s string) bool {
		return e.d.column(s) != nil || slices.ContainsFunc(e.keys, func(k string) bool { return strings.EqualFold(k, s) })
	}
	if len(path) == 1 {
		for _, r := range e.d.Rename {
			if r.Attr == path[0] && !taken(r.Column) {
				return r.Column
			}
		}
	}
	return nameFor(strings.Join(path, "_"), taken)
}
