package adapter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	atHorizon   = streamtypes.ShardIteratorTypeTrimHorizon
	atLatest    = streamtypes.ShardIteratorTypeLatest
	atTimestamp = streamtypes.ShardIteratorTypeAtTimestamp
)

// GetShardIterator returns an iterator that never expires.
func (s *Streams) GetShardIterator(ctx context.Context, in *kinesis.GetShardIteratorInput) (*kinesis.GetShardIteratorOutput, error) {
	it, err := position(in)
	if err != nil {
		return nil, err
	}
	if it.Fresh {
		waiting, err := s.waits(ctx, it.Shard)
		if err != nil {
			return nil, err
		}
		if waiting {
			return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String(it.String())}, nil
		}
	}
	if it, err = s.open(ctx, it); err != nil {
		return nil, err
	}
	return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String(it.String())}, nil
}

// position reads where the Worker wants to start.
func position(in *kinesis.GetShardIteratorInput) (iterator, error) {
	it := iterator{
		Shard: aws.ToString(in.ShardId),
		Type:  streamtypes.ShardIteratorType(in.ShardIteratorType),
		Seq:   aws.ToString(in.StartingSequenceNumber),
	}
	refuse := func(format string, args ...any) (iterator, error) {
		return it, fmt.Errorf("adapter: position in shard %q: %w", it.Shard,
			&types.InvalidArgumentException{Message: aws.String(fmt.Sprintf(format, args...))})
	}
	if it.Shard == "" {
		return refuse("ShardId is missing")
	}
	switch in.ShardIteratorType {
	case types.ShardIteratorTypeTrimHorizon, types.ShardIteratorTypeLatest:
		it.Seq = ""
	case types.ShardIteratorTypeAtTimestamp:
		if in.Timestamp == nil {
			return refuse("AT_TIMESTAMP needs a Timestamp")
		}
		// Records carry the second they were made in, so the second is the earliest
		// that a record made after the Timestamp can show.
		it.Seq, it.Time = "", in.Timestamp.UTC().Truncate(time.Second)
	case types.ShardIteratorTypeAtSequenceNumber, types.ShardIteratorTypeAfterSequenceNumber:
		// A lease row that the Java library began holds these in place of digits.
		switch it.Seq {
		case string(atHorizon), string(atLatest):
			it.Type, it.Seq = streamtypes.ShardIteratorType(it.Seq), ""
		case "AT_TIMESTAMP":
			return refuse("the checkpoint is AT_TIMESTAMP without a time; replace it by a sequence number or remove it")
		case "SHARD_END":
			it.Type, it.Seq, it.Ended = "", "", true
		default:
			if !digits(it.Seq) {
				return refuse("%q is not a sequence number", it.Seq)
			}
		}
	default:
		return refuse("unknown ShardIteratorType %q", in.ShardIteratorType)
	}
	it.Fresh = it.Seq == "" && !it.Ended
	return it, nil
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// waits tells whether the parent of a shard that nobody has begun is unfinished.
func (s *Streams) waits(ctx context.Context, id string) (bool, error) {
	if s.opts.Finished == nil {
		return false, nil
	}
	shards, err := s.shards(ctx, s.opts.ListEvery)
	if err != nil {
		return false, err
	}
	parent := shards[id].parent
	if _, listed := shards[parent]; !listed {
		return false, nil // trimmed, or none
	}
	finished, err := s.opts.Finished(ctx, parent)
	if err != nil {
		return false, fmt.Errorf("adapter: shard %s: is its parent %s finished: %w", id, parent, err)
	}
	return !finished, nil
}

// open gets the service's iterator for a position. What the service answers to
// it decides the rest: a trimmed position or a lost shard is a gap.
func (s *Streams) open(ctx context.Context, it iterator) (iterator, error) {
	if it.Ended {
		return it, nil
	}
	if it.Fresh && it.Type == atLatest {
		var err error
		if it.Type, err = s.latest(ctx, it.Shard); err != nil {
			return it, err
		}
	}
	it.Fresh = false
	upstream, err := s.upstream(ctx, it)
	if errors.As(err, new(*streamtypes.TrimmedDataAccessException)) {
		if it, err = s.trimmed(it, err); err != nil {
			return it, err
		}
		upstream, err = s.upstream(ctx, it)
	}
	if errors.As(err, new(*streamtypes.ResourceNotFoundException)) {
		return s.gone(ctx, it, err)
	}
	if err != nil {
		return it, translate(fmt.Sprintf("get an iterator for shard %s at %s %s", it.Shard, it.Type, it.Seq), err)
	}
	it.Upstream = upstream
	if it.Type == atLatest {
		// LATEST is a moment. Asked for again later, it would be another one and
		// skip what came between. A minute is for clocks that disagree.
		it.Type, it.Time = atTimestamp, time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	}
	return it, nil
}

func (s *Streams) upstream(ctx context.Context, it iterator) (string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &it.Shard, ShardIteratorType: it.Type}
	if it.Seq != "" {
		in.SequenceNumber = &it.Seq
	}
	if !it.Time.IsZero() {
		in.Timestamp = &it.Time
	}
	out, err := s.client.GetShardIterator(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ShardIterator), nil
}

// latest tells what LATEST means for a shard that nobody has begun: the stream's
// tip for the generation that is there when this client starts, and the very
// beginning for each shard that is born from one that was read.
func (s *Streams) latest(ctx context.Context, id string) (streamtypes.ShardIteratorType, error) {
	shards, err := s.shards(ctx, s.opts.ListEvery)
	if err != nil {
		return "", err
	}
	sh := shards[id]
	_, hasParent := shards[sh.parent]
	l := &s.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case sh.young:
		return atHorizon, nil
	case hasParent && s.opts.Finished != nil && !l.skipped[sh.parent]:
		// Finished by somebody: an earlier run or another worker has read it.
		return atHorizon, nil
	case sh.end != "":
		if l.skipped == nil {
			l.skipped = map[string]bool{}
		}
		l.skipped[id] = true
	}
	return atLatest, nil
}

// trimmed reports a gap, and moves the position behind it if that is wanted.
func (s *Streams) trimmed(it iterator, cause error) (iterator, error) {
	gap := Gap{ShardID: it.Shard, After: it.Seq}
	if s.opts.OnGap(gap) != Continue {
		return it, &GapError{Gap: gap, Err: cause}
	}
	return iterator{Shard: it.Shard, Type: atHorizon}, nil
}

// gone looks at why a shard is not found: the stream is gone, or the shard left
// the stream (a gap), or it is listed and asking again may help.
func (s *Streams) gone(ctx context.Context, it iterator, cause error) (iterator, error) {
	found, err := s.describe(ctx)
	if err != nil {
		return it, err
	}
	for _, sh := range found {
		if sh.id == it.Shard {
			return it, fmt.Errorf("adapter: shard %s is listed but not found: %w (%w)", it.Shard,
				&types.ProvisionedThroughputExceededException{Message: aws.String("try again")}, cause)
		}
	}
	gap := Gap{ShardID: it.Shard, After: it.Seq, ShardGone: true}
	if s.opts.OnGap(gap) != Continue {
		return it, &GapError{Gap: gap, Err: cause}
	}
	return iterator{Shard: it.Shard, Ended: true}, nil
}
