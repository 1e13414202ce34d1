package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"dynamolake/checkpoint"
)

// Lineage tells which shards a stream has and which are whose children. It is
// the checkpoint package's view of DynamoDB Streams.
type Lineage struct {
	client   *dynamodbstreams.Client
	arn      string
	replaced atomic.Bool // the table has another stream, so this one may be gone
	part     Part        // that is to be seen of it
}

var _ checkpoint.Stream = (*Lineage)(nil)

// NewLineage reads the lineage of one stream.
func NewLineage(client *dynamodbstreams.Client, streamARN string) *Lineage {
	return &Lineage{client: client, arn: streamARN}
}

// DescribeStream is limited to ten calls a second and stream, for everyone who
// reads it; the fleet's lister takes half.
const describeSpacing = 200 * time.Millisecond

// Shards lists the whole stream, whatever its size, or fails; it never returns a
// part, and nothing only of a stream that was replaced and is gone. A shard that is somebody's parent counts as closed even where the page
// still shows it open.
func (l *Lineage) Shards(ctx context.Context) ([]checkpoint.Shard, error) {
	var shards []checkpoint.Shard
	parents := map[string]bool{}
	var from *string
	for {
		out, err := l.describe(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &l.arn, ExclusiveStartShardId: from})
		if classify(err) == upstreamGone && l.replaced.Load() {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing the shards of %s: %w", l.arn, err)
		}
		for _, s := range out.StreamDescription.Shards {
			shard := shardOf(s)
			if shard.Parent != "" {
				parents[shard.Parent] = true
			}
			shards = append(shards, shard)
		}
		from = out.StreamDescription.LastEvaluatedShardId
		if from == nil {
			break
		}
		if err := sleep(ctx, describeSpacing); err != nil {
			return nil, err
		}
	}
	for i := range shards {
		shards[i].Closed = shards[i].Closed || parents[shards[i].ID]
	}
	return l.part.Of(shards), nil
}

// Children asks for the children of a closed shard. There may be none: for a
// moment after the closing, or for good when the stream was turned off.
func (l *Lineage) Children(ctx context.Context, parent string) ([]checkpoint.Shard, error) {
	out, err := l.describe(ctx, &dynamodbstreams.DescribeStreamInput{
		StreamArn:   &l.arn,
		ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: &parent},
	})
	if err != nil {
		return nil, fmt.Errorf("asking for the children of shard %s: %w", parent, err)
	}
	var children []checkpoint.Shard
	for _, s := range out.StreamDescription.Shards {
		// Servers that do not know the filter answer with every shard.
		if aws.ToString(s.ParentShardId) == parent {
			children = append(children, shardOf(s))
		}
	}
	return l.part.Of(children), nil
}

// Exists tells whether the stream still knows the shard, listed or not.
func (l *Lineage) Exists(ctx context.Context, shard string) (bool, error) {
	_, err := l.client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &l.arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	var gone *types.ResourceNotFoundException
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &gone) || errors.As(err, &trimmed) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for shard %s: %w", shard, err)
	}
	return true, nil
}

// Disabled tells whether the stream was turned off, so that its open shards have
// ended without children.
func (l *Lineage) Disabled(ctx context.Context) (bool, error) {
	out, err := l.describe(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &l.arn, Limit: aws.Int32(1)})
	if err != nil {
		return false, fmt.Errorf("describing %s: %w", l.arn, err)
	}
	s := out.StreamDescription.StreamStatus
	return s == types.StreamStatusDisabled || s == types.StreamStatusDisabling, nil
}

// describe waits out throttling, which is normal while several tools look at one
// stream.
func (l *Lineage) describe(ctx context.Context, in *dynamodbstreams.DescribeStreamInput) (*dynamodbstreams.DescribeStreamOutput, error) {
	for attempt := 1; ; attempt++ {
		out, err := l.client.DescribeStream(ctx, in)
		if err == nil || classify(err) != upstreamThrottled || attempt == 10 {
			return out, err
		}
		if err := sleep(ctx, jitter(pace{max: 5 * time.Second}.backoff(attempt))); err != nil {
			return nil, err
		}
	}
}

func shardOf(s types.Shard) checkpoint.Shard {
	shard := checkpoint.Shard{ID: aws.ToString(s.ShardId), Parent: aws.ToString(s.ParentShardId)}
	shard.Closed = s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber != nil
	return shard
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
