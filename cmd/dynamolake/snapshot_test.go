package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/transform"
)

// TestASnapshotBesideTheLiveFleetDisturbsNothing takes the paid items of a table that is written to, while its stream is read.
func TestASnapshotBesideTheLiveFleetDisturbsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	onStage(t, 2, func(s *stage) {
		touched := s.strangers("snapshot")
		if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
			t.Fatal(err)
		}
		leave := s.join("first")
		s.traffic(2)
		stop := s.load()
		args := []string{
			"snapshot", "--output=json", "--into=paid", "--filter=#paid = :yes", `--names={"#paid": "paid"}`, `--values={":yes": {"BOOL": true}}`,
			"--attributes=#paid, note",
		}
		var first, again replayed
		if err := json.Unmarshal([]byte(s.must("snapshot", args...)), &first); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(s.must("snapshot", args...)), &again); err != nil {
			t.Fatal(err)
		}
		stop()
		if !first.Verify.Proven || first.Items == 0 || first.Rows != first.Items || again.Export != first.Export || again.Rows != first.Rows {
			t.Errorf("%+v and once more %+v", first, again)
		}
		if n := len(s.Cloud.Exports(scene.TableName)); n != 1 {
			t.Errorf("%d exports", n)
		}

		place, err := lakecheck.Read(s.Context(), s.Store("observer"), s.placeOf("paid"))
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, o := range place.Exported {
			for i := range o.Rows {
				got = append(got, o.Rows[i].Image)
			}
		}
		items, err := s.Cloud.ItemsAt(scene.TableName, first.Until)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range items {
			var item, cut map[string]json.RawMessage
			if err := json.Unmarshal([]byte(text), &item); err != nil {
				t.Fatal(err)
			}
			if string(item["paid"]) != `{"BOOL":true}` {
				continue
			}
			cut = map[string]json.RawMessage{}
			for _, name := range []string{"customer", "order", "paid", "note"} {
				if item[name] != nil {
					cut[name] = item[name]
				}
			}
			body, err := json.Marshal(cut)
			if err == nil {
				body, err = transform.Canonical(body)
			}
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, string(body))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || len(want) == len(items) {
			t.Errorf("of %d items the snapshot has %d\n%s\nwant %d\n%s", len(items), len(got), strings.Join(got, "\n"), len(want), strings.Join(want, "\n"))
		}

		for _, what := range touched() {
			if !strings.HasPrefix(what, "ExportTableToPointInTime ") {
				t.Errorf("the snapshot touched what is not its own: %s", what)
			}
		}
		s.whole(s.drain(leave))
	})
}

func TestASnapshotIsRefused(t *testing.T) {
	onStage(t, 1, func(s *stage) {
		leave := s.join("first")
		s.traffic(1)
		s.replay("--from=TRIM_HORIZON", "--into=taken")
		refused := func(want string, code int, args ...string) {
			t.Helper()
			got, out, errs := s.command(s.Context(), "operator", append([]string{"snapshot", "--log-level=error"}, args...)...)
			if got != code || out != "" || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 2*code-1 {
				t.Errorf("%q: exit code %d, stdout %q, stderr %q\nwant exit code %d and a line with %q", args, got, out, errs, code, want)
			}
		}
		refused("--into (DYNAMOLAKE_INTO) is required", 2, "--filter=attribute_exists(a)")
		refused("nothing to select by: give --filter, --key-condition or --attributes", 2, "--into=x")
		refused(`want JSON like {"#s": "status"}`, 2, "--into=x", "--filter=attribute_exists(a)", "--names=a")
		refused(`values: want DynamoDB JSON like {":paid": {"S": "paid"}}`, 2, "--into=x", "--filter=a = :a", `--values={":a": 1}`)
		refused("values: nothing is said of :a", 2, "--into=x", "--filter=a = :a")
		refused("point-in-time recovery is off", 1, "--into=off", "--filter=attribute_exists(a)")
		refused("the place taken has something else already, of the stream from its oldest record; give another --into", 1, "--into=taken", "--filter=attribute_exists(a)")
		if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		refused("AWS refuses the filter", 1, "--into=wrong", "--filter=attribute_exists(a")
		s.must("operator", "snapshot", "--into=one", "--filter=attribute_exists(paid)")
		refused("the place one has something else already, of the table, where attribute_exists(paid)", 1, "--into=one", "--filter=attribute_exists(note)")
		leave()
	})
}
