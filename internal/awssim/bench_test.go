package awssim_test

import (
	"fmt"
	"strings"
	"testing"

	"dynamolake/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// BenchmarkRenewal is one conditional UpdateItem of a lease row, with the SDK's own cost.
func BenchmarkRenewal(b *testing.B) {
	db := newTable(b)
	ctx := b.Context()
	for i := range 5000 {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: fmt.Sprint(i)}, "leaseCounter": &types.AttributeValueMemberN{Value: "0"}, "leaseOwner": &types.AttributeValueMemberS{Value: "w"},
			"checkpoint": &types.AttributeValueMemberS{Value: "000000000000000000001"},
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	i := 0
	for b.Loop() {
		n := i / 5000
		_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: fmt.Sprint(i % 5000)}},
			UpdateExpression:    aws.String("SET leaseCounter = :next, checkpoint = :c REMOVE pendingCheckpoint"),
			ConditionExpression: aws.String("leaseCounter = :n AND leaseOwner = :me AND attribute_not_exists(checkpointOwner)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":n": &types.AttributeValueMemberN{Value: fmt.Sprint(n)}, ":next": &types.AttributeValueMemberN{Value: fmt.Sprint(n + 1)},
				":me": &types.AttributeValueMemberS{Value: "w"}, ":c": &types.AttributeValueMemberS{Value: "000000000000000000002"},
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func newTable(b *testing.B) *dynamodb.Client {
	_, db := newCloud(b)
	return db
}

func newCloud(b *testing.B) (*awssim.Cloud, *dynamodb.Client) {
	c := awssim.New(awssim.Config{})
	db := dynamodb.NewFromConfig(c.AWSConfig("bench"))
	_, err := db.CreateTable(b.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: "NEW_AND_OLD_IMAGES"},
	})
	if err != nil {
		b.Fatal(err)
	}
	return c, db
}

// BenchmarkPage is one GetRecords page of 1 KB images, as bytes on the wire: the
// client reads and drops them.
func BenchmarkPage(b *testing.B) {
	c, db := newCloud(b)
	for i := range 1000 {
		_, err := db.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: fmt.Sprint(i)}, "text": &types.AttributeValueMemberS{Value: strings.Repeat("x", 1000)},
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
	conf := c.AWSConfig("bench")
	streams := dynamodbstreams.NewFromConfig(conf)
	d, err := db.DescribeTable(b.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if err != nil {
		b.Fatal(err)
	}
	it, err := streams.GetShardIterator(b.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: d.Table.LatestStreamArn, ShardId: &c.Shards("orders")[0].ID, ShardIteratorType: "TRIM_HORIZON"})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	c.Intercept(func(*awssim.Call) awssim.Fault {
		return awssim.Fault{RewriteReply: func(page []byte) []byte { n = len(page); return []byte(`{"Records":[]}`) }}
	})
	for b.Loop() {
		if _, err := streams.GetRecords(b.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it.ShardIterator}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(n))
}
