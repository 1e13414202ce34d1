package adapter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/google/go-cmp/cmp"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/config"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"

	"dynamolake/consumer/adapter"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
)

// TestAFleetWithTheLibrarysLeaseTable is the package example on a whole simulated
// cloud: three Workers, the library's own DynamoDB checkpointer, shards that roll
// every ten minutes and split, empty pages, and a listing with a hole.
func TestAFleetWithTheLibrarysLeaseTable(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		cloud := awssim.New(awssim.Config{Seed: 11, Shards: 2, RollEvery: 10 * time.Minute, EmptyPages: 5})
		db := dynamodb.NewFromConfig(cloud.AWSConfig("writer"))
		arn := makeTables(t, db)
		rng := rand.New(rand.NewPCG(11, 0))
		write := func(n int) {
			for range n {
				_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: fmt.Sprintf("customer %d", rng.IntN(60))},
					"n":  &types.AttributeValueMemberN{Value: fmt.Sprint(rng.Int64())},
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		write(100)
		time.Sleep(30 * time.Minute) // so there are closed shards to begin with

		got := &seen{}
		var workers []*worker.Worker
		for i := range 3 {
			aws := cloud.AWSConfig(fmt.Sprintf("w%d", i))
			cfg := config.NewKinesisClientLibConfig("app", "orders", aws.Region, fmt.Sprintf("w%d", i)).
				WithInitialPositionInStream(config.TRIM_HORIZON).
				WithShardSyncIntervalMillis(10000).
				WithLogger(silent{})
			leases := checkpoint.NewDynamoCheckpoint(cfg).WithDynamoDB(dynamodb.NewFromConfig(aws))
			finished := func(_ context.Context, shardID string) (bool, error) {
				status := &partition.ShardStatus{ID: shardID, Mux: &sync.RWMutex{}}
				if err := leases.FetchCheckpoint(status); err != nil && err != checkpoint.ErrSequenceIDNotFound {
					return false, err
				}
				return status.GetCheckpoint() == checkpoint.ShardEnd, nil
			}
			w := worker.NewWorker(got, cfg).WithCheckpointer(leases).
				WithKinesis(adapter.New(dynamodbstreams.NewFromConfig(aws), arn, adapter.Options{Finished: finished}))
			if err := w.Start(); err != nil {
				t.Fatal(err)
			}
			workers = append(workers, w)
		}
		for minute := range 30 {
			write(20)
			time.Sleep(time.Minute)
			var open []string
			for _, s := range cloud.Shards("orders") {
				if s.Open {
					open = append(open, s.ID)
				}
			}
			id := open[rng.IntN(len(open))]
			switch minute {
			case 5, 15:
				if err := cloud.Split("orders", id); err != nil {
					t.Fatal(err)
				}
			case 10, 20:
				if err := cloud.HideShardOnce("orders", id, 3); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(5 * time.Minute)
		for _, w := range workers {
			w.Shutdown()
		}

		want, read := map[string][]string{}, map[string][]string{}
		for _, r := range cloud.Journal("orders") {
			want[r.Key] = append(want[r.Key], r.Seq)
		}
		for _, r := range got.records {
			read[r.key] = append(read[r.key], r.seq)
		}
		if len(want) != 60 {
			t.Errorf("the stream has records of %d items", len(want))
		}
		if diff := cmp.Diff(want, read); diff != "" {
			t.Errorf("sequence numbers by item (-written +read):\n%s", diff)
		}
		t.Logf("%d records of %d shards", len(got.records), len(cloud.Shards("orders")))
	})
}

// makeTables creates the table to be read and the library's lease table, and
// returns the stream.
func makeTables(t *testing.T, db *dynamodb.Client) string {
	var arn string
	for name, key := range map[string]string{"orders": "pk", "app": checkpoint.LeaseKeyKey} {
		out, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName:            &name,
			BillingMode:          types.BillingModePayPerRequest,
			KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
			StreamSpecification: &types.StreamSpecification{
				StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if name == "orders" {
			arn = *out.TableDescription.LatestStreamArn
		}
	}
	return arn
}
