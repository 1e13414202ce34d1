package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

var keys = transform.KeySchema{Hash: transform.KeyAttr{Name: "id", Type: 'S'}}

func options() dataset.Options {
	return dataset.Options{Table: "t", Keys: keys, Source: writer.SourceStream, OldImage: true}
}

// page decodes records, each "<op> <id> <new image's attributes> | <old image's>".
func page(t *testing.T, records ...string) *transform.Page {
	t.Helper()
	var list []string
	for i, r := range records {
		op, rest, _ := strings.Cut(r, " ")
		id, rest, _ := strings.Cut(rest, " ")
		now, old, hasOld := strings.Cut(rest, "|")
		image := func(name, attributes string) string {
			all := `"id":{"S":"` + id + `"}`
			if a := strings.TrimSpace(attributes); a != "" {
				all += "," + a
			}
			return fmt.Sprintf(`,"%s":{%s}`, name, all)
		}
		images := ""
		if op != "REMOVE" {
			images += image("NewImage", now)
		}
		if hasOld {
			images += image("OldImage", old)
		}
		list = append(list, fmt.Sprintf(`{"eventName":"%s","dynamodb":{"Keys":{"id":{"S":"%s"}},"SequenceNumber":"%d"%s}}`, op, id, i+1, images))
	}
	p := new(transform.Page)
	if err := transform.NewDecoder(keys).Decode([]byte(`{"Records":[`+strings.Join(list, ",")+`]}`), p); err != nil || len(p.Rejects) > 0 {
		t.Fatal(err, p.Rejects)
	}
	return p
}

func each(p *transform.Page) func(func(*transform.Change) bool) {
	return func(yield func(*transform.Change) bool) {
		for i := range p.Changes {
			if !yield(&p.Changes[i]) {
				return
			}
		}
	}
}

func folder(t *testing.T) writer.Lake {
	t.Helper()
	f, err := writer.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func parse(t *testing.T, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// columns are the names of a dataset's columns.
func columns(s *schema.Schema, name string) (names []string) {
	for _, c := range s.Dataset(name).Columns {
		names = append(names, c.Name)
	}
	return names
}

// TestWorkersThatMeetNewAttributesAtOnceAllWin lets each of eight meet an attribute of its own.
func TestWorkersThatMeetNewAttributesAtOnceAllWin(t *testing.T) {
	store := folder(t)
	catalog := dataset.NewCatalog(store, "a/r/t/")
	const workers = 8
	var lives [workers]*dataset.Live
	var wait sync.WaitGroup
	for i := range lives {
		p := page(t, fmt.Sprintf(`INSERT a "own%d":{"S":"x"},"all":{"S":"y"}`, i))
		wait.Go(func() {
			live, err := dataset.Open(t.Context(), catalog, nil, options(), schema.DefaultLimits)
			if err != nil {
				t.Error(err)
				return
			}
			lives[i] = live
			if _, err := live.Learn(t.Context(), live.Set(), dataset.All, each(p)); err != nil {
				t.Error(err)
			}
			if own := fmt.Sprintf("own%d", i); !slices.Contains(columns(live.Set().Schema, dataset.All), own) {
				t.Errorf("worker %d goes on without %s: %v", i, own, columns(live.Set().Schema, dataset.All))
			}
		})
	}
	wait.Wait()
	latest, err := catalog.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := columns(latest, dataset.All)
	if len(got) != workers+1 {
		t.Errorf("columns %v, want %d of them and what all met", got, workers)
	}
	// Versions are dense, each has all that the one before it has, and no field id changes.
	for v := 2; v <= latest.Version; v++ {
		older, err := catalog.Version(t.Context(), v-1)
		if err != nil {
			t.Fatal(err)
		}
		newer, err := catalog.Version(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range schema.Diff(older, newer) {
			if d.Mark != '+' || !d.Additive {
				t.Errorf("from version %d to %d: %s", v-1, v, d)
			}
		}
	}
	for _, live := range lives {
		if set := live.Set(); set.Version > latest.Version {
			t.Errorf("a worker has version %d, and %d is the newest", set.Version, latest.Version)
		}
	}
}

func TestWhatIsKnownMakesNoVersion(t *testing.T) {
	catalog := dataset.NewCatalog(folder(t), "a/r/t/")
	live, err := dataset.Open(t.Context(), catalog, nil, options(), schema.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	p := page(t, `INSERT a "x":{"S":"x"}`)
	for i := range 3 {
		before := live.Set()
		changed, err := live.Learn(t.Context(), before, dataset.All, each(p))
		if err != nil || changed != (i == 0) || live.Set().Version != 2 {
			t.Errorf("try %d: changed %v, version %d, error %v", i, changed, live.Set().Version, err)
		}
	}
}

// TestAnAttributeIsNotMissed: the first values of some give a column no type, and others are behind many items.
func TestAnAttributeIsNotMissed(t *testing.T) {
	for name, pages := range map[string][]*transform.Page{
		"null first":                  {page(t, `INSERT a "x":{"NULL":true}`), page(t, `INSERT b "x":{"NULL":true}`, `MODIFY a "x":{"S":"x"}`)},
		"empty first":                 {page(t, `INSERT a "x":{"L":[]}`), page(t, `INSERT b "x":{"L":[]}`, `MODIFY a "x":{"L":[{"S":"x"}]}`)},
		"behind those that are known": {manyItems(t, 25_000, `"x":{"S":"x"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			live, err := dataset.Open(t.Context(), dataset.NewCatalog(folder(t), "p/"), nil, options(), schema.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pages {
				for range 3 { // as a worker does, and once more
					b := writer.NewBatch(transform.Seq{})
					b.Add(nil, p, time.Time{})
					slice, _ := b.Cut(time.Time{}, writer.Limits{}, true)
					set := live.Set()
					file, err := set.Parts[0].Encoder.Encode(slice, writer.Info{})
					if err != nil {
						t.Fatal(err)
					}
					if file.Fresh {
						if _, err := live.Learn(t.Context(), set, dataset.All, slice.Changes()); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if got := columns(live.Set().Schema, dataset.All); !slices.Equal(got, []string{"x"}) {
				t.Errorf("columns %q", got)
			}
		})
	}
}

// manyItems is a page of items without attributes, but for the last one.
func manyItems(t *testing.T, n int, last string) *transform.Page {
	records := make([]string, n)
	for i := range records {
		records[i] = "INSERT a "
	}
	records[n-1] += last
	return page(t, records...)
}

// TestAFailedCatalogLeavesTheVersionAsItWas: no file may use a version that is not written.
func TestAFailedCatalogLeavesTheVersionAsItWas(t *testing.T) {
	broken := errors.New("the store is gone")
	store := &failing{Lake: folder(t)}
	live, err := dataset.Open(t.Context(), dataset.NewCatalog(store, "p/"), nil, options(), schema.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	store.put = broken
	p := page(t, `INSERT a "x":{"S":"x"}`)
	if _, err := live.Learn(t.Context(), live.Set(), dataset.All, each(p)); !errors.Is(err, broken) || live.Set().Version != 1 {
		t.Errorf("error %v, version %d", err, live.Set().Version)
	}
	// A reply that is lost is no failure: what is there is looked at.
	store.put, store.lose = nil, true
	if changed, err := live.Learn(t.Context(), live.Set(), dataset.All, each(p)); err != nil || !changed || live.Set().Version != 2 {
		t.Errorf("changed %v, error %v, version %d", changed, err, live.Set().Version)
	}
}

// TestAVersionThatCouldNotBeReadIsNotWritten: the columns that came by themselves are too many with those of the file.
func TestAVersionThatCouldNotBeReadIsNotWritten(t *testing.T) {
	var b strings.Builder
	b.WriteString("datasets:\n- name: all\n  new_attributes: column\n  columns:\n")
	for i := range 5001 {
		fmt.Fprintf(&b, "  - {name: c%d, type: string}\n", i)
	}
	catalog := dataset.NewCatalog(folder(t), "p/")
	if _, err := dataset.Open(t.Context(), catalog, parse(t, b.String()), options(), schema.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	other := parse(t, strings.ReplaceAll(b.String(), "{name: c", "{name: d"))
	_, err := dataset.Open(t.Context(), catalog, other, options(), schema.DefaultLimits)
	if err == nil || !strings.Contains(err.Error(), "10002 columns, over 10000") {
		t.Errorf("error %v", err)
	}
	if s, err := catalog.Latest(t.Context()); err != nil || s.Version != 1 {
		t.Errorf("%v, %v", s, err)
	}
}

type failing struct {
	writer.Lake
	put  error
	lose bool
}

func (f *failing) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if f.put != nil {
		return f.put
	}
	err := f.Lake.PutNew(ctx, key, body, meta)
	if f.lose {
		return errors.New("no reply")
	}
	return err
}

const split = `
datasets:
  - name: orders
    filter: item.kind == "order"
    columns:
      - {name: total, type: int64, required: true}
      - {name: gross, expr: 'item.?total.orValue(0) * 2', type: int64}
    redact: [card]
  - name: log
    filter: item.kind == "log"
    mode: append_only
    deletes: drop
`

// row is what a dataset's file says of a change.
type row struct {
	op         string
	key, item  string
	old, gross string
}

func encode(t *testing.T, set *dataset.Set, name string, p *transform.Page) (rows []row, refused []string) {
	t.Helper()
	part, err := set.Part(name)
	if err != nil {
		t.Fatal(err)
	}
	file := part.Encoder.Export(discard{}, writer.ExportInfo{})
	if err := file.Add(p.Changes); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Refused() {
		refused = append(refused, string(r.Change.Hash.Bytes)+": "+r.Reason)
	}
	r := part.Encoder.NewRule()
	r.Begin()
	run := part.Plan.NewRun()
	for i := range p.Changes {
		c := &p.Changes[i]
		out, _ := r.Admit(c)
		if out == nil {
			continue
		}
		if out.New == nil {
			run.Blank()
		} else {
			run.Shred(out.New, out.Hash.Exact, out.Range.Exact)
		}
		if r.Finish(run, c) != "" {
			run.Undo()
			continue
		}
		x := row{op: out.Op.String(), key: string(out.Hash.Bytes), item: string(out.New), old: string(out.Old)}
		for j, column := range part.Plan.Columns {
			if cells := run.Leaf(j); column.Name == "gross" && cells[len(cells)-1].Def > 0 {
				x.gross = fmt.Sprint(cells[len(cells)-1].Low)
			}
		}
		rows = append(rows, x)
	}
	return rows, refused
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestAChangeInEachDataset(t *testing.T) {
	s := parse(t, split)
	s.Number(nil)
	set, err := dataset.Compile(s, options())
	if err != nil {
		t.Fatal(err)
	}
	p := page(t,
		`INSERT a "kind":{"S":"order"},"total":{"N":"7"},"card":{"S":"1234"}`,
		`MODIFY a "kind":{"S":"log"}|"kind":{"S":"order"},"total":{"N":"7"},"card":{"S":"1234"}`, // leaves the one, comes to the other
		`INSERT b "kind":{"S":"order"}`,                                      // lacks what is required
		`INSERT c "total":{"N":"1"}`,                                         // no filter can tell
		`MODIFY d "kind":{"S":"log"},"n":{"N":"2"}|"kind":{"S":"log"}`,       // an update of what is only ever added
		`REMOVE d |"kind":{"S":"log"}`,                                       // dropped there
		`INSERT e "kind":{"S":"other"}`,                                      // nobody's
		`MODIFY f "kind":{"S":"order"},"total":{"N":"3"}|"kind":{"S":"log"}`, // comes to orders, leaves the log
	)
	rows, refused := encode(t, set, "orders", p)
	want := []row{
		{op: "INSERT", key: "a", item: `{"id":{"S":"a"},"kind":{"S":"order"},"total":{"N":"7"},"card":{"S":"REDACTED"}}`, gross: "14"},
		{op: "REMOVE", key: "a", old: `{"id":{"S":"a"},"kind":{"S":"order"},"total":{"N":"7"},"card":{"S":"REDACTED"}}`},
		{op: "INSERT", key: "f", item: `{"id":{"S":"f"},"kind":{"S":"order"},"total":{"N":"3"}}`, gross: "6"},
	}
	if !slices.Equal(rows, want) {
		t.Errorf("orders:\n%v\nwant\n%v", rows, want)
	}
	if len(refused) != 2 || !strings.Contains(refused[0], "b: column total is required") || !strings.Contains(refused[1], "c: filter of dataset orders: no such key") {
		t.Errorf("orders refuses %q", refused)
	}
	rows, refused = encode(t, set, "log", p)
	if len(rows) != 1 || rows[0] != (row{op: "INSERT", key: "a", item: `{"id":{"S":"a"},"kind":{"S":"log"}}`}) {
		t.Errorf("log: %v", rows)
	}
	if len(refused) != 2 || !strings.HasPrefix(refused[0], "c: filter") || !strings.Contains(refused[1], "d: dataset log is append-only") {
		t.Errorf("log refuses %q", refused)
	}
	var homeless []string
	for i := range p.Changes {
		if set.Homeless(&p.Changes[i]) != "" {
			homeless = append(homeless, string(p.Changes[i].Hash.Bytes))
		}
	}
	if !slices.Equal(homeless, []string{"e"}) {
		t.Errorf("nobody takes %q, want e", homeless)
	}
}

// TestAskedForAgain: a file that a person changes becomes a version; one that is as before does not.
func TestAskedForAgain(t *testing.T) {
	catalog := dataset.NewCatalog(folder(t), "p/")
	open := func(text string) *schema.Schema {
		t.Helper()
		live, err := dataset.Open(t.Context(), catalog, parse(t, text), options(), schema.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		return live.Set().Schema
	}
	const first = "datasets:\n  - {name: all, new_attributes: column, columns: [{name: n, type: int64}]}\n"
	if got := open(first); got.Version != 1 {
		t.Fatalf("version %d", got.Version)
	}
	live, err := dataset.Open(t.Context(), catalog, nil, options(), schema.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	p := page(t, `INSERT a "met":{"S":"x"},"n":{"N":"1"}`)
	if changed, err := live.Learn(t.Context(), live.Set(), dataset.All, each(p)); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if got := open(first); got.Version != 2 || !slices.Equal(columns(got, "all"), []string{"n", "met"}) {
		t.Errorf("asked for again: version %d with %v", got.Version, columns(got, "all"))
	}
	got := open(strings.Replace(first, "]}", ", {name: more, type: string}]}", 1))
	ids := map[string]int{}
	for _, c := range got.Datasets[0].Columns {
		ids[c.Name] = c.ID
	}
	if got.Version != 3 || ids["n"] != 1001 || ids["met"] != 1002 || ids["more"] != 1003 {
		t.Errorf("with a column more: version %d with ids %v", got.Version, ids)
	}
}

// TestADatasetDoesNotComeBack: what came meanwhile would be a hole in its chains, which nobody could fill.
func TestADatasetDoesNotComeBack(t *testing.T) {
	catalog := dataset.NewCatalog(folder(t), "p/")
	open := func(text string) (version int, err error) {
		t.Helper()
		live, err := dataset.Open(t.Context(), catalog, parse(t, text), options(), schema.DefaultLimits)
		if err != nil {
			return 0, err
		}
		return live.Set().Schema.Version, nil
	}
	const both = "datasets:\n  - name: whole\n  - name: one\n    columns: [{name: a, type: int64}]\n"
	for i, step := range []struct{ text, want string }{
		{both, ""},
		{"datasets: [{name: whole}]", ""},
		{both, "line 3: dataset one was in the schema up to version 1, and is not in version 2, the newest: it would lack what came meanwhile. Give it another name; " +
			"dynamolake replay makes rows of the time that it lacks, in a place of their own"},
		{"datasets: [{name: whole}, {name: two}]", ""},
		{both + "  - name: three\n", "line 3: dataset one was in the schema up to version 1, and is not in version 3, the newest: it would"},
		{"datasets: [{name: whole}, {name: two}, {name: one_again}]", ""},
	} {
		before, err := catalog.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		version, err := open(step.text)
		var problems schema.Problems
		switch {
		case step.want == "" && (err != nil || before != nil && version != before.Version+1):
			t.Errorf("step %d: version %d, %v", i+1, version, err)
		case step.want != "" && (!errors.As(err, &problems) || len(problems) != 1 || !strings.HasPrefix(err.Error(), step.want)):
			t.Errorf("step %d: %v, want %s", i+1, err, step.want)
		}
		if after, _ := catalog.Latest(t.Context()); step.want != "" && after.Version != before.Version {
			t.Errorf("step %d: refused, and version %d is written", i+1, after.Version)
		}
	}
}
