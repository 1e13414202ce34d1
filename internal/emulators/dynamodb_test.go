package emulators_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"dynamolake/internal/emulators"
)

func TestMain(m *testing.M) { emulators.Main(m) }

// local is a table with a stream on DynamoDB Local, of the test's own.
type local struct {
	t       *testing.T
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	table   string
	arn     string
}

func dynamodbClients(t *testing.T) (*dynamodb.Client, *dynamodbstreams.Client) {
	endpoint := emulators.DynamoDBLocal(t)
	creds := credentials.NewStaticCredentialsProvider("local", "local", "")
	db := dynamodb.New(dynamodb.Options{BaseEndpoint: &endpoint, Region: "us-east-1", Credentials: creds})
	// DynamoDB Local's 500s are its answer to what it does not know, not worth a retry.
	streams := dynamodbstreams.New(dynamodbstreams.Options{BaseEndpoint: &endpoint, Region: "us-east-1", Credentials: creds, Retryer: aws.NopRetryer{}})
	return db, streams
}

func newLocal(t *testing.T) *local {
	t.Helper()
	l := &local{t: t, table: fmt.Sprintf("emulators-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))}
	l.db, l.streams = dynamodbClients(t)
	out, err := l.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &l.table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.arn = *out.TableDescription.LatestStreamArn
	t.Cleanup(func() {
		_, _ = l.db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &l.table})
	})
	return l
}

func (l *local) put(pk, value string) {
	l.t.Helper()
	_, err := l.db.PutItem(l.t.Context(), &dynamodb.PutItemInput{TableName: &l.table, Item: map[string]types.AttributeValue{
		"pk":    &types.AttributeValueMemberS{Value: pk},
		"value": &types.AttributeValueMemberS{Value: value},
	}})
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *local) describe(filter *streamtypes.ShardFilter) *streamtypes.StreamDescription {
	l.t.Helper()
	out, err := l.streams.DescribeStream(l.t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &l.arn, ShardFilter: filter})
	if err != nil {
		l.t.Fatal(err)
	}
	return out.StreamDescription
}

func (l *local) iterator(in dynamodbstreams.GetShardIteratorInput) (*string, error) {
	in.StreamArn = &l.arn
	in.ShardId = l.describe(nil).Shards[0].ShardId
	out, err := l.streams.GetShardIterator(l.t.Context(), &in)
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

func (l *local) page(iterator *string) *dynamodbstreams.GetRecordsOutput {
	l.t.Helper()
	out, err := l.streams.GetRecords(l.t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *local) first() *dynamodbstreams.GetRecordsOutput {
	l.t.Helper()
	it, err := l.iterator(dynamodbstreams.GetShardIteratorInput{ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		l.t.Fatal(err)
	}
	return l.page(it)
}

func TestAWriteComesBackThroughTheStream(t *testing.T) {
	l := newLocal(t)
	l.put("a", "1")
	l.put("a", "1") // changes nothing, so no record
	l.put("a", "2")
	page := l.first()
	var got []string
	for _, r := range page.Records {
		got = append(got, string(r.EventName))
	}
	if want := "INSERT MODIFY"; strings.Join(got, " ") != want {
		t.Errorf("events %v, want %s", got, want)
	}
	if page.NextShardIterator == nil {
		t.Error("an open shard's page has no next iterator")
	}
}

// What follows pins where DynamoDB Local 3.1.0 differs from the service (doc.go
// lists it), so that a version that does better is noticed.

func TestDynamoDBLocalRefusesAtTimestamp(t *testing.T) {
	l := newLocal(t)
	l.put("a", "1")
	_, err := l.iterator(dynamodbstreams.GetShardIteratorInput{
		ShardIteratorType: streamtypes.ShardIteratorTypeAtTimestamp,
		Timestamp:         aws.Time(time.Now().Add(-time.Hour)),
	})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "InternalFailure" {
		t.Errorf("AT_TIMESTAMP: %v, want InternalFailure", err)
	}
}

func TestDynamoDBLocalIgnoresTheShardFilter(t *testing.T) {
	l := newLocal(t)
	l.put("a", "1")
	shard := l.describe(nil).Shards[0].ShardId
	children := l.describe(&streamtypes.ShardFilter{Type: streamtypes.ShardFilterTypeChildShards, ShardId: shard}).Shards
	if len(children) != 1 || *children[0].ShardId != *shard {
		t.Errorf("CHILD_SHARDS of the only shard: %d shards, want the shard itself", len(children))
	}
}

func TestDynamoDBLocalIgnoresThePageSizeInBytes(t *testing.T) {
	l := newLocal(t)
	for i := range 4 {
		l.put(fmt.Sprint("big", i), strings.Repeat("x", 390_000))
	}
	if page := l.first(); len(page.Records) != 4 {
		t.Errorf("the first page has %d records of 390 KB, want all 4", len(page.Records))
	}
}

func TestDynamoDBLocalTruncatesCreationTimesToTheMinute(t *testing.T) {
	l := newLocal(t)
	l.put("a", "1")
	if created := *l.first().Records[0].Dynamodb.ApproximateCreationDateTime; created.Second() != 0 {
		t.Errorf("the record was created at %s, want a full minute", created)
	}
}

func TestAPageHoldsAThousandRecords(t *testing.T) {
	l := newLocal(t)
	for i := 0; i < 1025; i += 25 {
		var puts []types.WriteRequest
		for j := range 25 {
			puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: fmt.Sprint(i + j)},
			}}})
		}
		_, err := l.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{l.table: puts}})
		if err != nil {
			t.Fatal(err)
		}
	}
	page := l.first()
	if got, want := []int{len(page.Records), len(l.page(page.NextShardIterator).Records)}, []int{1000, 25}; !slices.Equal(got, want) {
		t.Errorf("pages of %v records, want %v", got, want)
	}
}

func TestADisabledStreamEndsItsShards(t *testing.T) {
	l := newLocal(t)
	l.put("a", "1")
	_, err := l.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName:           &l.table,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := l.describe(nil)
	if d.StreamStatus != streamtypes.StreamStatusDisabled || d.Shards[0].SequenceNumberRange.EndingSequenceNumber == nil {
		t.Errorf("the stream is %s and its shard's end %v, want DISABLED and an end", d.StreamStatus, d.Shards[0].SequenceNumberRange.EndingSequenceNumber)
	}
	page := l.first()
	if len(page.Records) != 1 || page.NextShardIterator != nil {
		t.Errorf("the last page has %d records and next %v, want 1 and none", len(page.Records), page.NextShardIterator)
	}
}
