// Package emulators gives tests the real thing, as far as it runs on one machine:
// DynamoDB Local (Amazon's own, on the JVM) and versitygw (an S3 server over a
// POSIX folder), each a child process that the tests of a binary share.
//
//	func TestMain(m *testing.M) { emulators.Main(m) }
//
// A child never outlives its test binary, however that ends: the kernel kills it.
// Where the machine lacks what a part needs (Java 17 and Maven, root for a network
// namespace, a filesystem with user extended attributes, Linux) the test is
// skipped and says what is missing; with CI=true it fails.
//
// DynamoDB Local listens on all addresses and cannot be told otherwise, so it
// runs in a network namespace of its own, reached over a relay on 127.0.0.1. Its
// licence forbids passing it on: Maven fetches it into the user's cache folder,
// and it never enters the repository or an image. versitygw is built there too,
// from the version that tools/versitygw pins.
//
// # What DynamoDB Local 3.1.0 does otherwise than the service
//
//   - GetShardIterator with AT_TIMESTAMP, or with a sequence number that is no
//     number, answers 500 InternalFailure.
//   - DescribeStream ignores ShardFilter: CHILD_SHARDS lists every shard.
//   - A GetRecords page ends at 1,000 records and never at 1 MB.
//   - ApproximateCreationDateTime is truncated to the minute.
//   - A table has one shard, sealed after 4 hours, never split. Sequence numbers
//     are one small counter for all tables, padded to 21 digits.
//   - CreateTable, UpdateTable and DeleteTable take effect at once.
//   - Nothing is throttled, and PITR and exports are missing.
//
// versitygw never answers 409 ConditionalRequestConflict.
package emulators
