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
// Observers start counting when they see the beat change, which is later. So the
// owner stops before anyone else may start, whatever the network does. At the
// deadline every lease of the worker is lost, and nothing may be written.
// A worker that comes back from a long freeze finds its deadline passed.
//
// What a dead worker may still have on the wire is not ours to stop: the chain
// (package writer) makes it harmless.
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
// write, the loser reads again.
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
// gone (parentGone), because one listing may miss a shard that exists.
//
// # Listing
//
// The live worker with the smallest id lists the stream for the fleet: at start,
// and every ListEvery. It creates rows for what has none, and removes rows of
// shards that are finished and gone from the stream. Between
// listings, children come from CHILD_SHARDS at the end of their parent. Two listers at once
// cost calls, nothing else: every effect is a conditional write.
package checkpoint
