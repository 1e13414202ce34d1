package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/internal/awssim"
	"dynamolake/internal/emulators"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// served is a world whose DynamoDB is simulated in this process, with as many shards as is
// wanted, and reached over HTTP. Its S3 server is a real one.
type served struct {
	world
	cloud *awssim.Cloud
}

func openServed(t testing.TB, cfg awssim.Config) served {
	t.Helper()
	s3URL, access, secret := emulators.S3(t)
	cfg.Region = "us-east-1"
	cloud := awssim.New(cfg)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	name := fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano())
	w := world{
		cfg: aws.Config{
			Region: cfg.Region, BaseEndpoint: &server.URL,
			Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""),
		},
		s3URL: s3URL, bucket: "lake-" + name, table: "orders-" + name,
		env: append(os.Environ(), "AWS_REGION="+cfg.Region, "AWS_ACCESS_KEY_ID="+access, "AWS_SECRET_ACCESS_KEY="+secret,
			"AWS_ENDPOINT_URL="+server.URL, "AWS_ENDPOINT_URL_S3="+s3URL, "AWS_EC2_METADATA_DISABLED=true"),
	}
	if err := scene.CreateTable(t.Context(), dynamodb.NewFromConfig(w.cfg), w.table); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &w.bucket}); err != nil {
		t.Fatal(err)
	}
	return served{w, cloud}
}

// load writes numbered items at a steady rate, and notes when each write was acknowledged. An item
// belongs to one of its goroutines, so its numbers ascend.
type load struct {
	mu    sync.Mutex
	acked []time.Time // by number
	err   error
}

const (
	loadWriters = 8
	loadItems   = 400 // different ones
)

// run writes until ctx ends.
func (l *load) run(ctx context.Context, w world, perSecond int) {
	var all sync.WaitGroup
	began := time.Now()
	for n := range loadWriters {
		all.Go(func() {
			db := dynamodb.NewFromConfig(w.cfg)
			for i := 0; ; i++ {
				due := began.Add(time.Duration(i*loadWriters+n) * time.Second / time.Duration(perSecond))
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(due)):
				}
				if err := l.write(context.WithoutCancel(ctx), db, w.table, (i%(loadItems/loadWriters))*loadWriters+n); err != nil {
					l.mu.Lock()
					l.err = err
					l.mu.Unlock()
					return
				}
			}
		})
	}
	all.Wait()
}

func (l *load) write(ctx context.Context, db *dynamodb.Client, table string, key int) error {
	l.mu.Lock()
	number := len(l.acked)
	l.acked = append(l.acked, time.Time{})
	l.mu.Unlock()
	_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: map[string]ddbtypes.AttributeValue{
		"customer": &ddbtypes.AttributeValueMemberS{Value: "c-" + strconv.Itoa(key)},
		"order":    &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(key)},
		"number":   &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(number)},
		"note":     &ddbtypes.AttributeValueMemberS{Value: strings.Repeat("n", 300)},
	}})
	if err != nil {
		return fmt.Errorf("write %d: %w", number, err)
	}
	l.mu.Lock()
	l.acked[number] = time.Now()
	l.mu.Unlock()
	return nil
}

func (l *load) written() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// reading is who waits for files: it asks for the next of each shard's chain, over and over.
type reading struct {
	w      served
	prefix string // of the table in the lake

	mu    sync.Mutex
	files map[string]arrival // by key
	rows  int64
	err   error
}

// arrival is when a file could be read: after missed, and no later than seen.
type arrival struct {
	missed, seen time.Time
	writer       string
}

const lookEvery = 50 * time.Millisecond

// run looks until ctx ends.
func (r *reading) run(ctx context.Context) {
	type follower struct {
		chain  *writer.Chain
		cursor transform.Seq
		missed time.Time
		ended  bool
	}
	followers := map[string]*follower{}
	store := r.w.store()
	for ctx.Err() == nil {
		for _, shard := range r.w.cloud.Shards(r.w.table) {
			f := followers[shard.ID]
			if f == nil {
				f = &follower{chain: writer.NewChain(store, writer.ChainPrefix(r.prefix, dataset.All, shard.ID)), missed: time.Now()}
				followers[shard.ID] = f
			}
			for !f.ended && ctx.Err() == nil {
				asked := time.Now()
				link, there, err := f.chain.Next(ctx, f.cursor)
				if err != nil && ctx.Err() == nil {
					r.mu.Lock()
					r.err = err
					r.mu.Unlock()
					return
				}
				if !there {
					f.missed = asked
					break
				}
				f.cursor, f.ended = link.End, link.ShardEnd
				r.mu.Lock()
				r.files[link.Key] = arrival{f.missed, time.Now(), link.Writer}
				r.rows += link.Rows
				r.mu.Unlock()
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery): // real processes live in real time
		}
	}
}

// await waits until as many rows as were written can be read.
func (r *reading) await(t testing.TB, rows int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(lookEvery) {
		r.mu.Lock()
		got, err := r.rows, r.err
		r.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if got >= int64(rows) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d rows can be read", got, rows)
		}
	}
}

// numberOf reads the number of a write from its row.
func numberOf(t testing.TB, row lakecheck.Row) int {
	t.Helper()
	var image struct{ Number struct{ N string } }
	if err := json.Unmarshal([]byte(row.Image), &image); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(image.Number.N)
	if err != nil {
		t.Fatalf("a row without a number: %s", row.Image)
	}
	return n
}
