package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"dynamolake/bootstrap"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// exportScene is a table with some items, in a cloud whose exports take no time, behind a real listener.
func exportScene(t *testing.T) *scene.Scene {
	t.Helper()
	s := emptyScene(t)
	author := s.Author(1, 30)
	for range 60 {
		if err := author.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// emptyScene is that without items.
func emptyScene(t *testing.T) *scene.Scene {
	t.Helper()
	s, err := scene.Open(t.Context(), awssim.New(awssim.Config{ExportTakes: -1, BackupsAfter: -1}), 2)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Cloud)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID",
		"AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	return s
}

// invoke runs a command on the scene's table and lake.
func invoke(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	env := []string{"DYNAMOLAKE_TABLE=orders", "DYNAMOLAKE_LAKE=s3://lake/p", "DYNAMOLAKE_EXPORT_POLL=1s"}
	if slices.ContainsFunc([]string{"status", "verify"}, func(name string) bool { return name == args[0] }) {
		env = env[:2]
	}
	code = run(ctx, args, env, streams{out: &stdout, err: &stderr})
	if ctx.Err() != nil {
		t.Fatalf("%s did not end by itself; stderr:\n%s", args[0], stderr.String())
	}
	return code, stdout.String(), stderr.String()
}

func TestTheWholeTableByCommands(t *testing.T) {
	s := exportScene(t)
	if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
		t.Fatal(err)
	}
	items := int64(len(s.Cloud.Items(scene.TableName)))
	for i, already := range []bool{false, true} {
		code, out, errs := invoke(t, "bootstrap", "--no-stream", "--output=json")
		var r seeded
		if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil {
			t.Fatalf("run %d: exit code %d, %v, stdout %q, stderr:\n%s", i, code, err, out, errs)
		}
		if r.Items != items || r.Rejects != 0 || r.Already != already || r.Epoch != 1 {
			t.Errorf("run %d: %+v, want %d items in epoch 1, already %v", i, r, items, already)
		}
		if !already && !strings.Contains(errs, "100 %") {
			t.Errorf("no progress was shown:\n%s", errs)
		}
	}
	if n := len(s.Cloud.Exports(scene.TableName)); n != 1 {
		t.Errorf("%d exports were made, want 1", n)
	}

	code, out, errs := invoke(t, "incremental")
	if code != 0 || !strings.Contains(out, "0 windows converted") || !strings.Contains(out, "the next window may be exported at") {
		t.Errorf("incremental: exit code %d, stdout %q, stderr:\n%s", code, out, errs)
	}

	code, out, errs = invoke(t, "status")
	for _, want := range []string{"whole from ", "▲", "full export"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("status: exit code %d, %q is missing in\n%s%s", code, want, out, errs)
		}
	}

	code, out, errs = invoke(t, "verify", "--against-table", "--depth=rows", "--settle=1s")
	if code != 0 || !strings.Contains(out, "proven") || strings.Contains(out, "NOT") {
		t.Errorf("verify: exit code %d\n%s%s", code, out, errs)
	}
}

// TestTheLedgerInATable keeps it out of the lake, for every command.
func TestTheLedgerInATable(t *testing.T) {
	s := exportScene(t)
	if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := invoke(t, "bootstrap", "--no-stream", "--state=dynamodb"); code != 0 {
		t.Fatalf("bootstrap: exit code %d\n%s", code, errs)
	}
	for o, err := range s.Store("observer").List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Key, "_ledger/ledger.json") {
			t.Errorf("the lake has %s", o.Key)
		}
	}
	if items := s.Cloud.Items(ledgerTable); len(items) != 1 {
		t.Errorf("table %s has %d items, want the ledger", ledgerTable, len(items))
	}
	if code, out, errs := invoke(t, "verify", "--state=dynamodb"); code != 0 || !strings.Contains(out, "proven") {
		t.Errorf("verify: exit code %d\n%s%s", code, out, errs)
	}
	if code, out, _ := invoke(t, "verify"); code != 1 || !strings.Contains(out, "NOT proven") {
		t.Errorf("verify of the lake without its ledger: exit code %d\n%s", code, out)
	}
}

func TestTheProgressOfAConversion(t *testing.T) {
	p := bootstrap.Progress{Items: 250_000, Total: 1_000_000, Bytes: 70 << 20, Files: 1, Of: 4}
	m := &meter{}
	if got, want := m.text(p, 10*time.Second), "250000 of 1000000 items  1 of 4 files  70.0MiB read  25000 items/s  30s left"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := m.text(p, 10*time.Millisecond); strings.Contains(got, "items/s") {
		t.Errorf("a rate after 10 ms: %q", got)
	}
	var out strings.Builder
	m = &meter{screen: newScreen(&out)}
	m.show(p)
	p.Items, p.Files = p.Total, p.Of
	m.show(p)
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, " 25 %") || !strings.Contains(got, "100 %") || strings.Contains(got, clearLine) {
		t.Errorf("where there is no terminal each state is a line, got %q", got)
	}
}

func TestExportCommandsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name  string
		pitr  bool
		fault func(*awssim.Call) awssim.Fault
		args  []string
		want  []string
	}{
		{
			"point-in-time recovery is off", false, nil,
			[]string{"bootstrap", "--no-stream"},
			[]string{"point-in-time recovery is off", "aws dynamodb update-continuous-backups", "PointInTimeRecoveryEnabled=true"},
		},
		{
			"the table is not there", true, nil,
			[]string{"bootstrap", "--table=nosuch"},
			[]string{"nosuch", "check the name, the account and AWS_REGION"},
		},
		{
			"the bucket is not there", true, nil,
			[]string{"bootstrap", "--no-stream", "--export-bucket=nosuch"},
			[]string{"there is no bucket nosuch", "aws s3 mb s3://nosuch"},
		},
		{
			"a lake in a folder needs a bucket", true, nil,
			[]string{"bootstrap", "--no-stream", "--lake=file:///tmp/dynamolake-test-lake"},
			[]string{"--export-bucket (DYNAMOLAKE_EXPORT_BUCKET) must name a bucket"},
		},
		{
			"no permission to export", true, deny("dynamodb", "ExportTableToPointInTime", "AccessDeniedException"),
			[]string{"bootstrap", "--no-stream"},
			[]string{"allow this role dynamodb:ExportTableToPointInTime on "},
		},
		{
			"nothing to follow", true, nil,
			[]string{"incremental"},
			[]string{"no full export to go on from", "dynamolake bootstrap --table orders"},
		},
		{
			"a manifest that is not there", true, nil,
			[]string{"bootstrap", "--from-export=s3://lake/AWSDynamoDB/0-a/manifest-summary.json"},
			[]string{"s3://lake/AWSDynamoDB/0-a/manifest-summary.json"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := exportScene(t)
			if c.pitr {
				if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
					t.Fatal(err)
				}
			}
			if c.fault != nil {
				s.Cloud.Intercept(c.fault)
			}
			code, out, errs := invoke(t, append(c.args, "--log-level=error")...)
			if code != 1 || out != "" {
				t.Errorf("exit code %d, want 1; stdout %q", code, out)
			}
			lines := strings.Split(strings.TrimSpace(errs), "\n")
			if last := lines[len(lines)-1]; len(lines) != 1 || !strings.HasPrefix(last, "dynamolake "+c.args[0]+": ") {
				t.Errorf("want one line, got\n%s", errs)
			}
			for _, want := range c.want {
				if !strings.Contains(errs, want) {
					t.Errorf("%q is missing in\n%s", want, errs)
				}
			}
		})
	}
}
