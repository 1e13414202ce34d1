// Package writer makes ordered batches of changes durable, once.
//
// # The chain
//
// Each shard has a chain of objects. A worker resumes the shard after a cursor,
// the sequence number that its predecessor ended at, and its next object is
// named after that cursor:
//
//	changes/<dataset>/shard_day=<day>/<shard id>/after-<cursor>.parquet
//
// never after its own first record. It is written only if no object has that
// name. So all writers that stand at the same place, a zombie among them, want
// the same name, and the store lets one of them win. The loser reads the
// winner's end cursor and carries on after it: what it held up to there is
// already in the lake. Batch boundaries, filters and trims may differ between
// owners; the name does not depend on them.
//
//   - Refused (412): first compare content, because the SDK resends and a landed
//     PUT can be refused to its own writer. Not ours: adopt the winner's end.
//   - 409 ConditionalRequestConflict: retry, nobody has won yet.
//   - No reply: ask what is there before anything else.
//   - A batch without rows still makes an object: the chain must advance before
//     the checkpoint may pass it.
//   - The last object of a shard says so (shard-end), and nothing may follow it.
//
// The lease's checkpoint only ever follows a durable object. It is a hint that
// saves reading; the chain is the truth.
//
// # Memory
//
// One [Budget] bounds the process. A page is paid for before it is read and
// given back when its last row is durable.
package writer
