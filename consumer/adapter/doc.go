// Package adapter lets vmware-go-kcl-v2 read DynamoDB Streams: it makes a real
// *kinesis.Client that answers the Worker's calls from a stream of DynamoDB
// instead of from Kinesis. It needs the AWS SDK and nothing else, so it may be
// used without the rest of dynamolake:
//
//	kc := adapter.New(dynamodbstreams.NewFromConfig(cfg), streamARN, adapter.Options{Finished: finished})
//	w := worker.NewWorker(factory, kclConfig).WithCheckpointer(leases).WithKinesis(kc)
//
// The package example has the missing lines. The Worker's leases, checkpoints,
// record processors and shutdown work as with Kinesis.
//
// # How
//
// The Worker takes a concrete *kinesis.Client, so the seam lies inside it: a
// middleware at the very beginning of the Initialize step looks at the
// operation's input, asks a [Source], and never calls the rest of the stack.
// Nothing is validated, signed, sent or retried. [Client] does this for any Source;
// [New] does it for [Streams], which calls DynamoDB Streams with the SDK's own
// client, credentials and retries.
//
// # What a record is
//
// Data is the record's JSON, byte for byte as DynamoDB wrote it: event id, event
// name, keys and images in DynamoDB JSON. SequenceNumber is the stream's.
// PartitionKey is the item's key as JSON, the same for all changes of an item.
// ApproximateArrivalTimestamp is the change's time, which the service rounds down
// to a second. The Data of one page shares one array: whoever keeps a
// record beyond ProcessRecords should copy it.
//
// The library takes all records through the de-aggregation of the Kinesis Producer
// Library, which unpacks Data that begins with its magic number; JSON begins with
// a brace and passes through. It also counts Data against the Kinesis limit of
// 2 MB/s a shard and sleeps when that is used up, so a shard with large images is
// read more slowly than DynamoDB would serve it. An application that needs more
// implements Source itself and carries the data past the Worker.
//
// # Order
//
// DynamoDB closes each shard after some four hours and goes on in a child. The
// changes of an item are in order only for those who finish a shard before they
// begin its children. The library does wait for parents, but not when the parent
// has no checkpoint yet, as at each first start; and while it waits, it neither
// renews the lease nor hears Shutdown. [Options.Finished] replaces that wait: the
// children are leased and polled as usual, and get empty pages until the parent's
// checkpoint is SHARD_END. Without Finished there is no promise of order between
// a shard and its children.
//
// For that, a processor has to checkpoint nil at Shutdown with reason TERMINATE.
// And a waiting child holds a lease: MaxLeasesForWorker, summed over the workers,
// must exceed the number of shards that can wait.
//
// # Where reading starts
//
// LATEST is meant for what is in the stream when the client is made. The library
// asks for it at whatever time it comes to a shard, children included, which would
// lose the head of each child; shards born since the client's first listing
// therefore start at TRIM_HORIZON, and so do, with Finished, the children of what
// an earlier run or another worker has finished (so at the first start of several
// workers at LATEST, up to four hours of old changes may come along). Without
// Finished, a shard that was born while no worker was running loses its head
// at LATEST. An AT_TIMESTAMP that the application keeps has neither doubt.
//
// Checkpoints TRIM_HORIZON, LATEST and SHARD_END, as the Java library
// writes them, are understood.
//
// # What the service does, and what becomes of it
//
//	more than 100 shards           one listing holds all of them, or is an error
//	a shard missing in a listing   still listed for 10 minutes, as the Worker deletes
//	                               the lease rows of shards that are not listed
//	an open parent with a child    listed as closed
//	iterator expired (15 min)      replaced, after the last record delivered
//	empty page                     an empty page, 0 ms behind
//	Limit over 1,000               1,000 (the library's default is 10,000)
//	LimitExceeded, Throttling      ProvisionedThroughputExceededException, after the
//	                               SDK's own retries; the library tries again
//	TrimmedDataAccess              a [Gap]: fails unless [Options.OnGap] continues
//	shard not found                listed after all: as if throttled; else a Gap
//	stream not found               ResourceNotFoundException
//	no next iterator               the shard's end, also with records on that page
//
// A gap is data lost for good unless it is repaired from elsewhere. It is never
// passed over in silence, and a shard that left the stream unread is never
// reported as finished unless OnGap says so.
//
// # Raw bodies
//
// The SDK spends most of a reader's CPU on decoding pages into maps of
// interfaces: 45 ms and 345,000 allocations for 1,000 records with two images of
// 1.5 KB, against 0.3 ms and 273 for the body alone (two noisy cores;
// BenchmarkGetRecords). [CaptureRaw] takes the body instead, for any caller of
// GetRecords, and leaves signing, retries and errors to the SDK. It wraps the
// Protocol of the call's options. Swapping the Deserialize step's middleware costs
// the same to within the noise, but has to hand error responses back itself.
package adapter
