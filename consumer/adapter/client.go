package adapter

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go/middleware"
)

// Source answers the three calls that a polling KCL Worker makes. Many
// goroutines call it at once: one for the listing and one for each shard.
//
// What the Worker expects beyond the Kinesis reference: every shard has a
// SequenceNumberRange and every GetRecords answer a MillisBehindLatest (it
// dereferences both), a shard that is missing from one listing may lose its
// lease row, and any GetRecords error but ProvisionedThroughputExceeded ends the
// shard's session. The context is the caller's; the Worker's is never cancelled.
type Source interface {
	ListShards(context.Context, *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput) (*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput) (*kinesis.GetRecordsOutput, error)
}

// Client returns a Kinesis client that src answers for: no network, no
// credentials, no retry, no validation before src. Typed errors of src survive
// errors.As. A panic of src becomes an error, and any other operation of the
// client is refused by name.
func Client(src Source) *kinesis.Client {
	divert := middleware.InitializeMiddlewareFunc("dynamolake:Source", func(
		ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		result, err := answer(ctx, src, in.Parameters)
		return middleware.InitializeOutput{Result: result}, middleware.Metadata{}, err
	})
	return kinesis.New(kinesis.Options{
		// Nothing is sent anywhere, but some code reads the region back.
		Region: "us-east-1",
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(divert, middleware.Before)
		}},
	})
}

var errNoOutput = errors.New("the source returned neither an output nor an error")

func answer(ctx context.Context, src Source, params any) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, fmt.Errorf("adapter: %s panicked: %v\n%s", middleware.GetOperationName(ctx), p, debug.Stack())
		}
	}()
	switch in := params.(type) {
	case *kinesis.ListShardsInput:
		return given(src.ListShards(ctx, in))
	case *kinesis.GetShardIteratorInput:
		return given(src.GetShardIterator(ctx, in))
	case *kinesis.GetRecordsInput:
		return given(src.GetRecords(ctx, in))
	}
	return nil, fmt.Errorf("adapter: DynamoDB Streams has no %s: only ListShards, GetShardIterator and GetRecords are answered "+
		"(leave EnableEnhancedFanOutConsumer off)", middleware.GetOperationName(ctx))
}

// given keeps a nil output from reaching the SDK, which dereferences it.
func given[T any](out *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errNoOutput
	}
	return out, nil
}
