package adapter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// missingFor is how long a shard that no listing shows any more is still listed.
// DescribeStream is eventually consistent, and the Worker deletes the lease row,
// checkpoint included, of a shard that one listing leaves out.
const missingFor = 10 * time.Minute

// closedEnd is given as the end of a shard that the stream still reports as open
// although it already has a child.
const closedEnd = "9223372036854775807"

// hashRange is the whole range: DynamoDB Streams has no hash ranges.
var hashRange = types.HashKeyRange{StartingHashKey: aws.String("0"), EndingHashKey: aws.String("1")}

type shard struct {
	id, parent string // parent is "" for none
	first, end string // sequence numbers; end is "" while the shard is open
	// young: born after this client's first listing, so LATEST must not skip its head.
	young bool
	seen  time.Time
}

// listing is the last known set of shards. Its lock is held over DescribeStream,
// so that many callers cause one listing.
type listing struct {
	mu     sync.Mutex
	taken  time.Time // zero: never
	shards map[string]shard
	// skipped holds the shards whose records were passed over on purpose: opened
	// at LATEST when already closed. Their children are not young either.
	skipped map[string]bool
}

// shards returns a listing no older than maxAge. The map must not be changed.
func (s *Streams) shards(ctx context.Context, maxAge time.Duration) (map[string]shard, error) {
	l := &s.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.taken.IsZero() && time.Since(l.taken) < maxAge {
		return l.shards, nil
	}
	found, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	l.shards = merge(l.shards, found, time.Now(), l.taken.IsZero())
	l.taken = time.Now()
	for id := range l.skipped {
		if _, ok := l.shards[id]; !ok {
			delete(l.skipped, id)
		}
	}
	return l.shards, nil
}

// describe pages through the whole stream: all shards or an error, never a part.
func (s *Streams) describe(ctx context.Context) ([]shard, error) {
	var found []shard
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		out, err := s.client.DescribeStream(ctx, in)
		if err != nil {
			return nil, translate(fmt.Sprintf("list the shards of %s", s.arn), err)
		}
		if out.StreamDescription == nil {
			return nil, fmt.Errorf("adapter: list the shards of %s: the answer has no StreamDescription", s.arn)
		}
		for _, d := range out.StreamDescription.Shards {
			sh := shard{id: aws.ToString(d.ShardId), parent: aws.ToString(d.ParentShardId)}
			if r := d.SequenceNumberRange; r != nil {
				sh.first, sh.end = aws.ToString(r.StartingSequenceNumber), aws.ToString(r.EndingSequenceNumber)
			}
			found = append(found, sh)
		}
		last := aws.ToString(out.StreamDescription.LastEvaluatedShardId)
		if last == "" {
			return found, nil
		}
		if last == aws.ToString(in.ExclusiveStartShardId) {
			return nil, fmt.Errorf("adapter: list the shards of %s: the page after %s ends where it began", s.arn, last)
		}
		in.ExclusiveStartShardId = &last
	}
}

// merge makes the new listing of the old one and what the stream shows now.
func merge(old map[string]shard, found []shard, now time.Time, initial bool) map[string]shard {
	next := make(map[string]shard, len(found))
	for _, sh := range found {
		before, known := old[sh.id]
		sh.seen = now
		sh.young = before.young || !known && !initial
		next[sh.id] = sh
	}
	for id, sh := range old {
		if _, ok := next[id]; !ok && now.Sub(sh.seen) < missingFor {
			next[id] = sh
		}
	}
	for _, sh := range next {
		if parent, ok := next[sh.parent]; ok && parent.end == "" {
			parent.end = closedEnd
			next[sh.parent] = parent
		}
	}
	return next
}

// ListShards answers with all shards of the stream in one page, oldest first.
func (s *Streams) ListShards(ctx context.Context, in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	if in.NextToken != nil || in.MaxResults != nil || in.ExclusiveStartShardId != nil || in.ShardFilter != nil {
		return nil, errors.New("adapter: list shards: NextToken, MaxResults, ExclusiveStartShardId and ShardFilter are not supported; " +
			"one answer holds all shards")
	}
	shards, err := s.shards(ctx, s.opts.ListEvery)
	if err != nil {
		return nil, err
	}
	hide := s.opts.HideParents || s.opts.Finished != nil
	out := &kinesis.ListShardsOutput{Shards: make([]types.Shard, 0, len(shards))}
	for _, sh := range shards {
		k := types.Shard{
			ShardId:             aws.String(sh.id),
			HashKeyRange:        &hashRange,
			SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String(sh.first)},
		}
		if sh.end != "" {
			k.SequenceNumberRange.EndingSequenceNumber = aws.String(sh.end)
		}
		if sh.parent != "" && !hide {
			k.ParentShardId = aws.String(sh.parent)
		}
		out.Shards = append(out.Shards, k)
	}
	// Shard ids begin with their time of birth, so this is birth order.
	slices.SortFunc(out.Shards, func(a, b types.Shard) int { return strings.Compare(*a.ShardId, *b.ShardId) })
	return out, nil
}
