// Package lakecheck reads a lake back and proves it against a journal.
//
// It is the other side of package writer, on purpose written twice: the Parquet
// files are decoded with Apache Arrow's reader, the chain is walked from the
// names and the footers alone, and images are compared in their canonical form.
// [Read] takes in every object under changes/ and snapshot/, [Truth.Check] says what is wrong
// with them.
//
// # What a lake must satisfy
//
//   - Every change of the journal is in the files, once, whoever reads the files
//     with a plain glob: lost, doubled, unknown.
//   - Every object is explained by a walk along its shard's chain, from the
//     smallest cursor, each object's end being the next one's name, up to the
//     shard's end: orphans. A raw reader sees orphans too, so their rows count
//     towards doubled.
//   - The rows of a shard ascend along its chain, within what the object's name
//     and end promise; the rows of an item ascend over its shards, and no object
//     that holds a later row of an item was there before one that holds an
//     earlier row (a child read before its parent): out of order.
//   - Columns and _rest rebuild the image that the journal has: wrong content. What attribute columns hold is put together by
//     walking down from the row with each cell of each leaf (assemble.go), as the footer describes them.
//   - The rows, applied by (_epoch, _seq or _ts) per key from the newest full export
//     on, give the table: wrong items.
//
// In a table that a schema splits, all of this holds in each dataset: [Lake.Dataset] is the lake of one, and [Truth.In] its
// truth.
//
// # Exports
//
// A journal that has the clock of exports ([Record.Micros]) tells what each export must hold: a
// full one the table at its time, a window the last of each item that was changed in it.
// Where the ledger's epochs are given ([Timeline]), each row must be of one of them, windows
// must tile theirs, and a change without a row of the stream is lost only if the
// ledger claims it for the stream, or if no window and no full export covers it: else it is
// compacted, or seeded.
package lakecheck
