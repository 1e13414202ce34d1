package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dynamolake/internal/bubble"
)

// demo runs the command in virtual time.
func demo(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	bubble.Run(t, func(t *testing.T) {
		code = run(t.Context(), append([]string{"demo"}, args...), nil, streams{out: &out, err: &err})
	})
	return code, out.String(), err.String()
}

// lastLine is the figures of a run, which must have the keys that were promised and
// no others.
func lastLine(t *testing.T, stdout string) map[string]float64 {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	last := lines[len(lines)-1]
	want := []string{"items", "changes", "lost", "doubled", "out_of_order", "files", "gaps_repaired", "compacted", "seconds"}
	var keys []string
	d := json.NewDecoder(strings.NewReader(last))
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if key, ok := token.(string); ok {
			keys = append(keys, key)
		}
	}
	if !slices.Equal(keys, want) {
		t.Fatalf("the last line has the keys %q, want %q:\n%s", keys, want, last)
	}
	var f map[string]float64
	if err := json.Unmarshal([]byte(last), &f); err != nil {
		t.Fatalf("the last line: %v:\n%s", err, last)
	}
	return f
}

func TestDemoProvesTheLake(t *testing.T) {
	for seed := range 2 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			if seed > 0 && testing.Short() {
				t.Skip("one is enough for the race detector")
			}
			code, out, log := demo(t, "--output", "json", "--seed", fmt.Sprint(seed))
			if code != 0 {
				t.Fatalf("exit code %d, want 0\n%s", code, log)
			}
			if strings.Count(out, "\n") != 1 {
				t.Errorf("stdout is for the line of figures alone:\n%s", out)
			}
			f := lastLine(t, out)
			if f["lost"]+f["doubled"]+f["out_of_order"] != 0 || f["items"] == 0 || f["changes"] < 1000 || f["files"] == 0 || f["gaps_repaired"] == 0 || f["compacted"] == 0 {
				t.Errorf("figures: %v", f)
			}
			if f["seconds"] > 30 {
				t.Errorf("it took %v s", f["seconds"])
			}
			for _, told := range []string{"splits", "KILLED", "FROZEN", "rolls", "THAWS", "LOST", "FULL EXPORT", "STOPPED", "a GAP", "WINDOW", "CLOSED"} {
				if !strings.Contains(log, told) {
					t.Errorf("it does not tell of %s:\n%s", told, log)
				}
			}
		})
	}
}

func TestDemoPrintsATable(t *testing.T) {
	if testing.Short() {
		t.Skip("a demo takes a minute under the race detector")
	}
	code, out, log := demo(t)
	if code != 0 || log != "" {
		t.Fatalf("exit code %d, want 0; stderr:\n%s", code, log)
	}
	_, result, found := strings.Cut(out, "\n\n")
	lines := strings.Split(result, "\n")
	if !found || len(lines) < 11 || lines[10] != "lake == table: every change once, in order, or in the window that repaired its loss; every item equal" {
		t.Fatalf("no verdict after the table:\n%s", out)
	}
	for _, row := range lines[:9] {
		if len(row) != len(lines[0]) {
			t.Errorf("%q does not line up with %q", row, lines[0])
		}
	}
	if strings.ContainsAny(out, "\r\x1b") {
		t.Error("control characters, and stdout is not a terminal")
	}
}

// TestDemoCatchesEachSabotage: a check that cannot fail is none.
func TestDemoCatchesEachSabotage(t *testing.T) {
	// What each is bound to do.
	figure := map[string]string{"checkpoint-early": "lost", "overwrite": "lost", "fork": "doubled", "window-too-short": "lost"}
	for _, sabotage := range sabotages() {
		t.Run(sabotage, func(t *testing.T) {
			if testing.Short() {
				t.Skip("a demo takes a minute under the race detector")
			}
			// A window that was too short may be made good by that of another gap, if a
			// shard happens to meet one later: then the lake is right, and another history is played.
			for seed := 1; ; seed++ {
				code, out, log := demo(t, "--output=json", "--break="+sabotage, "--seed", fmt.Sprint(seed))
				f := lastLine(t, out)
				if code == 0 && f["gaps_repaired"] > 1 && sabotage == "window-too-short" && seed < 5 {
					continue
				}
				if code != 1 {
					t.Errorf("exit code %d, want 1", code)
				}
				if f[figure[sabotage]] == 0 {
					t.Errorf("%s is 0 in %s%s", figure[sabotage], out, log)
				}
				if !strings.Contains(log, "the lake is NOT the table") {
					t.Errorf("stderr does not say so:\n%s", log)
				}
				return
			}
		})
	}
}

func TestProgressRedrawsInPlaceOnATerminal(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, terminal: true}
	s.progress("0.1s  ", 0.5, "half")
	s.progress("0.2s  ", 1.2, "all")
	s.line("done")
	want := clearLine + "0.1s  " + strings.Repeat("█", 12) + strings.Repeat("░", 12) + "  half" +
		clearLine + "0.2s  " + strings.Repeat("█", 24) + "  all" + clearLine + "done\n"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
	out.Reset()
	s = &screen{out: &out}
	s.progress("0.1s  ", 0.5, "half")
	if want := "0.1s   50 %  half\n"; out.String() != want {
		t.Errorf("elsewhere than on a terminal: got %q, want %q", out.String(), want)
	}
}
