package writer_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/xitongsys/parquet-go-source/local"
	"github.com/xitongsys/parquet-go/reader"

	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// leafCells are the cells of a leaf, of all rows. What own, arrow, xitongsys and DuckDB give
// is the same; and what own gives rebuilds each item.
type leafCells map[string][]schema.Cell

func (l leafCells) add(leaf *schema.Leaf, c schema.Cell) {
	name := strings.Join(leaf.Path, ".")
	c.Bytes = bytes.Clone(c.Bytes)
	if len(c.Bytes) == 0 {
		c.Bytes = nil
	}
	l[name] = append(l[name], c)
}

// set puts a value of any reader into a cell.
func set(t testing.TB, leaf *schema.Leaf, c *schema.Cell, v any) {
	t.Helper()
	whole := func(n int64) { c.Low, c.High = n, n>>63 }
	bytesOf := func(b []byte) {
		switch leaf.Type.Kind {
		case schema.Decimal:
			c.High, c.Low = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
		default:
			c.Bytes = b
		}
	}
	switch v := v.(type) {
	case bool:
		if v {
			c.Low = 1
		}
	case int32:
		whole(int64(v))
	case int64:
		whole(v)
	case float64:
		c.Low = int64(math.Float64bits(v))
	case string:
		bytesOf([]byte(v))
	case []byte:
		bytesOf(v)
	case time.Time:
		if leaf.Type.Kind == schema.Date {
			whole(v.Unix() / 86400)
		} else {
			whole(v.UnixMicro())
		}
	case duckdb.Decimal:
		b := new(big.Int).And(v.Value, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))).FillBytes(make([]byte, 16))
		bytesOf(b)
	default:
		t.Fatalf("leaf %v: a %T", leaf.Path, v)
	}
}

func ownCells(t *testing.T, f typedFile) leafCells {
	x, err := writer.OpenRows(bytes.NewReader(f.body), int64(len(f.body)))
	if err != nil {
		t.Fatal(err)
	}
	all := leafCells{}
	for r, err := range x.All(t.Context(), writer.FieldColumns) {
		if err != nil {
			t.Fatal(err)
		}
		for i, cells := range r.Cells {
			for _, c := range cells {
				all.add(&x.Plan.Leaves[i], c)
			}
		}
	}
	return all
}

// arrowCells reads levels and values, and the whole as tables.
func arrowCells(t *testing.T, f typedFile) leafCells {
	r, err := file.NewParquetReader(bytes.NewReader(f.body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all := leafCells{}
	for g := range r.NumRowGroups() {
		for i := range f.plan.Leaves {
			leaf := &f.plan.Leaves[i]
			index := r.MetaData().Schema.ColumnIndexByName(strings.Join(leaf.Path, "."))
			col, err := r.RowGroup(g).Column(index)
			if err != nil {
				t.Fatal(err)
			}
			values, defs, reps := arrowValues(t, col)
			n := 0
			for j, def := range defs {
				c := schema.Cell{Def: uint8(def)}
				if leaf.MaxRep > 0 {
					c.Rep = uint8(reps[j])
				}
				if c.Def == leaf.MaxDef {
					set(t, leaf, &c, values[n])
					n++
				}
				all.add(leaf, c)
			}
		}
	}
	fr, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := fr.ReadTable(t.Context())
	if err != nil || table.NumRows() != int64(len(f.changes)) {
		t.Fatalf("as a table: %v", err)
	}
	table.Release()
	return all
}

func arrowValues(t *testing.T, col file.ColumnChunkReader) (values []any, defs, reps []int16) {
	const n = 10_000
	defs, reps = make([]int16, n), make([]int16, n)
	var total int64
	var got int
	var err error
	collect := func(one func(int) any) {
		for i := range got {
			values = append(values, one(i))
		}
	}
	switch col := col.(type) {
	case *file.BooleanColumnChunkReader:
		buf := make([]bool, n)
		total, got, err = col.ReadBatch(n, buf, defs, reps)
		collect(func(i int) any { return buf[i] })
	case *file.Int32ColumnChunkReader:
		buf := make([]int32, n)
		total, got, err = col.ReadBatch(n, buf, defs, reps)
		collect(func(i int) any { return buf[i] })
	case *file.Int64ColumnChunkReader:
		buf := make([]int64, n)
		total, got, err = col.ReadBatch(n, buf, defs, reps)
		collect(func(i int) any { return buf[i] })
	case *file.Float64ColumnChunkReader:
		buf := make([]float64, n)
		total, got, err = col.ReadBatch(n, buf, defs, reps)
		collect(func(i int) any { return buf[i] })
	case *file.ByteArrayColumnChunkReader:
		buf := make([]parquet.ByteArray, n)
		total, got, err = col.ReadBatch(n, buf, defs, reps)
		collect(func(i int) any { return bytes.Clone(buf[i]) })
	case *file.FixedLenByteArrayColumnChunkReader:
		buf := make([]parquet.FixedLenByteArray, n)
		total, got, err = col.ReadBatch(n, buf, defs, reps)
		collect(func(i int) any { return bytes.Clone(buf[i]) })
	default:
		t.Fatalf("a %T", col)
	}
	if err != nil || total == n {
		t.Fatal(total, err)
	}
	return values, defs[:total], reps[:total]
}

func xitongsysCells(t *testing.T, f typedFile) leafCells {
	src, err := local.NewLocalFileReader(writeTemp(t, f.body))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := reader.NewParquetColumnReader(src, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	all := leafCells{}
	first := slices.IndexFunc(r.SchemaHandler.ValueColumns, func(path string) bool {
		return len(f.plan.Leaves) > 0 && r.SchemaHandler.InPathToExPath[path] == "change\x01"+strings.Join(f.plan.Leaves[0].Path, "\x01")
	})
	for i := range f.plan.Leaves {
		leaf := &f.plan.Leaves[i]
		values, reps, defs, err := r.ReadColumnByIndex(int64(first+i), r.GetNumRows())
		if err != nil {
			t.Fatal(leaf.Path, err)
		}
		for j, v := range values {
			c := schema.Cell{Rep: uint8(reps[j]), Def: uint8(defs[j])}
			if v != nil {
				set(t, leaf, &c, v)
			}
			all.add(leaf, c)
		}
	}
	return all
}

// TestTypedFilesReadAlike with three other implementations.
func TestTypedFilesReadAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	for _, f := range everyTypedFile(t) {
		want := ownCells(t, f)
		for name, read := range map[string]func(*testing.T, typedFile) leafCells{"arrow": arrowCells, "xitongsys": xitongsysCells, "DuckDB": duckCells} {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				got := read(t, f)
				for i := range f.plan.Leaves {
					path := strings.Join(f.plan.Leaves[i].Path, ".")
					if len(want[path]) < len(f.changes) {
						t.Fatalf("%s: %d cells of %d rows", path, len(want[path]), len(f.changes))
					}
					if diff := cmp.Diff(want[path], got[path]); diff != "" {
						t.Errorf("%s (-own +%s):\n%.1500s", path, name, diff)
					}
				}
			})
		}
	}
}
