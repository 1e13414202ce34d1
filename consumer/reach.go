package consumer

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Reaches tells whether the stream still has what follows a sequence number of a shard; with "", whether it
// has the shard.
func (l *Lineage) Reaches(ctx context.Context, shard, after string) (bool, error) {
	if after == "" {
		return l.Exists(ctx, shard)
	}
	_, err := l.client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &l.arn, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: &after,
	})
	switch classify(err) {
	case upstreamOK:
		return true, nil
	case upstreamTrimmed, upstreamGone:
		return false, nil
	}
	return false, fmt.Errorf("asking for shard %s after %s: %w", shard, after, err)
}
