package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// A world is a cloud, its clients and a table "orders" with a stream of both images.
type world struct {
	*awssim.Cloud
	t       *testing.T
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	s3      *s3.Client
	arn     string
}

func newWorld(t *testing.T, cfg awssim.Config) *world {
	t.Helper()
	c := awssim.New(cfg)
	conf := c.AWSConfig("tester")
	w := &world{Cloud: c, t: t, db: dynamodb.NewFromConfig(conf), streams: dynamodbstreams.NewFromConfig(conf), s3: s3.NewFromConfig(conf)}
	out, err := w.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String("orders"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.arn = *out.TableDescription.LatestStreamArn
	return w
}

func (w *world) put(pk, v string) {
	w.t.Helper()
	_, err := w.db.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "v": &types.AttributeValueMemberN{Value: v},
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) iterator(shard string, how streamtypes.ShardIteratorType, seq string) (*string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &w.arn, ShardId: &shard, ShardIteratorType: how}
	if seq != "" {
		in.SequenceNumber = &seq
	}
	out, err := w.streams.GetShardIterator(w.t.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

// read returns what the shard holds from the trim horizon, and whether it is closed.
func (w *world) read(shard string) (recs []streamtypes.Record, closed bool) {
	w.t.Helper()
	it, err := w.iterator(shard, streamtypes.ShardIteratorTypeTrimHorizon, "")
	if err != nil {
		w.t.Fatal(err)
	}
	for empty := 0; it != nil && empty < 20; {
		out, err := w.streams.GetRecords(w.t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it})
		if err != nil {
			w.t.Fatal(err)
		}
		if empty++; len(out.Records) > 0 {
			empty = 0
		}
		recs = append(recs, out.Records...)
		it = out.NextShardIterator
	}
	return recs, it == nil
}

func code(err error) string {
	var api interface{ ErrorCode() string }
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestASplitShardIsReadParentFirstAndOnceEach(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{Seed: 7, EmptyPages: 3})
		for i := range 2500 {
			w.put(fmt.Sprint("k", i%100), fmt.Sprint(i))
		}
		first := w.Shards("orders")[0].ID
		if err := w.Split("orders", first); err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			w.put(fmt.Sprint("k", i%100), fmt.Sprint(-1-i))
		}
		n := 0
		last := map[string]string{}
		for i, sh := range w.Shards("orders") {
			if i > 0 && sh.Parent != first {
				t.Errorf("parent of %s is %q, want %q", sh.ID, sh.Parent, first)
			}
		}
		seen := append([]awssim.ShardInfo(nil), w.Shards("orders")...)
		for _, wantParent := range []bool{true, false} {
			for _, sh := range seen {
				if (sh.ID == first) != wantParent {
					continue
				}
				recs, closed := w.read(sh.ID)
				if closed != wantParent {
					t.Errorf("shard %s: end of shard %v, want %v", sh.ID, closed, wantParent)
				}
				for _, r := range recs {
					pk := r.Dynamodb.Keys["pk"].(*streamtypes.AttributeValueMemberS).Value
					seq := fmt.Sprintf("%40s", *r.Dynamodb.SequenceNumber)
					if seq <= last[pk] {
						t.Errorf("item %s: %s does not follow %s", pk, seq, last[pk])
					}
					last[pk] = seq
					n++
				}
			}
		}
		if n != 3000 {
			t.Errorf("read %d records, want 3000", n)
		}
	})
}

func TestTheAccountIsNamed(t *testing.T) {
	out, err := sts.NewFromConfig(awssim.New(awssim.Config{Account: "000011112222"}).AWSConfig("x")).GetCallerIdentity(context.Background(), nil)
	if err != nil || *out.Account != "000011112222" {
		t.Fatalf("account %v, error %v", out, err)
	}
}

func TestAnIteratorLivesFifteenMinutes(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		it, err := w.iterator(w.Shards("orders")[0].ID, streamtypes.ShardIteratorTypeLatest, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Minute)
		if _, err := w.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it}); err != nil {
			t.Errorf("after exactly 15 min: %v", err)
		}
		time.Sleep(time.Second)
		_, err = w.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it})
		var expired *streamtypes.ExpiredIteratorException
		if !errors.As(err, &expired) {
			t.Errorf("after 15 min 1 s: %v", err)
		}
	})
}
