package consumer

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"dynamolake/checkpoint"
	"dynamolake/consumer/adapter"
	"dynamolake/transform"
)

// reader fetches the pages of one shard and knows where it stands. An iterator
// is only a way to get there: when it expires another is made from the position.
type reader struct {
	client   *dynamodbstreams.Client
	arn      string
	shard    string
	start    checkpoint.Checkpoint // where to begin while nothing was delivered
	last     transform.Seq         // last record delivered; zero before the first
	iterator string
}

const (
	pageRecords = 1000
	callTimeout = 15 * time.Second // one try; a hung connection must not hang a shard
)

// fetch reads one page and returns the raw body, in buf where it fits. The caller
// decodes it and tells the reader with advance.
func (r *reader) fetch(ctx context.Context, buf []byte) ([]byte, error) {
	if r.iterator == "" {
		if err := r.position(ctx); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	raw := adapter.Raw{Buf: buf[:0]}
	_, err := r.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
		ShardIterator: &r.iterator, Limit: aws.Int32(pageRecords),
	}, adapter.CaptureRaw(&raw))
	if classify(err) == upstreamExpired {
		r.iterator = ""
	}
	if err != nil {
		return nil, fmt.Errorf("reading shard %s: %w", r.shard, err)
	}
	return raw.Buf, nil
}

// advance notes what the page delivered.
func (r *reader) advance(p *transform.Page) {
	r.iterator = p.Next
	if !p.Last.IsZero() {
		r.last = p.Last
	}
}

// seek goes on after seq, which somebody else has made durable.
func (r *reader) seek(seq transform.Seq) {
	if r.last.Compare(seq) < 0 {
		r.last, r.iterator = seq, ""
	}
}

// rewind goes to the oldest record that the stream still has.
func (r *reader) rewind() {
	r.last, r.iterator = transform.Seq{}, ""
	r.start = checkpoint.Checkpoint{Sentinel: string(types.ShardIteratorTypeTrimHorizon)}
}

// blind tells whether the next position is the oldest record or a time: where the stream has
// moved past what was to be read, it does not say so.
func (r *reader) blind() bool { return r.iterator == "" && r.last.IsZero() }

func (r *reader) position(ctx context.Context) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &r.arn, ShardId: &r.shard}
	switch {
	case !r.last.IsZero():
		in.ShardIteratorType = types.ShardIteratorTypeAfterSequenceNumber
		in.SequenceNumber = aws.String(r.last.Digits())
	case !r.start.Start.IsZero():
		// LATEST and AT_TIMESTAMP: both were resolved to a time when the lease
		// was created, so that a restart before the first record loses nothing.
		// Records carry their time rounded down to the second.
		in.ShardIteratorType = types.ShardIteratorTypeAtTimestamp
		in.Timestamp = aws.Time(r.start.Start.Truncate(time.Second))
	default:
		in.ShardIteratorType = types.ShardIteratorTypeTrimHorizon
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := r.client.GetShardIterator(ctx, in)
	if err != nil {
		return fmt.Errorf("positioning in shard %s (%s): %w", r.shard, in.ShardIteratorType, err)
	}
	r.iterator = aws.ToString(out.ShardIterator)
	return nil
}
