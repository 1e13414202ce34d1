// Package house keeps the house in order with tests, and holds no code.
//
// imports_test.go says who may import whom, layout_test.go how long a file may be
// and how no package is called, docs_test.go that links and flags in the
// documents exist, format_test.go that docs/format.md describes the files that
// the writer makes, running_test.go that documents describe what a running
// worker leaves: objects, rows and metrics. image_test.go says that the Dockerfile
// copies what the binary is built from, policy_test.go that the IAM policy
// allows the calls the code makes and no others. Each failure names the file and
// the rule.
package house
