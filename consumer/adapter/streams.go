package adapter

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Options tune [New] and [NewStreams]. The zero value is ready for use.
type Options struct {
	// Finished tells whether the application is done with a shard: its checkpoint
	// is SHARD_END. With it, no record of a shard is handed out before all shards
	// that it descends from are finished, in the whole fleet and over restarts,
	// and HideParents is implied. It is asked about a waiting shard's parent, at
	// each poll, from many goroutines. See the package example.
	Finished func(ctx context.Context, shardID string) (bool, error)

	// HideParents lists all shards without their parents, for applications whose
	// Checkpointer looks after lineage. The library's own wait is best avoided: it
	// starts a child at once when the parent has no checkpoint yet, does not renew
	// the lease while it waits, and does not hear Worker.Shutdown.
	HideParents bool

	// OnGap is told when records that nobody has read are gone for good, and
	// decides what to do: Stop fails the call with a *GapError, Continue goes on
	// behind the gap. Without OnGap it is Stop. It may be called from many
	// goroutines, and again for the same gap when the Worker tries again.
	OnGap func(Gap) GapAction

	// Pace is the least time that GetRecords takes. Zero means 205 ms, which keeps
	// the library's limiter (5 calls in a second, then a sleep) from stepping in,
	// and is as fast as DynamoDB Streams lets one shard be read. Negative: none.
	Pace time.Duration

	// ListEvery is how long a listing of the shards is reused. Zero means 5 s.
	// DescribeStream is limited to 10 calls a second for all readers of a stream,
	// at 100 shards a call.
	ListEvery time.Duration
}

const (
	defaultPace      = 205 * time.Millisecond
	defaultListEvery = 5 * time.Second
)

// New returns a Kinesis client that reads the stream with the given ARN, for
// Worker.WithKinesis. The StreamName of the KCL configuration is a mere label.
func New(streams *dynamodbstreams.Client, streamARN string, opts Options) *kinesis.Client {
	return Client(NewStreams(streams, streamARN, opts))
}

// Streams is the [Source] that reads DynamoDB Streams. It keeps the last listing
// and nothing about any reader: where a reader stands is in its iterator. It owns
// no goroutine, and needs no closing.
type Streams struct {
	client  *dynamodbstreams.Client
	arn     string
	opts    Options
	listing listing
}

// NewStreams returns a Source for the stream with the given ARN.
func NewStreams(streams *dynamodbstreams.Client, streamARN string, opts Options) *Streams {
	if opts.Pace == 0 {
		opts.Pace = defaultPace
	}
	if opts.ListEvery == 0 {
		opts.ListEvery = defaultListEvery
	}
	if opts.OnGap == nil {
		opts.OnGap = func(Gap) GapAction { return Stop }
	}
	return &Streams{client: streams, arn: streamARN, opts: opts}
}
