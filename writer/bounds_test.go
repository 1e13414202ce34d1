package writer

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"dynamolake/transform"
)

func TestCompareSigned(t *testing.T) {
	ordered := [][]byte{{0x80, 0}, {0xff, 0xfe}, {0xff, 0xff}, {0, 0}, {0, 1}, {0x7f, 0xff}}
	for i, a := range ordered {
		for j, b := range ordered {
			got := compareSigned(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compareSigned(%x, %x) = %d", a, b, got)
			}
		}
	}
}

// TestPageBoundsHoldEveryValue, also with several row groups in a file, and when
// a writer is used again.
func TestPageBoundsHoldEveryValue(t *testing.T) {
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "n", Type: 'N'}, Range: transform.KeyAttr{Name: "b", Type: 'B'}}
	var records []record
	for i := range 6000 {
		key := fmt.Sprintf(`"n":{"N":"%d"},"b":{"B":"////////////////////////%s"}`, (i*7919)%6000-3000, []string{"//8A", "////"}[i%2])
		records = append(records, record{seq: i + 1, op: transform.Insert, created: 1_700_000_000, keys: "{" + key + "}", new: fmt.Sprintf(`{%s,"p":{"S":"%0900d"}}`, key, i)})
	}
	s := sliceOf(t, keys, records...)
	w := newFileWriter(columnsOf(Schema{Keys: keys}, ofStream), 2<<20)
	for range 2 {
		body, err := w.slice(s, Info{Shard: "s"}, func() [][2]string { return nil })
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(f.RowGroups()); n < 3 {
			t.Fatalf("%d row groups, want at least 3", n)
		}
		pages := 0
		for g, group := range f.RowGroups() {
			meta := f.Metadata().RowGroups[g]
			if len(meta.SortingColumns) != 1 || meta.SortingColumns[0].ColumnIdx != 1 {
				t.Errorf("row group %d is sorted by %v, want column 1", g, meta.SortingColumns)
			}
			for c, chunk := range group.ColumnChunks() {
				pages += checkBounds(t, chunk, f.ColumnIndexes()[g*len(group.ColumnChunks())+c], meta.Columns[c].MetaData)
			}
		}
		if pages <= 3*11 {
			t.Errorf("%d pages, too few to prove anything", pages)
		}
	}
}

func checkBounds(t *testing.T, chunk parquet.ColumnChunk, index format.ColumnIndex, meta format.ColumnMetaData) int {
	t.Helper()
	name := meta.PathInSchema[0]
	compare := chunk.Type().Compare
	if name == "n" {
		compare = func(a, b parquet.Value) int { return compareSigned(a.ByteArray(), b.ByteArray()) }
	}
	kind := chunk.Type().Kind()
	within := func(what string, v parquet.Value, low, high []byte) {
		if compare(v, kind.Value(low)) < 0 || compare(v, kind.Value(high)) > 0 {
			t.Fatalf("column %s: %.40v is outside its %s's bounds %.40x to %.40x", name, v, what, low, high)
		}
	}
	pages := chunk.Pages()
	defer pages.Close()
	n := 0
	for ; ; n++ {
		page, err := pages.ReadPage()
		if err != nil {
			break
		}
		values := make([]parquet.Value, page.NumValues())
		_, _ = page.Values().ReadValues(values)
		for _, v := range values {
			if v.IsNull() {
				continue
			}
			within("page", v, index.MinValues[n], index.MaxValues[n])
			if blank := name == "_rest" || name == "_old"; !blank {
				within("chunk", v, meta.Statistics.MinValue, meta.Statistics.MaxValue)
			} else if meta.Statistics.MinValue != nil {
				t.Fatalf("column %s has statistics", name)
			}
		}
		parquet.Release(page)
	}
	if n != len(index.NullPages) {
		t.Errorf("column %s: %d pages, %d in the index", name, n, len(index.NullPages))
	}
	return n
}
