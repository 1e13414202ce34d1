package scene

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/transform"
	"dynamolake/writer"
)

// Names of what a scene creates.
const (
	TableName = "orders"
	Bucket    = "lake"
	App       = "dynamolake-orders"
)

// Scene is one table in one cloud.
type Scene struct {
	Cloud *awssim.Cloud
	Table consumer.Table
	part  *Part // nil: the whole lake
	app   string
}

// App is the lease table.
func (s *Scene) App() string { return cmp.Or(s.app, App) }

// Beside creates another table in the same cloud. Its leases are in the lease table of an
// application that serves several.
func (s *Scene) Beside(ctx context.Context, table, app string, shards int) (*Scene, error) {
	s.Cloud.SetShards(table, shards)
	db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("author"))
	if err := CreateTable(ctx, db, table); err != nil {
		return nil, err
	}
	t, err := consumer.Describe(ctx, db, table)
	return &Scene{Cloud: s.Cloud, Table: t, app: app}, err
}

// In is the scene with its leases in another lease table.
func (s *Scene) In(app string) *Scene {
	other := *s
	other.app = app
	return &other
}

// Open creates the table, with a stream of so many shards, and the bucket.
func Open(ctx context.Context, cloud *awssim.Cloud, shards int) (*Scene, error) {
	cloud.SetShards(TableName, shards)
	cfg := cloud.AWSConfig("author")
	db := dynamodb.NewFromConfig(cfg)
	if err := CreateTable(ctx, db, TableName); err != nil {
		return nil, err
	}
	table, err := consumer.Describe(ctx, db, TableName)
	if err != nil {
		return nil, err
	}
	if _, err := S3(cfg).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(Bucket)}); err != nil {
		return nil, fmt.Errorf("creating the bucket: %w", err)
	}
	return &Scene{Cloud: cloud, Table: table}, nil
}

// CreateTable creates a table for an [Author], with its stream on.
func CreateTable(ctx context.Context, db *dynamodb.Client, name string) error {
	_, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{
			{AttributeName: aws.String("customer"), AttributeType: ddbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("order"), AttributeType: ddbtypes.ScalarAttributeTypeN},
		},
		KeySchema: []ddbtypes.KeySchemaElement{
			{AttributeName: aws.String("customer"), KeyType: ddbtypes.KeyTypeHash},
			{AttributeName: aws.String("order"), KeyType: ddbtypes.KeyTypeRange},
		},
		BillingMode:         ddbtypes.BillingModePayPerRequest,
		StreamSpecification: &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		return fmt.Errorf("creating the table: %w", err)
	}
	return nil
}

// S3 is a client that does not need a host per bucket.
func S3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// Store is the lake as one caller sees it.
func (s *Scene) Store(client string) writer.Store {
	c := S3(s.Cloud.AWSConfig(client))
	return direct{Store: writer.NewS3(c, Bucket, ""), client: c}
}

// Lake is Store with all that exports and a verification need.
func (s *Scene) Lake(client string) *writer.S3 {
	return writer.NewS3(S3(s.Cloud.AWSConfig(client)), Bucket, "")
}

// Ledger is the table's ledger as one caller sees it.
func (s *Scene) Ledger(client string) *ledger.Store {
	return ledger.NewStore(s.register(client), s.Table.ARN)
}

func (s *Scene) register(client string) ledger.Register {
	return ledger.Document(s.Lake(client), s.Prefix()+ledger.Key, writer.ErrNotFound, writer.ErrChanged)
}

// direct also has the bucket itself, which sabotage needs.
type direct struct {
	writer.Store
	client *s3.Client
}

// Prefix is where the table's part of the lake lies.
func (s *Scene) Prefix() string {
	return writer.TablePrefix(s.Table.Account, s.Table.Region, s.Table.Name)
}

// Worker is one member of the fleet, not yet running. The caller changes what it
// wants and calls consumer.Run.
func (s *Scene) Worker(name string, log *zap.Logger) consumer.Options {
	cfg := s.Cloud.AWSConfig(name)
	o := consumer.Defaults()
	o.DynamoDB, o.Streams = dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg)
	o.Store, o.Table, o.App, o.Worker = s.Store(name), s.Table, s.App(), name
	o.Ledger = s.Ledger(name)
	o.Log, o.Registerer = log, prometheus.NewRegistry()
	return o
}

// Author is who writes to the table.
func (s *Scene) Author(seed uint64, keys int) *Author {
	return NewAuthor(dynamodb.NewFromConfig(s.Cloud.AWSConfig("author")), s.Table.Name, seed, keys)
}

// Describe asks for the table's facts as they are now.
func (s *Scene) Describe(ctx context.Context) (consumer.Table, error) {
	return consumer.Describe(ctx, dynamodb.NewFromConfig(s.Cloud.AWSConfig("observer")), s.Table.Name)
}

// Leases reads the fleet's lease table.
func (s *Scene) Leases(ctx context.Context) (checkpoint.Table, error) {
	return checkpoint.ReadTable(ctx, dynamodb.NewFromConfig(s.Cloud.AWSConfig("observer")), s.App(), s.Table.Name)
}

// Behind counts the records that no checkpoint has passed yet, and names the
// shards they are in.
func (s *Scene) Behind(ctx context.Context) (records int, where string, err error) {
	table, err := s.Leases(ctx)
	if err != nil {
		return 0, "", err
	}
	parent := map[string]string{}
	for _, s := range s.Cloud.Shards(s.Table.Name) {
		parent[s.ID] = s.Parent
	}
	rows, ancestors := map[string]checkpoint.Row{}, map[string]bool{}
	for _, l := range table.Leases {
		rows[l.Key] = l
		if !l.ParentGone && l.Checkpoint.Seq == "" && l.Checkpoint.Sentinel != checkpoint.ShardEnd {
			continue // it may still wait for its parent, which a listing hid
		}
		for p := parent[l.Key]; p != ""; p = parent[p] {
			ancestors[p] = true
		}
	}
	shards := map[string]bool{}
	for _, r := range s.Cloud.Journal(s.Table.Name) {
		cp := rows[r.Shard].Checkpoint
		if _, known := rows[r.Shard]; !known && ancestors[r.Shard] {
			continue // finished, and its row removed: two listings hid the shard
		}
		if cp.Sentinel == checkpoint.ShardEnd || cp.Seq != "" && seq(cp.Seq).Compare(seq(r.Seq)) >= 0 {
			continue
		}
		records++
		if !shards[r.Shard] {
			shards[r.Shard] = true
			where += fmt.Sprintf("\n  shard %s: %+v", r.Shard, rows[r.Shard])
		}
	}
	return records, where, nil
}

// Await waits until every record has been checkpointed past, or gives up.
func (s *Scene) Await(ctx context.Context, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; {
		behind, where, err := s.Behind(ctx)
		if err == nil && behind == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v still %d records behind (%v)%s", limit, behind, err, where)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Prove folds the lake and compares it with the journal and the table, each export with its
// part of the journal, and all of it with what the ledger claims. A lake without a full
// export is one of the stream alone.
func (s *Scene) Prove(ctx context.Context) (lakecheck.Report, error) {
	return s.ProveWithin(ctx, ledger.RealTiming())
}

// ProveWithin is Prove for a ledger of another timing.
func (s *Scene) ProveWithin(ctx context.Context, t ledger.Timing) (lakecheck.Report, error) {
	lake, err := s.lake(ctx)
	if err != nil {
		return lakecheck.Report{}, err
	}
	l, err := s.Ledger("observer").Read(ctx)
	if err != nil {
		return lakecheck.Report{}, err
	}
	if l.Base() == nil {
		return s.of(lakecheck.Truth{Journal: journal(s.Cloud.Journal(s.Table.Name)), Items: s.Cloud.Items(s.Table.Name)}).Check(lake), nil
	}
	return s.of(s.truth(&l, t)).Check(lake), nil
}

// seq reads a sequence number of the simulator or of a lease row that the
// consumer wrote; both are digits.
func seq(digits string) transform.Seq {
	s, err := transform.ParseSeq(digits)
	if err != nil {
		panic(err)
	}
	return s
}
