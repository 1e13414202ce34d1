package writer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Fields says which columns a reader wants; the others are not read.
type Fields uint16

// The fields of a [Row].
const (
	FieldOp Fields = 1 << iota
	FieldSeq
	FieldTS
	FieldShard
	FieldSource
	FieldEpoch
	FieldKeys // both key columns
	FieldOld
	FieldRest
	FieldColumns // all attribute columns

	AllFields = FieldColumns<<1 - 1
)

// Row is one row of a file. What was not asked for, or is null, is zero. Byte
// slices are valid until the next row.
type Row struct {
	Op     transform.Op
	Seq    transform.Seq
	TS     int64 // microseconds since 1970
	Epoch  int64
	Source string
	Shard  []byte
	// Hash and Range are as their columns have them: Exact is false for null, and an
	// N has only Dec. See [transform.RebuildItem].
	Hash, Range transform.KeyValue
	Old, Rest   []byte
	// Cells are those of the attribute columns, by leaf of the file's Plan; nil if it has none.
	// See [RowFile.Rebuild].
	Cells [][]schema.Cell
}

// RowFile is a Parquet file of ours, of a stream or an export, open for reading.
type RowFile struct {
	Meta map[string]string // the footer's, without the prefix
	Keys transform.KeySchema
	Rows int64
	// Plan has the attribute columns that the footer tells of; nil if there are none. Their
	// notes and field ids are not in it.
	Plan *schema.Plan

	file   *parquet.File
	cols   []rowColumn
	leaves []int // columns of the plan's leaves
}

// rowColumn is a column and what is done with its values.
type rowColumn struct {
	index int
	field Fields
	set   func(*Row, parquet.Value) error // not called for null
}

// OpenRows reads a file's footer.
func OpenRows(r io.ReaderAt, size int64) (*RowFile, error) {
	x := new(RowFile)
	err := undamaged(func() (err error) {
		x.file, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
		if err != nil {
			return err
		}
		x.Meta, x.Rows = footerOf(x.file), x.file.NumRows()
		if v := x.Meta["format"]; v != strconv.Itoa(FormatVersion) {
			return fmt.Errorf("format version %q, this program knows %d", v, FormatVersion)
		}
		return x.plan()
	})
	if err != nil {
		return nil, fmt.Errorf("read Parquet: %w", err)
	}
	return x, nil
}

// plan finds the columns.
func (x *RowFile) plan() error {
	var keys []keyColumn
	if err := json.Unmarshal([]byte(x.Meta["keys"]), &keys); err != nil || len(keys) == 0 || len(keys) > 2 {
		return fmt.Errorf("keys in the footer: %q", x.Meta["keys"])
	}
	wanted := rowFields()
	for i, k := range keys {
		if len(k.Type) != 1 {
			return fmt.Errorf("key type %q in the footer", k.Type)
		}
		attr := transform.KeyAttr{Name: k.Attribute, Type: transform.KeyType(k.Type[0])}
		of := func(r *Row) *transform.KeyValue { return &r.Hash }
		if i == 0 {
			x.Keys.Hash = attr
		} else {
			x.Keys.Range = attr
			of = func(r *Row) *transform.KeyValue { return &r.Range }
		}
		wanted[k.Column] = keyField(attr.Type, of)
	}
	for _, c := range x.file.Root().Columns() {
		w, ok := wanted[c.Name()]
		if !ok {
			continue
		}
		if !c.Leaf() || c.Type().Kind() != w.kind || w.kind == parquet.FixedLenByteArray && c.Type().Length() != 16 {
			return fmt.Errorf("column %q is of type %s", c.Name(), c.Type())
		}
		x.cols = append(x.cols, rowColumn{c.Index(), w.field, w.set})
		delete(wanted, c.Name())
	}
	delete(wanted, "_old")
	for name := range wanted {
		return fmt.Errorf("there is no column %q", name)
	}
	if err := x.planAttributes(); err != nil {
		return err
	}
	for _, group := range x.file.Metadata().RowGroups {
		for i := range group.Columns {
			// The footer has no checksum, and some codecs of the library take any
			// amount of memory for what they did not write.
			if codec := group.Columns[i].MetaData.Codec; codec != format.Zstd {
				return fmt.Errorf("compressed with %s", codec)
			}
		}
	}
	return nil
}

// All yields the rows, in a Row that is used again, or an error at the end. It holds
// a page of each column that is asked for.
func (x *RowFile) All(ctx context.Context, fields Fields) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for _, group := range x.file.RowGroups() {
			if more, err := x.group(ctx, group, fields, yield); err != nil {
				yield(nil, fmt.Errorf("read Parquet: %w", err))
				return
			} else if !more {
				return
			}
		}
	}
}

func (x *RowFile) group(ctx context.Context, group parquet.RowGroup, fields Fields, yield func(*Row, error) bool) (more bool, err error) {
	var cols []*chunkReader
	var typed cellReader
	defer func() {
		for _, c := range cols {
			c.close()
		}
		typed.close()
	}()
	err = undamaged(func() error {
		chunks := group.ColumnChunks()
		for _, c := range x.cols {
			if c.field&fields != 0 {
				cols = append(cols, &chunkReader{pages: chunks[c.index].Pages(), set: c.set})
			}
		}
		if fields&FieldColumns != 0 {
			typed.open(x, chunks)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	var row Row
	for i := range group.NumRows() {
		if i%1024 == 0 && ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		row = Row{}
		for _, c := range cols {
			if err := c.next(&row); err != nil {
				return false, err
			}
		}
		if err := typed.next(&row); err != nil {
			return false, err
		}
		if !yield(&row, nil) {
			return false, nil
		}
	}
	return true, nil
}
