// Package checkpoint decides who reads which shard, and remembers how far.
//
// # Leases
//
// A lease is one row of the lease table: a shard, its owner, a counter and a
// checkpoint. Rows are those of the Java Kinesis Client Library 3 (leaseKey,
// leaseOwner, leaseCounter, checkpoint, ...), so that its tools read ours and we
// can take over its table. Every write is conditional on the counter that was
// read, and raises it; the counter at acquisition is the lease's fencing token.
//
// # Who is alive
//
// A worker's row in <app>-WorkerMetricStats carries a beat that the worker raises
// every Heartbeat. Others watch the beat on their own monotonic clock: unchanged
// for Duration means dead. No wall clock of one machine is ever compared with
// that of another. A lease is live while its owner's beat moves or its own
// counter moves (Java workers have no beat; they renew each row).
//
// The trust window of the owner starts before its request leaves:
//
//	deadline = monotonic time before the last successful beat + Duration - Margin
//
// Observers start counting when they have seen the beat change, which is later, and
// believe in a death only when a question that left after Duration is still
// answered with the old beat. So the owner stops before anyone else may start,
// whatever the network does. At the deadline every lease of the worker is lost,
// and nothing may be written. That is for good: a beat that comes through later
// begins a new window, in which the leases must be taken anew. A worker that comes
// back from a long freeze finds its deadline passed.
//
// A process that starts under a worker id writes its own run into the worker's row.
// Another process of that id stops at its next beat, and the rows it had are left
// alone until its window has passed.
//
// What a dead worker may still have on the wire is not ours to stop, nor is a machine
// whose monotonic clock stands still while it is suspended: the counter refuses
// its checkpoints, and the chain (package writer) makes its files harmless.
//
// Rows are renewed too, every Renew, each renewal fused with the checkpoint when
// there is one: for Java readers, and because a failed condition is how an owner
// learns of a lease that was taken by hand.
//
// # Who gets what
//
// There is no leader in the assignment. [Plan] is a pure function of what a worker
// sees (rows, live workers): it spreads the active leases to within one of
// even, moves as few as possible, and names for every free lease who takes
// it and for every surplus lease whom its owner hands it to. Each worker runs the
// same function and does its own part. Views that differ meet at the conditional
// write, the loser reads again. A worker acts only on who lives if it has just read
// the worker table; it reads the lease table when that has changed, when it was
// knocked on, and every half minute. A new worker waits for two heartbeats before
// it takes anything, so that a fleet that starts together divides at once.
//
// A hand-over is graceful: the owner stops reading, writes what it holds,
// checkpoints, and then assigns the row to the next owner and knocks on its
// worker row. SIGTERM is a hand-over of everything.
//
// # Lineage
//
// A child may be read when each parent's row says SHARD_END. The owner of
// the parent creates the children's rows, already its own, before it writes
// SHARD_END; a crash in between is harmless, the reverse order could lose
// the child. A parent that has no row blocks its child until it is known to be
// gone (parentGone), because one listing may miss a shard that exists. A shard that
// was begun, or that LATEST begins at, waits for no parent; and what has such
// a descendant needs no row.
//
// # Epochs
//
// A row also says under which epoch of the ledger files of its shard are written, and how far rows of
// older epochs reach ([Lease.Adopt]). It says so first, so that whoever reads the rows
// knows what may still come ([Adopted]).
//
// # Streams
//
// When a table's stream is turned off and on, both have their rows in one lease table, marked with
// their stream's label. A keeper sees those of its own only; it removes those of an
// earlier stream, and leaves those of a later one to who knows of it.
//
// # Several tables
//
// A lease table may serve several tables: their keys begin with the stream, as the Java library writes
// them ([Scope]). A keeper is for one table and leaves the rows of others alone. Those of one process share
// its worker row, its beat, and readings of both tables ([Process]); each counts its own trust window,
// from beats that told of its table. The row lists the tables that are served: a table is taken
// out of it when none of its leases can be written any more.
//
// # Listing
//
// The live worker with the smallest id lists the stream for the fleet: at start,
// and every ListEvery. It creates rows for what has none, and removes rows of
// shards that are finished and gone from the stream. Between
// listings, children come from CHILD_SHARDS at the end of their parent. Two listers at once
// cost calls, nothing else: every effect is a conditional write.
//
// # Rewinds
//
// An operator may move checkpoints back ([Rewind]). A session walks from its checkpoint along the files to
// their end, so a checkpoint may be any position from which the walk meets every file behind it, and none
// other: then nothing is written twice. The owner is removed and the counter raised, so
// a rewind and a worker that takes the lease exclude each other.
//
// # Files
//
//	rules.go     every decision, pure
//	row.go worker.go update.go table.go setup.go   the two tables, and all calls
//	scope.go process.go   several tables: whose a row is, and what keepers share
//	keeper.go    options, and the loops of Run: beat.go assign.go (with members.go)
//	             renew.go list.go; release.go and drain.go give leases up
//	lease.go     what a session holds; write.go is its one way into the row, adopt.go
//	             its epoch, end.go the end of a shard
//	grant.go kcl.go   sessions, as the KCL Worker starts and ends them
//	boundary.go rewind.go   where a checkpoint may go back to, pure; move.go writes that
package checkpoint
