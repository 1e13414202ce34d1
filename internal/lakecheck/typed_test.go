package lakecheck_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dynamolake/internal/lakecheck"
	"dynamolake/internal/typeditems"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

var typedKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}}

// typed is a world whose files have the columns of a schema.
func typed(t testing.TB, text string) (*world, []schema.Column) {
	t.Helper()
	s, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Number(nil)
	plan, err := s.Datasets[0].Plan(typedKeys)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, typedKeys)
	w.encoder = writer.NewEncoder(writer.Schema{Keys: typedKeys, OldImage: true, Table: "orders", Dataset: "all", Version: s.Version, Plan: plan})
	return w, s.Datasets[0].Columns
}

// TestItemsComeBackFromEveryTypeOfColumn lets the check put hostile items together with code of its own.
func TestItemsComeBackFromEveryTypeOfColumn(t *testing.T) {
	for seed := range uint64(5) {
		w, columns := typed(t, typeditems.EveryType)
		g := typeditems.Items{Rand: rand.New(rand.NewPCG(seed, 9))}
		var records []lakecheck.Record
		for i := range 600 {
			image, key := g.Item(typeditems.Pick(g, "a", "b", "\u4e16"), i%200, columns)
			if w.items[key] != "" && g.IntN(6) == 0 {
				image = ""
			}
			records = append(records, w.change(parent, key, image))
		}
		w.commit(parent, "", false, records[:400]...)
		w.commit(parent, records[399].Seq, false, records[400:]...)
		if r := w.check(); !r.OK() || r.Changes != len(records) {
			t.Errorf("seed %d: %s\n%s", seed, r, strings.Join(r.Problems, "\n"))
		}
	}
}

const twoColumns = `
version: 3
datasets:
  - name: all
    columns:
      - {name: amount, type: int64}
      - {name: tags, type: list<string>}
`

const amountColumn = `{"column":"amount","from":["amount"],"type":"int64"},`

// TestDamageOfTypedFilesIsNoticed: what is in a column is part of the item.
func TestDamageOfTypedFilesIsNoticed(t *testing.T) {
	key := func(n int) string { return fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"N":"%d"}}`, n) }
	image := func(n, amount int) string {
		return fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"N":"%d"},"amount":{"N":"%d"},"tags":{"L":[{"S":"x"},{"S":"y"}]},"more":{"S":"z"}}`, n, amount)
	}
	for _, c := range []struct {
		name   string
		damage func(body []byte, other writer.File) []byte
		want   string // part of a problem
	}{
		{"nothing happens", func(b []byte, _ writer.File) []byte { return b }, ""},
		{"a typed value is another", func(_ []byte, other writer.File) []byte { return other.Body }, "its image is"},
		{"the footer does not tell of columns", swap("dynamolake.columns", "dynamolake.colunms"), "schema version \"3\", and columns"},
		{"the footer tells of a column that is not there", swap(`"column":"amount"`, `"column":"amuont"`), "no column"},
		{"the footer forgets a column", swap(amountColumn, strings.Repeat(" ", len(amountColumn))), "amount"},
		{"the footer calls a column of another type", swap(`"type":"int64"`, `"type":"bool" `), "no column of type bool"},
		{"the footer takes a column for another attribute", swap(`"from":["amount"]`, `"from":["amuont"]`), "its image is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := typed(t, twoColumns)
			var right, wrong []lakecheck.Record
			for n := range 30 {
				r := w.change(parent, key(n), image(n, n))
				right = append(right, r)
				if n == 17 {
					r.NewJSON = image(n, 4711)
				}
				wrong = append(wrong, r)
			}
			k := w.commit(parent, "", false, right...)
			s := w.store.objects[k]
			w.store.objects[k] = stored{body: c.damage(bytes.Clone(s.body), w.file(parent, "", false, wrong...)), modified: s.modified}
			r := w.check()
			if r.OK() != (c.want == "") || !strings.Contains(strings.Join(r.Problems, "\n"), c.want) {
				t.Errorf("%s\n%s", r, strings.Join(r.Problems, "\n"))
			}
		})
	}
}

// swap replaces a text of the footer by one as long.
func swap(old, new string) func([]byte, writer.File) []byte {
	return func(b []byte, _ writer.File) []byte {
		if len(old) != len(new) || !bytes.Contains(b, []byte(old)) {
			panic("nothing to swap: " + old)
		}
		return bytes.ReplaceAll(b, []byte(old), []byte(new))
	}
}

const twoDatasets = `
version: 2
datasets:
  - name: even
    filter: item.kind == "even"
    columns: [{name: kind, type: string}, {name: n, type: int64}]
    drop: [secret]
  - name: odd
    filter: item.kind == "odd"
    columns: [{name: kind, type: string}]
`

// TestEachDatasetIsCheckedByItself: items go from one to the other, and the chains are cut at other places.
func TestEachDatasetIsCheckedByItself(t *testing.T) {
	s, err := schema.Parse([]byte(twoDatasets))
	if err != nil {
		t.Fatal(err)
	}
	s.Number(nil)
	set, err := dataset.Compile(s, dataset.Options{Table: "orders", Keys: typedKeys, OldImage: true, Source: writer.SourceStream})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, typedKeys)
	image := func(n int, kind, secret string) string {
		return fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"N":"%d"},"kind":{"S":"%s"},"n":{"N":"%d"}%s}`, n, kind, len(w.journal), secret)
	}
	var records []lakecheck.Record
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n, now := random.IntN(20), ""
		if kind := [...]string{"even", "odd", "none", ""}[random.IntN(4)]; kind != "" {
			now = image(n, kind, `,"secret":{"S":"x"}`)
		}
		key := fmt.Sprintf(`{"pk":{"S":"a"},"sk":{"N":"%d"}}`, n)
		if now == "" && w.items[key] == "" {
			continue
		}
		records = append(records, w.change(parent, key, now))
	}
	for i, cut := range []int{100, 70} {
		w.encoder = set.Parts[i].Encoder
		after := ""
		for _, part := range [][]lakecheck.Record{records[:cut], records[cut:]} {
			k := strings.Replace(key(t, parent, after), "/all/", "/"+set.Parts[i].Name+"/", 1)
			w.store.put(k, w.file(parent, after, false, part...))
			after = part[len(part)-1].Seq
		}
	}
	lake, err := lakecheck.Read(t.Context(), w.store, tablePrefix)
	if err != nil || strings.Join(lake.Datasets(), " ") != "even odd" {
		t.Fatal(lake.Datasets(), err)
	}
	truth := lakecheck.Truth{Journal: w.journal, Items: w.items}
	check := func(name, kind string) lakecheck.Report {
		return truth.In(func(image string) (string, bool) {
			if name == "even" {
				image = strings.Replace(image, `,"secret":{"S":"x"}`, "", 1)
			}
			return image, strings.Contains(image, `"kind":{"S":"`+kind+`"}`)
		}).Check(lake.Dataset(name))
	}
	for _, name := range []string{"even", "odd"} {
		if r := check(name, name); !r.OK() || r.Changes < 50 || r.Items == 0 || r.Files != 2 {
			t.Errorf("%s: %s\n%s", name, r, strings.Join(r.Problems, "\n"))
		}
	}
	if r := check("even", "odd"); r.Lost == 0 || r.Unknown == 0 || r.WrongItems == 0 {
		t.Errorf("rows of the wrong dataset: %s", r)
	}
}
