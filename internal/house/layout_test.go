package house

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// The most lines of a file. A table of cases may go on for longer than code.
const (
	longest     = 400
	longestTest = 600
)

// longFiles may be longer than that, for the reason given.
var longFiles = map[string]string{
	"checkpoint/rules.go": "every rule of the leases, none of it I/O, to be read together",
}

// shapeless names say nothing of what a package is for.
var shapeless = []string{
	"base", "common", "core", "helper", "helpers", "lib", "manager", "misc", "models", "pkg", "shared", "types", "util", "utils",
}

func TestFilesAreShortOrSayWhyNot(t *testing.T) {
	lines := map[string]int{}
	for _, f := range sourceFiles(t) {
		lines[f.Path] = strings.Count(read(t, f.Path), "\n")
		limit := longest
		if f.Test {
			limit = longestTest
		}
		if lines[f.Path] > limit && longFiles[f.Path] == "" {
			t.Errorf("%s has %d lines, over %d: split it by noun, or give the reason in longFiles", f.Path, lines[f.Path], limit)
		}
	}
	for file := range longFiles {
		if lines[file] <= longest {
			t.Errorf("longFiles names %s, which has %d lines: take it out", file, lines[file])
		}
	}
}

func TestPackagesAreNamedForWhatTheyDo(t *testing.T) {
	for _, p := range goList(t, "./...") {
		if slices.Contains(shapeless, p.Name) || slices.Contains(shapeless, path.Base(p.ImportPath)) {
			t.Errorf("package %s: the name %q says nothing; name what it does", p.ImportPath, p.Name)
		}
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("package %s has no package comment", p.ImportPath)
		}
	}
}
