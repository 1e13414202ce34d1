package bootstrap_test

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/zap/zaptest"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/writer"
)

// A world is a cloud with a table "orders" (pk S, sk N), a bucket for the lake,
// and a ledger in it.
type world struct {
	*testing.T
	*awssim.Cloud
	db     *dynamodb.Client
	s3     *s3.Client
	store  *writer.S3
	ledger *ledger.Store
	table  bootstrap.Table
	rng    *rand.Rand
}

const prefix = "123456789012/eu-west-1/orders/"

// inWorld runs f in a bubble, a while after the table was made.
func inWorld(t *testing.T, cfg awssim.Config, f func(*world)) {
	bubble.Run(t, func(t *testing.T) {
		if cfg.Latency == nil {
			cfg.Latency = func(*awssim.Call) time.Duration { return 5 * time.Millisecond }
		}
		c := awssim.New(cfg)
		conf := c.AWSConfig("tester")
		w := &world{T: t, Cloud: c, db: dynamodb.NewFromConfig(conf), s3: s3.NewFromConfig(conf), rng: rand.New(rand.NewPCG(cfg.Seed, 9))}
		w.createTable()
		if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lake")}); err != nil {
			t.Fatal(err)
		}
		w.store = writer.NewS3(w.s3, "lake", "")
		w.ledger = ledger.NewStore(document{w.store, prefix + "_ledger/ledger.json"}, w.table.ARN)
		time.Sleep(time.Minute)
		f(w)
	})
}

func (w *world) createTable() {
	w.Helper()
	_, err := w.db.CreateTable(w.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String("orders"),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.describe()
}

func (w *world) describe() {
	w.Helper()
	t, err := bootstrap.Describe(w.Context(), w.db, "orders")
	if err != nil {
		w.Fatal(err)
	}
	w.table = t
}

// document keeps the ledger in the lake.
type document struct {
	store writer.Documents
	key   string
}

func (d document) Load(ctx context.Context) ([]byte, string, error) {
	body, version, err := d.store.Load(ctx, d.key)
	if errors.Is(err, writer.ErrNotFound) {
		return nil, "", nil
	}
	return body, version, err
}

func (d document) Swap(ctx context.Context, body []byte, version string) error {
	_, err := d.store.Swap(ctx, d.key, body, version)
	if errors.Is(err, writer.ErrChanged) {
		return ledger.ErrChanged
	}
	return err
}

// options of a worker, whose calls bear its name.
func (w *world) options(worker string, change ...func(*bootstrap.Options)) bootstrap.Options {
	conf := w.AWSConfig(worker)
	conf.RetryMaxAttempts = 2
	client := s3.NewFromConfig(conf)
	store := writer.NewS3(client, "lake", "")
	o := bootstrap.Defaults()
	o.DynamoDB, o.S3, o.Store = dynamodb.NewFromConfig(conf), client, store
	o.Ledger = ledger.NewStore(document{store, prefix + "_ledger/ledger.json"}, w.table.ARN)
	o.Table, o.Worker = w.table, worker
	o.Raw = bootstrap.Raw{Bucket: "lake"}
	o.OldImage = true
	o.Window = 15 * time.Minute
	if testing.Verbose() {
		o.Log = zaptest.NewLogger(w.T)
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

func (w *world) put(pk string, sk int, v string) {
	w.Helper()
	_, err := w.db.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberN{Value: strconv.Itoa(sk)},
		"v": &types.AttributeValueMemberS{Value: v}, "set": &types.AttributeValueMemberSS{Value: []string{"b" + v, "a" + v, "c"}},
		"nested": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"n": &types.AttributeValueMemberN{Value: "1.50"}, "null": &types.AttributeValueMemberNULL{Value: true}}},
	}})
	if err != nil {
		w.Fatal(err)
	}
}

// putAttr puts an item with one attribute more.
func (w *world) putAttr(pk string, sk int, name, v string) {
	w.Helper()
	_, err := w.db.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberN{Value: strconv.Itoa(sk)},
		name: &types.AttributeValueMemberS{Value: v},
	}})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) remove(pk string, sk int) {
	w.Helper()
	_, err := w.db.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberN{Value: strconv.Itoa(sk)},
	}})
	if err != nil {
		w.Fatal(err)
	}
}

// live changes items at random for a while.
func (w *world) live(d time.Duration, writes int) {
	w.Helper()
	end := time.Now().Add(d)
	for i := range writes {
		pk, sk := fmt.Sprint("p", w.rng.IntN(8)), w.rng.IntN(12)
		if w.rng.IntN(3) == 0 {
			w.remove(pk, sk)
		} else {
			w.put(pk, sk, fmt.Sprint(i, "-", w.rng.IntN(1000)))
		}
		time.Sleep(time.Until(end) / time.Duration(writes-i))
	}
}

func (w *world) pitr(days int) {
	w.Helper()
	if err := w.SetPITR("orders", days); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read() ledger.Ledger {
	w.Helper()
	l, err := w.ledger.Read(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return l
}

func (w *world) full(change ...func(*bootstrap.Options)) bootstrap.Result {
	w.Helper()
	r, err := bootstrap.Bootstrap(w.Context(), w.options("full", change...), bootstrap.Seed{NoStream: true})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// catchUp runs windows until none is due.
func (w *world) catchUp(change ...func(*bootstrap.Options)) {
	w.Helper()
	if err := w.tryCatchUp(change...); err != nil {
		w.Fatal(err)
	}
}

func (w *world) tryCatchUp(change ...func(*bootstrap.Options)) error {
	w.Helper()
	r, err := bootstrap.NewRepairer(w.options("repair", append([]func(*bootstrap.Options){func(o *bootstrap.Options) { o.Follow = true }}, change...)...))
	if err != nil {
		w.Fatal(err)
	}
	_, err = r.CatchUp(w.Context())
	return err
}

// objects lists keys of the lake that have a word in them.
func (w *world) objects(word string) []string {
	w.Helper()
	var keys []string
	for o, err := range w.store.List(w.Context(), "") {
		if err != nil {
			w.Fatal(err)
		}
		if strings.Contains(o.Key, word) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

func (w *world) wantAdvice(err error, words ...string) {
	w.Helper()
	var a *bootstrap.Advice
	if !errors.As(err, &a) {
		w.Fatalf("error %v, want advice with %q", err, words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.Errorf("advice %q lacks %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		w.Errorf("advice of more than a line: %q", err)
	}
}

// rewriteManifest counts one item more in a manifest that is read, and makes its checksum fit.
func rewriteManifest(w *world, target string, body []byte) []byte {
	count := func(text []byte) []byte {
		n := len(w.Items("orders"))
		return []byte(strings.ReplaceAll(string(text), fmt.Sprintf(`"itemCount":%d`, n), fmt.Sprintf(`"itemCount":%d`, n+1)))
	}
	if !strings.HasSuffix(target, ".md5") {
		return count(body)
	}
	key := strings.TrimSuffix(strings.TrimPrefix(target, "lake/"), ".md5") + ".json"
	out, err := w.s3.GetObject(w.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: &key})
	if err != nil {
		w.Error(err)
		return body
	}
	text, _ := io.ReadAll(out.Body)
	if !strings.Contains(string(text), fmt.Sprintf(`"itemCount":%d`, len(w.Items("orders"))+1)) {
		text = count(text)
	}
	sum := md5.Sum(text)
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}
