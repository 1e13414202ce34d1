package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mayImport says which packages of ours each package may import outside its
// tests. Dependencies run one way: cmd -> {consumer, bootstrap} ->
// {checkpoint, writer} -> transform. What is in internal is for tests, except
// what demo and advise run on.
var mayImport = map[string][]string{
	"cmd/dynamolake": {
		"consumer", "consumer/adapter", "bootstrap", "checkpoint", "checkpoint/ledger", "writer", "writer/dataset", "transform", "transform/schema", "transform/rule",
		"internal/advise", "internal/awssim", "internal/fleet", "internal/lakecheck", "internal/page", "internal/scene", "internal/tables", "internal/verify",
	},
	"consumer":          {"consumer/adapter", "checkpoint", "checkpoint/ledger", "writer", "writer/dataset", "transform", "transform/schema"},
	"consumer/adapter":  {}, // anyone with the KCL library can use it
	"bootstrap":         {"bootstrap/ion", "internal/attribute", "checkpoint", "checkpoint/ledger", "writer", "writer/dataset", "transform", "transform/schema"},
	"bootstrap/ion":     {}, // anyone with an export as ION can use it
	"checkpoint":        {},
	"checkpoint/ledger": {}, // pure, and one document
	"writer":            {"transform", "transform/schema"},
	"writer/dataset":    {"writer", "transform", "transform/schema", "transform/rule"},
	"transform":         {},
	"transform/schema":  {"transform"},
	"transform/rule":    {"transform", "transform/schema"},

	"deploy": {}, // tests of files

	"internal/advise":          {}, // pure
	"internal/attribute":       {"transform"},
	"internal/awssim":          {},
	"internal/awssim/scenario": {}, // runs against the simulator and against real servers
	"internal/bubble":          {}, // of tests
	"internal/emulators":       {},
	"internal/fleet":           {"consumer", "checkpoint", "checkpoint/ledger", "writer"},
	"internal/house":           {},
	"internal/lakecheck":       {"writer", "transform"},
	"internal/tables":          {},                   // pure
	"internal/typeditems":      {"transform/schema"}, // of tests
	"internal/page":            {"internal/fleet", "consumer", "checkpoint/ledger"},
	"internal/verify":          {"internal/attribute", "checkpoint", "checkpoint/ledger", "writer", "writer/dataset", "transform", "transform/schema", "transform/rule"},
	"internal/scene":           {"consumer", "bootstrap", "checkpoint", "checkpoint/ledger", "writer", "writer/dataset", "transform", "transform/schema", "internal/awssim", "internal/lakecheck"},
}

// confined are third-party modules and the files or packages they stay in, so
// that each can be replaced there. "_test.go" stands for tests anywhere.
var confined = []struct {
	module string
	in     []string
	why    string
}{
	{"github.com/vmware/vmware-go-kcl-v2", []string{"consumer", "checkpoint/kcl.go", "checkpoint/*_test.go", "consumer/adapter/*_test.go"}, "the Worker is a driver that can be replaced; policy does not know it"},
	{"github.com/parquet-go/parquet-go", []string{"writer"}, "Parquet is written in one place"},
	{"github.com/amazon-ion/ion-go", []string{"bootstrap/ion"}, "ION becomes DynamoDB JSON at the door"},
	{"github.com/apache/arrow-go", []string{"internal/lakecheck", "internal/bubble", "_test.go"}, "Arrow reads what parquet-go wrote, as a check"},
	{"github.com/duckdb/duckdb-go", []string{"_test.go"}, "cgo; a reader for tests"},
	{"github.com/xitongsys", []string{"_test.go"}, "unmaintained; a reader for tests"},
	{"github.com/johannesboyne/gofakes3", []string{"_test.go"}, "a fake, beside the simulator's own S3"},
	{"github.com/google/go-cmp", []string{"_test.go", "internal/awssim/scenario"}, "it panics on purpose"},
	{"github.com/spf13/pflag", []string{"cmd/dynamolake"}, "flags belong to the command"},
	{"cel.dev/cel-go", []string{"transform/rule"}, "expressions are compiled and bounded in one place"},
	{"go.yaml.in/yaml/v3", []string{"transform/schema", "internal/advise", "internal/tables", "deploy"}, "a schema file has one reader, and so have a price file and a list of tables"},
	{"github.com/aws/aws-sdk-go-v2/service/kinesis", []string{"consumer", "consumer/adapter"}, "the Kinesis API is the adapter's pretence"},
}

func TestPackagesImportOneWay(t *testing.T) {
	for _, f := range sourceFiles(t) {
		for _, fault := range importFaults(f) {
			t.Error(fault)
		}
	}
}

// importFaults says which imports of a file break a rule above.
func importFaults(f sourceFile) []string {
	allowed, known := mayImport[f.Package]
	if !known {
		return []string{fmt.Sprintf("%s: package %s has no line in mayImport: say there what it may import", f.Path, f.Package)}
	}
	var faults []string
	for _, imported := range f.Imports {
		ours, ok := strings.CutPrefix(imported, module+"/")
		if !ok || ours == f.Package || f.Test && !neverMeet(f.Package, ours) {
			continue
		}
		if !slices.Contains(allowed, ours) {
			faults = append(faults, fmt.Sprintf("%s imports %s: %s may import only %q", f.Path, ours, f.Package, allowed))
		}
	}
	for _, rule := range confined {
		if slices.ContainsFunc(f.Imports, func(path string) bool { return within(path, rule.module) }) &&
			!slices.ContainsFunc(rule.in, func(place string) bool { return stands(f, place) }) {
			faults = append(faults, fmt.Sprintf("%s imports %s, which stays in %q: %s", f.Path, rule.module, rule.in, rule.why))
		}
	}
	return faults
}

// neverMeet tells of the pair that do not import each other even in tests: they
// share transform and writer, nothing else.
func neverMeet(one, other string) bool {
	return within(one, "consumer") && within(other, "bootstrap") || within(one, "bootstrap") && within(other, "consumer")
}

func TestImportFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  sourceFile
		fault string // part of it; empty for none
	}{
		{"a stage may import the one below", sourceFile{Path: "writer/a.go", Package: "writer", Imports: []string{"dynamolake/transform"}}, ""},
		{"a stage may not import the one above", sourceFile{Path: "transform/a.go", Package: "transform", Imports: []string{"dynamolake/writer"}}, "transform/a.go imports writer"},
		{"checkpoint imports nothing of ours", sourceFile{Path: "checkpoint/a.go", Package: "checkpoint", Imports: []string{"dynamolake/transform"}}, "checkpoint may import only []"},
		{"the consumer does not know the bootstrap", sourceFile{Path: "consumer/a.go", Package: "consumer", Imports: []string{"dynamolake/bootstrap"}}, "imports bootstrap"},
		{"nor do its tests", sourceFile{Path: "consumer/a_test.go", Package: "consumer", Test: true, Imports: []string{"dynamolake/bootstrap"}}, "imports bootstrap"},
		{"the simulator is for tests", sourceFile{Path: "consumer/a.go", Package: "consumer", Imports: []string{"dynamolake/internal/awssim"}}, "imports internal/awssim"},
		{"and tests may use it", sourceFile{Path: "consumer/a_test.go", Package: "consumer", Test: true, Imports: []string{"dynamolake/internal/awssim"}}, ""},
		{"the command does not start emulators", sourceFile{Path: "cmd/dynamolake/a.go", Package: "cmd/dynamolake", Imports: []string{"dynamolake/internal/emulators"}}, "imports internal/emulators"},
		{"the KCL library stays in its border file", sourceFile{Path: "checkpoint/kcl.go", Package: "checkpoint", Imports: []string{"github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"}}, ""},
		{"and out of the rules", sourceFile{Path: "checkpoint/rules.go", Package: "checkpoint", Imports: []string{"github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"}}, "which stays in"},
		{"the adapter has it in tests only", sourceFile{Path: "consumer/adapter/client.go", Package: "consumer/adapter", Imports: []string{"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"}}, "which stays in"},
		{"such as its example", sourceFile{Path: "consumer/adapter/example_test.go", Package: "consumer/adapter", Test: true, Imports: []string{"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"}}, ""},
		{"Parquet is written by the writer", sourceFile{Path: "consumer/a.go", Package: "consumer", Imports: []string{"github.com/parquet-go/parquet-go"}}, "written in one place"},
		{"and read by another library", sourceFile{Path: "internal/lakecheck/a_test.go", Package: "internal/lakecheck", Test: true, Imports: []string{"github.com/parquet-go/parquet-go"}}, "written in one place"},
		{"DuckDB is for tests", sourceFile{Path: "writer/a.go", Package: "writer", Imports: []string{"github.com/duckdb/duckdb-go/v2"}}, "a reader for tests"},
		{"a new package says what it may import", sourceFile{Path: "ledger/a.go", Package: "ledger"}, "no line in mayImport"},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := strings.Join(importFaults(c.file), "\n")
			if (c.fault == "") != (faults == "") || !strings.Contains(faults, c.fault) {
				t.Errorf("faults %q, want %q", faults, c.fault)
			}
		})
	}
}

// TestTheBinaryHasNoTestReader looks at what is linked, by whatever way.
func TestTheBinaryHasNoTestReader(t *testing.T) {
	for _, p := range goList(t, "-deps", "./cmd/dynamolake") {
		for _, banned := range []string{"github.com/duckdb", "github.com/xitongsys", "github.com/google/go-cmp", module + "/internal/emulators"} {
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
