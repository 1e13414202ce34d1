package bootstrap_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// A row as a second Parquet library reads it.
type row struct {
	file, op, source string
	epoch, order     int64
	seq              string
	key, image       string // canonical; no image for a REMOVE
	old              string // as it is
}

// rows reads all Parquet files of the lake.
func (w *world) rows() []row {
	w.Helper()
	var all []row
	for _, key := range w.objects(".parquet") {
		all = append(all, readFile(w.T, w.store, key, w.table.Keys)...)
	}
	return all
}

func readFile(t *testing.T, store writer.Store, key string, keys transform.KeySchema) []row {
	t.Helper()
	body, _, err := store.Get(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	table, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(body), parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	defer table.Release()
	var rows []row
	records := array.NewTableReader(table, 1<<20)
	defer records.Release()
	for records.Next() {
		rec := records.RecordBatch()
		col := map[string]arrow.Array{}
		for i := range int(rec.NumCols()) {
			col[rec.ColumnName(i)] = rec.Column(i)
		}
		for i := range int(rec.NumRows()) {
			r := row{file: key, op: text(col["_op"], i), source: text(col["_source"], i), seq: text(col["_seq"], i), old: text(col["_old"], i)}
			r.epoch = col["_epoch"].(*array.Int64).Value(i)
			if ts := col["_ts"]; ts.IsValid(i) {
				r.order = int64(ts.(*array.Timestamp).Value(i))
			}
			columns := keys.Columns()
			hash := keyValue(t, col[columns[0].Name], i, columns[0].Type)
			var rng transform.KeyValue
			if len(columns) > 1 {
				rng = keyValue(t, col[columns[1].Name], i, columns[1].Type)
			}
			item, err := transform.RebuildItem(keys, hash, rng, []byte(text(col["_rest"], i)))
			if err != nil {
				t.Fatalf("%s row %d: %v", key, i, err)
			}
			only, err := transform.RebuildItem(keys, hash, rng, nil)
			if err != nil {
				t.Fatalf("%s row %d: %v", key, i, err)
			}
			if r.key = string(only); r.op != "REMOVE" {
				r.image = string(item)
			}
			rows = append(rows, r)
		}
	}
	return rows
}

func text(a arrow.Array, i int) string {
	if a == nil || a.IsNull(i) {
		return ""
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Dictionary:
		return a.Dictionary().(*array.String).Value(a.GetValueIndex(i))
	}
	panic(a.DataType().String())
}

func keyValue(t *testing.T, a arrow.Array, i int, kind transform.KeyType) transform.KeyValue {
	t.Helper()
	if a.IsNull(i) {
		return transform.KeyValue{}
	}
	v := transform.KeyValue{Exact: true}
	switch a := a.(type) {
	case *array.String:
		v.Bytes = []byte(a.Value(i))
	case *array.Binary:
		v.Bytes = bytes.Clone(a.Value(i))
	case *array.Decimal128:
		n := a.Value(i).BigInt()
		if n.Sign() < 0 {
			t.Fatal("the tests have no negative keys")
		}
		n.FillBytes(v.Dec[:])
	default:
		t.Fatalf("a key column of type %s", a.DataType())
	}
	return v
}

// fold is what a reader does: per key the row of the highest epoch, in it the last.
func fold(l ledger.Ledger, rows []row) map[string]string {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.seq, b.seq), cmp.Compare(a.order, b.order))
	})
	state := map[string]string{}
	for _, r := range rows {
		if base := l.Base(); base != nil && r.epoch < base.Number {
			continue
		}
		if r.image == "" {
			delete(state, r.key)
		} else {
			state[r.key] = r.image
		}
	}
	return state
}

// wantState compares the lake's state with a table's.
func (w *world) wantState(want map[string]string) {
	w.Helper()
	got := fold(w.read(), w.rows())
	canon := map[string]string{}
	for k, v := range want {
		canon[canonical(w.T, k)] = canonical(w.T, v)
	}
	if maps.Equal(got, canon) {
		return
	}
	for k := range canon {
		if got[k] != canon[k] {
			w.Errorf("item %s is\n %s, want\n %s", k, got[k], canon[k])
		}
	}
	for k := range got {
		if canon[k] == "" {
			w.Errorf("item %s is not in the table", k)
		}
	}
}

func canonical(t *testing.T, item string) string {
	t.Helper()
	c, err := transform.Canonical([]byte(item))
	if err != nil {
		t.Fatal(err)
	}
	return string(c)
}

// wantOnce fails where an export's row is in the lake twice.
func (w *world) wantOnce() {
	w.Helper()
	seen := map[string]string{}
	for _, r := range w.rows() {
		id := strings.Join([]string{r.source, r.key, fmt.Sprint(r.epoch, " ", r.order), r.op}, "|")
		if seen[id] != "" {
			w.Errorf("row twice: %s in %s and %s", id, seen[id], r.file)
		}
		seen[id] = r.file
	}
}
