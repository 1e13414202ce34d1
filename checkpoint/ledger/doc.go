// Package ledger says which time a table's lake covers, by which source, and
// what is missing.
//
// A lake is fed by three sources that know nothing of one another: full exports,
// incremental exports, and the stream. The ledger puts them on one timeline. It is one JSON
// document per table, changed only by conditional writes ([Store]), and every
// decision over it is a pure method of [Ledger]: which epoch a source gets, what
// is covered, what is missing, and which export repairs it.
//
// # Epochs
//
// An epoch is a stretch of one source, and a number that is written into each of
// its rows (_epoch). Of two rows of one key the one with the higher epoch is the
// newer; within an epoch of the stream _seq decides, within one of incremental
// exports _ts. A full export starts the state anew: nothing below its epoch
// counts for the state.
//
// Each epoch of the stream leaves the three numbers below it free, for what may
// have to be put there later:
//
//	epoch 1              (windows that repair what is below: nothing is)
//	epoch 2   full       the table at T
//	epoch 3   windows    [T, S), if the stream began after T
//	epoch 4   stream     from S on, read while the export of epoch 2 runs
//	epoch 5   windows    what epoch 4 lost
//	epoch 6   full       a new beginning, should epoch 5 be beyond repair
//	epoch 7   windows    between that and epoch 8
//	epoch 8   stream     goes on at once, behind what is lost
//
// Without a stream, exports are numbered as they come.
//
// # Why a gap ends an epoch for the whole table
//
// A window of an export holds all keys, those of shards that lost nothing
// too, each in the state of the window's end. So a row of the stream that is older than the
// window's end must be in an epoch below the window's, or in one above it that is complete
// from there on; and a row that is younger must be in one above. Hence:
//
//  1. Whoever meets a gap raises the stream's epoch for the whole table
//     ([Ledger.OpenGap]) and goes on reading. Gaps met by shards that have no row in
//     the new epoch yet join it.
//  2. Every shard adopts the new epoch (package checkpoint keeps the epoch and the time of the last
//     older row in the lease row), before it writes another file.
//  3. When all have, the window is known: from the oldest time that a shard
//     had not reached, to the latest of a) where the shards that lost something go on, b)
//     the last row of an older epoch ([Ledger.FixGap]).
//  4. Exports cover it, in the epoch between ([Ledger.Plan]).
//
// For a key with a row in the new epoch the last of these is its state. For any
// other, nothing changed after it was adopted; so the window's row is, and if
// there is none in the window either, what the lake had before.
//
// # The overlap
//
// The window begins a little before what is lost, because clocks differ. An item that was
// inserted there, after the window's beginning, and deleted in the window
// leaves nothing in the export, but an INSERT in the lake. Package bootstrap looks for such items and asks the
// table for them: that is the one question about a window that needs no clock.
//
// # Clocks
//
// Times are DynamoDB's wherever it tells one: a manifest's, a record's. Where the
// local clock must be used, [Timing.Skew] is allowed for. Windows are chained off the manifests' own times.
package ledger
