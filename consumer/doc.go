// Package consumer is one member of the fleet that reads a table's stream.
//
// The KCL library's Worker drives it: one goroutine per shard, started and
// stopped by the library. All policy sits in the library's two extension points.
// The Kinesis client it is given (package adapter) answers from [source], and
// the checkpointer it is given (package checkpoint) answers from the leases that
// this worker holds. What the Worker does with them:
//
//	ListShards        the shards granted to this worker; long-polled
//	GetShardIterator  opens the shard's [session]
//	GetRecords        session.read: fetch pages, decode, add to the batch
//	ProcessRecords    session.write: cut what is due, PUT, checkpoint
//	Shutdown          TERMINATE: children's leases, then SHARD_END
//	RemoveLeaseOwner  session.close: write what is held, give the lease back
//
// Records never pass through the library: it sees empty pages and keeps the
// beat. It allows five calls a second and shard, so read takes at least
// callSpacing and fetches as many pages in that time as the shard has.
//
// # Who owns what
//
// A session belongs to the library's goroutine of its shard and to nobody else.
// It owns no goroutine, timer, file or connection, because the library drops a
// processor without a word when a lease is lost; the one call it always makes is
// RemoveLeaseOwner, and there the session gives its memory back.
//
// # What must hold
//
// Never checkpoint past what is durable; never write without a live lease; a
// replay lands on the same names; never write under an epoch that the lease row does not
// have. The first is [session.commit]'s order, the second the lease's Check before every
// PUT, the third the chain's (package writer), the fourth [session.keepUp] before that.
//
// # Datasets
//
// A table's schema may split it into datasets (package dataset). A session has a chain for each, under one lease,
// one position in the stream and one batch: a slice is written to one chain after the other, each with
// the files and rows that its dataset takes of it. Where a write fails, or another writer was faster in
// one of them, the chains stand at different positions. Then each gets the part of the next slice that it lacks,
// and the checkpoint waits until all have a boundary at the same place: a new owner walks all
// chains from there. What a dataset refuses is in rejects/ before its file can be.
//
// # Epochs
//
// All rows of the stream carry the epoch of the ledger (package ledger). A worker has one
// [view] of it, read every few seconds, and a session adopts what that says: after its
// first page, which proves that its position is not lost, and whenever it changes. A
// loss raises the epoch; the shards that lose something together join one gap.
//
// # Gaps
//
// A position that the stream no longer has is a gap: recorded in the lake
// (_ledger/gaps), counted, and by default the shard halts there, owned and
// visible, until someone decides (GapStop). GapContinue opens a gap in the ledger, goes
// on at the trim horizon under the epoch behind it, and the next object of the chain says
// what it follows. Until a record moves the checkpoint, each owner meets the same loss
// again; its record tells that it is known.
//
// A file of a writer that had lost its lease may come late, under an older epoch. It is
// found where it stands in the way, or by the walk along the chain at the next start, and
// told to the ledger before the checkpoint passes it.
//
// # Streams
//
// A table has one stream at a time, but the one that was turned off can still be read for a
// day. [Run] reads the stream that the ledger has to its end, shards that are gone
// included, and then begins the table's newest, under the same lease table and another
// label. What changed between the two is a gap. Nobody else's doing is waited for: a worker that
// hears late of the new stream does not see its lease rows, and cannot record anything.
package consumer
