package writer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dynamolake/internal/typeditems"
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
	g := typeditems.Items{Rand: rand.New(rand.NewPCG(seed, 9))}
	var records []writer.Record
	for i := range n {
		image, key := g.Item(typeditems.Pick(g, "a", "\u4e16", "b"), i, columns)
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
	return encodeTypedFile(t, s, records).Body
}

func encodeTypedFile(t testing.TB, s writer.Schema, records []writer.Record) writer.File {
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
	return f
}

// typedFiles are a schema's files of hostile items: of a stream, and of an export in many
// row groups.
func typedFiles(t testing.TB, name string, sch *schema.Schema, seed uint64, n int) []typedFile {
	t.Helper()
	plan := planOf(t, sch)
	records := hostileRecords(seed, n, parseSchema(t, typeditems.EveryType).Datasets[0].Columns)
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
	declared := parseSchema(t, typeditems.EveryType)
	files := typedFiles(t, "declared", declared, 1, 600)
	for i, s := range evolved(t) {
		files = append(files, typedFiles(t, fmt.Sprintf("version %d", s.Version), s, uint64(10+i), 100)...)
	}
	for i, s := range grown(t)[:2] {
		files = append(files, typedFiles(t, fmt.Sprintf("declared, version %d", s.Version), s, uint64(20+i), 100)...)
	}
	none := parseSchema(t, "datasets: [{name: all}]")
	return append(files, typedFiles(t, "no columns", none, 3, 20)...)
}

// evolved is an inferred schema and the two that it grows into.
func evolved(t testing.TB) []*schema.Schema {
	t.Helper()
	columns := parseSchema(t, typeditems.EveryType).Datasets[0].Columns
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

// grown is a declared schema, to which columns of every type are added twice, and fields to its structs.
func grown(t testing.TB) (versions []*schema.Schema) {
	t.Helper()
	for _, n := range []int{10, 20, 100} {
		s, err := schema.Parse([]byte(typeditems.EveryType))
		if err != nil {
			t.Fatal(err)
		}
		d := &s.Datasets[0]
		all := d.Columns
		d.Columns = slices.Clone(all[:min(n, len(all))])
		if n < len(all) {
			for _, c := range all {
				if c.Name == "box" || c.Name == "lines" {
					c.Type = firstField(c.Type)
					d.Columns = append(d.Columns, c)
				}
			}
		}
		var prev *schema.Schema
		if len(versions) > 0 {
			prev = versions[len(versions)-1]
		}
		next, changed := s.Adopt(prev)
		if !changed {
			t.Fatal("the schema did not grow")
		}
		versions = append(versions, next)
	}
	return versions
}

// firstField is a struct, or a list of structs, with one field.
func firstField(t schema.Type) schema.Type {
	if t.Elem != nil {
		e := firstField(*t.Elem)
		t.Elem = &e
	}
	t.Fields = t.Fields[:min(1, len(t.Fields))]
	return t
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
	s := parseSchema(t, typeditems.EveryType)
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
