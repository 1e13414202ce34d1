package writer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/internal/typeditems"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

func TestColumnsAreReadOnlyWhereAskedFor(t *testing.T) {
	f := typedFiles(t, "", parseSchema(t, typeditems.EveryType), 1, 3000)[0]
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

// TestTheRuleOfARow: it sets what is computed, leaves rows out, refuses some, and makes others of them.
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
		return new(everyFifth)
	}}
	var records []writer.Record
	type row struct {
		op        transform.Op
		n, double int64
		rest      string
	}
	var want []row
	refused := 0
	for i := range int64(1000) {
		key := fmt.Sprintf(`"pk":{"S":"a"},"sk":{"N":"%d"}`, i)
		records = append(records, writer.NewRecord(int(i)+1, 'I', 1_700_000_000, "{"+key+"}", fmt.Sprintf(`{%s,"n":{"N":"%d"},"x":{"S":"%d"}}`, key, i, i), ""))
		switch i % 5 {
		case 0:
		case 1:
			want = append(want, row{op: transform.Remove})
		case 2:
			refused++
		default:
			want = append(want, row{transform.Insert, i, 2 * i, fmt.Sprintf(`{"x":{"S":"%d"}}`, i)})
		}
	}
	f := encodeTypedFile(t, e, records)
	x, err := writer.OpenRows(bytes.NewReader(f.Body), int64(len(f.Body)))
	if err != nil {
		t.Fatal(err)
	}
	var got []row
	for r, err := range x.All(t.Context(), writer.AllFields) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row{r.Op, r.Cells[0][0].Low, r.Cells[1][0].Low, string(r.Rest)})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Error(diff)
	}
	if x.Meta["rows"] != fmt.Sprint(len(want)) || made != 1 {
		t.Errorf("%d rows, said to be %s, by %d rules", x.Rows, x.Meta["rows"], made)
	}
	if len(f.Refused) != refused || !f.Fresh || f.Misfits.Rows != int64(len(want)) {
		t.Fatalf("%d refused, fresh %v, %d rows in the tally", len(f.Refused), f.Fresh, f.Misfits.Rows)
	}
	for i, r := range f.Refused {
		if want := fmt.Sprintf(`{"N":"%d"}`, 5*i+2); r.Reason != "is 2 over fives" || !bytes.Contains(r.Change.New, []byte(want)) {
			t.Errorf("refusal %d: %s of %s, want one of %s", i, r.Reason, r.Change.New, want)
		}
	}
}

// everyFifth computes a column; of five changes it leaves out one, makes a removal of one, and refuses
// one.
type everyFifth struct{}

func (*everyFifth) Begin() {}

func (r *everyFifth) Admit(c *transform.Change) (*transform.Change, string) {
	switch nOf(c) % 5 {
	case 0:
		return nil, ""
	case 1:
		keys := typedKeys
		removed := keys.Removed(c)
		return &removed, ""
	}
	return c, ""
}

func (*everyFifth) Finish(run *schema.Run, c *transform.Change) string {
	switch nOf(c) % 5 {
	case 1:
		return ""
	case 2:
		return "is 2 over fives"
	}
	run.Set(1, schema.Cell{Low: 2 * nOf(c)})
	return ""
}

// nOf is the number in the sort key.
func nOf(c *transform.Change) (n int64) {
	fmt.Sscan(string(c.Range.Bytes), &n)
	return n
}

// TestDamagedTypedFiles give an error or rows; never a panic.
func TestDamagedTypedFiles(t *testing.T) {
	body := typedFiles(t, "", parseSchema(t, typeditems.EveryType), 1, 30)[0].body
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
