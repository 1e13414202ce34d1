package house

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// shortens is what a test says that does less under -short.
const shortens = "testing." + "Short()"

// TestLongTestsAreFound: the Makefile runs those whole that cut themselves down for the race detector. It finds them by
// their text, so that must be in the test itself: what a helper cuts down would be run whole by nobody.
func TestLongTestsAreFound(t *testing.T) {
	var want []string
	for _, f := range sourceFiles(t) {
		name := ""
		for n, line := range strings.Split(read(t, f.Path), "\n") {
			if rest, ok := strings.CutPrefix(line, "func "); ok {
				name, _, _ = strings.Cut(rest, "(")
			}
			if !strings.Contains(line, shortens) {
				continue
			}
			if !f.Test || !strings.HasPrefix(name, "Test") {
				t.Errorf("%s:%d: %s outside of a test function: make test would not run it whole", f.Path, n+1, shortens)
			}
			want = append(want, name)
		}
	}
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-s", "long")
	cmd.Dir = root(t)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make long: %v\n%s", err, out)
	}
	slices.Sort(want)
	if got, want := strings.Fields(string(out)), slices.Compact(want); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("make test runs whole\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestBubblesAreOurs: only internal/bubble knows what a bubble must be kept from.
func TestBubblesAreOurs(t *testing.T) {
	call := "synctest." + "Test("
	for _, f := range sourceFiles(t) {
		if got, want := strings.Contains(read(t, f.Path), call), f.Path == "internal/bubble/bubble.go"; got != want {
			t.Errorf("%s: calls %s: %v, want %v; tests in virtual time begin with bubble.Run", f.Path, call, got, want)
		}
	}
}
