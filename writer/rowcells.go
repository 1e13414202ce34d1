package writer

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go"

	"dynamolake/transform/schema"
)

// planAttributes finds the leaves of the columns that the footer tells of.
func (x *RowFile) planAttributes() (err error) {
	text, ok := x.Meta["columns"]
	if !ok {
		return nil
	}
	if x.Plan, err = parseAttributes(text, x.Keys); err != nil {
		return err
	}
	s := x.file.Schema()
	for _, l := range x.Plan.Leaves {
		leaf, ok := s.Lookup(l.Path...)
		name := strings.Join(l.Path, ".")
		if !ok {
			return fmt.Errorf("there is no column %q", name)
		}
		t := leaf.Node.Type()
		kind := kindOf[storageOf(&l.Type)]
		if t.Kind() != kind || kind == parquet.FixedLenByteArray && t.Length() != 16 ||
			leaf.MaxDefinitionLevel != int(l.MaxDef) || leaf.MaxRepetitionLevel != int(l.MaxRep) {
			return fmt.Errorf("column %q is of type %s, or another one is around it", name, t)
		}
		x.leaves = append(x.leaves, int(leaf.ColumnIndex))
	}
	return nil
}

var kindOf = [...]parquet.Kind{
	asBytes: parquet.ByteArray, asInt32: parquet.Int32, asInt64: parquet.Int64,
	asDouble: parquet.Double, asBool: parquet.Boolean, asFixed: parquet.FixedLenByteArray,
}

// Rebuild puts together what transform.RebuildItem wants as the rest of a row, from its
// Cells and its Rest, which must have been asked for. It is nil where the row has no image.
// It is for readers that look at items, and slow.
func (x *RowFile) Rebuild(r *Row) (rest []byte, err error) {
	if x.Plan == nil || r.Rest == nil {
		return r.Rest, nil
	}
	if r.Cells == nil {
		return nil, fmt.Errorf("rebuild an item: its columns were not asked for")
	}
	err = undamaged(func() error {
		rest, err = x.Plan.Rebuild(r.Cells, r.Rest)
		return err
	})
	return rest, err
}

// cellReader gives the cells of the attribute columns of a row group.
type cellReader struct {
	leaves []leafReader
	cells  [][]schema.Cell // of a row
}

type leafReader struct {
	chunkReader
	def, rep uint8
	how      storage
}

func (r *cellReader) open(x *RowFile, chunks []parquet.ColumnChunk) {
	if x.Plan == nil {
		return
	}
	r.cells = make([][]schema.Cell, len(x.leaves))
	r.leaves = make([]leafReader, 0, len(x.leaves))
	for i, column := range x.leaves {
		l := &x.Plan.Leaves[i]
		r.leaves = append(r.leaves, leafReader{chunkReader{pages: chunks[column].Pages()}, l.MaxDef, l.MaxRep, storageOf(&l.Type)})
	}
}

// next reads the cells of a row.
func (r *cellReader) next(row *Row) (err error) {
	for i := range r.leaves {
		if r.cells[i], err = r.leaves[i].appendRow(r.cells[i][:0]); err != nil {
			return err
		}
	}
	row.Cells = r.cells
	return nil
}

func (r *cellReader) close() {
	for i := range r.leaves {
		r.leaves[i].close()
	}
}

func (l *leafReader) appendRow(cells []schema.Cell) ([]schema.Cell, error) {
	for more := true; more; {
		v, err := l.value()
		if err != nil {
			return cells, err
		}
		if (v.RepetitionLevel() > 0) != (len(cells) > 0) {
			return cells, fmt.Errorf("a row does not begin where it should")
		}
		cells = append(cells, l.cell(v))
		if l.rep == 0 {
			break
		}
		if more, err = l.repeats(); err != nil {
			return cells, err
		}
	}
	return cells, nil
}

// cell is a value as it was before it was written.
func (l *leafReader) cell(v parquet.Value) schema.Cell {
	c := schema.Cell{Rep: uint8(v.RepetitionLevel()), Def: uint8(v.DefinitionLevel())}
	if c.Def < l.def {
		return c
	}
	switch l.how {
	case asBytes:
		c.Bytes = v.ByteArray()
	case asInt32:
		c.Low = int64(v.Int32())
		c.High = c.Low >> 63
	case asInt64:
		c.Low = v.Int64()
		c.High = c.Low >> 63
	case asDouble:
		c.Low = int64(math.Float64bits(v.Double()))
	case asBool:
		if v.Boolean() {
			c.Low = 1
		}
	case asFixed:
		b := v.ByteArray()
		c.High, c.Low = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	}
	return c
}
