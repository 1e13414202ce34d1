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
)

// maxLimit is the most that DynamoDB Streams takes; the library's default is ten
// times as much.
const maxLimit = 1000

// GetRecords returns one page. A missing NextShardIterator means that the shard
// is closed and its last record is on this page or an earlier one.
func (s *Streams) GetRecords(ctx context.Context, in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
	it, err := parseIterator(in.ShardIterator)
	if err != nil {
		return nil, err
	}
	// The wait comes first, so that what is handed out is fresh.
	if err := sleep(ctx, s.opts.Pace); err != nil {
		return nil, fmt.Errorf("adapter: get records of shard %s: %w", it.Shard, err)
	}
	if it.Fresh {
		waiting, err := s.waits(ctx, it.Shard)
		if err != nil {
			return nil, err
		}
		if waiting {
			return &kinesis.GetRecordsOutput{NextShardIterator: in.ShardIterator, MillisBehindLatest: aws.Int64(0)}, nil
		}
	}
	if it.Upstream == "" {
		if it, err = s.open(ctx, it); err != nil {
			return nil, err
		}
	}
	page, it, err := s.read(ctx, it, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &kinesis.GetRecordsOutput{Records: page.records, MillisBehindLatest: aws.Int64(0)}
	if n := len(page.records); n > 0 {
		last := page.records[n-1]
		it.reached(aws.ToString(last.SequenceNumber))
		if at := last.ApproximateArrivalTimestamp; at != nil {
			out.MillisBehindLatest = aws.Int64(max(0, time.Since(*at).Milliseconds()))
		}
	}
	if it.Upstream = page.next; page.next != "" {
		out.NextShardIterator = aws.String(it.String())
	}
	return out, nil
}

// read gets a page from the service. An expired iterator is replaced once, and
// so is one that was trimmed away if the gap may be passed over.
func (s *Streams) read(ctx context.Context, it iterator, limit *int32) (page, iterator, error) {
	if limit != nil && *limit > maxLimit {
		limit = aws.Int32(maxLimit)
	}
	for try := 0; ; try++ {
		if it.Ended {
			return page{}, it, nil
		}
		raw := &Raw{}
		_, err := s.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &it.Upstream, Limit: limit}, CaptureRaw(raw))
		switch {
		case err == nil:
			p, err := parsePage(raw.Buf)
			if err != nil {
				return page{}, it, fmt.Errorf("adapter: get records of shard %s: %w", it.Shard, err)
			}
			return p, it, nil
		case try == 0 && errors.As(err, new(*streamtypes.ExpiredIteratorException)):
			it, err = s.open(ctx, it)
		case try == 0 && errors.As(err, new(*streamtypes.TrimmedDataAccessException)):
			if it, err = s.trimmed(it, err); err == nil {
				it, err = s.open(ctx, it)
			}
		case try == 0 && errors.As(err, new(*streamtypes.ResourceNotFoundException)):
			it, err = s.gone(ctx, it, err)
		default:
			err = translate("get records of shard "+it.Shard, err)
		}
		if err != nil {
			return page{}, it, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
