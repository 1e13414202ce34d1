package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"

	"dynamolake/internal/advise"
)

const (
	// The mean of the writes is taken over so long, or the table's life if that is shorter.
	meanOver = 14 * 24 * time.Hour
	// A question that is only nice to have answered must not hold up the advice.
	factPatience = 10 * time.Second
	// A stream is listed so far at the most, a hundred shards a page.
	mostPages = 50
)

// given are the facts that the flags tell; what they do not tell is unknown.
func (c advising) given() advise.Facts {
	const why = "not given, and AWS was not asked"
	return advise.Facts{
		Table:   c.table,
		Items:   flagFact(c.items, "--items", why),
		Bytes:   flagFact(c.size, "--size", why),
		Units:   advise.Unknown[float64](why),
		Writes:  flagFact(c.writes, "--writes-per-second", why),
		Shards:  flagFact(c.shards, "--open-shards", why),
		View:    advise.Unknown[string](why),
		PITR:    advise.Unknown[bool](why),
		Billing: advise.Unknown[string](why),
		Missed:  []string{},
	}
}

func flagFact[T any](v *T, flag, why string) advise.Fact[T] {
	if v == nil {
		return advise.Unknown[T](why)
	}
	return advise.Known(*v, flag)
}

// facts asks AWS for what the flags do not tell. Only a table that is not there, or
// an AWS that cannot be reached, is an error: what AWS refuses to tell is unknown.
func (c advising) facts(ctx context.Context, cfg aws.Config, now time.Time) (advise.Facts, error) {
	f := c.given()
	f.Region = cfg.Region
	db := dynamodb.NewFromConfig(cfg)
	born, stream, err := describeFacts(ctx, db, &f)
	if err != nil {
		return f, err
	}
	limited, cancel := context.WithTimeout(ctx, factPatience)
	if out, err := db.DescribeContinuousBackups(limited, &dynamodb.DescribeContinuousBackupsInput{TableName: &c.table}); err != nil {
		f.PITR = missed[bool](&f, "dynamodb:DescribeContinuousBackups", "point-in-time recovery", err)
	} else {
		d := out.ContinuousBackupsDescription
		on := d != nil && d.PointInTimeRecoveryDescription != nil &&
			d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == ddbtypes.PointInTimeRecoveryStatusEnabled
		f.PITR = advise.Known(on, "DescribeContinuousBackups")
	}
	cancel()
	if !f.Writes.OK() {
		f.Units = writeUnits(ctx, cloudwatch.NewFromConfig(cfg), &f, born, now)
		f.Writes.From = f.Units.From
	}
	if !f.Shards.OK() && stream != "" {
		f.Shards = openShards(ctx, dynamodbstreams.NewFromConfig(cfg), &f, stream)
	}
	return f, nil
}

// describeFacts fills in what DescribeTable tells, and returns when the table was made
// and its stream if that is on.
func describeFacts(ctx context.Context, db *dynamodb.Client, f *advise.Facts) (born time.Time, stream string, err error) {
	const from = "DescribeTable"
	out, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &f.Table})
	if _, is := errors.AsType[*ddbtypes.ResourceNotFoundException](err); is {
		return born, "", fmt.Errorf("table %q does not exist in %s; check the name, the account and AWS_REGION", f.Table, f.Region)
	}
	if api, is := errors.AsType[smithy.APIError](err); is && api.ErrorCode() == "AccessDeniedException" {
		f.View = missed[string](f, "dynamodb:DescribeTable", "the table", err)
		f.Billing.From = f.View.From
		for _, size := range []*advise.Fact[int64]{&f.Items, &f.Bytes} {
			if !size.OK() {
				size.From = f.View.From
			}
		}
		return born, "", nil
	}
	if err != nil {
		return born, "", fmt.Errorf("describing table %q: %w", f.Table, err)
	}
	d := out.Table
	if !f.Items.OK() {
		f.Items = advise.Known(aws.ToInt64(d.ItemCount), from)
	}
	if !f.Bytes.OK() {
		n := aws.ToInt64(d.TableSizeBytes)
		for _, ix := range d.LocalSecondaryIndexes {
			n += aws.ToInt64(ix.IndexSizeBytes)
		}
		f.Bytes = advise.Known(n, from)
	}
	f.Billing = advise.Known(string(ddbtypes.BillingModeProvisioned), from)
	if d.BillingModeSummary != nil {
		f.Billing = advise.Known(string(d.BillingModeSummary.BillingMode), from)
	}
	f.View = advise.Known(advise.StreamOff, from)
	if s := d.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		f.View, stream = advise.Known(string(s.StreamViewType), from), aws.ToString(d.LatestStreamArn)
	}
	return aws.ToTime(d.CreationDateTime), stream, nil
}

// writeUnits asks CloudWatch for the mean of the write units that the table took.
func writeUnits(ctx context.Context, cw *cloudwatch.Client, f *advise.Facts, born, now time.Time) advise.Fact[float64] {
	ctx, cancel := context.WithTimeout(ctx, factPatience)
	defer cancel()
	to := now.Truncate(time.Hour)
	from := to.Add(-meanOver)
	if first := born.Add(time.Hour - 1).Truncate(time.Hour); first.After(from) {
		from = first
	}
	if !from.Before(to) {
		return advise.Unknown[float64]("the table is younger than an hour; --writes-per-second when you know them")
	}
	out, err := cw.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/DynamoDB"), MetricName: aws.String("ConsumedWriteCapacityUnits"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("TableName"), Value: &f.Table}},
		StartTime:  &from, EndTime: &to, Period: aws.Int32(3600), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
	})
	if err != nil {
		return missed[float64](f, "cloudwatch:GetMetricStatistics", "writes a second (--writes-per-second if you know them)", err)
	}
	said := "CloudWatch, mean of " + formatSpan(to.Sub(from))
	sum := 0.0
	for _, p := range out.Datapoints {
		sum += aws.ToFloat64(p.Sum)
	}
	if len(out.Datapoints) == 0 {
		said += "; it has nothing, as of a table without writes"
	}
	return advise.Known(sum/to.Sub(from).Seconds(), said)
}

// openShards counts the shards that still take records.
func openShards(ctx context.Context, db *dynamodbstreams.Client, f *advise.Facts, stream string) advise.Fact[int] {
	ctx, cancel := context.WithTimeout(ctx, factPatience)
	defer cancel()
	open := 0
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &stream}
	for range mostPages {
		out, err := db.DescribeStream(ctx, in)
		if err != nil {
			return missed[int](f, "dynamodb:DescribeStream", "open shards", err)
		}
		for _, s := range out.StreamDescription.Shards {
			if s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber == nil {
				open++
			}
		}
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			if open == 0 {
				return advise.Unknown[int]("the stream has no open shard at the moment")
			}
			return advise.Known(open, "DescribeStream")
		}
	}
	return advise.Unknown[int](fmt.Sprintf("the stream has more than %d pages of shards", mostPages))
}

// missed notes a question that AWS did not answer, in one line.
func missed[T any](f *advise.Facts, call, what string, err error) advise.Fact[T] {
	text := err.Error()
	if api, is := errors.AsType[smithy.APIError](err); is {
		text = strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": ")
	}
	f.Missed = append(f.Missed, fmt.Sprintf("%s: unknown; %s did not answer: %s", what, call, strings.Join(strings.Fields(text), " ")))
	return advise.Unknown[T](call + " did not answer")
}
