package schema

import (
	"fmt"
	"slices"
	"strings"

	"dynamolake/transform"
)

// Plan is a dataset compiled: attribute name to column. It never changes, so any
// number of goroutines may share it, each with a [Run] of its own.
type Plan struct {
	Columns []Column
	Leaves  []Leaf
	root    *node
	nodes   int
	spans   []leafSpan // of each column
}

// Leaf is one leaf column, as Parquet has them: the scalars below the columns.
type Leaf struct {
	Column  int      // index into Plan.Columns
	Path    []string // names from the row down, "list" and "element" among them
	Type    Type     // a scalar or json
	FieldID int
	MaxRep  uint8
	MaxDef  uint8
}

// leafSpan is a range of leaves, and the definition level of a value that is there.
type leafSpan struct {
	from, to int
	def      uint8
}

// nodeKind is what to do with an attribute.
type nodeKind byte

const (
	hashNode  nodeKind = iota + 1 // the key columns have it
	rangeNode                     //
	mapNode                       // columns are of what is inside
	structNode
	listNode
	scalarNode
)

// node is an attribute, a field or an element that the columns want.
type node struct {
	kind     nodeKind
	typ      Type
	column   int      // -1 for a mapNode and what is above columns
	span     leafSpan // leaves below it; def is the level of a value
	rep      uint8    // of a listNode: the level at which its elements repeat
	elem     *node    // of a listNode
	children []*node  // of a mapNode or structNode, in the order of leaves
	names    map[string]*node
	id       int // among the nodes of the plan
	inList   bool
	from     string
}

// Plan compiles the dataset for a table with that primary key. The schema should be
// numbered. It is an error when a column takes a key attribute, which has a column
// already, or a key column's name, or when a partition is of no column.
func (d *Dataset) Plan(keys transform.KeySchema) (*Plan, error) {
	if err := d.Against(keys).Err(); err != nil {
		return nil, err
	}
	p := &Plan{Columns: d.Columns}
	p.root = p.node(mapNode)
	p.root.put(p.keyNode(hashNode, keys.Hash.Name))
	if keys.HasRange() {
		p.root.put(p.keyNode(rangeNode, keys.Range.Name))
	}
	for i := range d.Columns {
		c := &d.Columns[i]
		n := p.typed(Leaf{Column: i, Path: []string{c.Name}, FieldID: c.ID}, c.Type, 1, 0, false)
		p.spans = append(p.spans, n.span)
		if c.From == nil {
			continue
		}
		at := p.root
		for _, name := range c.From[:len(c.From)-1] {
			inside := at.names[name]
			if inside == nil {
				inside = p.node(mapNode)
				inside.from = name
				at.put(inside)
			}
			if inside.kind != mapNode {
				return nil, fmt.Errorf("columns of dataset %s: %s is a column and has columns inside", d.Name, c.From)
			}
			at = inside
		}
		if n.from = c.From[len(c.From)-1]; at.names[n.from] != nil {
			return nil, fmt.Errorf("columns of dataset %s: %s has two columns, or a column and some inside", d.Name, c.From)
		}
		at.put(n)
	}
	return p, nil
}

// Against is what is wrong with the dataset for a table with that primary key.
func (d *Dataset) Against(keys transform.KeySchema) (problems Problems) {
	for _, k := range keys.Columns() {
		if c := d.column(k.Name); c != nil {
			problems.Add(c.Line, "column %s has the name of a key column", c.Name)
		}
		for i := range d.Columns {
			if c := &d.Columns[i]; len(c.From) > 0 && c.From[0] == k.Attr {
				problems.Add(c.Line, "column %s takes %s, which is of the table's key and has a column already", c.Name, c.From)
			}
		}
		for _, m := range d.masks() {
			if m.Path[0] == k.Attr {
				problems.Add(m.line, "dataset %s: %s is of the table's key, which cannot be dropped, redacted or hashed", d.Name, m)
			}
		}
	}
	for _, hint := range d.Partition {
		ofKey := slices.ContainsFunc(keys.Columns(), func(k transform.Column) bool { return k.Name == hint.Column })
		if !ofKey && d.column(hint.Column) == nil && !d.Unread {
			problems.Add(hint.Line, "partition %s: there is no column %s", hint, hint.Column)
		}
	}
	return problems
}

func (p *Plan) node(kind nodeKind) *node {
	p.nodes++
	return &node{kind: kind, column: -1, id: p.nodes - 1, names: map[string]*node{}}
}

func (p *Plan) keyNode(kind nodeKind, name string) *node {
	n := p.node(kind)
	n.from = name
	return n
}

func (n *node) put(child *node) {
	n.children = append(n.children, child)
	n.names[child.from] = child
}

// typed adds the leaves of a type. A value is there at definition level def; rep is how
// many lists are around it.
func (p *Plan) typed(at Leaf, t Type, def, rep uint8, inList bool) *node {
	n := p.node(scalarNode)
	n.typ, n.column, n.inList = t, at.Column, inList
	n.span = leafSpan{from: len(p.Leaves), def: def}
	at.Type, at.MaxDef, at.MaxRep = t, def, rep
	below := func(names ...string) Leaf {
		inside := at
		inside.Path = append(append([]string(nil), at.Path...), names...)
		return inside
	}
	switch t.Kind {
	case List, Set:
		n.kind, n.rep = listNode, rep+1
		inside := below("list", "element")
		inside.FieldID = t.ElemID
		// One level says that there is an element, another that it is not null. None
		// is null today, but readers know lists by this form.
		n.elem = p.typed(inside, *t.Elem, def+2, rep+1, true)
	case Struct:
		n.kind = structNode
		for i := range t.Fields {
			f := &t.Fields[i]
			inside := below(f.Name)
			inside.FieldID = f.ID
			child := p.typed(inside, f.Type, def+1, rep, inList)
			child.from = f.From
			n.put(child)
		}
	default:
		p.Leaves = append(p.Leaves, at)
	}
	n.span.to = len(p.Leaves)
	return n
}

// Describe lists the leaves, one a line, for people and tests.
func (p *Plan) Describe() string {
	var b strings.Builder
	for _, l := range p.Leaves {
		fmt.Fprintf(&b, "%s: %s, id %d, levels %d and %d\n", strings.Join(l.Path, "."), l.Type, l.FieldID, l.MaxRep, l.MaxDef)
	}
	return b.String()
}
