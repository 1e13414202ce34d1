package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/transform"
	"dynamolake/writer"
)

// fileOf writes a schema file.
func (s *stage) fileOf(text string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), fmt.Sprintf("schema-%d.yaml", len(text)))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
	return path
}

// background runs a command until it is told to stop.
func (s *stage) background(client string, args ...string) (stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if code, _, errs := s.command(ctx, client, args...); code != 0 {
			s.Errorf("%q: exit code %d\n%s", args, code, errs)
		}
	}()
	stop = func() { cancel(); <-done }
	s.stop = append(s.stop, stop)
	return stop
}

func (s *stage) must(client string, args ...string) string {
	s.Helper()
	code, out, errs := s.command(s.Context(), client, args...)
	if code != 0 {
		s.Fatalf("%q: exit code %d\n%s%s", args, code, out, errs)
	}
	return out
}

const paidOnly = `
unmatched: reject
datasets:
  - name: paid
    filter: 'has(item.paid) && item.paid'
    columns: [{name: paid, type: bool}, {name: note, type: string}]
    drop: [raw]
  - name: rest
    filter: '!has(item.paid) || !item.paid'
    columns: [{name: status, type: string}]
`

// TestRawExportsAreConvertedAgainUnderAnotherSchema takes a full export and two windows into a place, one after the other.
func TestRawExportsAreConvertedAgainUnderAnotherSchema(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		touched := s.strangers("replay")
		if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
			t.Fatal(err)
		}
		s.write(80)
		time.Sleep(30 * time.Minute)
		s.must("author", "bootstrap", "--no-stream")
		for range 3 {
			s.write(60)
			time.Sleep(15 * time.Minute)
		}
		s.must("author", "incremental", "--window=20m")
		live := s.keys(s.Prefix())
		records := map[bool][]lakecheck.Export{}
		lake, err := lakecheck.Read(s.Context(), s.Store("observer"), s.Prefix())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range lake.Exports {
			records[x.From.IsZero()] = append(records[x.From.IsZero()], *x)
		}
		if len(records[true]) != 1 || len(records[false]) < 2 {
			t.Fatalf("%d full exports and %d windows: the test shows nothing", len(records[true]), len(records[false]))
		}
		schema := "--schema=" + s.fileOf(paidOnly)
		var rows int64
		for _, flag := range []string{
			"--export=" + records[true][0].ID,
			"--window=" + writer.TimeName(records[false][0].From) + "_" + writer.TimeName(records[false][0].To),
			"--window=" + records[false][1].From.Format(time.RFC3339) + "_" + records[false][1].To.Format(time.RFC3339),
			"--export=" + records[true][0].ID, // is there already
		} {
			r := s.replay(flag, "--into=split", schema)
			if r.Rows < rows || len(r.Refused) != 0 {
				t.Errorf("%s: %d rows after %d, refused %v", flag, r.Rows, rows, r.Refused)
			}
			rows = r.Rows
		}
		// The place has all that the table's own lake has of that time, in the datasets of the other schema.
		split, err := lakecheck.Read(s.Context(), s.Store("observer"), s.placeOf("split"))
		if err != nil {
			t.Fatal(err)
		}
		datasets := map[string]int{}
		for _, o := range split.Exported {
			datasets[o.Dataset] += len(o.Rows)
			for i := range o.Rows {
				if row := &o.Rows[i]; o.Dataset == "paid" && (!strings.Contains(row.Image, `"paid":{"BOOL":true}`) && row.Op != transform.Remove.String() || strings.Contains(row.Image, `"raw"`)) {
					t.Errorf("dataset paid has %s", row.Image)
				}
			}
		}
		if datasets["paid"] == 0 || datasets["rest"] == 0 || len(datasets) != 2 {
			t.Errorf("rows by dataset: %v", datasets)
		}
		items := map[string]bool{}
		for _, o := range records[true][0].Objects {
			for i := range o.Rows {
				items[o.Rows[i].Key] = true
			}
		}
		for _, x := range split.Exports {
			if x.From.IsZero() {
				for _, o := range x.Objects {
					for i := range o.Rows {
						delete(items, o.Rows[i].Key)
					}
				}
			}
		}
		if len(items) > 0 {
			t.Errorf("%d items of the full export are in neither dataset", len(items))
		}

		// A window that does not follow goes elsewhere; one whose raw objects are gone nowhere.
		code, _, errs := s.command(s.Context(), "replay", "replay", "--into=split", "--log-level=error", schema, "--export="+records[false][0].ID)
		if code != 0 {
			t.Errorf("a window that is there already: exit code %d, %s", code, errs)
		}
		s.replay("--export="+records[false][1].ID, "--into=apart", schema)
		code, _, errs = s.command(s.Context(), "replay", "replay", "--into=apart", "--log-level=error", schema, "--export="+records[false][0].ID)
		if code != 1 || !strings.Contains(errs, "in the order of their times") || strings.Count(errs, "\n") != 1 {
			t.Errorf("an earlier window behind a later one: exit code %d, %s", code, errs)
		}
		// What is there is not converted anew: another schema for the same export would look as if it were.
		for _, other := range []string{"--schema=" + s.fileOf(needsPaid), "--schema=none"} {
			before := s.keys(s.placeOf("split"))
			code, out, errs := s.command(s.Context(), "replay", "replay", "--into=split", "--log-level=error", other, "--export="+records[true][0].ID)
			if code != 1 || out != "" || !strings.Contains(errs, "was converted there with another --schema") || strings.Count(errs, "\n") != 1 {
				t.Errorf("the same export with %s: exit code %d, %s%s", other, code, out, errs)
			}
			if after := s.keys(s.placeOf("split")); strings.Join(after, " ") != strings.Join(before, " ") {
				t.Errorf("with %s the place became another", other)
			}
		}
		if after := s.keys(s.Prefix()); strings.Join(after, " ") != strings.Join(live, " ") {
			t.Error("the table's own part of the lake is another than before")
		}
		for _, key := range s.keys("AWSDynamoDB/") {
			if err := s.Lake("thief").Delete(s.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		code, _, errs = s.command(s.Context(), "replay", "replay", "--into=gone", "--export="+records[false][0].ID)
		if code != 1 || !strings.Contains(errs, "there is nothing to convert again") || strings.Count(errs, "\n") != 1 {
			t.Errorf("raw objects that are gone: exit code %d, %s", code, errs)
		}
		if list := touched(); len(list) > 0 {
			t.Errorf("replays touched what is not theirs: %q", list)
		}
	})
}

const (
	needsPaid = `
unmatched: reject
datasets:
  - name: orders
    filter: 'item.order < 30'
    columns: [{name: paid, type: bool, required: true}]
  - name: notes
    filter: 'item.order < 40'
    columns: [{name: note, type: string, required: true}]
`
	halfMended = `
unmatched: reject
datasets:
  - name: orders
    filter: 'item.order < 45'
    columns: [{name: paid, type: bool}]
  - name: notes
    filter: 'item.order < 40'
    columns: [{name: note, type: string, required: true}]
`
)

// TestRejectsAreRestoredAfterAFixedSchema has rejects of a stream and of an export: some pass the mended schema, some are
// of no dataset still, and those of a dataset that was not mended are refused again.
func TestRejectsAreRestoredAfterAFixedSchema(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		touched := s.strangers("replay")
		if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
			t.Fatal(err)
		}
		s.write(80)
		time.Sleep(30 * time.Minute)
		bad := "--schema=" + s.fileOf(needsPaid)
		s.must("author", "bootstrap", bad)
		stop := s.background("live", "consume", bad, "--worker-id=live", "--repair=off", "--on-gap=stop", "--flush-interval=1s")
		s.traffic(6)
		if err := s.Await(s.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		live := s.keys(s.Prefix())
		type object struct {
			Reason, Dataset, Seq, Shard, Export string
		}
		var want int64 // rows that the mended schema makes
		reasons := map[string]int64{}
		wanted := map[string]bool{} // of the stream, in orders
		n := int64(0)
		for _, key := range live {
			if !strings.HasPrefix(key, s.Prefix()+"rejects/") {
				continue
			}
			n++
			body, _, err := s.Store("observer").Get(s.Context(), key)
			var o object
			if err == nil {
				err = json.Unmarshal(body, &o)
			}
			if err != nil {
				t.Fatal(err)
			}
			reasons[o.Dataset]++
			if o.Dataset == "orders" {
				want++
				wanted[o.Shard+" "+strings.TrimLeft(o.Seq, "0")] = o.Export == ""
			}
		}
		for _, dataset := range []string{"", "orders", "notes"} {
			if reasons[dataset] == 0 {
				t.Fatalf("no rejects of %q: the test shows nothing", dataset)
			}
		}
		good := "--schema=" + s.fileOf(halfMended)
		for life := range 6 { // it dies at one of its writes, later each time
			var puts atomic.Int64
			mend := s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
				if call.Client == "replay" && call.Operation == "PutObject" {
					if puts.Add(1) > int64(2+3*life) {
						return awssim.Fault{Status: 403, Code: "AccessDenied"}
					}
				}
				return awssim.Fault{}
			})
			if code, out, errs := s.command(s.Context(), "replay", "replay", "--rejects", "--into=mended", good, "--log-level=error"); code != 1 || out != "" {
				t.Errorf("a replay that could not write: exit code %d, %s%s", code, out, errs)
			}
			mend()
		}
		r := s.replay("--rejects", "--into=mended", good)
		again := s.replay("--rejects", "--into=mended", good)
		// Its records are judged: another schema would judge none anew, and not say so.
		if code, _, errs := s.command(s.Context(), "replay", "replay", "--rejects", "--into=mended", bad); code != 1 || !strings.Contains(errs, "was made with another --schema") {
			t.Errorf("another schema: exit code %d, %s", code, errs)
		}
		if r.Read != n || again.Rows != r.Rows || fmt.Sprint(again.Refused) != fmt.Sprint(r.Refused) {
			t.Errorf("%d rejects; read %d, rows %d and %d again; refused %v and %v again", n, r.Read, r.Rows, again.Rows, r.Refused, again.Refused)
		}
		lake, err := lakecheck.Read(s.Context(), s.Store("observer"), s.placeOf("mended"))
		if err != nil {
			t.Fatal(err)
		}
		streamed := 0
		for _, o := range append(lake.Objects, lake.Exported...) {
			if o.Err != nil {
				t.Errorf("%s: %v", o.Key, o.Err)
			}
			if o.Dataset == "orders" && o.Shard != "" {
				streamed += len(o.Rows)
			}
			if o.Dataset == "notes" && len(o.Rows) > 0 {
				t.Errorf("%s has rows that passed nothing", o.Key)
			}
		}
		for place, is := range wanted {
			shard, seq, _ := strings.Cut(place, " ")
			for _, o := range lake.Objects {
				for i := range o.Rows {
					if o.Rows[i].Shard == shard && o.Rows[i].Seq.Digits() == seq {
						if o.Rows[i].Epoch != 4 {
							t.Errorf("change %s has epoch %d, and has 4 in the table's own lake", place, o.Rows[i].Epoch)
						}
						is = false
					}
				}
			}
			if is {
				t.Errorf("change %s is not restored", place)
			}
		}
		// What was nobody's below 45 is of orders now.
		if r.Rows < want || streamed == 0 || r.Rows+r.Verify.Rejects != n {
			t.Errorf("%d rows and %d rejects of %d, and %d were of orders: %v", r.Rows, r.Verify.Rejects, n, want, r.Refused)
		}
		if len(r.Refused) != 2 || r.Refused["column note is required, and the item has nothing for it"] != reasons["notes"] {
			t.Errorf("refused: %v; before %v", r.Refused, reasons)
		}
		if code, out, errs := s.command(s.Context(), "operator", "verify", "--changes-only", "--depth=rows", "--into=mended"); code != 0 {
			t.Errorf("verify: exit code %d\n%s%s", code, out, errs)
		}
		if after := s.keys(s.Prefix()); strings.Join(after, " ") != strings.Join(live, " ") {
			t.Error("the table's own part of the lake is another than before")
		}
		if list := touched(); len(list) > 0 {
			t.Errorf("replays touched what is not theirs: %q", list)
		}
		stop()
	})
}
