// Package fleet says how a fleet is, from what it leaves in its tables and in the ledger.
// `dynamolake status` prints that, and each worker shows it as a page.
//
// [New] and [Report.Cover] are pure: rows, ledger and a time in, a [Report] out. [Watcher] reads
// both, and finds out who lives: it looks at the beats more than once, because a
// table looks the same whether its fleet lives or died a day ago, and the clock that
// a worker wrote there is not the reader's.
package fleet
