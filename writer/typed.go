package writer

import (
	"strings"

	"github.com/parquet-go/parquet-go"

	"dynamolake/transform/schema"
)

// typedLeaf is one leaf of the attribute columns.
type typedLeaf struct {
	leaf int // index into the plan's leaves
	def  uint8
	how  storage
}

// storage is how Parquet holds a cell.
type storage byte

const (
	asBytes storage = iota + 1
	asInt32
	asInt64
	asDouble
	asBool
	asFixed // 16 bytes, of a decimal
)

// typedColumns are the leaves of a plan's columns; no plan has none.
func typedColumns(p *schema.Plan, dicts []bool) []column {
	var cols []column
	if p == nil {
		return nil
	}
	if dicts == nil {
		dicts = make([]bool, len(p.Leaves))
	}
	last := -1
	for i, l := range p.Leaves {
		c := column{name: strings.Join(l.Path, "."), path: l.Path, def: int(l.MaxDef), blank: l.Type.Kind == schema.JSON}
		c.typed = &typedLeaf{leaf: i, def: l.MaxDef, how: storageOf(&l.Type)}
		if l.Column != last {
			last = l.Column
			top := &p.Columns[last]
			c.name, c.node, c.id = top.Name, typeNode(&top.Type, dicts[i:]), top.ID
		}
		cols = append(cols, c)
	}
	return cols
}

// pathOf is the column's path from the row down.
func (c *column) pathOf() []string {
	if c.path != nil {
		return c.path
	}
	return []string{c.name}
}

// boundLimit is how long a bound in the page index may be.
func (l *layout) boundLimit(path []string) int {
	for i := range l.cols {
		if c := &l.cols[i]; c.typed != nil && c.node != nil && c.path[0] == path[0] {
			return 1 << 30 // see boundedType
		}
	}
	return boundBytes
}

// typeNode is a type as Parquet has it, without its own repetition.
//
// Sets are lists: Parquet has no sets. Lists have the form of three levels, which all
// readers know. What is inside a list or a struct may be null, as everything above it.
func typeNode(t *schema.Type, dicts []bool) parquet.Node {
	node, _ := nestedNode(t, dicts)
	return node
}

// nestedNode takes the dictionaries of its leaves, and returns those that follow.
func nestedNode(t *schema.Type, dicts []bool) (parquet.Node, []bool) {
	switch t.Kind {
	case schema.List, schema.Set:
		elem, dicts := nestedNode(t.Elem, dicts)
		return parquet.List(parquet.FieldID(parquet.Optional(elem), t.ElemID)), dicts
	case schema.Struct:
		var n rowNode
		for i := range t.Fields {
			f := &t.Fields[i]
			var inside parquet.Node
			inside, dicts = nestedNode(&f.Type, dicts)
			n.fields = append(n.fields, field{parquet.FieldID(parquet.Optional(inside), f.ID), f.Name})
		}
		return n, dicts
	}
	node := scalarNode(t)
	if dicts[0] {
		node = parquet.Encoded(node, &parquet.RLEDictionary)
	}
	return node, dicts[1:]
}

// scalarNode is the leaf of a scalar.
//
// A decimal of 9 or 18 digits is INT32 or INT64, as Spark and Iceberg write it, with bounds
// that every reader orders right; one of more has 16 bytes, like a key. DuckDB, Arrow, Spark and
// Trino read each. JSON is marked as a string, as _rest is: some readers do not know the mark for JSON,
// and others, as DuckDB and Arrow, make a type of their own of it that wants an extension.
//
// Integers are delta encoded: ids, counters and times are small differences, and where
// they are not it takes no more room than PLAIN.
func scalarNode(t *schema.Type) parquet.Node {
	delta := func(n parquet.Node) parquet.Node { return parquet.Encoded(n, &parquet.DeltaBinaryPacked) }
	switch t.Kind {
	case schema.Int64:
		return delta(parquet.Int(64))
	case schema.Double:
		return parquet.Leaf(parquet.DoubleType)
	case schema.Decimal:
		switch storageOf(t) {
		case asInt32:
			return delta(parquet.Decimal(t.Scale, t.Precision, parquet.Int32Type))
		case asInt64:
			return delta(parquet.Decimal(t.Scale, t.Precision, parquet.Int64Type))
		}
		return decimalNode(t.Precision, t.Scale)
	case schema.Bool:
		return parquet.Leaf(parquet.BooleanType)
	case schema.Binary:
		return parquet.Leaf(boundedType{parquet.ByteArrayType, shortBytes})
	case schema.Timestamp:
		return delta(parquet.Timestamp(parquet.Microsecond))
	case schema.Date:
		return delta(parquet.Date())
	case schema.JSON:
		return jsonNode(`"`)
	}
	return parquet.Leaf(boundedType{parquet.String().Type(), shortText})
}

// storageOf is how the leaf of a scalar holds its cells.
func storageOf(t *schema.Type) storage {
	switch t.Kind {
	case schema.Int64, schema.Timestamp:
		return asInt64
	case schema.Date:
		return asInt32
	case schema.Double:
		return asDouble
	case schema.Bool:
		return asBool
	case schema.Decimal:
		switch {
		case t.Precision <= 9:
			return asInt32
		case t.Precision <= 18:
			return asInt64
		}
		return asFixed
	}
	return asBytes
}

// appendValues appends a run's cells as Parquet values. What these point to, beside the
// cells, is appended to text.
func (l *typedLeaf) appendValues(vals []parquet.Value, text []byte, cells []schema.Cell, index int) ([]parquet.Value, []byte) {
	for i := range cells {
		c := &cells[i]
		var v parquet.Value // null
		if c.Def == l.def {
			switch l.how {
			case asBytes:
				v = parquet.ByteArrayValue(c.Bytes)
			case asInt32:
				v = parquet.Int32Value(int32(c.Low))
			case asInt64:
				v = parquet.Int64Value(c.Low)
			case asDouble:
				v = parquet.DoubleValue(c.Double())
			case asBool:
				v = parquet.BooleanValue(c.Bool())
			case asFixed:
				from, dec := len(text), c.Decimal()
				text = append(text, dec[:]...)
				v = parquet.FixedLenByteArrayValue(text[from:])
			}
		}
		vals = append(vals, v.Level(int(c.Rep), int(c.Def), index))
	}
	return vals, text
}
