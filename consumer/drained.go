package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint"
)

// fresh tells whether no shard of a stream has a lease row yet.
func fresh(rows []checkpoint.Row, label string) bool {
	for _, r := range rows {
		if r.Stream == label || r.Stream == "" {
			return false
		}
	}
	return true
}

// reached is up to when the lake has a stream that was read to its end: the earliest of
// its last shards. Zero if that is not known.
func reached(rows []checkpoint.Row, label string) time.Time {
	parents := map[string]bool{}
	for _, r := range rows {
		for _, p := range r.Parents {
			parents[p] = true
		}
	}
	var since time.Time
	for _, r := range rows {
		at := later(r.CurrentTo, born(r.Key))
		last := len(r.Children) == 0 && !parents[r.Key] && (r.Stream == "" || r.Stream == label)
		if last && !at.IsZero() && (since.IsZero() || at.Before(since)) {
			since = at
		}
	}
	return since
}

// drained tells whether a stream that was turned off is read to its end: all that it
// lists, and all that has a lease row.
func drained(ctx context.Context, lineage *Lineage, rows []checkpoint.Row) (bool, error) {
	ended := map[string]bool{}
	for _, r := range rows {
		if r.Stream != "" && r.Stream != labelOf(lineage.arn) {
			continue
		}
		if r.Checkpoint.Sentinel != checkpoint.ShardEnd {
			return false, nil
		}
		ended[r.Key] = true
	}
	shards, err := lineage.Shards(ctx)
	if err != nil {
		return false, err
	}
	parents := map[string]bool{}
	for _, s := range shards {
		parents[s.Parent] = true
	}
	for _, s := range shards {
		if !parents[s.ID] && !ended[s.ID] {
			return false, nil
		}
	}
	return true, nil
}

// leaseRows reads the lease table, which may not be there yet, and the service's clock.
func leaseRows(ctx context.Context, o Options) (checkpoint.Table, error) {
	t, err := checkpoint.ReadTable(ctx, o.DynamoDB, o.App, o.Table.Name)
	var missing *ddbtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		out, descErr := o.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &o.Table.Name})
		if descErr != nil {
			return t, fmt.Errorf("describing table %q: %w", o.Table.Name, descErr)
		}
		t.Read, _ = middleware.GetServerTime(out.ResultMetadata)
	} else if err != nil {
		return t, err
	}
	if t.Read.IsZero() {
		t.Read = time.Now()
	}
	t.Read = t.Read.UTC()
	return t, nil
}
