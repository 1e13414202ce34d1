package writer

import (
	"reflect"

	"github.com/parquet-go/parquet-go"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// column is one leaf column of a change row. All are at the top level, but for those of
// nested attribute columns.
type column struct {
	name  string
	path  []string     // of a nested one; else it is the name
	node  parquet.Node // at the top level; nil for all leaves of a nested one but the first
	id    int          // Parquet field id of node
	def   int          // definition level of a value: 1 when the column is nullable
	blank bool         // no bounds in the chunk's statistics: see jsonType
	fixed bool         // the same value, or null, in every row of a file
	value func(*rows, *transform.Change) (v parquet.Value, ok bool)
	typed *typedLeaf // in place of value, of an attribute column
}

// Field ids below 101 are the metadata columns', those from 101 on the key
// columns' ([transform.Column]) and from 1001 on the attribute columns' ([schema.Column]).
const (
	idOp = iota + 1
	idSeq
	idTS
	idShard
	idEventID
	idSource
	idEpoch
	idTTL
	idOld
	idRest
)

// The words of _source.
const (
	SourceStream      = "stream"
	SourceFull        = "full"
	SourceIncremental = "incremental"
)

// origin is where a file's rows come from.
type origin byte

const (
	ofStream origin = iota
	ofExport        // has neither sequence numbers nor shards nor event ids
)

// layout is what all files of a schema and an origin have in common.
type layout struct {
	cols   []column
	sorted string // the column that rows ascend by, if there is one
	schema Schema
	origin origin
}

// columnsOf lays out a change row. The order is that of docs/format.md.
func columnsOf(s Schema, o origin) layout { return columnsWith(s, o, nil) }

// columnsWith gives dictionaries to these leaves of the plan.
func columnsWith(s Schema, o origin, dicts []bool) layout {
	l := layout{sorted: "_seq", schema: s, origin: o}
	optional := 0 // what streams always have
	if o == ofExport {
		l.sorted, optional = "", 1
	}
	dict := func() parquet.Node { return parquet.Encoded(parquet.String(), &parquet.RLEDictionary) }
	cols := []column{
		{name: "_op", id: idOp, node: dict(), value: func(_ *rows, c *transform.Change) (parquet.Value, bool) {
			return parquet.ByteArrayValue(opText(c.Op)), true
		}},
		{name: "_seq", id: idSeq, def: optional, fixed: o == ofExport, node: parquet.Encoded(parquet.String(), &parquet.DeltaByteArray), value: func(_ *rows, c *transform.Change) (parquet.Value, bool) {
			return parquet.ByteArrayValue(c.Seq[:]), o == ofStream
		}},
		{name: "_ts", id: idTS, def: 1, node: parquet.Encoded(parquet.Timestamp(parquet.Microsecond), &parquet.DeltaBinaryPacked), value: func(r *rows, c *transform.Change) (parquet.Value, bool) {
			if r.ts != 0 {
				return parquet.Int64Value(r.ts), true
			}
			return parquet.Int64Value(c.Created), c.Created != 0
		}},
		{name: "_shard", id: idShard, def: optional, fixed: true, node: dict(), value: func(r *rows, _ *transform.Change) (parquet.Value, bool) {
			return parquet.ByteArrayValue(r.shard), o == ofStream
		}},
		{name: "_event_id", id: idEventID, def: 1, fixed: o == ofExport, node: parquet.String(), value: func(_ *rows, c *transform.Change) (parquet.Value, bool) {
			return parquet.ByteArrayValue(c.EventID), c.EventID != nil && o == ofStream
		}},
		{name: "_source", id: idSource, fixed: true, node: dict(), value: func(r *rows, _ *transform.Change) (parquet.Value, bool) {
			return parquet.ByteArrayValue(r.source), true
		}},
		{name: "_epoch", id: idEpoch, fixed: true, node: parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked), value: func(r *rows, _ *transform.Change) (parquet.Value, bool) {
			return parquet.Int64Value(r.epoch), true
		}},
		{name: "_ttl", id: idTTL, node: parquet.Leaf(parquet.BooleanType), value: func(_ *rows, c *transform.Change) (parquet.Value, bool) {
			return parquet.BooleanValue(c.TTL), true
		}},
	}
	for i, k := range s.Keys.Columns() {
		key := func(c *transform.Change) *transform.KeyValue { return &c.Hash }
		if i == 1 {
			key = func(c *transform.Change) *transform.KeyValue { return &c.Range }
		}
		col := column{name: k.Name, id: k.FieldID, def: 1, node: parquet.String(), value: func(_ *rows, c *transform.Change) (parquet.Value, bool) {
			v := key(c)
			return parquet.ByteArrayValue(v.Bytes), v.Exact
		}}
		switch k.Type {
		case 'N':
			col.node = decimalNode(38, 9)
			col.value = func(_ *rows, c *transform.Change) (parquet.Value, bool) {
				v := key(c)
				return parquet.FixedLenByteArrayValue(v.Dec[:]), v.Exact
			}
		case 'B':
			col.node = parquet.Leaf(parquet.ByteArrayType)
		}
		cols = append(cols, col)
	}
	cols = append(cols, typedColumns(s.Plan, dicts)...)
	if s.OldImage {
		cols = append(cols, column{name: "_old", id: idOld, def: 1, blank: true, node: jsonNode("{"), value: func(_ *rows, c *transform.Change) (parquet.Value, bool) {
			return parquet.ByteArrayValue(c.Old), c.Old != nil
		}})
	}
	l.cols = append(cols, column{name: "_rest", id: idRest, def: 1, blank: true, node: jsonNode("{"), value: func(r *rows, c *transform.Change) (parquet.Value, bool) {
		if !c.HasRest() {
			return parquet.Value{}, false
		}
		from := len(r.text)
		if r.run != nil && c.New != nil {
			r.text = r.run.AppendRest(r.text, r.row, c.New)
		} else {
			r.text = c.AppendRest(r.text)
		}
		return parquet.ByteArrayValue(r.text[from:]), true
	}})
	return l
}

// rows is what the columns' value functions read beside the change.
type rows struct {
	shard  []byte
	source []byte
	epoch  int64
	ts     int64       // of every row, where it is not 0
	text   []byte      // what the values of one run of rows point to
	run    *schema.Run // the run's attribute columns; nil if there are none
	row    int         // the row in it
}

var (
	textInsert   = []byte(transform.Insert.String())
	textModify   = []byte(transform.Modify.String())
	textRemove   = []byte(transform.Remove.String())
	textSnapshot = []byte(transform.Snapshot.String())

	sourceStream      = []byte(SourceStream)
	sourceFull        = []byte(SourceFull)
	sourceIncremental = []byte(SourceIncremental)
)

func opText(o transform.Op) []byte {
	switch o {
	case transform.Insert:
		return textInsert
	case transform.Modify:
		return textModify
	case transform.Snapshot:
		return textSnapshot
	}
	return textRemove
}

// rowNode is the row's Parquet group, with its columns in their own order:
// parquet.Group would sort them by name.
type rowNode struct {
	parquet.Group
	fields []parquet.Field
}

func newRowNode(cols []column) rowNode {
	var n rowNode
	for _, c := range cols {
		if c.node == nil {
			continue
		}
		node := parquet.Required(c.node)
		if c.def > 0 {
			node = parquet.Optional(c.node)
		}
		n.fields = append(n.fields, field{parquet.FieldID(node, c.id), c.name})
	}
	return n
}

func (n rowNode) Fields() []parquet.Field { return n.fields }

// GoType is never filled: rows are written column by column. The names of the
// columns are no Go identifiers.
func (n rowNode) GoType() reflect.Type { return reflect.TypeFor[struct{}]() }

type field struct {
	parquet.Node
	name string
}

func (f field) Name() string                      { return f.name }
func (f field) Value(reflect.Value) reflect.Value { return reflect.Value{} }
