// Package bootstrap will bring whole tables and lost windows into the lake from
// DynamoDB's own exports: full and incremental. It is empty so far.
//
// A plan, pure, says which export is next: a full one to seed the lake, windows
// of 15 minutes to 24 hours without gaps between them, or the one window that a
// consumer lost. The rest starts exports, reads manifests, and converts data
// files. Rows take the same path as those of the stream, through transform and
// writer. This package and consumer never import each other; what they have to
// agree on stands in the ledger.
package bootstrap
