package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dynamolake/internal/bubble"
	"dynamolake/transform"
	"dynamolake/writer"
)

// typedSchema has columns for all but the sets, which stay in _rest.
const typedSchema = `
datasets:
  - name: all
    columns:
      - {name: value, type: string}
      - {name: n, type: "decimal(9,2)"}
`

// splitSchema has an item by its key in one dataset, by an attribute in another, and hidden in a third.
const splitSchema = `
datasets:
  - name: even
    filter: keys.sk % 2 == 0
    columns: [{name: value, type: string}, {name: tags, type: set<string>}]
    drop: [n]
  - name: seeded
    filter: item.value == "seeded" || item.value == "B"
    columns: [{name: n, type: double}]
  - name: hidden
    columns: [{name: value, type: string}]
    hash: [value]
    redact: [tags]
  - name: log
    mode: append_only
    deletes: drop
`

// split is a lake like grown's in the datasets of a schema.
func split(t testing.TB, store writer.Lake, text string) *world {
	w := newWorld(t, store)
	w.use(text)
	w.grow()
	return w
}

func TestAWholeLakeWithASchemaIsProven(t *testing.T) {
	for name, open := range stores() {
		for _, depth := range []Depth{DepthNames, DepthFooters, DepthRows} {
			for text, want := range map[string]string{
				typedSchema: "all 9 files 32 rows",
				splitSchema: "even 9 files, seeded 9 files, hidden 9 files 32 rows, log 9 files",
			} {
				w := split(t, open(t), text)
				o := w.options()
				o.Depth = depth
				r := w.verify(o)
				if !r.Proven {
					t.Errorf("%s, %s: not proven: %+v", name, depth, r.Doubts)
				}
				var got []string
				for _, d := range r.Datasets {
					is := fmt.Sprintf("%s %d files", d.Name, d.Files)
					if d.Rows == 32 {
						is += " 32 rows"
					}
					got = append(got, is)
					if d.Younger || d.Retired || d.AppendOnly != (d.Name == "log") || d.Rows == 0 {
						t.Errorf("%+v", d)
					}
				}
				if strings.Join(got, ", ") != want || r.Shards != 2 || r.ChainsEnded != len(got) || r.ChainsOpen != len(got) {
					t.Errorf("%s, %s: %s, %+v", name, depth, strings.Join(got, ", "), r)
				}
			}
		}
	}
}

// TestDatasetsEqualTheirShareOfTheTable compares what filters take and masks leave.
func TestDatasetsEqualTheirShareOfTheTable(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := split(t, folder(t), splitSchema)
		o := w.against(w.live())
		o.Salt = []byte("salt")
		r := w.verify(o)
		if !r.Proven || r.Compared.Items != int64(len(w.table)) || r.Compared.Passes != 1 {
			t.Errorf("%+v\n%+v", r.Compared, r.Doubts)
		}
		want := map[string]int64{"hidden": int64(len(w.table))}
		for key, image := range w.table {
			if strings.HasSuffix(key, `0"}}`) || strings.HasSuffix(key, `2"}}`) || strings.HasSuffix(key, `4"}}`) || strings.HasSuffix(key, `6"}}`) || strings.HasSuffix(key, `8"}}`) {
				want["even"]++
			}
			if strings.Contains(image, `"value":{"S":"seeded"}`) || strings.Contains(image, `"value":{"S":"B"}`) {
				want["seeded"]++
			}
		}
		for _, d := range r.Datasets {
			if d.Name == "log" {
				if d.Compared != nil {
					t.Error("an append-only dataset is compared")
				}
			} else if c := d.Compared; c == nil || c.Items != want[d.Name] || c.Lake != want[d.Name] || c.Equal != want[d.Name] {
				t.Errorf("%s: %+v, want %d items", d.Name, c, want[d.Name])
			}
		}
	})
}

// TestItemsThatDifferInADatasetAreFound: each is told of the dataset that is wrong, in several passes too.
func TestItemsThatDifferInADatasetAreFound(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world, l *live)
		want []string // parts of the doubts
	}{
		{"an attribute that is dropped in one and redacted in the other", func(_ *world, l *live) {
			l.put(strings.Replace(imageJSON(16, "seeded"), "1.50", "7", 1))
		}, []string{"dataset hidden and table orders have different items of this key hash, in the attributes n;", "dataset seeded and table orders have different items of this key hash, in the attributes n;"}},
		{"an attribute that is hashed", func(_ *world, l *live) { l.put(imageJSON(13, "other")) }, []string{
			"dataset hidden and table orders have different items of this key hash, in the attributes value;",
			"dataset seeded has the item of this key hash, which its filter does not take as table orders has it;",
		}},
		{"an item that only the lake has", func(_ *world, l *live) { l.remove(keyJSON(14)) }, []string{
			"dataset even has the item of this key hash, and table orders does not;", "dataset hidden has the item", "dataset seeded has the item",
		}},
		{"a row is in the wrong dataset", func(w *world, _ *live) {
			// What the other datasets are told of is not what this one is.
			w.pending["even/"+shardB] = nil
			w.put(shardB, 11, "seeded", minute(141))
			for _, name := range []string{"seeded", "hidden", "log"} {
				w.flushIn(name, shardB, shardA, false)
			}
			at := w.tips["even/"+shardB]
			delete(w.pending, "even/"+shardB)
			w.put(shardB, 11, "seeded", minute(141))
			part, err := w.set.Part("even")
			w.must(err)
			e := writer.NewEncoder(writer.Schema{Table: "orders", Dataset: "even", Version: w.set.Version, Keys: tableKeys, Plan: part.Plan})
			w.commitWith(e, "even", shardB, shardA, at)
			for _, name := range []string{"seeded", "hidden", "log"} {
				w.flushIn(name, shardB, shardA, false)
			}
			w.lease(shardB, false, minute(150))
		}, []string{"dataset even has the item of this key hash, which its filter does not take as table orders has it;"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := split(t, folder(t), splitSchema)
				l := w.live()
				c.do(w, l)
				for _, entries := range []int64{10_000, 7} {
					o := w.against(l)
					o.Salt, o.Memory = []byte("salt"), entries*entryBytes*4/3+3
					r := w.verify(o)
					var got []string
					for _, d := range r.Doubts {
						got = append(got, d.Text)
					}
					slices.Sort(got)
					if len(got) != len(c.want) || int(r.Counts[Item]) != len(c.want) || (r.Compared.Passes > 1) != (entries == 7) {
						t.Fatalf("%+v in %d passes, want %q", r.Doubts, r.Compared.Passes, c.want)
					}
					for i, want := range c.want {
						if !strings.HasPrefix(got[i], want) {
							t.Errorf("%q, want %q", got[i], want)
						}
					}
				}
			})
		})
	}
}

// commitWith writes what is pending with another encoder than the dataset's.
func (w *world) commitWith(e *writer.Encoder, name, shard, parent string, after transform.Seq) {
	w.t.Helper()
	for i := range w.set.Parts {
		if w.set.Parts[i].Name == name {
			right := w.set.Parts[i].Encoder
			w.set.Parts[i].Encoder = e
			defer func() { w.set.Parts[i].Encoder = right }()
		}
	}
	w.tips[chainID{name, shard}.String()] = after
	w.flushIn(name, shard, parent, false)
}
