// Package awssim is a small deterministic AWS in one process, under the real SDK
// clients: DynamoDB with expressions and streams, S3, and the one call of STS
// that names the account.
//
// A [Cloud] has no goroutines, no network and no clock of its own. A request is
// applied by the goroutine that sends it, under one lock, and what time brings
// about (rolls, trims, expired iterators) is worked out from [time.Now] when
// somebody looks. So a cloud lives as happily in a testing/synctest bubble as
// behind net/http, and a day passes in a test at the cost of a sleep.
//
// The way of a request:
//
//	SDK -> Cloud.Client or Cloud.ServeHTTP -> parse -> interceptors -> delay
//	    -> refuse, or apply (twice, if told to) -> After -> delay -> reply, or none
//
// Interceptors see every HTTP attempt, so also the SDK's own retries, and run
// without the lock: they may use any command of the cloud.
//
// # Time and order
//
// Sequence numbers come from one counter for the whole cloud, with gaps, and
// grow in the order of the writes: they order the records of one item even across
// a roll or a split. They grow from 21 to 22 digits early in a run, so
// that code which compares them as text is found out. ApproximateCreationDateTime
// is cut to the second, as in AWS; trims use the exact time.
//
// # Exports
//
// Each partition of a table has a clock, off by as much as Config.ClockSkew allows,
// which stamps the writes of its items: WriteTimestampMicros, in [Record] as well. While
// point-in-time recovery is on, the stamped changes are kept, and an export is
// worked out from them when it is due: a full one as of all stamps before its
// time, an incremental one from the stamps in its window. So a full export
// and the windows that follow it add up to the table, item by item, while they agree
// with the caller's clock and the stream's only as far as the skew allows.
//
// An export runs on no goroutine. Each call first ends those that are due, and from
// then on their objects are in the bucket, whoever asks. Content is as of the
// export's time, also if recovery is turned off or the table deleted meanwhile. A
// write in the very instant of an export without a time is not in it: let a moment
// pass. A token leads to its export for 8 h even if that has failed.
//
// A filtered export has the items that its expressions take, as they stood at its time; an
// incremental one judges a change by its new image, and a deletion by the old one. It has lines
// without keys where the projection leaves them out.
//
// What AWS leaves open is decided so: an omitted ExportToTime is now; window times
// are cut to the second; the 8 h of a token begin with its first request; a full
// export bills whole mebibytes and describes no type; FailExport leaves _started and
// half of the data behind; the error for a window of over 24 h has words of our own.
// A filter without an expression is refused, and only Config.ManifestFilter puts one into a manifest.
// Not as in AWS: all objects of an export but _started appear in one moment, every
// export takes as long as any other, a write that changes nothing has no stamp,
// and KMS keys are taken without a look.
//
// # Determinism
//
// Same seed and same calls in the same order give the same answers, ids and
// sequence numbers included. Choices that must not depend on the order in
// which goroutines arrive (roll times, empty pages) are hashes of the seed and the
// shard, not draws from a shared generator.
//
// # Files
//
//	cloud, client, call, fault, counts   the cloud, how requests get in, what may go wrong
//	json, body, error                    the wire, in and out
//	number, value, item                  attribute values, exact
//	lex, path, expression, condition,
//	update, reserved.txt                 the expression languages
//	table, stream, iterator              items and records as they are kept
//	dispatch, op_*                       one file per group of API calls
//	pitr, export, export_*               the changes that recovery keeps, and exports of them
//	command, journal                     what tests do and see behind the API's back
//	s3, s3_*                             buckets
//
// Folder scenario holds what must hold of any DynamoDB and any S3, with the answers
// of the real servers. It runs here in virtual time, and there on those servers.
//
// # What it does not do
//
// Legacy parameters (Expected, AttributeUpdates, ScanFilter, ...), PartiQL, backups,
// restores and other operations are refused rather than guessed. Reads are always
// consistent. Nothing is throttled by itself, there are no permissions and batches
// are never partial: that is what interceptors are for. Buckets have no versions.
package awssim
