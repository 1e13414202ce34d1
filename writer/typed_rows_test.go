package writer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

func TestColumnsAreReadOnlyWhereAskedFor(t *testing.T) {
	f := typedFiles(t, "", parseSchema(t, everyType), 1, 3000)[0]
	read := func(fields writer.Fields) (n int) {
		r := &counter{ReaderAt: bytes.NewReader(f.body)}
		x, err := writer.OpenRows(r, int64(len(f.body)))
		if err != nil {
			t.Fatal(err)
		}
		footer := r.n
		for row, err := range x.All(t.Context(), fields) {
			if err != nil {
				t.Fatal(err)
			}
			if (row.Cells != nil) != (fields&writer.FieldColumns != 0) {
				t.Fatal("cells that were not asked for, or none that were")
			}
			if fields == writer.FieldRest && row.Rest != nil {
				if _, err := x.Rebuild(row); err == nil {
					t.Fatal("an item is rebuilt without its columns")
				}
			}
		}
		return r.n - footer
	}
	all, rest, none := read(writer.AllFields), read(writer.FieldRest), read(writer.AllFields&^writer.FieldColumns)
	if columns := all - none; columns < len(f.body)/3 || rest > all-columns {
		t.Errorf("read of %d bytes: %d all, %d without columns, %d of _rest", len(f.body), all, none, rest)
	}
}

// TestTheRuleOfARow: it sets what is computed, and leaves rows out.
func TestTheRuleOfARow(t *testing.T) {
	s := parseSchema(t, `
datasets:
  - name: all
    columns:
      - {name: n, type: int64}
      - {name: double, expr: "item.n * 2", type: int64}
`)
	made := 0
	e := writer.Schema{Keys: typedKeys, Dataset: "all", Plan: planOf(t, s), Rule: func() writer.Rule {
		made++
		return func(run *schema.Run, c *transform.Change) bool {
			cells := run.Leaf(0)
			n := cells[len(cells)-1].Low
			run.Set(1, schema.Cell{Low: 2 * n})
			return n%3 > 0
		}
	}}
	var records []writer.Record
	for i := range 1000 {
		key := fmt.Sprintf(`"pk":{"S":"a"},"sk":{"N":"%d"}`, i)
		records = append(records, writer.NewRecord(i+1, 'I', 1_700_000_000, "{"+key+"}", fmt.Sprintf(`{%s,"n":{"N":"%d"},"x":{"S":"%d"}}`, key, i, i), ""))
	}
	body := encodeTyped(t, e, records)
	x, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for r, err := range x.All(t.Context(), writer.AllFields) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%3 == 0 {
			n++
		}
		got := [...]any{r.Cells[0][0].Low, r.Cells[1][0].Low, string(r.Rest)}
		if diff := cmp.Diff([...]any{n, 2 * n, fmt.Sprintf(`{"x":{"S":"%d"}}`, n)}, got); diff != "" {
			t.Fatalf("row %d:\n%s", n, diff)
		}
	}
	if x.Rows != 666 || x.Meta["rows"] != "666" || made != 1 {
		t.Errorf("%d rows, said to be %s, by %d rules", x.Rows, x.Meta["rows"], made)
	}
}

// TestDamagedTypedFiles give an error or rows; never a panic.
func TestDamagedTypedFiles(t *testing.T) {
	body := typedFiles(t, "", parseSchema(t, everyType), 1, 30)[0].body
	random := rand.New(rand.NewPCG(1, 2))
	read, failed := 0, 0
	for range 1500 {
		damaged := bytes.Clone(body)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= byte(1 << random.IntN(8))
		}
		x, err := writer.OpenRows(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil {
			failed++
			continue
		}
		for r, err := range x.All(t.Context(), writer.AllFields) {
			if err != nil {
				failed++
				break
			}
			_, _ = x.Rebuild(r)
			read++
		}
	}
	if read == 0 || failed == 0 {
		t.Errorf("%d rows read, %d files refused", read, failed)
	}
}
