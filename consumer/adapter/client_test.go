package adapter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dynamolake/consumer/adapter"
)

// sourceFunc answers GetRecords; its listing is nothing at all.
type sourceFunc func(*kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error)

func (f sourceFunc) GetRecords(_ context.Context, in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
	return f(in)
}

func (sourceFunc) ListShards(context.Context, *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	return nil, nil
}

func (sourceFunc) GetShardIterator(context.Context, *kinesis.GetShardIteratorInput) (*kinesis.GetShardIteratorOutput, error) {
	return &kinesis.GetShardIteratorOutput{ShardIterator: aws.String("opaque")}, nil
}

func TestClientHandsTheSourcesAnswerThrough(t *testing.T) {
	want := &kinesis.GetRecordsOutput{MillisBehindLatest: aws.Int64(17)}
	client := adapter.Client(sourceFunc(func(in *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) {
		if aws.ToString(in.ShardIterator) != "opaque" {
			t.Errorf("iterator %q reached the source", aws.ToString(in.ShardIterator))
		}
		return want, nil
	}))
	it, err := client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{})
	if err != nil {
		t.Fatalf("an input that the Kinesis API would refuse did not reach the source: %v", err)
	}
	got, err := client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	if err != nil || got != want {
		t.Fatalf("GetRecords = %v, %v", got, err)
	}
}

func TestClientErrors(t *testing.T) {
	source := func(err error) adapter.Source {
		return sourceFunc(func(*kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) { return nil, err })
	}
	records := func(src adapter.Source) error {
		_, err := adapter.Client(src).GetRecords(context.Background(), &kinesis.GetRecordsInput{})
		return err
	}
	t.Run("a typed error of the source survives errors.As", func(t *testing.T) {
		err := records(source(&types.ProvisionedThroughputExceededException{Message: aws.String("slow down")}))
		if !errors.As(err, new(*types.ProvisionedThroughputExceededException)) {
			t.Fatalf("got %T: %v", err, err)
		}
	})
	for name, test := range map[string]struct {
		err  error
		want []string
	}{
		"a panic of the source becomes an error that shows where": {
			records(sourceFunc(func(*kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) { panic("bad record") })),
			[]string{"GetRecords panicked: bad record", "client_test.go"},
		},
		"a source that returns nothing does not crash the SDK": {
			records(source(nil)), []string{"neither an output nor an error"},
		},
		"an operation that DynamoDB Streams does not have is refused by name": {
			func() error {
				_, err := adapter.Client(source(nil)).DescribeStreamSummary(context.Background(), &kinesis.DescribeStreamSummaryInput{})
				return err
			}(),
			[]string{"has no DescribeStreamSummary"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, want := range test.want {
				if test.err == nil || !strings.Contains(test.err.Error(), want) {
					t.Errorf("error %v lacks %q", test.err, want)
				}
			}
		})
	}
}

func BenchmarkClient(b *testing.B) {
	out := &kinesis.GetRecordsOutput{}
	client := adapter.Client(sourceFunc(func(*kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error) { return out, nil }))
	in := &kinesis.GetRecordsInput{ShardIterator: aws.String("opaque")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.GetRecords(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
