package writer_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/xitongsys/parquet-go-source/local"
	xparquet "github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"
)

// readXitongsys reads column by column, by index.
func readXitongsys(t *testing.T, path string) rows {
	t.Helper()
	src, err := local.NewLocalFileReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := reader.NewParquetColumnReader(src, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	var got rows
	n := r.GetNumRows()
	got.Values = make([][]any, n)
	for i, e := range r.Footer.Schema[1:] {
		got.Columns = append(got.Columns, r.SchemaHandler.GetExName(i+1))
		if n == 0 {
			continue
		}
		values, _, _, err := r.ReadColumnByIndex(int64(i), n)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(values)) != n {
			t.Fatalf("column %s: %d of %d values", e.Name, len(values), n)
		}
		for j, v := range values {
			got.Values[j] = append(got.Values[j], xitongsysText(e, v))
		}
	}
	return got
}

func xitongsysText(e *xparquet.SchemaElement, v any) any {
	s, isText := v.(string)
	switch {
	case v == nil:
		return nil
	case e.LogicalType != nil && e.LogicalType.DECIMAL != nil:
		return decimalText([]byte(s))
	case isText && e.LogicalType == nil:
		return hex.EncodeToString([]byte(s))
	}
	return fmt.Sprint(v)
}

// readArrow reads through Arrow's tables.
func readArrow(t *testing.T, path string) rows {
	t.Helper()
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fr, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := fr.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	var got rows
	got.Values = make([][]any, table.NumRows())
	for c := range int(table.NumCols()) {
		col := table.Column(c)
		got.Columns = append(got.Columns, col.Name())
		row := 0
		for _, chunk := range col.Data().Chunks() {
			for i := range chunk.Len() {
				got.Values[row] = append(got.Values[row], arrowText(t, chunk, i))
				row++
			}
		}
	}
	return got
}

func arrowText(t *testing.T, a arrow.Array, i int) any {
	t.Helper()
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Binary:
		return hex.EncodeToString(a.Value(i))
	case *array.Decimal128:
		return a.Value(i).ToString(9)
	case *array.Timestamp:
		if dt := a.DataType().(*arrow.TimestampType); dt.Unit != arrow.Microsecond || dt.TimeZone != "UTC" {
			t.Errorf("timestamp type %s", dt)
		}
		return fmt.Sprint(int64(a.Value(i)))
	case *array.Int64:
		return fmt.Sprint(a.Value(i))
	case *array.Boolean:
		return fmt.Sprint(a.Value(i))
	}
	t.Fatalf("array of %s", a.DataType())
	return nil
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
