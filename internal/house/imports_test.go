package house

import (
	"slices"
	"strings"
	"testing"
)

// mayImport says which packages of ours each package may import outside its
// tests. Dependencies run one way: cmd -> {consumer, bootstrap} ->
// {checkpoint, writer} -> transform.
var mayImport = map[string][]string{
	"cmd/dynamolake": {
		"consumer", "consumer/adapter", "bootstrap", "checkpoint", "writer", "transform",
		"internal/awssim", "internal/lakecheck", // demo
	},
	"consumer":         {"consumer/adapter", "checkpoint", "writer", "transform"},
	"consumer/adapter": {}, // anyone with the KCL library can use it
	"bootstrap":        {"checkpoint", "writer", "transform"},
	"checkpoint":       {},
	"writer":           {"transform"},
	"transform":        {},

	"internal/awssim":          {},
	"internal/awssim/scenario": {}, // runs against the simulator and against real servers
	"internal/emulators":       {},
	"internal/house":           {},
	"internal/lakecheck":       {"writer", "transform"},
}

// forTests are packages that only tests, and what is listed, may import.
var forTests = map[string][]string{
	"internal/awssim":          {"cmd/dynamolake"},
	"internal/awssim/scenario": {},
	"internal/emulators":       {},
	"internal/lakecheck":       {"cmd/dynamolake"},
}

// confined are third-party modules and the files or packages they stay in, so
// that each can be replaced there. "_test.go" stands for tests anywhere.
var confined = []struct {
	module string
	in     []string
	why    string
}{
	{"github.com/vmware/vmware-go-kcl-v2", []string{"consumer", "checkpoint/kcl.go", "checkpoint/kcl_test.go", "consumer/adapter/*_test.go"}, "the Worker is a driver that can be replaced; policy does not know it"},
	{"github.com/parquet-go/parquet-go", []string{"writer"}, "Parquet is written in one place"},
	{"github.com/apache/arrow-go", []string{"internal/lakecheck", "_test.go"}, "Arrow reads what parquet-go wrote, as a check"},
	{"github.com/duckdb/duckdb-go", []string{"_test.go"}, "cgo; a reader for tests"},
	{"github.com/xitongsys", []string{"_test.go"}, "unmaintained; a reader for tests"},
	{"github.com/johannesboyne/gofakes3", []string{"internal/awssim", "_test.go"}, "a fake"},
	{"github.com/google/go-cmp", []string{"_test.go"}, "it panics on purpose"},
	{"github.com/spf13/pflag", []string{"cmd/dynamolake"}, "flags belong to the command"},
	{"github.com/aws/aws-sdk-go-v2/service/kinesis", []string{"consumer", "consumer/adapter"}, "the Kinesis API is the adapter's pretence"},
}

func TestPackagesImportOneWay(t *testing.T) {
	for _, f := range sourceFiles(t) {
		allowed, known := mayImport[f.Package]
		if !known {
			t.Errorf("%s: package %s has no line in mayImport: say there what it may import", f.Path, f.Package)
			continue
		}
		for _, imported := range f.Imports {
			ours, ok := strings.CutPrefix(imported, module+"/")
			if !ok || ours == f.Package || f.Test {
				continue
			}
			if !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s: %s may import only %q", f.Path, ours, f.Package, allowed)
			}
			if users, ok := forTests[ours]; ok && !slices.Contains(users, f.Package) {
				t.Errorf("%s imports %s, which is for tests", f.Path, ours)
			}
		}
	}
}

func TestTheConsumerAndTheBootstrapNeverMeet(t *testing.T) {
	for _, f := range sourceFiles(t) {
		for _, pair := range [][2]string{{"consumer", "bootstrap"}, {"bootstrap", "consumer"}} {
			if f.Package != pair[0] && !strings.HasPrefix(f.Package, pair[0]+"/") {
				continue
			}
			if slices.Contains(f.Imports, module+"/"+pair[1]) {
				t.Errorf("%s imports %s: they share transform and writer, nothing else", f.Path, pair[1])
			}
		}
	}
}

func TestThirdPartyModulesStayWhereTheyBelong(t *testing.T) {
	for _, f := range sourceFiles(t) {
		for _, rule := range confined {
			if slices.ContainsFunc(f.Imports, func(path string) bool { return within(path, rule.module) }) &&
				!slices.ContainsFunc(rule.in, func(place string) bool { return stands(f, place) }) {
				t.Errorf("%s imports %s, which stays in %q: %s", f.Path, rule.module, rule.in, rule.why)
			}
		}
	}
}

// TestTheBinaryHasNoTestReader looks at what is linked, by whatever way.
func TestTheBinaryHasNoTestReader(t *testing.T) {
	for _, p := range goList(t, "-deps", "./cmd/dynamolake") {
		for _, banned := range []string{"testing", "github.com/duckdb", "github.com/xitongsys", "github.com/google/go-cmp", module + "/internal/emulators"} {
			if within(p.ImportPath, banned) {
				t.Errorf("cmd/dynamolake links %s", p.ImportPath)
			}
		}
	}
}

// within tells whether an import path is the module's or one below it, whatever
// its major version.
func within(path, module string) bool {
	return path == module || strings.HasPrefix(path, module+"/")
}

// stands tells whether a file is at a place of confined.in.
func stands(f sourceFile, place string) bool {
	if folder, ok := strings.CutSuffix(place, "*_test.go"); ok {
		return f.Test && f.Package+"/" == folder
	}
	return f.Path == place || f.Package == place || place == "_test.go" && f.Test
}
