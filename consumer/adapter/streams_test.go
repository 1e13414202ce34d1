package adapter_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dynamolake/consumer/adapter"
	"dynamolake/internal/bubble"
)

var unpaced = adapter.Options{Pace: -1}

// reader is one shard's session as the library keeps it: an iterator, no more.
type reader struct {
	t      *testing.T
	client *kinesis.Client
	next   *string
	last   *kinesis.GetRecordsOutput
}

func start(t *testing.T, client *kinesis.Client, in kinesis.GetShardIteratorInput) *reader {
	t.Helper()
	out, err := client.GetShardIterator(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t: t, client: client, next: out.ShardIterator}
}

func at(s *fakeShard, position types.ShardIteratorType, seq ...string) kinesis.GetShardIteratorInput {
	in := kinesis.GetShardIteratorInput{ShardId: &s.ID, ShardIteratorType: position}
	if len(seq) > 0 {
		in.StartingSequenceNumber = &seq[0]
	}
	return in
}

// page reads once and returns the sequence numbers.
func (r *reader) page(limit int32) ([]string, error) {
	out, err := r.client.GetRecords(r.t.Context(), &kinesis.GetRecordsInput{ShardIterator: r.next, Limit: &limit})
	if err != nil {
		return nil, err
	}
	r.next, r.last = out.NextShardIterator, out
	var seqs []string
	for _, record := range out.Records {
		seqs = append(seqs, *record.SequenceNumber)
	}
	return seqs, nil
}

func (r *reader) want(want ...string) {
	r.t.Helper()
	got, err := r.page(1000)
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("records (-want +got):\n%s", diff)
	}
}

func puts(f *fakeStream, n int) (seqs []string) {
	for i := range n {
		seqs = append(seqs, f.put(i, i))
	}
	return seqs
}

func TestRecordsAreAsDynamoDBWroteThem(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		f := newFake(t)
		s := f.add("", 0, 256)
		seqs := puts(f, 2)
		born := time.Now()
		time.Sleep(90 * time.Second)
		r := start(t, adapter.New(f.client(), streamARN, unpaced), at(s, types.ShardIteratorTypeTrimHorizon))
		r.want(seqs...)
		want := types.Record{
			SequenceNumber:              &seqs[1],
			ApproximateArrivalTimestamp: aws.Time(born.UTC()),
			PartitionKey:                aws.String(`{"pk":{"S":"<1>"},"sk":{"N":"7"}}`),
			Data:                        []byte(s.records[1].text),
		}
		if diff := cmp.Diff(want, r.last.Records[1], cmpopts.IgnoreUnexported(types.Record{})); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
		if got := aws.ToInt64(r.last.MillisBehindLatest); got != 90_000 {
			t.Errorf("%d ms behind, want 90000", got)
		}
		r.want()
		if r.last.MillisBehindLatest == nil || *r.last.MillisBehindLatest != 0 {
			t.Errorf("at the tip MillisBehindLatest is %v", r.last.MillisBehindLatest)
		}
	})
}

func TestPositions(t *testing.T) {
	f := newFake(t)
	s := f.add("", 0, 256)
	early := puts(f, 2)
	late := puts(f, 2)
	noon := time.Now().Truncate(time.Second).Add(300 * time.Millisecond)
	for i := range s.records {
		s.records[i].at = noon.Add(time.Duration(i/2-1) * time.Minute)
	}
	all := slices.Concat(early, late)
	for name, test := range map[string]struct {
		in   kinesis.GetShardIteratorInput
		want []string
	}{
		"TRIM_HORIZON":          {at(s, types.ShardIteratorTypeTrimHorizon), all},
		"LATEST":                {at(s, types.ShardIteratorTypeLatest), nil},
		"AT_SEQUENCE_NUMBER":    {at(s, types.ShardIteratorTypeAtSequenceNumber, all[1]), all[1:]},
		"AFTER_SEQUENCE_NUMBER": {at(s, types.ShardIteratorTypeAfterSequenceNumber, all[1]), all[2:]},
		"AT_TIMESTAMP, which records show without its fraction": {
			kinesis.GetShardIteratorInput{ShardId: &s.ID, ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: &noon}, late,
		},
		"Java's TRIM_HORIZON in place of a sequence number": {at(s, types.ShardIteratorTypeAfterSequenceNumber, "TRIM_HORIZON"), all},
		"Java's LATEST in place of a sequence number":       {at(s, types.ShardIteratorTypeAfterSequenceNumber, "LATEST"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, adapter.New(f.client(), streamARN, unpaced), test.in)
			r.want(test.want...)
		})
	}
	for name, in := range map[string]kinesis.GetShardIteratorInput{
		"no shard":                        {ShardIteratorType: types.ShardIteratorTypeLatest},
		"an unknown type":                 at(s, "NOON"),
		"a sequence number without one":   at(s, types.ShardIteratorTypeAfterSequenceNumber),
		"a sequence number of letters":    at(s, types.ShardIteratorTypeAfterSequenceNumber, "abc"),
		"AT_TIMESTAMP without time":       at(s, types.ShardIteratorTypeAtTimestamp),
		"Java's AT_TIMESTAMP, timeless":   at(s, types.ShardIteratorTypeAfterSequenceNumber, "AT_TIMESTAMP"),
		"something from the Kinesis side": at(s, types.ShardIteratorType("")),
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			_, err := adapter.New(f.client(), streamARN, unpaced).GetShardIterator(t.Context(), &in)
			if !errors.As(err, new(*types.InvalidArgumentException)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAShardEndsWithoutANextIterator(t *testing.T) {
	f := newFake(t)
	s := f.add("", 0, 256)
	seqs := puts(f, 3)
	r := start(t, adapter.New(f.client(), streamARN, unpaced), at(s, types.ShardIteratorTypeTrimHorizon))
	r.want(seqs...)
	last := f.put(9, 9)
	f.roll(s, 1)
	if r.next == nil {
		t.Fatal("an open shard ended")
	}
	r.want(last) // the last page of a closed shard has records too
	if r.next != nil {
		t.Errorf("a closed and exhausted shard goes on at %s", *r.next)
	}
	over := start(t, adapter.New(f.client(), streamARN, unpaced), at(s, types.ShardIteratorTypeAfterSequenceNumber, "SHARD_END"))
	over.want()
	if over.next != nil {
		t.Errorf("a shard at SHARD_END goes on at %s", *over.next)
	}
}

func TestTheLibrarysLimitIsClamped(t *testing.T) {
	f := newFake(t)
	s := f.add("", 0, 256)
	seqs := puts(f, 3)
	r := start(t, adapter.New(f.client(), streamARN, unpaced), at(s, types.ShardIteratorTypeTrimHorizon))
	if got, err := r.page(10_000); err != nil || !slices.Equal(got, seqs) {
		t.Errorf("with the default MaxRecords: %v, %v", got, err)
	}
}

func TestIteratorsSurviveTheServicesExpiry(t *testing.T) {
	for name, test := range map[string]struct {
		position types.ShardIteratorType
		before   int // records read before the pause
		want     int // records left after it, of four
	}{
		"after what was delivered":                       {types.ShardIteratorTypeTrimHorizon, 2, 2},
		"at the first position, if nothing was":          {types.ShardIteratorTypeTrimHorizon, 0, 4},
		"at LATEST as it was then, and not as it is now": {types.ShardIteratorTypeLatest, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				f := newFake(t)
				f.life = 15 * time.Minute
				s := f.add("", 0, 256)
				seqs := puts(f, 2)
				time.Sleep(time.Hour)
				r := start(t, adapter.New(f.client(), streamARN, unpaced), at(s, test.position))
				if test.before > 0 {
					r.want(seqs[:test.before]...)
				}
				seqs = append(seqs, puts(f, 2)...)
				time.Sleep(16 * time.Minute)
				r.want(seqs[len(seqs)-test.want:]...)
				time.Sleep(16 * time.Minute)
				r.want()
			})
		})
	}
}

func TestAnIteratorOfSomebodyElse(t *testing.T) {
	client := adapter.New(newFake(t).client(), streamARN, unpaced)
	for _, text := range []*string{nil, aws.String(""), aws.String("AAAAAAA"), aws.String("{}")} {
		_, err := client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: text})
		if !errors.As(err, new(*types.InvalidArgumentException)) {
			t.Errorf("iterator %q: error %v", aws.ToString(text), err)
		}
	}
}

func TestServiceErrorsInKinesisTerms(t *testing.T) {
	for code, is := range map[string]func(error) bool{
		"LimitExceededException":   func(err error) bool { return errors.As(err, new(*types.ProvisionedThroughputExceededException)) },
		"ThrottlingException":      func(err error) bool { return errors.As(err, new(*types.ProvisionedThroughputExceededException)) },
		"AccessDeniedException":    func(err error) bool { return errors.As(err, new(*types.AccessDeniedException)) },
		"ValidationException":      func(err error) bool { return errors.As(err, new(*types.InvalidArgumentException)) },
		"ExpiredIteratorException": func(err error) bool { return errors.As(err, new(*types.ExpiredIteratorException)) },
		"InternalServerError":      func(err error) bool { return errors.As(err, new(*streamtypes.InternalServerError)) },
	} {
		t.Run(code, func(t *testing.T) {
			f := newFake(t)
			s := f.add("", 0, 256)
			seqs := puts(f, 2)
			r := start(t, adapter.New(f.client(atOnce), streamARN, unpaced), at(s, types.ShardIteratorTypeTrimHorizon))
			f.refuse = func(op string, _ request, _ int) *refusal {
				if op == "GetRecords" {
					return &refusal{status: 400, code: code}
				}
				return nil
			}
			if _, err := r.page(1000); !is(err) {
				t.Errorf("error %T: %v", err, err)
			}
			f.refuse = nil
			r.want(seqs...) // the library tries again with the same iterator
		})
	}
}

func TestGetRecordsIsPaced(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		f := newFake(t)
		s := f.add("", 0, 256)
		r := start(t, adapter.New(f.client(), streamARN, adapter.Options{}), at(s, types.ShardIteratorTypeTrimHorizon))
		begin := time.Now()
		for range 5 {
			r.want()
		}
		// The library's limiter lets 5 calls begin in a second, and wants it over.
		if took := time.Since(begin); took <= time.Second || took > 1100*time.Millisecond {
			t.Errorf("5 calls took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: r.next}); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled call returned %v", err)
		}
	})
}
