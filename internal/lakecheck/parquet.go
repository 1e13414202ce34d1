package lakecheck

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// footerPrefix stands before every footer entry of ours.
const footerPrefix = "dynamolake."

// metadataColumns stand around the key columns in every file.
var metadataColumns = map[string]parquet.Type{
	"_op":       parquet.Types.ByteArray,
	"_seq":      parquet.Types.ByteArray,
	"_ts":       parquet.Types.Int64,
	"_shard":    parquet.Types.ByteArray,
	"_event_id": parquet.Types.ByteArray,
	"_source":   parquet.Types.ByteArray,
	"_epoch":    parquet.Types.Int64,
	"_ttl":      parquet.Types.Boolean,
	"_rest":     parquet.Types.ByteArray,
}

// parquetFile is a file's content, column by column.
type parquetFile struct {
	rows      int
	footer    map[string]string // without footerPrefix
	columns   map[string]*column
	hash, rng *column // the key columns; rng is nil where there is no sort key
	attrs     []attribute
}

// column is a flat column of any of the types that files have.
type column struct {
	desc   *schema.Column
	valid  []bool // nil where the column is required
	bytes  [][]byte
	ints   []int64
	bools  []bool
	values int // read so far, nulls included
}

// readFile decodes a whole file. Arrow's reader panics on some damage.
func readFile(body []byte) (f *parquetFile, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("decode Parquet: %v", p)
		}
	}()
	r, err := file.NewParquetReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("decode Parquet: %w", err)
	}
	defer r.Close()
	f = &parquetFile{rows: int(r.NumRows()), footer: map[string]string{}, columns: map[string]*column{}}
	kv := r.MetaData().KeyValueMetadata()
	values := kv.Values()
	for i, k := range kv.Keys() {
		if name, ours := strings.CutPrefix(k, footerPrefix); ours {
			f.footer[name] = values[i]
		}
	}
	leaves, err := f.attributes()
	if err != nil {
		return nil, err
	}
	plan := r.MetaData().Schema
	for i := range plan.NumColumns() {
		desc := plan.Column(i)
		if l := leaves[strings.Join(desc.ColumnPath(), "\x00")]; l != nil {
			if err := l.read(r, i, desc); err != nil {
				return nil, fmt.Errorf("column %q: %w", desc.Path(), err)
			}
			if len(l.rows) != f.rows+1 {
				return nil, fmt.Errorf("column %q has %d rows, the file %d", desc.Path(), len(l.rows)-1, f.rows)
			}
			continue
		}
		if desc.MaxRepetitionLevel() > 0 || desc.MaxDefinitionLevel() > 1 {
			return nil, fmt.Errorf("decode Parquet: column %q is nested", desc.Name())
		}
		c := &column{desc: desc}
		for g := range r.NumRowGroups() {
			if err := c.read(r.RowGroup(g), i); err != nil {
				return nil, fmt.Errorf("decode column %q of row group %d: %w", desc.Name(), g, err)
			}
		}
		if c.values != f.rows {
			return nil, fmt.Errorf("column %q has %d values, the file %d rows", desc.Name(), c.values, f.rows)
		}
		f.columns[desc.Name()] = c
	}
	for _, l := range leaves {
		if !l.found {
			return nil, fmt.Errorf("there is no column %q, which the footer tells of", l.path)
		}
	}
	for name, want := range metadataColumns {
		if c := f.columns[name]; c == nil {
			return nil, fmt.Errorf("there is no column %q", name)
		} else if got := c.desc.PhysicalType(); got != want {
			return nil, fmt.Errorf("column %q is %s, want %s", name, got, want)
		}
	}
	return f, nil
}

// read appends the column's values in one row group.
func (c *column) read(group *file.RowGroupReader, i int) error {
	chunk, err := group.Column(i)
	if err != nil {
		return err
	}
	rows := group.NumRows()
	levels := make([]int16, rows)
	var total int64
	switch chunk := chunk.(type) {
	case *file.ByteArrayColumnChunkReader:
		values := make([]parquet.ByteArray, rows)
		var n int
		total, n, err = chunk.ReadBatch(rows, values, levels, nil)
		for _, v := range values[:n] {
			c.bytes = append(c.bytes, v)
		}
	case *file.FixedLenByteArrayColumnChunkReader:
		values := make([]parquet.FixedLenByteArray, rows)
		var n int
		total, n, err = chunk.ReadBatch(rows, values, levels, nil)
		for _, v := range values[:n] {
			c.bytes = append(c.bytes, v)
		}
	case *file.Int64ColumnChunkReader:
		values := make([]int64, rows)
		var n int
		total, n, err = chunk.ReadBatch(rows, values, levels, nil)
		c.ints = append(c.ints, values[:n]...)
	case *file.BooleanColumnChunkReader:
		values := make([]bool, rows)
		var n int
		total, n, err = chunk.ReadBatch(rows, values, levels, nil)
		c.bools = append(c.bools, values[:n]...)
	default:
		return fmt.Errorf("no column of ours has the type %s", c.desc.PhysicalType())
	}
	if err != nil {
		return err
	}
	c.values += int(total)
	if c.desc.MaxDefinitionLevel() == 1 {
		c.spread(levels[:total])
	}
	return nil
}

// spread puts nulls between the values that were just read.
func (c *column) spread(levels []int16) {
	from := len(c.valid)
	for _, l := range levels {
		c.valid = append(c.valid, l == 1)
	}
	valid := c.valid[from:]
	switch c.desc.PhysicalType() {
	case parquet.Types.Int64:
		c.ints = spread(c.ints, from, valid)
	case parquet.Types.Boolean:
		c.bools = spread(c.bools, from, valid)
	default:
		c.bytes = spread(c.bytes, from, valid)
	}
}

func spread[T any](values []T, from int, valid []bool) []T {
	dense := append([]T(nil), values[from:]...)
	values = values[:from]
	for _, ok := range valid {
		var v T
		if ok {
			v, dense = dense[0], dense[1:]
		}
		values = append(values, v)
	}
	return values
}

// bytesAt is nil for a null, and for a column that is not there.
func (c *column) bytesAt(i int) []byte {
	if c == nil || c.valid != nil && !c.valid[i] {
		return nil
	}
	if c.bytes[i] == nil {
		return []byte{}
	}
	return c.bytes[i]
}

// intAt is 0 for a null.
func (c *column) intAt(i int) int64 { return c.ints[i] }

// boolAt is false for a null.
func (c *column) boolAt(i int) bool { return c.bools[i] }

// timeAt is row i's _ts, and the zero time for a null.
func (f *parquetFile) timeAt(i int) time.Time {
	c := f.columns["_ts"]
	if c.valid != nil && !c.valid[i] {
		return time.Time{}
	}
	return time.UnixMicro(c.intAt(i)).UTC()
}
