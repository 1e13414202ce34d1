// Package verify proves that a lake is whole, or says what keeps it from being
// proven. It writes nothing.
//
// # What is proven
//
// [Run] goes through four things. Each that does not hold is a [Doubt]; a lake
// without doubts is proven.
//
//  1. The timeline (timeline.go): the ledger has a full export, and from its time on
//     every epoch meets the next, without a gap.
//  2. The exports (exports.go): the records of converted exports tile the
//     epochs of the ledger, each file that a record names is there, and its footer says what
//     the record says.
//  3. The chains (chain.go, births.go, lineage.go): in each dataset the files of every shard follow one
//     another from end to end; each says in its footer what it says in its metadata; a child begins where
//     its parent ends; and no checkpoint is ahead of the files of any dataset.
//  4. The rest (place.go): no object is under changes/, snapshot/, rejects/ or
//     _ledger/ that none of the above explains.
//
// Each file must be of a version of the schema that is in the lake, and have its columns (catalog.go).
//
// With [DepthRows] each row is read as well: its order, its epoch, its shard, and
// whether it rebuilds an item. The rules are pure functions of what was read; the
// files that do I/O hold none.
//
// # Datasets
//
// Those of the newest version of the schema are looked at, or one of them. A dataset may be younger than a shard:
// its chain begins where the checkpoint stood, which is a boundary of all chains of the shard, or it has none there. That earlier files
// are missing shows in the others' footers: one that was written under a schema with both datasets was
// written when both had begun, for whoever takes such a schema begins the new chain first. A dataset that is in the schema no
// more may stop anywhere; what it has must still hang together.
//
// # The comparison
//
// The lake's state is folded (fold.go) and compared with the table as it is
// (table.go), or with a full export (export.go), in each dataset that is a state: what its filter takes, as its masks leave
// it (set.go). Per key it is the row of the highest epoch, and in it
// of the highest _seq or _ts, from the epoch of the newest full export on. What is remembered of
// a key are digests, less than 200 bytes. Where the keys do not fit into the memory
// allowed, they are split by a bit of their digest and the files are read again for the other
// half, as often as need be (compare.go).
//
// A table that is written to differs from what was folded a moment ago. So an item
// that differs is looked at again, in the table with a consistent read and in the lake's newest
// files, until it has settled or has had its chances (settle.go). An export's time
// cuts the stream only within what clocks may differ by; items that changed later than that
// are counted and not compared. An item whose last change a dataset refused is told as that (refused.go).
//
// # A lake that grows meanwhile
//
// Lease rows are read first, then the ledger, then the records, then the files. As a checkpoint
// and a record follow their files, none can be ahead of what is listed later. What
// still looks like an orphan or an unfinished parent is looked at once more,
// when all else has been.
package verify
