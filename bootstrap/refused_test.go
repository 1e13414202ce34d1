package bootstrap_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/bootstrap"
	"dynamolake/internal/awssim"
)

// refusing has a dataset that wants an attribute of every item, and one whose filter cannot do without.
const refusing = `datasets:
  - name: needs
    columns:
      - {name: v, from: v, type: string, required: true}
  - name: fives
    filter: item.v.contains("5")
`

// homeless has no place for what lacks the attribute, nor for what begins with a 9.
const homeless = `datasets:
  - name: fives
    filter: has(item.v) && item.v.contains("5") && !item.v.startsWith("9")
  - name: others
    filter: has(item.v) && !item.v.contains("5") && !item.v.startsWith("9")
`

// rejectOf is the object of one.
type rejectOf struct {
	Reason, Export, Dataset string
	DataFile                string `json:"data_file"`
	Line                    int
	Record                  json.RawMessage
}

// rejects reads those of an export, and holds each against its line of the data file.
func (w *world) rejects(export string) (all []rejectOf) {
	w.Helper()
	lines := map[string][]string{}
	for _, key := range w.objects("rejects/exports/" + export + "/") {
		var r rejectOf
		body, _, err := w.store.Get(w.Context(), key)
		if err == nil {
			err = json.Unmarshal(body, &r)
		}
		if err != nil {
			w.Fatal(err)
		}
		name := path.Base(r.DataFile) + "-" + strconv.Itoa(r.Line)
		if r.Dataset != "" {
			name += "@" + r.Dataset
		}
		if path.Base(key) != name+".json" || r.Export != export {
			w.Errorf("%s is of %+v", key, r)
		}
		if lines[r.DataFile] == nil {
			lines[r.DataFile] = w.linesOf(r.DataFile)
		}
		if got := lines[r.DataFile][r.Line-1]; got != string(r.Record) {
			w.Errorf("%s has\n%s, and the line is\n%s", key, r.Record, got)
		}
		all = append(all, r)
	}
	return all
}

func (w *world) linesOf(dataFile string) []string {
	w.Helper()
	body, _, err := w.store.Get(w.Context(), dataFile)
	if err != nil {
		w.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		w.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// count counts rejects by dataset.
func count(all []rejectOf) map[string]int {
	n := map[string]int{}
	for _, r := range all {
		n[r.Dataset]++
	}
	return n
}

func TestWhatADatasetRefusesIsAReject(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 41, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 60)
		for i := range 5 {
			w.putAttr("p"+strconv.Itoa(i), 50+i, "other", "x")
		}
		w.pitr(35)
		r := w.full(w.with(refusing))
		if n := count(w.rejects(r.Export)); len(n) != 2 || n["needs"] != 5 || n["fives"] != 5 || r.Rejects != 10 {
			w.Errorf("%v, and %+v", n, r)
		}
		rec := w.record(r.Export)
		for _, f := range rec.Files {
			if f.Dataset == "needs" && f.Rows+f.Rejects != f.Items {
				w.Errorf("%+v", f)
			}
		}
		if int(rec.Rows) != w.footerRows("snapshot/") {
			w.Errorf("the record counts %d rows, the files have %d", rec.Rows, w.footerRows("snapshot/"))
		}
		w.live(20*time.Minute, 30)
		w.putAttr("p7", 70, "other", "x")
		w.live(20*time.Minute, 30)
		w.catchUp(w.with(refusing), func(o *bootstrap.Options) { o.DropRaw = false })
		l := w.read()
		if e := l.Epochs[1]; e.Rejects != 2 || e.Windows < 2 {
			w.Errorf("epoch %+v", e)
		}
		for _, key := range w.objects("_ledger/exports/") {
			id := strings.TrimSuffix(path.Base(key), ".json")
			if n := len(w.rejects(id)); int64(n) != w.record(id).Rejects {
				w.Errorf("%d rejects of %s, the record counts %d", n, id, w.record(id).Rejects)
			}
		}
	})
}

func TestWhatNoDatasetTakesIsAReject(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 42, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 60)
		w.putAttr("p1", 50, "other", "x")
		w.put("p2", 51, "95")
		w.put("p2", 52, "96")
		w.pitr(35)
		nobodys := 0
		for _, item := range w.Items("orders") {
			if v, ok := parsed(item)["v"]; !ok || strings.HasPrefix(v.(map[string]any)["S"].(string), "9") {
				nobodys++
			}
		}
		r := w.full(w.with(homeless))
		rec := w.record(r.Export)
		if n := count(w.rejects(r.Export)); len(n) != 1 || n[""] != nobodys || int(r.Rejects) != nobodys {
			w.Errorf("%v, want %d of none; %+v", n, nobodys, r)
		}
		if rec.Rows != rec.Items-int64(nobodys) {
			w.Errorf("record %+v", rec)
		}
	})
}

// What one worker wrote and rejected is counted by the next as by itself.
func TestRejectsAreCountedByWhoeverComesNext(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 43, ExportFiles: 2}, func(w *world) {
		w.live(time.Second, 60)
		for i := range 5 {
			w.putAttr("p"+strconv.Itoa(i), 50+i, "other", "x")
		}
		w.pitr(35)
		o := w.options("first", w.with(refusing))
		// It writes all Parquet files, but no record.
		done := w.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Client == "first" && strings.Contains(c.Target, "_ledger/exports/") && c.Operation == "PutObject" {
				return awssim.Fault{Status: 403, Code: "AccessDenied"}
			}
			return awssim.Fault{}
		})
		if _, err := bootstrap.Bootstrap(w.Context(), o, bootstrap.Seed{NoStream: true}); err == nil {
			w.Fatal("it wrote a record")
		}
		done()
		files := len(w.objects(".parquet"))
		r := w.full(w.with(refusing))
		rec := w.record(r.Export)
		if rec.Rejects != 10 || len(w.rejects(r.Export)) != 10 || int(rec.Rows) != w.footerRows("snapshot/") || files != 4 || rec.Worker != "full" {
			w.Errorf("%d files, record %+v", files, rec)
		}
	})
}

func TestTooManyRejectsStop(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 44, ExportFiles: 1}, func(w *world) {
		w.live(time.Second, 60)
		for i := range 5 {
			w.putAttr("p"+strconv.Itoa(i), 50+i, "other", "x")
		}
		w.pitr(35)
		few := func(n int64) func(*bootstrap.Options) { return func(o *bootstrap.Options) { o.MaxRejects = n } }
		_, err := bootstrap.Bootstrap(w.Context(), w.options("full", w.with(refusing), few(9)), bootstrap.Seed{NoStream: true})
		var many *bootstrap.TooManyRejects
		if !errors.As(err, &many) || !strings.Contains(err.Error(), "--max-rejects") || len(w.objects(".parquet")) != 0 {
			w.Fatalf("%v, and %q", err, w.objects(".parquet"))
		}
		w.full(w.with(refusing), few(0)) // all of them are there by now
		w.putAttr("p8", 80, "other", "x")
		w.live(20*time.Minute, 30)
		repairer, err := bootstrap.NewRepairer(w.options("repair", w.with(refusing), few(1), func(o *bootstrap.Options) { o.Follow = true }))
		if err != nil {
			w.Fatal(err)
		}
		if err := repairer.Run(w.Context()); !errors.As(err, &many) {
			w.Errorf("it ended with %v", err)
		}
	})
}

// Where memory is not enough for all datasets at once, a data file is read more often.
func TestDatasetsAreConvertedInTurnWhereMemoryIsShort(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 45, ExportFiles: 1}, func(w *world) {
		w.live(time.Second, 60)
		w.putAttr("p1", 50, "other", "x")
		w.pitr(35)
		var reads atomic.Int64
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			if data(c) {
				reads.Add(1)
			}
			return awssim.Fault{}
		})
		var last bootstrap.Progress
		r := w.full(w.with(refusing), func(o *bootstrap.Options) {
			o.Memory = 64 << 20
			o.Progress = func(p bootstrap.Progress) { last = p }
		})
		rec := w.record(r.Export)
		if reads.Load() != 2 || rec.Rejects != 2 || len(w.rejects(r.Export)) != 2 || int(rec.Rows) != w.footerRows("snapshot/") {
			w.Errorf("%d reads, record %+v", reads.Load(), rec)
		}
		if last.Items != rec.Items || last.Files != 1 {
			w.Errorf("at last %+v", last)
		}
	})
}

func TestAnAppendOnlyDatasetRefusesUpdatesOfWindows(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 46}, func(w *world) {
		split := w.with("datasets:\n  - {name: log, mode: append_only, deletes: drop}\n  - {name: everything}\n")
		w.live(time.Second, 60)
		w.pitr(35)
		w.full(split)
		w.live(20*time.Minute, 80)
		w.catchUp(split, func(o *bootstrap.Options) { o.DropRaw = true })
		l := w.read()
		ops := map[string]int{}
		for _, key := range w.objects("changes/") {
			for _, r := range readFile(w.T, w.store, key, w.table.Keys) {
				ops[strings.Split(strings.TrimPrefix(key, prefix), "/")[1]+" "+r.op]++
			}
		}
		if ops["log INSERT"] != ops["everything INSERT"] || ops["log MODIFY"]+ops["log REMOVE"] != 0 || ops["everything REMOVE"] == 0 {
			w.Errorf("rows %v", ops)
		}
		if n := l.Epochs[1].Rejects; n == 0 || int(n) != ops["everything MODIFY"] || len(w.objects("@log.json")) != int(n) {
			w.Errorf("%d rejects: %v", n, ops)
		}
		if left := w.objects("/data/"); len(left) != 4 { // of full, which did not drop
			w.Errorf("objects that were to be dropped: %q", left)
		}
	})
}
