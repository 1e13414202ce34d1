package schema

import (
	"flag"
	"fmt"
	"testing"

	"dynamolake/transform"
)

var seeds = flag.Uint64("seeds", 120, "how many hostile schemas to try")

// decode passes an image through the decoder, as a record of a stream; nil if it refuses it.
func decode(t testing.TB, keys transform.KeySchema, image, keyObject string) *transform.Change {
	t.Helper()
	body := `{"NextShardIterator":"i","Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":` + keyObject + `,"NewImage":` + image + `}}]}`
	var p transform.Page
	if err := transform.NewDecoder(keys).Decode([]byte(body), &p); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if len(p.Changes) == 0 {
		return nil
	}
	return &p.Changes[0]
}

// holds fails unless a row of the run obeys the law, and is what the twin says.
func holds(t *testing.T, p *Plan, run *Run, row int, c *transform.Change) {
	t.Helper()
	rest := run.AppendRest(nil, row, c.New)
	rebuilt, err := p.Rebuild(run.Row(row), rest)
	if err != nil {
		t.Fatalf("%v\nimage %s\nrest %s\n%s", err, c.New, rest, p.Describe())
	}
	item := readAttrs(c.New)
	want := make([]attr, 0, len(item))
	for _, a := range item {
		if a.name == hostileKeys.Hash.Name && c.Hash.Exact || a.name == hostileKeys.Range.Name && c.Range.Exact {
			continue
		}
		want = append(want, a)
	}
	if got, want := attrsText(readAttrs(rebuilt)), attrsText(want); got != want {
		t.Fatalf("rebuilt item differs\ngot  %s\nwant %s\nrest %s\n%s", got, want, rest, p.Describe())
	}
	if canonical, err := transform.Canonical(c.New); err == nil {
		whole, err := transform.RebuildItem(hostileKeys, c.Hash, c.Range, rebuilt)
		if err != nil || string(whole) != string(canonical) {
			t.Fatalf("canonical item differs: %v\ngot  %s\nwant %s", err, whole, canonical)
		}
	}
	taken, left := shredTwin(want, p.Columns)
	if got, want := attrsText(readAttrs(rest)), attrsText(left); got != want {
		t.Fatalf("_rest is not the twin's\ngot  %s\nwant %s\nitem %s\n%+v", got, want, c.New, p.Columns)
	}
	cells := run.Row(row)
	for i, c := range p.Columns {
		s := p.spans[i]
		value, ok, err := written{p.Leaves[s.from:s.to], cells[s.from:s.to]}.value(&c.Type, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		got, want := "null", "null"
		if ok {
			got = readTree(value).String()
		}
		if taken[i] != nil {
			want = taken[i].String()
		}
		if got != want {
			t.Fatalf("column %s of %s, %s, is not the twin's\ngot  %s\nwant %s", c.Name, c.From, c.Type, got, want)
		}
	}
}

// sound fails unless the cells have the levels that Parquet asks for.
func soundCells(t *testing.T, p *Plan, run *Run) {
	t.Helper()
	for i, l := range p.Leaves {
		rows := 0
		for _, c := range run.Leaf(i) {
			if c.Rep == 0 {
				rows++
			}
			if c.Rep > l.MaxRep || c.Def > l.MaxDef {
				t.Fatalf("leaf %v: levels %d and %d, at most %d and %d", l.Path, c.Rep, c.Def, l.MaxRep, l.MaxDef)
			}
		}
		if rows != run.Rows() {
			t.Fatalf("leaf %v has cells of %d rows, want %d", l.Path, rows, run.Rows())
		}
	}
}

func TestTheLawHoldsForHostileItemsAndSchemas(t *testing.T) {
	values, rests, misfits := 0, 0, map[Misfit]int{}
	for seed := range *seeds {
		h := newHostile(seed)
		s := h.schema()
		p, err := s.Datasets[0].Plan(hostileKeys)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		run := p.NewRun()
		for range 2 { // the second time with what the first learned
			var changes []*transform.Change
			for range 5 {
				image, pk, sk := h.itemFor(&s.Datasets[0])
				c := decode(t, hostileKeys, image, `{"pk":`+pk+`,"s\"k":`+sk+`}`)
				if c == nil {
					continue
				}
				changes = append(changes, c)
				run.Shred(c.New, c.Hash.Exact, c.Range.Exact)
				if h.IntN(10) == 0 {
					run.Undo()
					run.Shred(c.New, c.Hash.Exact, c.Range.Exact)
				}
			}
			for i, c := range changes {
				holds(t, p, run, i, c)
				for _, f := range run.Misfits(i) {
					misfits[f.Why]++
				}
			}
			soundCells(t, p, run)
			for i := range p.Leaves {
				for _, c := range run.Leaf(i) {
					if c.Def == p.Leaves[i].MaxDef {
						values++
					} else {
						rests++
					}
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			run.Reset()
		}
	}
	t.Logf("%d values, %d nulls, misfits %v", values, rests, fmt.Sprint(misfits))
	if values < int(*seeds)*20 {
		t.Error("the columns took next to nothing")
	}
	for m := Rounded; m < misfitsEnd; m++ {
		if misfits[m] == 0 {
			t.Errorf("no value had the misfit %q: the items are not hostile in every way", m)
		}
	}
}

const misfitsEnd = Twice + 1

func TestWithoutColumnsTheRestIsTheDecodersOwn(t *testing.T) {
	p, err := (&Dataset{Name: "all"}).Plan(hostileKeys)
	if err != nil {
		t.Fatal(err)
	}
	run := p.NewRun()
	for seed := range *seeds * 4 {
		image, pk, sk := newHostile(seed).item()
		c := decode(t, hostileKeys, image, `{"pk":`+pk+`,"s\"k":`+sk+`}`)
		if c == nil {
			continue
		}
		run.Reset()
		run.Shred(c.New, c.Hash.Exact, c.Range.Exact)
		if got, want := string(run.AppendRest(nil, 0, c.New)), string(c.AppendRest(nil)); got != want {
			t.Fatalf("seed %d: got %s\nwant %s", seed, got, want)
		}
	}
}

func FuzzLaw(f *testing.F) {
	for seed := range uint64(60) {
		h := newHostile(seed)
		image, _, _ := h.itemFor(&h.schema().Datasets[0])
		if len(image) < 4000 {
			f.Add([]byte(image), seed)
		}
	}
	f.Fuzz(func(t *testing.T, image []byte, seed uint64) {
		if len(image) < 2 || image[0] != '{' {
			return
		}
		text := `{"pk":{"S":"k"},"s\"k":{"N":"1"}` + map[bool]string{true: "", false: ","}[string(image) == "{}"] + string(image[1:])
		body := `{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"k"},"s\"k":{"N":"1"}},"NewImage":` + text + `}}],"NextShardIterator":"i"}`
		var page transform.Page
		if err := transform.NewDecoder(hostileKeys).Decode([]byte(body), &page); err != nil || len(page.Changes) != 1 {
			return
		}
		p, err := newHostile(seed % 200).schema().Datasets[0].Plan(hostileKeys)
		if err != nil {
			t.Fatal(err)
		}
		run, c := p.NewRun(), &page.Changes[0]
		for row := range 2 {
			run.Shred(c.New, c.Hash.Exact, c.Range.Exact)
			holds(t, p, run, row, c)
		}
		soundCells(t, p, run)
	})
}
