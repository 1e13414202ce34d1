package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shopItem is an item of a small shop, its attributes in the service's order.
func shopItem(r *rand.Rand, i int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"pk":{"S":"order#%d"},"customer_id":{"S":"c%d"},"created_at":{"S":"2026-11-%02dT10:00:00.%03dZ"},"updated":{"N":"17638%05d"}`, i, r.IntN(100), 1+r.IntN(28), r.IntN(1000), r.IntN(1e5))
	if i%100 == 7 {
		fmt.Fprintf(&b, `,"amount":{"S":"free"}`)
	} else {
		fmt.Fprintf(&b, `,"amount":{"N":"%d.%d"}`, r.IntN(1000), 1+r.IntN(9))
	}
	fmt.Fprintf(&b, `,"quantity":{"N":"%d"},"paid":{"BOOL":%t},"due":{"S":"2026-12-%02d"},"tags":{"SS":["a","b"]}`, r.IntN(9), i%2 == 0, 1+r.IntN(28))
	fmt.Fprintf(&b, `,"address":{"M":{"city":{"S":"Linz"},"zip":{"S":"%d"},"geo":{"M":{"lat":{"N":"48.%d"}}}}}`, 4000+i, 1+2*r.IntN(500))
	fmt.Fprintf(&b, `,"lines":{"L":[{"M":{"sku":{"S":"s%d"},"n":{"N":"1"}}}]}`, i)
	if i%3 == 0 {
		fmt.Fprintf(&b, `,"note":{"S":"text"},"coupon":{"NULL":true}`)
	}
	if i%250 == 0 {
		fmt.Fprintf(&b, `,"mixed":{"L":[{"S":"a"},{"N":"1"},{"M":{}}]},"empty":{"L":[]},"odd":{"L":[{"B":""},{"N":"1"}]},"_ts":{"N":"1"},"PK":{"B":"AA=="},"rare%d":{"S":""}`, i)
	}
	b.WriteString("}")
	return []byte(b.String())
}

func shopSample(n int) *Sample {
	var s Sample
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		s.Observe(shopItem(r, i))
	}
	return &s
}

func TestInferWritesWhatAPersonWouldHaveWritten(t *testing.T) {
	limits := DefaultLimits
	limits.MaxColumns = 18
	s := Infer(shopSample(1000), testKeys, limits)
	text := s.YAML(false)
	golden(t, "infer.yaml", string(text))
	again, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again.Number(nil)
	if diff := cmp.Diff(s, again, placeless); diff != "" {
		t.Errorf("it is not what it reads as:\n%s", diff)
	}
}

func TestFromOneItemTypesAreThoseThatLastLongest(t *testing.T) {
	var one Sample
	one.Observe([]byte(`{"pk":{"S":""},"n":{"N":"1"},"at":{"S":"2026-11-23T10:00:00Z"},"m":{"M":{"x":{"N":"1"}}},"l":{"L":[{"M":{"x":{"N":"1"}}}]},"s":{"L":[{"S":""}]},"deep":{"N":"0.12345678901234567891"}}`))
	s := Infer(&one, testKeys, DefaultLimits)
	var got []string
	for _, c := range s.Datasets[0].Columns {
		got = append(got, c.Name+" "+c.Type.String())
	}
	want := []string{"n decimal(38,9)", "at string", "m struct", "l json", "s list<string>", "deep decimal(38,20)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEvolutionOnlyAdds(t *testing.T) {
	v1 := Infer(shopSample(50), testKeys, DefaultLimits)
	v1.Version = 1
	var more Sample
	more.Observe([]byte(`{"pk":{"S":""},"amount":{"BOOL":true},"new":{"S":""},"address":{"M":{"city":{"N":"1"},"country":{"S":"AT"},"geo":{"M":{"lon":{"N":"1"}}}}},"lines":{"L":[{"M":{"price":{"N":"1"}}}]},"NEW":{"S":""}}`))
	v2, changed := v1.Evolve("all", &more, testKeys, DefaultLimits)
	if !changed || v2.Version != 2 {
		t.Fatalf("changed %t, version %d", changed, v2.Version)
	}
	var text []string
	for _, d := range Diff(v1, v2) {
		text = append(text, d.String())
		if !d.Additive {
			t.Errorf("not additive: %s", d)
		}
	}
	golden(t, "evolve.want", strings.Join(text, "\n")+"\n\n"+string(v2.YAML(true)))
	if again, changed := v2.Evolve("all", &more, testKeys, DefaultLimits); changed || again != v2 {
		t.Errorf("the same items change it again:\n%s", again.YAML(true))
	}
	if same, changed := v1.Evolve("other", &more, testKeys, DefaultLimits); changed || same != v1 {
		t.Error("a dataset that there is not has evolved")
	}
}

// TestMaxColumnsCountsAllColumns, those of the file and what is computed too: it says how wide a table grows.
func TestMaxColumnsCountsAllColumns(t *testing.T) {
	var sample Sample
	for range 3 {
		sample.Observe([]byte(`{"pk":{"S":""},"x":{"N":"1"},"y":{"N":"1"},"z":{"N":"1"}}`))
	}
	const columns = "columns: [{name: s, type: struct, fields: [{name: a, type: bool}, {name: b, type: bool}]}, {name: sum, type: int64, expr: '1'}]\nnew_attributes: column\nmax_columns: "
	for most, want := range map[string]int{"2": 0, "3": 0, "4": 1, "5": 2, "9": 3} {
		next, _ := parseDataset(t, columns+most).Evolve("all", &sample, testKeys, DefaultLimits)
		if got := len(next.Datasets[0].Columns) - 2; got != want {
			t.Errorf("max_columns %s: %d attributes got columns, want %d", most, got, want)
		}
	}
}

func TestTwoEvolutionsAtOnceBothWin(t *testing.T) {
	for seed := range *seeds / 4 {
		h := newHostile(seed)
		base := h.schema()
		base.Datasets[0].NewAttributes, base.Version = true, 5
		var a, b Sample
		for range 1 + h.IntN(30) {
			image, _, _ := h.item()
			a.Observe([]byte(image))
			image, _, _ = h.item()
			b.Observe([]byte(image))
		}
		first, _ := base.Evolve("all", &a, hostileKeys, DefaultLimits)
		second, _ := first.Evolve("all", &b, hostileKeys, DefaultLimits)
		alone, _ := base.Evolve("all", &b, hostileKeys, DefaultLimits)
		again, _ := first.Evolve("all", &b, hostileKeys, DefaultLimits)
		if diff := cmp.Diff(second, again); diff != "" {
			t.Fatalf("seed %d: not deterministic:\n%s", seed, diff)
		}
		for _, d := range append(Diff(base, first), Diff(first, second)...) {
			if !d.Additive {
				t.Fatalf("seed %d: not additive: %s", seed, d)
			}
		}
		for _, c := range append(first.Datasets[0].Columns, alone.Datasets[0].Columns...) {
			found := false
			for _, d := range second.Datasets[0].Columns {
				found = found || cmp.Equal(c.From, d.From) || c.From.within(d.From) || d.From.within(c.From)
			}
			if !found {
				t.Fatalf("seed %d: %s has lost its column", seed, c.From)
			}
		}
		if _, err := Parse(second.YAML(true)); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, second.YAML(true))
		}
	}
}

func TestTheLawHoldsForInferredAndEvolvedSchemas(t *testing.T) {
	values := 0
	for seed := range *seeds / 4 {
		h := newHostile(seed)
		s := &Schema{Unmatched: Reject, Datasets: []Dataset{{Name: "all", NewAttributes: true, MaxColumns: 5 + h.IntN(100)}}}
		if h.IntN(2) == 0 {
			s.Datasets[0].Flatten = []Path{{h.name()}, {h.name(), h.name()}}
		}
		limits := DefaultLimits
		limits.Sure = int64(1 + h.IntN(30))
		for range 3 { // evolved twice
			var sample Sample
			images := make([]string, 8)
			var keys []string
			for i := range images {
				image, pk, sk := h.item()
				images[i], keys = image, append(keys, `{"pk":`+pk+`,"s\"k":`+sk+`}`)
				if decode(t, hostileKeys, image, keys[i]) != nil {
					sample.Observe([]byte(image))
				}
			}
			s, _ = s.Evolve("all", &sample, hostileKeys, limits)
			p, err := s.Datasets[0].Plan(hostileKeys)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			run := p.NewRun()
			for i, image := range images {
				if c := decode(t, hostileKeys, image, keys[i]); c != nil {
					run.Shred(c.New, c.Hash.Exact, c.Range.Exact)
					holds(t, p, run, run.Rows()-1, c)
				}
			}
			soundCells(t, p, run)
			for i := range p.Leaves {
				for _, c := range run.Leaf(i) {
					if c.Def == p.Leaves[i].MaxDef {
						values++
					}
				}
			}
		}
	}
	if t.Logf("%d values", values); values < 5*int(*seeds) {
		t.Error("the columns took next to nothing")
	}
}

func TestSamplesMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var a, b Sample
	for i := range 1000 {
		if i < 600 {
			a.Observe(shopItem(r, i))
		} else {
			b.Observe(shopItem(r, i))
		}
	}
	a.Merge(&b)
	got, want := Infer(&a, testKeys, DefaultLimits).YAML(false), Infer(shopSample(1000), testKeys, DefaultLimits).YAML(false)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestASampleOfWildItemsIsBounded(t *testing.T) {
	var s Sample
	for i := range 5 {
		var b strings.Builder
		fmt.Fprintf(&b, `{"pk":{"S":""}`)
		for j := range 1000 {
			fmt.Fprintf(&b, `,"a%d-%d":{"M":{`, i, j)
			for k := range 40 {
				fmt.Fprintf(&b, `"f%d-%d":{"S":""},`, i, k)
			}
			b.WriteString(`"x":{"S":""}}}`)
		}
		b.WriteString("}")
		s.Observe([]byte(b.String()))
	}
	if len(s.attrs) > mostNamed || s.tracked > mostTracked {
		t.Errorf("%d names, %d tracked", len(s.attrs), s.tracked)
	}
	schema := Infer(&s, testKeys, DefaultLimits)
	if n := schema.Datasets[0].leaves(); n > usualColumns || n < usualColumns/2 {
		t.Errorf("%d columns", n)
	}
}

// TestLongNamesStayInRest: a version that has them all could not be read again, and would stop the table.
func TestLongNamesStayInRest(t *testing.T) {
	var s Sample
	for i := range 100 {
		long := strings.Repeat("n", 60_000) + fmt.Sprint(i)
		s.Observe([]byte(`{"pk":{"S":""},"a":{"S":""},"` + long + `":{"S":""},"m":{"M":{"` + long + `":{"S":""}}}}`))
	}
	inferred := Infer(&s, testKeys, DefaultLimits)
	if _, err := Parse(inferred.YAML(true)); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range inferred.Datasets[0].Columns {
		all = append(all, c.Name+" "+c.Type.String())
	}
	if diff := cmp.Diff([]string{"a string", "m json"}, all); diff != "" {
		t.Error(diff)
	}
}

func TestDiffTellsWhatAnotherSchemaIs(t *testing.T) {
	a, err := Parse([]byte(`
datasets:
  - name: all
    columns:
      - {name: a, type: string, id: 1001}
      - {name: b, type: int64, id: 1002}
      - {name: c, from: x, type: string}
      - {name: s, type: list<struct>, id: 1003, element_ids: [1004], fields: [{name: p, type: int64}, {name: q, type: bool}]}
  - name: old
`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse([]byte(`
unmatched: drop
lookups: {l: l.csv}
datasets:
  - name: all
    filter: "true"
    hash: [a]
    partition: [b]
    new_attributes: column
    columns:
      - {name: a, type: string, id: 1009, required: true}
      - {name: b, type: string}
      - {name: c, from: [x, y], type: string}
      - {name: s, type: list<struct>, id: 1003, element_ids: [1004], fields: [{name: p, type: string}, {name: r, type: bool}]}
      - {name: d, expr: "1 + 1", type: int64}
  - name: new
    columns: [{name: a, type: string}]
`))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, d := range Diff(a, b) {
		fmt.Fprintf(&text, "%-5t %s\n", d.Additive, d)
	}
	golden(t, "diff.want", text.String())
	if d := Diff(a, a); d != nil {
		t.Errorf("a schema differs from itself: %v", d)
	}
}

func TestATallyTellsWhatColumnsLeave(t *testing.T) {
	p := planOf(t, `
      - {name: amount, type: "decimal(4,1)"}
      - {name: tags, type: set<string>}
      - {name: note, type: int64}
      - {name: score, from: quantity, type: double}
`)
	run, tally := p.NewRun(), p.NewTally()
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		run.Shred(shopItem(r, i), true, false)
		tally.Add(run, run.Rows()-1)
		if i%7 == 0 {
			run.Reset()
		}
	}
	run.Blank()
	tally.Add(run, run.Rows()-1)
	tally.Add(run, 0)
	golden(t, "tally.want", tally.String())
}
