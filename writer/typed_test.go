package writer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// typedFile is a file with attribute columns, and the changes in it.
type typedFile struct {
	name    string
	body    []byte
	plan    *schema.Plan
	changes []transform.Change
}

func hostileRecords(seed uint64, n int, columns []schema.Column) []writer.Record {
	g := items{rand.New(rand.NewPCG(seed, 9))}
	var records []writer.Record
	for i := range n {
		image, key := g.item(pick(g, "a", "\u4e16", "b"), i, columns)
		op, old := byte('I'), ""
		switch g.IntN(8) {
		case 0:
			op, image, old = 'R', "", image
		case 1:
			op, old = 'M', image
		}
		records = append(records, writer.NewRecord(i+1, op, 1_700_000_000, key, image, old))
	}
	return records
}

func encodeTyped(t testing.TB, s writer.Schema, records []writer.Record) []byte {
	t.Helper()
	b := writer.NewBatch(transform.Seq{})
	body := writer.PageBody("", records...)
	p := new(transform.Page)
	if err := transform.NewDecoder(typedKeys).Decode(body, p); err != nil || len(p.Rejects) > 0 {
		t.Fatal(err, len(p.Rejects))
	}
	b.Add(body, p, time.Unix(0, 0))
	slice, _ := b.Cut(time.Unix(0, 0), writer.Limits{}, true)
	f, err := writer.NewEncoder(s).Encode(slice, writer.Info{Shard: shard, Epoch: 42, Writer: "w"})
	if err != nil {
		t.Fatal(err)
	}
	return f.Body
}

// typedFiles are a schema's files of hostile items: of a stream, and of an export in many
// row groups.
func typedFiles(t testing.TB, name string, sch *schema.Schema, seed uint64, n int) []typedFile {
	t.Helper()
	plan := planOf(t, sch)
	records := hostileRecords(seed, n, parseSchema(t, everyType).Datasets[0].Columns)
	s := writer.Schema{Keys: typedKeys, Table: "tab", Dataset: "all", Version: sch.Version, Plan: plan, OldImage: seed%2 == 0}
	files := []typedFile{{name + ", stream", encodeTyped(t, s, records), plan, changesOf(t, records)}}
	changes := writer.DecodeExport(t, typedKeys, writer.ExportLines(false, records...), transform.ViewNewAndOld).Changes
	var out bytes.Buffer
	x := writer.InGroups(writer.NewEncoder(s).Export(&out, exportInfo(transform.ViewNewAndOld)), 100_000)
	if err := x.Add(changes); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Close(); err != nil {
		t.Fatal(err)
	}
	return append(files, typedFile{name + ", export", out.Bytes(), plan, changes})
}

// everyTypedFile is of declared, inferred and evolved schemas.
func everyTypedFile(t testing.TB) []typedFile {
	t.Helper()
	declared := parseSchema(t, everyType)
	files := typedFiles(t, "declared", declared, 1, 600)
	for i, s := range evolved(t) {
		files = append(files, typedFiles(t, fmt.Sprintf("version %d", s.Version), s, uint64(10+i), 100)...)
	}
	none := parseSchema(t, "datasets: [{name: all}]")
	return append(files, typedFiles(t, "no columns", none, 3, 20)...)
}

// evolved is an inferred schema and the two that it grows into.
func evolved(t testing.TB) []*schema.Schema {
	t.Helper()
	columns := parseSchema(t, everyType).Datasets[0].Columns
	look := func(n int) *schema.Sample {
		sample := new(schema.Sample)
		for _, c := range changesOf(t, hostileRecords(5, 200, columns[:n])) {
			if c.New != nil {
				sample.Observe(c.New)
			}
		}
		return sample
	}
	first := schema.Infer(look(8), typedKeys, schema.DefaultLimits)
	first.Version = 1
	first.Number(nil)
	all := []*schema.Schema{first}
	for _, n := range []int{20, len(columns)} {
		next, changed := all[len(all)-1].Evolve("all", look(n), typedKeys, schema.DefaultLimits)
		if !changed {
			t.Fatal("the schema did not grow")
		}
		all = append(all, next)
	}
	return all
}

func changesOf(t testing.TB, records []writer.Record) []transform.Change {
	t.Helper()
	p := new(transform.Page)
	if err := transform.NewDecoder(typedKeys).Decode(writer.PageBody("", records...), p); err != nil || len(p.Rejects) > 0 {
		t.Fatal(err, len(p.Rejects))
	}
	return p.Changes
}

// TestTypedFilesRebuildEachItem by the file alone.
func TestTypedFilesRebuildEachItem(t *testing.T) {
	for _, f := range everyTypedFile(t) {
		t.Run(f.name, func(t *testing.T) {
			x, err := writer.OpenRows(bytes.NewReader(f.body), int64(len(f.body)))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(x.Plan.Leaves), len(f.plan.Leaves); got != want {
				t.Fatalf("%d leaves, want %d", got, want)
			}
			n, inColumns := 0, 0
			for r, err := range x.All(t.Context(), writer.AllFields) {
				if err != nil {
					t.Fatal(err)
				}
				inColumns += rebuilds(t, x, r, &f.changes[n])
				n++
			}
			if n != len(f.changes) || len(f.plan.Columns) > 10 && inColumns < 3*n {
				t.Errorf("%d of %d rows, %d values in columns", n, len(f.changes), inColumns)
			}
		})
	}
}

// rebuilds fails unless the row gives the change's item again, and says how many of its values
// are in columns.
func rebuilds(t *testing.T, x *writer.RowFile, r *writer.Row, c *transform.Change) (inColumns int) {
	t.Helper()
	for i, cells := range r.Cells {
		if cells[0].Def == x.Plan.Leaves[i].MaxDef {
			inColumns++
		}
	}
	rest, err := x.Rebuild(r)
	if err != nil {
		t.Fatal(err)
	}
	if c.New == nil {
		if inColumns > 0 || (rest != nil) != c.HasRest() {
			t.Fatalf("a removal has values in columns, or the rest %s", rest)
		}
		return 0
	}
	got, err := transform.RebuildItem(x.Keys, r.Hash, r.Range, rest)
	if err != nil {
		t.Fatalf("%v: %s, of %s", err, rest, c.New)
	}
	want, err := transform.Canonical(c.New)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got  %s\nwant %s\nrest %s", got, want, r.Rest)
	}
	return inColumns
}

func TestOneFileWriterForPlansAfterAnother(t *testing.T) {
	s := parseSchema(t, everyType)
	columns := s.Datasets[0].Columns
	e := writer.NewEncoder(writer.Schema{Keys: typedKeys, Dataset: "all", Plan: planOf(t, s)})
	var want [3][]byte
	for round := range 3 {
		for i := range want {
			changes := writer.DecodeExport(t, typedKeys, writer.ExportLines(false, hostileRecords(uint64(20+i), 200, columns)...), transform.ViewNewAndOld).Changes
			body, _ := writeExport(t, e, exportInfo(transform.ViewNewAndOld), changes)
			if round == 0 {
				want[i] = body
			} else if !bytes.Equal(body, want[i]) {
				t.Errorf("file %d is another the next time", i)
			}
		}
	}
}

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
