package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
)

// Probe makes each of the calls that reading needs once, so that a worker which could
// never read ends at its start and says why. What may pass by itself is no error.
func Probe(ctx context.Context, client *dynamodbstreams.Client, t Table) error {
	if t.StreamARN == "" {
		return nil // one that was turned off is known to the ledger only
	}
	l := NewLineage(client, t.StreamARN)
	out, err := l.describe(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &t.StreamARN, Limit: aws.Int32(1)})
	if err != nil {
		return probeError(t, err)
	}
	if len(out.StreamDescription.Shards) == 0 {
		return nil
	}
	it, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &t.StreamARN,
		ShardId:   out.StreamDescription.Shards[0].ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return probeError(t, err)
	}
	_, err = client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it.ShardIterator, Limit: aws.Int32(1)})
	return probeError(t, err)
}

func probeError(t Table, err error) error {
	switch classify(err) {
	case upstreamDenied:
		return fmt.Errorf("reading the stream of table %q: %w", t.Name, denied(t.StreamARN, err))
	case upstreamFailed, upstreamInvalid:
		return fmt.Errorf("reading the stream of table %q: %w", t.Name, err)
	}
	return nil // the shard was trimmed meanwhile, or others use up the quota
}

// denied says what to do about a call that AWS refuses on principle.
func denied(resource string, err error) error {
	var api smithy.APIError
	var call *smithy.OperationError
	if !errors.As(err, &api) || !errors.As(err, &call) {
		return err
	}
	if api.ErrorCode() == "AccessDeniedException" {
		return fmt.Errorf("permission dynamodb:%s is missing on %s: %s", call.Operation(), resource, api.ErrorMessage())
	}
	return fmt.Errorf("AWS does not accept the credentials (%s); check AWS_PROFILE or the role, and whether they have expired", api.ErrorCode())
}
