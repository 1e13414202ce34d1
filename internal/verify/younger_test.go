package verify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dynamolake/internal/bubble"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// report is the report's word on a dataset.
func (r Report) dataset(name string) Dataset {
	for _, d := range r.Datasets {
		if d.Name == name {
			return *d
		}
	}
	return Dataset{}
}

// TestADatasetMayBeYoungerThanTheLake: it begins where the checkpoint stood; another one ends wherever it was.
func TestADatasetMayBeYoungerThanTheLake(t *testing.T) {
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := grown(t, open(t))
				w.use("datasets: [{name: even, filter: keys.sk % 2 == 0}, {name: whole}]")
				w.put(shardB, 12, "1", minute(151))
				w.put(shardB, 13, "1", minute(152))
				w.flush(shardB, shardA, false)
				w.lease(shardB, false, minute(153))
				for _, depth := range []Depth{DepthNames, DepthRows} {
					o := w.options()
					o.Depth = depth
					r := w.verify(o)
					if !r.Proven || r.Shards != 2 || len(r.Datasets) != 3 {
						t.Errorf("%s: %+v", depth, r)
					}
					even, whole, all := r.dataset("even"), r.dataset("whole"), r.dataset("all")
					if !even.Younger || !even.Unseeded || !even.Begins.Equal(minute(151)) || even.Rows != 1 || even.Retired {
						t.Errorf("even: %+v", even)
					}
					if !whole.Younger || !whole.Begins.Equal(minute(151)) || whole.Rows != 2 {
						t.Errorf("whole: %+v", whole)
					}
					if !all.Retired || all.Rows != 32 || all.Younger {
						t.Errorf("all: %+v", all)
					}
				}

				// Its state is not whole before another full export.
				r := w.verify(w.against(w.live()))
				if r.Counts[NoBase] != 2 || r.Total() != 2 || r.Compared != nil || !strings.Contains(r.Doubts[0].Text, "2026-05-01 12:31:00") {
					t.Errorf("%+v", r.Doubts)
				}
				w.seed(minute(160))
				r = w.verify(w.against(w.live()))
				if even := r.dataset("even"); !r.Proven || even.Compared == nil || even.Compared.Equal == 0 || even.Unseeded || !even.Younger {
					t.Errorf("%+v\n%+v", even, r.Doubts)
				}
			})
		})
	}
}

// TestADatasetThatIsRetiredMayStopAnywhere: its files are still looked at.
func TestADatasetThatIsRetiredMayStopAnywhere(t *testing.T) {
	w := split(t, folder(t), splitSchema)
	w.use("datasets: [{name: hidden, hash: [value], redact: [tags]}]")
	w.put(shardB, 12, "1", minute(151))
	w.flush(shardB, shardA, true)
	w.lease(shardB, true, minute(153))
	r := w.verify(w.options())
	if !r.Proven || !r.dataset("even").Retired || r.dataset("hidden").Retired || r.ChainsEnded != 5 || r.ChainsOpen != 3 {
		t.Errorf("%+v\n%+v", r, r.Doubts)
	}
	w.swap(w.keys("/even/shard_day=2026-05-01/" + shardA)[1], gone)
	if r := w.verify(w.options()); kinds(r.Doubts) == "" || r.Counts[Broken] != 1 || r.Total() != 1 {
		t.Errorf("%+v", r.Doubts)
	}
}

// TestOneDatasetAlone: what is wrong with another does not matter.
func TestOneDatasetAlone(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := split(t, folder(t), splitSchema)
		for _, key := range w.keys("/even/shard_day=") {
			w.swap(key, gone)
		}
		w.swap(w.keys("/log/shard_day=2026-05-01/" + shardA)[1], gone)
		w.swap(w.keys("snapshot/even/")[0], gone)
		if r := w.verify(w.options()); r.Proven {
			t.Error("proven")
		}
		o := w.against(w.live())
		o.Dataset = "seeded"
		r := w.verify(o)
		if !r.Proven || len(r.Datasets) != 1 || r.Files != 9 || r.Compared.Equal == 0 || r.Compared.Equal != r.dataset("seeded").Compared.Equal {
			t.Errorf("%+v\n%+v", r, r.Doubts)
		}
		o.Dataset = "sedeed"
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), `there is no dataset "sedeed": the schema has even, seeded, hidden, log`) {
			t.Error(err)
		}
	})
}

// TestWhatAComparisonLacksIsAnError, in words that say what to give.
func TestWhatAComparisonLacksIsAnError(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := split(t, folder(t), splitSchema)
		o := w.against(w.live())
		_, err := Run(t.Context(), o)
		if err == nil || !strings.HasSuffix(err.Error(), "dataset hidden cannot be compared without the salt of its hashes: give --hash-salt (DYNAMOLAKE_HASH_SALT), or choose another dataset with --dataset") {
			t.Error(err)
		}
		o.Dataset = "even"
		if r := w.verify(o); !r.Proven {
			t.Error(r.Doubts)
		}
		o.Dataset, o.Salt = "hidden", []byte("another")
		if r := w.verify(o); r.Proven || r.Compared.Differing != r.Compared.Items {
			t.Errorf("with another salt: %+v", r.Compared)
		}
		o.AgainstTable = nil
		if r := w.verify(o); !r.Proven {
			t.Error(r.Doubts)
		}
	})
	v := newRun(Options{Keys: tableKeys})
	s, err := schema.Parse([]byte(`
version: 1
lookups: {kinds: kinds.csv}
datasets: [{name: a, filter: 'lookup("kinds", item.kind, "is") == "a"'}]
`))
	if err != nil {
		t.Fatal(err)
	}
	v.catalog.versions[1] = s
	if _, err := v.compile(&s.Datasets[0], 1); err == nil || !strings.Contains(err.Error(), "its filter looks up in kinds.csv") || !strings.Contains(err.Error(), "--schema") {
		t.Error(err)
	}
	v.Lookups = map[string][]byte{"kinds": []byte("kind,is\nx,a\n")}
	r, err := v.compile(&s.Datasets[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]bool{"x": true, "y": false} {
		got, err := r.Takes(&transform.Change{Op: transform.Snapshot, New: []byte(`{"pk":{"S":"p"},"sk":{"N":"1"},"kind":{"S":"` + kind + `"}}`)})
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
	}
}

// TestRowsAreHeldAgainstTheRulesOfTheirTime: a mask that came later leaves what is written.
func TestRowsAreHeldAgainstTheRulesOfTheirTime(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := split(t, folder(t), "datasets: [{name: all, filter: keys.sk != 7}]")
		w.use("datasets: [{name: all, filter: keys.sk != 7, redact: [value]}]")
		w.put(shardB, 12, "hide me", minute(151))
		w.put(shardB, 7, "nobody's", minute(151))
		w.flush(shardB, shardA, false)
		w.use("datasets: [{name: all, filter: keys.sk != 7 && keys.sk != 12, redact: [value]}]")
		w.put(shardB, 14, "hide me", minute(152))
		w.flush(shardB, shardA, false)
		w.lease(shardB, false, minute(153))
		l := w.live()
		if r := w.verify(w.against(l)); !r.Proven || r.Compared.Equal != int64(len(w.table))-1 {
			t.Errorf("%+v\n%+v", r.Compared, r.Doubts)
		}
		l.put(strings.Replace(imageJSON(12, "x"), "1.50", "7", 1))
		if r := w.verify(w.against(l)); r.Counts[Item] != 1 || !strings.Contains(r.Doubts[0].Text, "in the attributes n;") {
			t.Errorf("%+v", r.Doubts)
		}
	})
}

// TestATypedValueThatIsAnotherIsFound by the content's hash where there is one, else by a comparison.
func TestATypedValueThatIsAnotherIsFound(t *testing.T) {
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w, other := split(t, open(t), typedSchema), split(t, folder(t), typedSchema)
				for _, o := range []*world{w, other} {
					value := "right"
					if o == other {
						value = "wrong"
					}
					o.put(shardB, 12, value, minute(151))
					o.flush(shardB, shardA, false)
				}
				keys := w.keys("/all/shard_day=2026-05-01/" + shardB)
				body, _, err := other.store.Get(t.Context(), keys[len(keys)-1])
				w.must(err)
				w.swap(keys[len(keys)-1], func([]byte) []byte { return body })
				r := w.verify(w.against(w.live()))
				if r.Counts[Item] != 1 || !strings.Contains(r.Doubts[len(r.Doubts)-1].Text, "in the attributes value;") || (name == "folder") != (r.Counts[Content] == 0) {
					t.Errorf("%+v", r.Doubts)
				}
			})
		})
	}
}

// TestRefusedRecordsExplainWhyItemsDiffer, if they are the item's last.
func TestRefusedRecordsExplainWhyItemsDiffer(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := split(t, folder(t), "datasets: [{name: all, filter: keys.sk != 7}, {name: other}]")
		l := w.live()
		l.put(imageJSON(16, "refused")) // by a stream's record
		l.put(imageJSON(13, "refused")) // by a window's
		l.put(imageJSON(18, "other"))   // an older record was refused: that explains nothing
		l.put(imageJSON(19, "other"))   // refused by another dataset only
		put := func(name, body string) {
			w.must(w.store.PutNew(t.Context(), w.prefix+"rejects/"+name, []byte(body), nil))
		}
		export := func(r string) string {
			return strings.TrimSuffix(strings.TrimPrefix(r, w.prefix+"_ledger/exports/"), ".json")
		}
		stream := func(n, seq int) string {
			at := seqAt(seq)
			return `{"reason":"test","shard":"` + shardB + `","dataset":"all","seq":"` + at.String() + `","record":{"dynamodb":{"Keys":` + keyJSON(n) + `,"ApproximateCreationDateTime":` + fmt.Sprint(minute(11).Unix()) + `}}}`
		}
		put("stream/"+shardB+"/"+seqAt(5000).String()+"@all.json", stream(16, 5000))
		put("stream/"+shardB+"/"+seqAt(5001).String()+"@other.json", stream(19, 5001))
		put("exports/"+export(w.records[1])+"/x-1@all.json", `{"record":{"Metadata":{"WriteTimestampMicros":{"N":"1893456000000000"}},"Keys":`+keyJSON(13)+`}}`)
		put("exports/"+export(w.records[1])+"/x-2@all.json", `{"record":{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":`+keyJSON(18)+`}}`)
		put("exports/"+export(w.records[1])+"/x-3@all.json", `no JSON`)
		o := w.against(l)
		o.Dataset = "all"
		r := w.verify(o)
		d := r.dataset("all")
		if r.Compared.Refused != 2 || d.Compared.Refused != 2 || r.Counts[Item] != 2 || r.Total() != 2 {
			t.Errorf("%+v\n%+v", r.Compared, r.Doubts)
		}
		want := "rejects/exports/" + export(w.records[1]) + "/x-1@all.json rejects/stream/" + shardB + "/" + seqAt(5000).String() + "@all.json"
		if got := strings.Join(d.Refusals, " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestARefusalOfAFullExportHasItsKeyInTheItem.
func TestARefusalOfAFullExportHasItsKeyInTheItem(t *testing.T) {
	var r refusal
	r.Record.Item = map[string]json.RawMessage{"pk": json.RawMessage(`{"S":"a"}`), "sk": json.RawMessage(`{"N":"1.0"}`), "x": json.RawMessage(`{"S":"y"}`)}
	if got := string(r.key(tableKeys)); got != `{"pk":{"S":"a"},"sk":{"N":"1"}}` {
		t.Errorf("key %s", got)
	}
	delete(r.Record.Item, "sk")
	if got := r.key(tableKeys); got != nil {
		t.Errorf("half a key: %s", got)
	}
}

// TestARemovalWithATypedValueIsNoRow.
func TestARemovalWithATypedValueIsNoRow(t *testing.T) {
	w := split(t, folder(t), "datasets: [{name: all, columns: [{name: c, expr: '1', type: int64}]}]")
	part, err := w.set.Part("all")
	w.must(err)
	wrong := writer.NewEncoder(writer.Schema{Table: "orders", Dataset: "all", Version: 1, Keys: tableKeys, Plan: part.Plan, Rule: func() writer.Rule { return always{} }})
	w.remove(shardB, 12, minute(151))
	w.commitWith(wrong, "all", shardB, shardA, w.tips[shardB])
	if r := w.verify(w.options()); r.Counts[RowKind] != 1 || r.Total() != 1 {
		t.Errorf("%+v", r.Doubts)
	}
}

// always computes a column, of removals too.
type always struct{}

func (always) Begin()                                                {}
func (always) Admit(c *transform.Change) (*transform.Change, string) { return c, "" }
func (always) Finish(run *schema.Run, _ *transform.Change) (refused string) {
	run.Set(0, schema.Cell{Low: 1})
	return ""
}
