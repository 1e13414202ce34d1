// Package writer makes changes durable, once: ordered batches of a stream as the
// links of a chain, lines of exports as files that grow. It also keeps the few
// documents that change, and reads rows back.
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
// # Attribute columns
//
// A [Schema] with a plan of package schema gives rows typed columns. Each file writer has a
// [schema.Run]: the images of some rows are taken apart into it, and its cells are
// written column by column, levels and all, without an item in between; _rest is what the
// run leaves. The footer tells of the columns, so that a [RowFile] rebuilds items by itself.
// A [Rule] has its say on each row between the two.
//
// # Files of exports
//
// The rows of an export have the columns of a stream's, laid out and encoded by the
// same code, so one table holds both. What an export cannot tell is null: _seq,
// _shard and _event_id. An [ExportFile] is written while its rows come, a
// row group at a time, usually into an [Upload], so the size of a file is nobody's
// concern.
//
// The files are named after the export and its data files, which do not change: a
// conversion that is repeated, or done by two, finds the names taken. It is
// no chain; which exports are complete stands in the ledger.
//
// An Upload has its own attempt, like a link, and is settled like one: refused or
// unanswered, it looks whose object has the name.
//
// # Documents
//
// [Documents] are the only objects that are ever replaced: each change says which
// version it replaces, and the store refuses it when there is another (If-Match on
// S3, a lock and a rename in a folder). A refusal is certain, any other error is not:
// whoever gets one loads the document and looks. [Probe] finds out at the start
// whether a store refuses at all.
//
// # Memory
//
// One [Budget] bounds the process. A page is paid for before it is read and
// given back when its last row is durable. An [ExportFile] holds a row group,
// compressed (32 MiB of DynamoDB JSON before), an [Upload] two parts of 8 MiB, a
// [RowFile] a page of each column that is asked for.
package writer
