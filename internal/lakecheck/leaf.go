package lakecheck

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// leaf is a leaf of the attribute columns: its path in the file, its levels, and what was read.
type leaf struct {
	path     path
	kind     *kind
	def, rep int16 // the highest
	cells    []cell
	rows     []int // where each row begins, and at last the end
	found    bool
}

// cell is a value, or a null, and its levels.
type cell struct {
	def, rep int16
	value    any // int32, int64, float64, bool or []byte; nil for null
}

// row is the cells of a row.
func (l *leaf) row(i int) []cell { return l.cells[l.rows[i]:l.rows[i+1]] }

// read takes in all row groups of a file.
func (l *leaf) read(r *file.Reader, i int, desc *schema.Column) error {
	if l.found = true; !l.kind.stored(desc) || desc.MaxDefinitionLevel() != l.def || desc.MaxRepetitionLevel() != l.rep {
		return fmt.Errorf("it is %s (%s), levels %d and %d; no column of type %s", desc.PhysicalType(), desc.LogicalType(), desc.MaxRepetitionLevel(), desc.MaxDefinitionLevel(), l.kind.name)
	}
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		meta, err := group.MetaData().ColumnChunk(i)
		if err != nil {
			return err
		}
		chunk, err := group.Column(i)
		if err != nil {
			return err
		}
		if err := l.chunk(chunk, meta.NumValues()); err != nil {
			return fmt.Errorf("row group %d: %w", g, err)
		}
	}
	for j, c := range l.cells {
		if c.rep == 0 {
			l.rows = append(l.rows, j)
		}
	}
	l.rows = append(l.rows, len(l.cells))
	if len(l.cells) > 0 && l.rows[0] != 0 {
		return fmt.Errorf("it begins within a row")
	}
	return nil
}

// chunk reads a chunk of so many cells.
func (l *leaf) chunk(chunk file.ColumnChunkReader, cells int64) error {
	defs, reps := make([]int16, cells), make([]int16, cells)
	var total int64
	var err error
	var values []any
	switch chunk := chunk.(type) {
	case *file.ByteArrayColumnChunkReader:
		total, values, err = batch(cells, func(v []parquet.ByteArray) (int64, int, error) { return chunk.ReadBatch(cells, v, defs, reps) })
	case *file.FixedLenByteArrayColumnChunkReader:
		total, values, err = batch(cells, func(v []parquet.FixedLenByteArray) (int64, int, error) { return chunk.ReadBatch(cells, v, defs, reps) })
	case *file.Int32ColumnChunkReader:
		total, values, err = batch(cells, func(v []int32) (int64, int, error) { return chunk.ReadBatch(cells, v, defs, reps) })
	case *file.Int64ColumnChunkReader:
		total, values, err = batch(cells, func(v []int64) (int64, int, error) { return chunk.ReadBatch(cells, v, defs, reps) })
	case *file.Float64ColumnChunkReader:
		total, values, err = batch(cells, func(v []float64) (int64, int, error) { return chunk.ReadBatch(cells, v, defs, reps) })
	case *file.BooleanColumnChunkReader:
		total, values, err = batch(cells, func(v []bool) (int64, int, error) { return chunk.ReadBatch(cells, v, defs, reps) })
	default:
		err = fmt.Errorf("no leaf of ours has such a type")
	}
	if err == nil && total != cells {
		err = fmt.Errorf("it has %d cells, and its metadata say %d", total, cells)
	}
	if err != nil {
		return err
	}
	for i, def := range defs {
		c := cell{def: def, rep: reps[i]}
		if def == l.def {
			if len(values) == 0 {
				return fmt.Errorf("it has fewer values than its levels say")
			}
			c.value, values = values[0], values[1:]
		}
		l.cells = append(l.cells, c)
	}
	return nil
}

// batch reads the values of a chunk, without nulls.
func batch[T any](cells int64, read func([]T) (int64, int, error)) (int64, []any, error) {
	values := make([]T, cells)
	total, n, err := read(values)
	var all []any
	for _, v := range values[:n] {
		switch v := any(v).(type) {
		case parquet.ByteArray:
			all = append(all, append([]byte{}, v...))
		case parquet.FixedLenByteArray:
			all = append(all, bytes.Clone(v))
		default:
			all = append(all, v)
		}
	}
	return total, all, err
}
