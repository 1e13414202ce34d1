package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/internal/advise"
)

// exampleFlags are the importance of the guide's example.
var exampleFlags = []string{"--freshness=5", "--engineering=4", "--cost=3", "--volume=4", "--downstream=3"}

// adviseOffline runs the whole command without AWS and without a terminal.
func adviseOffline(t *testing.T, flags ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), append([]string{"advise", "--offline"}, flags...), nil, streams{out: &o, err: &e})
	return code, o.String(), e.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", file, diff)
	}
}

// TestAdvicePages keeps what the command prints in testdata.
func TestAdvicePages(t *testing.T) {
	for _, c := range []struct {
		file  string
		flags []string
	}{
		{"given.txt", append([]string{"--table=orders", "--lake=s3://my-lake/raw", "--items=50000000", "--size=60GB", "--writes-per-second=120", "--explain"}, exampleFlags...)},
		{"nothing-known.txt", append([]string{"--fresh-within=30m"}, exampleFlags...)},
	} {
		t.Run(c.file, func(t *testing.T) {
			code, out, err := adviseOffline(t, c.flags...)
			if code != 0 || err != "" {
				t.Fatalf("exit code %d, %s", code, err)
			}
			golden(t, filepath.Join("advise", c.file), out)
			for line := range strings.Lines(out) {
				if strings.TrimRight(line, " \t\n")+"\n" != line && line != "\n" {
					t.Errorf("blanks at the end of %q", line)
				}
			}
		})
	}
}

func TestAdviseHelp(t *testing.T) {
	var out bytes.Buffer
	if code := run(context.Background(), []string{"advise", "--help"}, nil, streams{out: &out, err: &out}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	golden(t, filepath.Join("help", "advise.txt"), out.String())
}

func TestAdviceIsOneLineOfJSON(t *testing.T) {
	code, out, errs := adviseOffline(t, append([]string{"--output=json", "--size=60GB"}, exampleFlags...)...)
	if code != 0 || strings.Count(out, "\n") != 1 {
		t.Fatalf("exit code %d, %s\n%s", code, errs, out)
	}
	var a struct {
		Matrix      advise.Matrix
		Recommended []advise.Pattern
		Facts       struct {
			Items, Bytes advise.Fact[int64]
		}
	}
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatal(err)
	}
	points := []int{a.Matrix.Totals[0].Points, a.Matrix.Totals[1].Points, a.Matrix.Totals[2].Points}
	if diff := cmp.Diff([]int{48, 64, 70}, points); diff != "" || a.Recommended[0] != advise.Stream {
		t.Errorf("%s%v", diff, a.Recommended)
	}
	if a.Facts.Items.OK() || a.Facts.Bytes.Or(0) != 60e9 {
		t.Errorf("%+v", a.Facts)
	}
}

func TestAdviseRefusesBadSettingsAllAtOnce(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{
		"advise", "--freshness=6", "--engineering=much", "--items=-1", "--size=big", "--writes-per-second=NaN",
		"--open-shards=0", "--window=5m", "--workers=0", "--lake=/data", "--output=xml",
	}, []string{"DYNAMOLAKE_COST=0"}, streams{out: &out, err: &errs})
	if code != 2 || out.Len() != 0 {
		t.Errorf("exit code %d, stdout %q", code, out.String())
	}
	for _, want := range []string{
		`--freshness (DYNAMOLAKE_FRESHNESS) = "6": want a whole number from 1 to 5`,
		`--engineering (DYNAMOLAKE_ENGINEERING) = "much": want a whole number from 1 to 5`,
		`--cost (DYNAMOLAKE_COST) = "0": want a whole number from 1 to 5`,
		`--items (DYNAMOLAKE_ITEMS) = "-1": want a whole number of items, or auto`,
		`--size (DYNAMOLAKE_SIZE) = "big": want a size like 120GB, or auto`,
		`--writes-per-second (DYNAMOLAKE_WRITES_PER_SECOND) = "NaN": want a number of writes, or auto`,
		`--open-shards (DYNAMOLAKE_OPEN_SHARDS) = "0": want a whole number of shards, 1 or more`,
		`--window (DYNAMOLAKE_WINDOW) = "5m": want a duration from 15m0s to 24h0m0s`,
		`--workers (DYNAMOLAKE_WORKERS) = "0": want a whole number from 1 to 10000`,
		`--lake (DYNAMOLAKE_LAKE) = "/data": lake "/data": not an address`,
		`--output (DYNAMOLAKE_OUTPUT) = "xml": want one of text, json`,
		`--table (DYNAMOLAKE_TABLE) is required, or --offline`,
	} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("no %s in\n%s", want, errs.String())
		}
	}
}

func TestSizesOfTables(t *testing.T) {
	for text, want := range map[string]int64{"5TB": 5e12, "0.5 TB": 5e11, "60GB": 60e9, "1GiB": 1 << 30, "12": 12, "1e30TB": -1, "xTB": -1, "-1TB": -1} {
		got, err := parseTableSize(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestAdviseTakesPricesFromAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "--prices=" + file
	}
	flags := append([]string{"--size=100GB"}, exampleFlags...)
	code, out, errs := adviseOffline(t, append(flags, write("mine.yaml", "date: 2026-11-01\nregion: eu-west-1\nprices:\n  full_export_gb: 1\n"))...)
	for _, want := range []string{
		"30 exports x 100 GB x $1.00/GB", "Prices are of eu-west-1, 2026-11-01", "check them",
		"Not in your prices, and taken from the default ones: pitr_gb_month, incremental_export_gb",
	} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, %s, no %q in\n%s", code, errs, want, out)
		}
	}
	for _, c := range []struct{ name, flag, want string }{
		{"a file that is not there", "--prices=" + filepath.Join(dir, "none"), "reading --prices: "},
		{"a file that is no list", write("bad.json", `{"date":"2026-11-01","region":"x","prices":{"gold":1}}`), `there is no price "gold"`},
	} {
		if code, out, errs := adviseOffline(t, append(flags, c.flag)...); code != 1 || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit code %d, %s%s", c.name, code, errs, out)
		}
	}
}

// TestAdvisedCommandsAreUnderstood holds what is advised against the flags that the
// commands have.
func TestAdvisedCommandsAreUnderstood(t *testing.T) {
	known := map[string]command{}
	for _, c := range commands() {
		known[c.name] = c
	}
	for _, p := range advise.Patterns() {
		for _, lake := range []string{"s3://b/p", "file:///lake"} {
			for _, step := range advise.Steps(p, advise.Facts{Table: "orders"}, advise.Plan{Lake: lake, Window: 3.6e12, FullEvery: 3.6e12, Flush: 1.5e9}) {
				words := strings.Fields(step.Command)
				if words[0] != "dynamolake" {
					continue
				}
				c, ok := known[words[1]]
				if !ok {
					t.Logf("this program has no %s yet: %s", words[1], step.Command)
					continue
				}
				s := newSettings(c.name, c.summary)
				c.setup(s)
				if err := s.read(words[2:], nil); err != nil {
					t.Errorf("%s: %v", step.Command, err)
				}
			}
		}
	}
}
