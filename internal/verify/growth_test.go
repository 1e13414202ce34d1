package verify

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/bubble"
	"dynamolake/transform"
	"dynamolake/writer"
)

// hooked is a store that something happens to while it is listed.
type hooked struct {
	writer.Lake
	before func(folder string) // of each listing
	fail   string              // keys that hold it cannot be read
}

var errBroken = errors.New("the store is broken")

func (h *hooked) List(ctx context.Context, prefix string) iter.Seq2[writer.Object, error] {
	if h.before != nil {
		h.before(prefix)
	}
	return h.Lake.List(ctx, prefix)
}

func (h *hooked) Open(ctx context.Context, key string) (io.ReadCloser, writer.Object, error) {
	if h.fail != "" && strings.Contains(key, h.fail) {
		return nil, writer.Object{}, &writer.StoreError{Op: "read", Object: key, Hint: "test", Err: errBroken}
	}
	return h.Lake.Open(ctx, key)
}

// during lets something happen between the listing of one folder and the next.
func (w *world) during(folder string, do func()) Options {
	o, done := w.options(), false
	o.Store = &hooked{Lake: w.store, before: func(prefix string) {
		if !done && strings.HasSuffix(prefix, folder) {
			done = true
			do()
		}
	}}
	return o
}

func TestAWindowThatIsConvertedWhileTheLakeIsListedIsNoOrphan(t *testing.T) {
	w := grown(t, folder(t))
	w.update(func(l *ledger.Ledger) error {
		gap, _, err := l.OpenGap(ledger.Loss{Since: minute(150), Seen: minute(300), Resumed: minute(290), Reason: "test", Adopted: w.epoch}, w.timing)
		w.must(err)
		return l.FixGap(gap, minute(295), w.timing)
	})
	r := w.verify(w.during("changes/", func() {
		l, err := w.ledger.Read(t.Context())
		w.must(err)
		g := l.Gap(2)
		w.window(g.Epoch, g.From, g.To, w.change(1, "again", minute(200)))
	}))
	if r.Orphans != 0 || r.UnderWay != 1 || kinds(r.Doubts) != "gap gap 2" {
		t.Errorf("%+v", r)
	}
	if r := w.verify(w.options()); !r.Proven {
		t.Errorf("afterwards: %+v", r.Doubts)
	}
}

func TestAParentThatEndsWhileTheLakeIsListedIsNoDoubt(t *testing.T) {
	w := grown(t, folder(t))
	const child = "shardId-00000001777658400000-0000000c"
	w.put(shardB, 1, "last of B", minute(150))
	hidden := w.flush(shardB, shardA, true)
	w.put(child, 1, "first of C", minute(151))
	w.flush(child, shardB, false)
	o := w.options()
	o.Store = &late{Lake: w.store, hide: hidden.Key}
	if r := w.verify(o); !r.Proven {
		t.Errorf("%+v", r.Doubts)
	}
}

// late hides an object from listings, as if it was written behind them.
type late struct {
	writer.Lake
	hide string
}

func (l *late) List(ctx context.Context, prefix string) iter.Seq2[writer.Object, error] {
	return func(yield func(writer.Object, error) bool) {
		for o, err := range l.Lake.List(ctx, prefix) {
			if err == nil && o.Key == l.hide {
				continue
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

func TestFilesOfAnExportThatIsBeingConvertedAreNoOrphans(t *testing.T) {
	w := grown(t, folder(t))
	x := ledger.Export{To: minute(200), Status: ledger.Exported, ARN: tableARN + "/export/01777640000000-dddd"}
	w.update(func(l *ledger.Ledger) (err error) { _, err = l.StartFull(x, true); return err })
	key := writer.SnapshotPrefix(w.prefix, "all", x.ID()) + "a.parquet"
	w.must(w.store.PutNew(t.Context(), key, []byte("PAR1"), nil))
	if r := w.verify(w.options()); !r.Proven || r.UnderWay != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWhatAFullExportMadeNeedlessIsNoDoubt(t *testing.T) {
	w := grown(t, folder(t))
	var g ledger.Gap
	w.update(func(l *ledger.Ledger) error {
		gap, epoch, err := l.OpenGap(ledger.Loss{Since: minute(150), Seen: minute(300), Resumed: minute(290), Reason: "test", Adopted: w.epoch}, w.timing)
		w.must(err)
		w.must(l.FixGap(gap, minute(295), w.timing))
		g, w.epoch = *l.Gap(gap), epoch
		l.GiveUp(g.Epoch, "too old", minute(200), minute(400))
		return nil
	})
	// A file of a window that was never recorded.
	key := writer.WindowPrefix(w.prefix, "all", g.From, g.To) + "a.parquet"
	w.must(w.store.PutNew(t.Context(), key, []byte("PAR1"), nil))
	w.seed(minute(400))
	w.put(shardB, 1, "behind it all", minute(410))
	w.flush(shardB, shardA, false)
	w.lease(shardB, false, minute(420))
	if r := w.verify(w.options()); !r.Proven || r.UnderWay != 1 || !r.Since.Equal(minute(400)) || !r.Reach.Equal(minute(420)) {
		t.Errorf("%+v", r)
	}
	// The comparison begins at the new export as well.
	bubble.Run(t, func(t *testing.T) {
		w.t = t
		if r := w.verify(w.against(w.live())); !r.Proven || r.Compared.Equal != int64(len(w.table)) {
			t.Errorf("%+v\n%+v", r.Compared, r.Doubts)
		}
	})
}

func TestAStoreThatFailsIsAnErrorAndNoDoubt(t *testing.T) {
	w := grown(t, folder(t))
	for _, holds := range []string{"snapshot/", "window=", shardA} {
		o := w.options()
		o.Store = &hooked{Lake: w.store, fail: holds}
		if _, err := Run(t.Context(), o); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", holds, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, w.options()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTheMetadataOfObjects is of what only a bucket has.
func TestTheMetadataOfObjects(t *testing.T) {
	replace := func(w *world, key string, change func(meta map[string]string, body []byte)) {
		body, o, err := w.store.Get(t.Context(), key)
		w.must(err)
		change(o.Meta, body)
		w.must(w.store.Delete(t.Context(), key))
		w.must(w.store.PutNew(t.Context(), key, body, o.Meta))
	}
	for _, c := range []struct {
		name          string
		change        func(meta map[string]string, body []byte)
		names, footer string // doubts at these depths
	}{
		{"as it was", func(map[string]string, []byte) {}, "", ""},
		{"lost in a copy", func(m map[string]string, _ []byte) { clear(m) }, "", ""},
		{"another count", func(m map[string]string, _ []byte) { m["rows"] = "99" }, "", "footer"},
		{"another end", func(m map[string]string, _ []byte) { m["end"] = seqAt(5000).String() }, "forked chain", "footer"},
		{"a format that is no number", func(m map[string]string, _ []byte) { m["format"] = "x" }, "footer", "footer"},
		{"a newer format", func(m map[string]string, _ []byte) { m["format"] = "2" }, "footer", "footer"},
		{"other bytes", func(_ map[string]string, b []byte) { b[20] ^= 1 }, "", "content"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := grown(t, simulated(t))
			replace(w, w.keys("/" + shardA + "/after")[1], c.change)
			for depth, want := range map[Depth]string{DepthNames: c.names, DepthFooters: c.footer} {
				o := w.options()
				o.Depth = depth
				r := w.verify(o)
				if got := r.Total(); want == "" && got != 0 || want != "" && r.Counts[Kind(want)] == 0 {
					t.Errorf("%s: %+v, want %q", depth, r.Doubts, want)
				}
			}
		})
	}
}

// TestMetadataTellsWhichDatasetsHadBegun: no file needs to be opened to see that another dataset's first one is missing.
func TestMetadataTellsWhichDatasetsHadBegun(t *testing.T) {
	w := split(t, simulated(t), splitSchema)
	w.must(w.store.Delete(t.Context(), w.keys("/even/shard_day=2026-05-01/" + shardA)[0]))
	o := w.options()
	o.Depth = DepthNames
	if r := w.verify(o); r.Proven || r.Counts[Start] != 1 {
		t.Errorf("%+v", r.Doubts)
	}
}

// TestKeysThatNoColumnHolds: a number that is not its column's text stays in _rest, and
// still is the same item's key.
func TestKeysThatNoColumnHolds(t *testing.T) {
	d := transform.NewDecoder(tableKeys)
	page := &transform.Page{}
	image := `{"pk":{"S":"k"},"sk":{"N":"1.50"},"x":{"S":"y"}}`
	if err := d.DecodeExport([]byte(`{"Item":`+image+`}`), transform.ViewFull, page); err != nil || len(page.Changes) != 1 {
		t.Fatal(err, page.Rejects)
	}
	c := page.Changes[0]
	rest := c.AppendRest(nil)
	if c.Range.Exact {
		t.Fatal("the column holds it")
	}
	got, err := transform.RebuildKey(tableKeys, c.Hash, c.Range, rest)
	if want := `{"pk":{"S":"k"},"sk":{"N":"1.5"}}`; err != nil || string(got) != want {
		t.Errorf("key %s (%v), want %s", got, err, want)
	}
	key, text, err := texts(tableKeys, values(t, image))
	whole, _ := transform.RebuildItem(tableKeys, c.Hash, c.Range, rest)
	if err == nil {
		text, err = transform.Canonical(text)
	}
	if err != nil || string(key) != string(got) || string(text) != string(whole) {
		t.Errorf("of the table: %s, %s (%v)", key, text, err)
	}
}
