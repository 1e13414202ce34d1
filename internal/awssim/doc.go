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
//	command, journal                     what tests do and see behind the API's back
//	s3, s3_*                             buckets
//
// Folder scenario holds what must hold of any DynamoDB and any S3, with the answers
// of the real servers. It runs here in virtual time, and there on those servers.
//
// # What it does not do
//
// Legacy parameters (Expected, AttributeUpdates, ScanFilter, ...), PartiQL, exports
// and other operations are refused rather than guessed. Reads are always
// consistent. Nothing is throttled by itself, there are no permissions and batches
// are never partial: that is what interceptors are for. Buckets have no versions.
package awssim
