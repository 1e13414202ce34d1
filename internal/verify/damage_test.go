package verify

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// damage is something that happened to a lake, and what verify must say of it.
type damageCase struct {
	name    string
	schema  string // empty: none
	do      func(w *world)
	options func(o *Options)
	want    map[Kind]string // part of the subject of a doubt, by kind; no other kinds may come up
	names   bool            // also found at depth names
}

func gone([]byte) []byte { return nil }

func damages() []damageCase {
	return []damageCase{
		{
			name: "a file in the middle of a chain is gone", names: true,
			do:   func(w *world) { w.swap(w.keys(shardA)[1], gone) },
			want: map[Kind]string{Broken: shardA},
		},
		{
			name: "the first file of a chain is gone", names: true,
			do:   func(w *world) { w.swap(w.keys(shardA)[0], gone) },
			want: map[Kind]string{Start: shardA},
		},
		{
			name: "the last file of a shard that ended is gone", names: true,
			do:   func(w *world) { w.swap(w.keys("/" + shardA + "/after")[2], gone) },
			want: map[Kind]string{Tail: shardA, Lineage: shardB},
		},
		{
			name: "the last file of a shard that is read is gone", names: true,
			do:   func(w *world) { keys := w.keys("changes/all/shard_day"); w.swap(keys[len(keys)-1], gone) },
			want: map[Kind]string{Tail: shardB},
		},
		{
			name: "all files of a shard are gone", names: true,
			do: func(w *world) {
				for _, key := range w.keys("/" + shardA + "/after") {
					w.swap(key, gone)
				}
			},
			want: map[Kind]string{Tail: shardA},
		},
		{
			name: "a window's file is gone", names: true,
			do:   func(w *world) { w.swap(w.keys("window=")[1], gone) },
			want: map[Kind]string{Missing: "window="},
		},
		{
			name: "a file of the full export is gone", names: true,
			do:   func(w *world) { w.swap(w.keys("snapshot/")[1], gone) },
			want: map[Kind]string{Missing: "snapshot/"},
		},
		{
			name: "the record of a window is gone", names: true,
			do:   func(w *world) { w.swap(w.records[2], gone) },
			want: map[Kind]string{Records: "epoch 5", Orphan: "window="},
		},
		{
			name: "the record of the full export is gone", names: true,
			do:   func(w *world) { w.swap(w.records[0], gone) },
			want: map[Kind]string{Records: "epoch 2", Orphan: "snapshot/"},
		},
		{
			name: "a record is no JSON", names: true,
			do:   func(w *world) { w.swap(w.records[1], func([]byte) []byte { return []byte("{") }) },
			want: map[Kind]string{Records: "_ledger/exports/", Orphan: "window="},
		},
		{
			name: "a record counts one item more", names: true,
			do: func(w *world) {
				w.swap(w.records[1], edit(func(r map[string]any) { r["items"] = r["items"].(float64) + 1 }))
			},
			want: map[Kind]string{Counts: ""},
		},
		{
			name: "a record counts one row more in a file, and in all",
			do: func(w *world) {
				w.swap(w.records[1], edit(func(r map[string]any) {
					f := r["files"].([]any)[0].(map[string]any)
					f["rows"], r["rows"] = f["rows"].(float64)+1, r["rows"].(float64)+1
					f["items"], r["items"] = f["items"].(float64)+1, r["items"].(float64)+1
				}))
			},
			want: map[Kind]string{Counts: "", Footer: "window="},
		},
		{
			name: "a window begins later than the one before ends", names: true,
			do: func(w *world) {
				w.swap(w.records[2], edit(func(r map[string]any) { r["from"] = minute(91).Format(time.RFC3339) }))
			},
			want: map[Kind]string{Records: "epoch 5", Footer: "window="},
		},
		{
			name: "old images did not match", names: true,
			do:   func(w *world) { w.swap(w.records[1], edit(func(r map[string]any) { r["mismatched"] = 3 })) },
			want: map[Kind]string{Records: "_ledger/exports/"},
		},
		{
			name: "rejects that a record counts are gone", names: true,
			do: func(w *world) {
				w.swap(w.records[1], edit(func(r map[string]any) {
					f := r["files"].([]any)[0].(map[string]any)
					f["rejects"], r["rejects"] = 1, 1
					f["items"], r["items"] = f["items"].(float64)+1, r["items"].(float64)+1
				}))
			},
			want: map[Kind]string{Counts: "", Footer: "window="},
		},
		{
			name: "files that nothing explains", names: true,
			do: func(w *world) {
				for _, key := range []string{
					"changes/all/strange.parquet", "changes/all/shard_day=2026-05-01/" + shardA + "/after-1.parquet", "snapshot/all/export=unknown/a.parquet",
					"changes/all/window=2020-01-01-00-00-00-000000_2020-01-02-00-00-00-000000/a.parquet", "_ledger/other.json",
					"rejects/stream/shardId-unknown/1.json", "rejects/exports/unknown/a-1.json", "rejects/x.json",
				} {
					w.must(w.store.PutNew(w.t.Context(), w.prefix+key, []byte("{}"), nil))
				}
			},
			want: map[Kind]string{Orphan: ""},
		},
		{
			name: "a second writer left a file within another", names: true,
			do: func(w *world) {
				keys := w.keys("/" + shardA + "/after")
				first, err := w.store.Head(w.t.Context(), keys[1])
				w.must(err)
				at, err := transform.ParseSeq(first.Meta["after"])
				w.must(err)
				w.tips[shardA] = next(at)
				w.put(shardA, 1, "twice", minute(13))
				w.flush(shardA, "", false)
			},
			want: map[Kind]string{Fork: shardA},
		},
		{
			name: "a file follows the shard's end", names: true,
			do: func(w *world) {
				w.put(shardA, 1, "late", minute(61))
				w.flush(shardA, "", false)
			},
			want: map[Kind]string{Fork: shardA},
		},
		{
			name: "a gap is open", names: true,
			do: func(w *world) {
				w.update(func(l *ledger.Ledger) error {
					_, _, err := l.OpenGap(ledger.Loss{Since: minute(150), Seen: minute(300), Resumed: minute(290), Reason: "test", Adopted: w.epoch}, w.timing)
					return err
				})
			},
			want: map[Kind]string{GapKind: "gap 2"},
		},
		{
			name: "a gap waits for its windows", names: true,
			do: func(w *world) {
				w.update(func(l *ledger.Ledger) error {
					gap, _, err := l.OpenGap(ledger.Loss{Since: minute(150), Seen: minute(300), Resumed: minute(290), Reason: "test", Adopted: w.epoch}, w.timing)
					w.must(err)
					return l.FixGap(gap, minute(295), w.timing)
				})
			},
			want: map[Kind]string{GapKind: "gap 2"},
		},
		{
			name: "a gap is lost", names: true,
			do: func(w *world) {
				w.update(func(l *ledger.Ledger) error {
					gap, _, err := l.OpenGap(ledger.Loss{Since: minute(150), Seen: minute(300), Resumed: minute(290), Reason: "test", Adopted: w.epoch}, w.timing)
					w.must(err)
					w.must(l.FixGap(gap, minute(295), w.timing))
					l.GiveUp(l.Gap(gap).Epoch, "too old", minute(200), minute(400))
					return nil
				})
			},
			want: map[Kind]string{GapKind: "gap 2"},
		},
		{
			name: "a shard lost something that the ledger does not know of", names: true,
			do: func(w *world) {
				w.must(w.store.PutNew(w.t.Context(), w.prefix+"_ledger/gaps/"+shardB+"/after-"+w.tips[shardB].String()+".json", []byte(`{"seen":"2026-05-02T10:00:00Z","reason":"test"}`), nil))
			},
			want: map[Kind]string{GapKind: "_ledger/gaps/"},
		},
		{
			name: "a shard waits at a gap", names: true,
			do:   func(w *world) { w.leases[1].Gap = "{}" },
			want: map[Kind]string{Halted: shardB},
		},
		{
			name: "there is no lease table", names: true,
			do:   func(w *world) { w.leases = nil },
			want: map[Kind]string{Tail: "leases"},
		},
		{
			name: "an epoch of the ledger begins later than the one below it ends", names: true,
			do: func(w *world) {
				w.swap(w.prefix+ledger.Key, func(b []byte) []byte {
					l, err := ledger.Parse(b)
					w.must(err)
					l.Epochs[3].From = l.Epochs[3].From.Add(time.Minute)
					return l.JSON()
				})
			},
			want: map[Kind]string{Hole: "epoch 8"},
		},
		{
			name: "the ledger is an older one", names: true,
			do: func(w *world) {
				w.swap(w.prefix+ledger.Key, func(b []byte) []byte {
					l, err := ledger.Parse(b)
					w.must(err)
					l.Epochs, l.Gaps = l.Epochs[:2], nil
					return l.JSON()
				})
			},
			want: map[Kind]string{EpochKind: "", Records: "", GapKind: "_ledger/gaps/"},
		},
		{
			name: "there is no ledger", names: true,
			do:   func(w *world) { w.swap(w.prefix+ledger.Key, gone) },
			want: map[Kind]string{NoBase: "", EpochKind: "", Records: "", GapKind: ""},
		},
		{
			name: "a Parquet file is cut short",
			do: func(w *world) {
				w.swap(w.keys(shardB + "/after-")[len(w.keys(shardB+"/after-"))-1], func(b []byte) []byte { return b[:len(b)-100] })
			},
			want: map[Kind]string{Unread: shardB},
		},
		{
			name: "a window's file is cut short",
			do:   func(w *world) { w.swap(w.keys("window=")[0], func(b []byte) []byte { return b[:100] }) },
			want: map[Kind]string{Unread: "window=", Content: "window="},
		},
		{
			name: "a file holds rows of another epoch than it says",
			do: func(w *world) {
				w.swap(w.keys("/" + shardA + "/after")[2], patch("dynamolake.epoch\x18\x014", "dynamolake.epoch\x18\x018"))
			},
			want: map[Kind]string{EpochKind: shardA},
		},
		{
			name: "a file is of another shard",
			do: func(w *world) {
				w.swap(w.keys("/" + shardA + "/after")[2], func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(shardA), []byte(shardB)) })
			},
			want: map[Kind]string{Footer: shardA},
		},
		{
			name: "a window's file lies in the place of another",
			do: func(w *world) {
				other, _, err := w.store.Get(w.t.Context(), w.keys("window=")[1])
				w.must(err)
				w.swap(w.keys("window=")[0], func([]byte) []byte { return other })
			},
			want: map[Kind]string{Footer: "window=", Counts: "window=", Content: "window="},
		},
		{
			name: "a child has changes from before its parent's end",
			do: func(w *world) {
				w.put("shardId-00000001777658400000-0000000c", 5, "C", minute(10))
				w.flush("shardId-00000001777658400000-0000000c", shardA, false)
			},
			want: map[Kind]string{Lineage: "0000000c"},
		},
		{
			name: "more rejects than are allowed", names: true,
			do: func(w *world) {
				w.must(writer.PutRejects(w.t.Context(), w.store, w.prefix, shardA, []transform.Reject{{Raw: []byte("{}"), Reason: "test"}}))
			},
			options: func(o *Options) { o.MaxRejects = 0 },
			want:    map[Kind]string{Rejects: "rejects/"},
		},
	}
}

// next is a position a little behind another.
func next(at transform.Seq) transform.Seq {
	at[transform.SeqDigits-1]++
	return at
}

func edit(change func(map[string]any)) func([]byte) []byte {
	return func(b []byte) []byte {
		var r map[string]any
		if err := json.Unmarshal(b, &r); err != nil {
			panic(err)
		}
		change(r)
		b, _ = json.Marshal(r)
		return b
	}
}

func patch(old, new string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("nothing to patch")
		}
		return bytes.ReplaceAll(b, []byte(old), []byte(new))
	}
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	for _, c := range slices.Concat(damages(), typedDamages(), splitDamages()) {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			w := newWorld(t, folder(t))
			if c.schema != "" {
				w.use(c.schema)
			}
			w.grow()
			c.do(w)
			for _, depth := range []Depth{DepthNames, DepthRows} {
				if depth == DepthNames && !c.names {
					continue
				}
				o := w.options()
				o.Depth = depth
				if c.options != nil {
					c.options(&o)
				}
				want := maps.Clone(c.want)
				if depth == DepthNames { // footers of files that are there are not read
					for _, kind := range []Kind{Footer, Order} {
						delete(want, kind)
					}
				}
				c.judge(t, w.verify(o), want)
			}
		})
	}
}

func (c damageCase) judge(t *testing.T, r Report, want map[Kind]string) {
	t.Helper()
	if r.Proven {
		t.Errorf("%s: proven", r.Depth)
	}
	if got, want := slices.Sorted(maps.Keys(r.Counts)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Errorf("%s: doubts of kinds %q, want %q:\n%+v", r.Depth, got, want, r.Doubts)
	}
	for kind, subject := range want {
		if !slices.ContainsFunc(r.Doubts, func(d Doubt) bool { return d.Kind == kind && strings.Contains(d.Subject, subject) }) {
			t.Errorf("%s: no doubt of kind %q on %q: %+v", r.Depth, kind, subject, r.Doubts)
		}
	}
	for _, d := range r.Doubts {
		if strings.Contains(d.Text, "%!") || strings.Contains(d.Text, "\n") || d.Text == "" {
			t.Errorf("text %q", d.Text)
		}
	}
}
