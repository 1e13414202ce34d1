package bootstrap_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// threeDatasets split the table: all of it, what matches, and all of it with masks. No dataset of it
// learns columns but the first.
const threeDatasets = `datasets:
  - name: everything
    new_attributes: column
  - name: fives
    filter: item.v.contains("5")
    columns:
      - {name: v, from: v, type: string}
  - name: masked
    hash: [v]
    redact: [set]
    drop: [[nested, n]]
    columns:
      - {name: v, from: v, type: string}
`

// has says what each of the three holds of an image.
var has = map[string]func(string) (string, bool){
	"everything": func(image string) (string, bool) { return image, true },
	"fives": func(image string) (string, bool) {
		return image, strings.Contains(parsed(image)["v"].(map[string]any)["S"].(string), "5")
	},
	"masked": func(image string) (string, bool) {
		item := parsed(image)
		v := item["v"].(map[string]any)["S"].(string)
		sum := sha256.Sum256([]byte("salt" + v))
		item["v"] = map[string]any{"S": hex.EncodeToString(sum[:])}
		item["set"] = map[string]any{"S": "REDACTED"}
		delete(item["nested"].(map[string]any)["M"].(map[string]any), "n")
		text, _ := json.Marshal(item)
		return string(text), true
	},
}

func parsed(image string) (item map[string]any) {
	_ = json.Unmarshal([]byte(image), &item) // the simulator wrote it
	return item
}

// datasets opens the table's schema for a worker, by the worker's own calls; of no text it is inferred.
func (w *world) datasets(ctx context.Context, o bootstrap.Options, text string) (*dataset.Live, error) {
	w.Helper()
	var asked *schema.Schema
	if text != "" {
		var err error
		if asked, err = schema.Parse([]byte(text)); err != nil {
			w.Fatal(err)
		}
	}
	return dataset.Open(ctx, dataset.NewCatalog(o.Store, prefix), asked, dataset.Options{
		Table: "orders", Keys: o.Table.Keys, OldImage: true, Source: writer.SourceStream, Rules: rule.Options{Salt: []byte("salt")},
	}, schema.DefaultLimits)
}

// with is a change of options: the datasets of a schema.
func (w *world) with(text string) func(*bootstrap.Options) {
	return func(o *bootstrap.Options) {
		live, err := w.datasets(w.Context(), *o, text)
		if err != nil {
			w.Fatal(err)
		}
		o.Datasets = live
	}
}

// wantDatasets compares each dataset of the lake with what it must hold of the items.
func (w *world) wantDatasets(items map[string]string, has map[string]func(string) (string, bool)) {
	w.Helper()
	lake, err := lakecheck.Read(w.Context(), w.store, prefix)
	if err != nil {
		w.Fatal(err)
	}
	l := w.read()
	timeline := &lakecheck.Timeline{Base: l.Base().Number}
	for _, e := range l.Epochs {
		of := lakecheck.Epoch{Number: e.Number, Source: string(e.Source), From: e.From, To: e.To}
		if e.Source == ledger.Full {
			of.Export = e.Exports[0].ID()
		}
		timeline.Epochs = append(timeline.Epochs, of)
	}
	names := lake.Datasets()
	if len(names) != len(has) {
		w.Errorf("datasets %q", names)
	}
	for name, holds := range has {
		report := lakecheck.Truth{Items: items, Timeline: timeline}.In(holds).Check(lake.Dataset(name))
		if !report.OK() {
			w.Errorf("dataset %s: %s\n%s", name, report, strings.Join(report.Problems, "\n"))
		}
		if len(items) > 0 && report.Items == 0 {
			w.Errorf("dataset %s has no items: the scene is too small", name)
		}
	}
}

func (w *world) itemsAt(at time.Time) map[string]string {
	w.Helper()
	items, err := w.ItemsAt("orders", at)
	if err != nil {
		w.Fatal(err)
	}
	return items
}

// footers are what the Parquet files of a folder say of themselves, by key.
func (w *world) footers(word string) map[string]*writer.RowFile {
	w.Helper()
	files := map[string]*writer.RowFile{}
	for _, key := range w.objects(word) {
		if !strings.HasSuffix(key, ".parquet") {
			continue
		}
		body, _, err := w.store.Get(w.Context(), key)
		if err == nil {
			files[key], err = writer.OpenRows(strings.NewReader(string(body)), int64(len(body)))
		}
		if err != nil {
			w.Fatal(err)
		}
	}
	return files
}

// record of an export.
func (w *world) record(export string) (r ledger.Record) {
	w.Helper()
	body, _, err := w.store.Get(w.Context(), prefix+"_ledger/exports/"+export+".json")
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// base is the full export that is in the lake.
func (w *world) base() ledger.Export {
	w.Helper()
	l := w.read()
	return l.Base().Exports[0]
}

// seeding is how far the full export is.
func (w *world) seeding() ledger.Status {
	w.Helper()
	l := w.read()
	if e := l.Seeding(); e != nil {
		return e.Exports[0].Status
	}
	return ledger.Converted
}

func columnsOf(f *writer.RowFile) (names []string) {
	if f.Plan != nil {
		for _, c := range f.Plan.Columns {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names
}

func TestAttributesGetColumnsWithTheFirstExport(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 31}, func(w *world) {
		w.live(time.Second, 60)
		w.pitr(35)
		r := w.full(w.with(""))
		w.wantDatasets(w.itemsAt(r.To), map[string]func(string) (string, bool){"all": has["everything"]})
		if x := w.base(); x.Schema != 2 {
			w.Errorf("the ledger has schema %d: %+v", x.Schema, x)
		}
		rec := w.record(r.Export)
		if rec.Schema != 2 || rec.Rows != rec.Items || len(rec.Files) != 4 {
			w.Errorf("record %+v", rec)
		}
		for key, f := range w.footers("snapshot/") {
			if got := columnsOf(f); !slices.Equal(got, []string{"nested", "set", "v"}) || f.Meta["schema"] != "2" {
				w.Errorf("%s has columns %q of schema %s", key, got, f.Meta["schema"])
			}
		}
		// A window that has another attribute gives that its column; one that has none changes nothing.
		w.live(20*time.Minute, 30)
		w.catchUp(w.with(""))
		w.putAttr("p1", 3, "fresh", "yes")
		w.live(20*time.Minute, 30)
		w.catchUp(w.with(""))
		w.wantDatasets(w.itemsAt(w.reach()), map[string]func(string) (string, bool){"all": has["everything"]})
		seen := map[string]int{}
		for _, f := range w.footers("changes/") {
			seen[f.Meta["schema"]+" "+strings.Join(columnsOf(f), " ")]++
		}
		if len(seen) != 2 || seen["2 nested set v"] == 0 || seen["3 fresh nested set v"] == 0 {
			w.Errorf("files by schema and columns: %v", seen)
		}
	})
}

func TestATableIsSplit(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 32}, func(w *world) {
		w.live(time.Second, 80)
		w.pitr(35)
		r := w.full(w.with(threeDatasets))
		w.wantDatasets(w.itemsAt(r.To), has)
		rec := w.record(r.Export)
		if len(rec.Files) != 12 || rec.Rejects != 0 || rec.Rows <= 2*rec.Items || rec.Rows >= 3*rec.Items {
			w.Errorf("record %+v", rec)
		}
		w.live(2*time.Hour, 200)
		w.catchUp(w.with(threeDatasets), func(o *bootstrap.Options) { o.DropRaw = true })
		w.wantDatasets(w.itemsAt(w.reach()), has)
		w.wantMatchesToEnd()
		if left := w.objects(".json.gz"); len(left) != 4 { // of full, which did not drop
			w.Errorf("objects that were to be dropped: %q", left)
		}
		// The dataset with all of the table is what old images are checked by.
		checked := int64(0)
		for _, key := range w.objects("_ledger/exports/") {
			rec := w.record(strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ".json"))
			checked += rec.Checked
		}
		if checked == 0 {
			w.Error("no old image was checked")
		}
		w.wantMasked()
	})
}

// wantMasked looks into old images too.
func (w *world) wantMasked() {
	w.Helper()
	lake, err := lakecheck.Read(w.Context(), w.store, prefix)
	if err != nil {
		w.Fatal(err)
	}
	olds := 0
	for _, o := range lake.Dataset("masked").Exported {
		for _, r := range o.Rows {
			if r.Old == nil {
				continue
			}
			olds++
			if v := parsed(*r.Old)["v"].(map[string]any)["S"].(string); len(v) != 64 || strings.Contains(*r.Old, `"SS"`) {
				w.Errorf("%s: an old image shows what it must not: %s", o.Key, *r.Old)
			}
		}
	}
	if olds == 0 {
		w.Error("no old image: the scene is too small")
	}
}

// wantMatchesToEnd looks for items that left the dataset with a filter while they were there.
func (w *world) wantMatchesToEnd() {
	w.Helper()
	lake, err := lakecheck.Read(w.Context(), w.store, prefix)
	if err != nil {
		w.Fatal(err)
	}
	rows := func(name string) map[string]string {
		ops := map[string]string{}
		for _, o := range lake.Dataset(name).Exported {
			for _, r := range o.Rows {
				ops[fmt.Sprint(r.Key, r.Created)] = r.Op
			}
		}
		return ops
	}
	all, left, came := rows("everything"), 0, 0
	for change, op := range rows("fives") {
		switch {
		case op == "REMOVE" && all[change] == "MODIFY":
			left++
		case op == "INSERT" && all[change] == "MODIFY":
			came++
		}
	}
	if left == 0 || came == 0 {
		w.Errorf("%d items stopped to match, %d began to: the scene is too small", left, came)
	}
}

func TestOldImagesAreNotCheckedWithoutADatasetOfAll(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 33}, func(w *world) {
		text := strings.Replace(threeDatasets, "  - name: everything\n", "  - name: everything\n    drop: [set]\n", 1)
		w.live(time.Second, 60)
		w.pitr(35)
		w.full(w.with(text))
		w.live(20*time.Minute, 60)
		w.catchUp(w.with(text))
		for _, key := range w.objects("_ledger/exports/") {
			rec := w.record(strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ".json"))
			if rec.Checked != 0 || rec.Items == 0 {
				w.Errorf("%d old images checked of %d items", rec.Checked, rec.Items)
			}
		}
	})
}

func TestAllWorkersConvertWithThePinnedVersion(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 34, ExportFiles: 12}, func(w *world) {
		w.live(time.Second, 80)
		w.pitr(35)
		newer := make(chan *dataset.Live, 1)
		var once atomic.Bool // and no lock: time stands still for who waits for one
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			if !data(c) {
				return awssim.Fault{}
			}
			if w.seeding() == ledger.Exported && once.CompareAndSwap(false, true) {
				// A third one knows of an attribute that came just now.
				o := w.options("third")
				live, err := w.datasets(w.Context(), o, "")
				if err != nil {
					w.Error(err)
				}
				var page transform.Page
				line := `{"Item":{"pk":{"S":"x"},"sk":{"N":"1"},"late":{"S":"y"}}}`
				if err := transform.NewDecoder(o.Table.Keys).DecodeExport([]byte(line), transform.ViewFull, &page); err != nil {
					w.Error(err)
				}
				_, err = live.Learn(w.Context(), live.Set(), "all", func(yield func(*transform.Change) bool) { yield(&page.Changes[0]) })
				if err != nil || live.Set().Version != 3 {
					w.Errorf("version %d: %v", live.Set().Version, err)
				}
				newer <- live
			}
			return awssim.Fault{Delay: 15 * time.Second}
		})
		errs := make(chan error)
		run := func(name string, datasets func(o *bootstrap.Options)) {
			_, err := bootstrap.Bootstrap(w.Context(), w.options(name, datasets), bootstrap.Seed{NoStream: true})
			errs <- err
		}
		go run("one", w.with(""))
		go func() {
			live := <-newer
			run("two", func(o *bootstrap.Options) { o.Datasets = live })
		}()
		for range 2 {
			if err := <-errs; err != nil {
				w.Error(err)
			}
		}
		w.wantDatasets(w.Items("orders"), map[string]func(string) (string, bool){"all": has["everything"]})
		writers := map[string]bool{}
		for key, f := range w.footers("snapshot/") {
			writers[f.Meta["writer"]] = true
			if f.Meta["schema"] != "2" {
				w.Errorf("%s of %s has schema %s", key, f.Meta["writer"], f.Meta["schema"])
			}
		}
		if len(writers) != 2 {
			w.Errorf("files of %v, want both workers'", writers)
		}
	})
}

func TestAWorkerWithoutThePinnedSchemaSaysSo(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 35}, func(w *world) {
		w.live(time.Second, 40)
		w.pitr(35)
		ctx, stop := context.WithCancel(w.Context())
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Client == "dies" && c.Operation == "GetObject" && data(c) && w.seeding() == ledger.Exported {
				stop()
			}
			return awssim.Fault{}
		})
		if _, err := bootstrap.Bootstrap(ctx, w.options("dies", w.with(threeDatasets)), bootstrap.Seed{NoStream: true}); err == nil {
			w.Fatal("it did not die")
		}
		_, err := bootstrap.Bootstrap(w.Context(), w.options("none"), bootstrap.Seed{NoStream: true})
		w.wantAdvice(err, "schema version 2 of table orders", "--schema")
		if files := w.objects(".parquet"); len(files) != 0 {
			w.Errorf("files %q", files)
		}
		w.full(w.with(threeDatasets))
		w.wantDatasets(w.Items("orders"), has)
	})
}
