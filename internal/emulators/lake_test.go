package emulators_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"dynamolake/internal/emulators"
	"dynamolake/internal/lakecheck"
	"dynamolake/transform"
	"dynamolake/writer"
)

// tee keeps the last response body, as it came.
type tee struct{ body []byte }

func (c *tee) Do(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	c.body, err = io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(c.body))
	return resp, err
}

// TestRivalsWriteOneLake runs real records through decoder, encoder and chain
// into a real S3 server, by three writers at once that know nothing of each
// other, and checks the lake against the table.
func TestRivalsWriteOneLake(t *testing.T) {
	l := newLocal(t)
	for i := range 600 {
		l.write(i)
	}
	items := l.items()
	_, err := l.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName:           &l.table,
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(false)}, // so that the shard ends
	})
	if err != nil {
		t.Fatal(err)
	}
	shard := *l.describe(nil).Shards[0].ShardId
	bodies, journal := l.raw(shard)

	store := writer.NewS3(s3Client(t), newBucket(t, "rivals"), "lake")
	if err := writer.Probe(t.Context(), store, "w"); err != nil {
		t.Fatal(err)
	}
	prefix := writer.TablePrefix("123456789012", "us-east-1", l.table)
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}}
	var rivals errgroup.Group
	for i, rows := range []int{7, 11, 60} {
		rivals.Go(func() error {
			chain := writer.NewChain(store, writer.ChainPrefix(prefix, "all", shard))
			encoder := writer.NewEncoder(writer.Schema{Keys: keys, OldImage: true, Table: l.table, Dataset: "all"})
			batch := writer.NewBatch(transform.Seq{})
			for _, body := range bodies {
				p := &transform.Page{}
				if err := transform.NewDecoder(keys).Decode(body, p); err != nil {
					return err
				}
				batch.Add(body, p, time.Now())
			}
			for ended := false; !ended; {
				slice, ok := batch.Cut(time.Now(), writer.Limits{Rows: rows}, true)
				if !ok {
					return fmt.Errorf("writer %d: nothing to cut and no end of the shard", i)
				}
				f, err := encoder.Encode(slice, writer.Info{Shard: shard, Stream: l.arn, Writer: fmt.Sprint("w", i)})
				if err != nil {
					return err
				}
				link, _, err := chain.Commit(t.Context(), f)
				if err != nil {
					return err
				}
				batch.Advance(link.End)
				ended = link.ShardEnd
			}
			return nil
		})
	}
	if err := rivals.Wait(); err != nil {
		t.Fatal(err)
	}
	lake, err := lakecheck.Read(t.Context(), store, prefix)
	if err != nil {
		t.Fatal(err)
	}
	report := lakecheck.Check(lake, journal, items)
	if !report.OK() || report.Changes != len(journal) || report.Items != len(items) || !lake.Chains[0].Ended {
		t.Errorf("report: %s\n%s", report, strings.Join(report.Problems, "\n"))
	}
}

// write does the i-th of a series of puts, updates and deletes with all types.
func (l *local) write(i int) {
	l.t.Helper()
	key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: fmt.Sprint("item \"", rand.IntN(50))}}
	var err error
	switch i % 5 {
	case 0:
		_, err = l.db.DeleteItem(l.t.Context(), &dynamodb.DeleteItemInput{TableName: &l.table, Key: key})
	case 1, 2:
		_, err = l.db.UpdateItem(l.t.Context(), &dynamodb.UpdateItemInput{
			TableName: &l.table, Key: key, UpdateExpression: aws.String("ADD n :one SET m.#x = :x"),
			ConditionExpression:       aws.String("attribute_exists(m)"),
			ExpressionAttributeNames:  map[string]string{"#x": "a.b\u2028"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1.10"}, ":x": &types.AttributeValueMemberS{Value: fmt.Sprint(i)}},
		})
		if err != nil && strings.Contains(err.Error(), "ConditionalCheckFailed") {
			return
		}
	default:
		item := map[string]types.AttributeValue{
			"pk": key["pk"],
			"n":  &types.AttributeValueMemberN{Value: "12345678901234567890123456789.012345"},
			"m":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{" .\"": &types.AttributeValueMemberNULL{Value: true}}},
			"l":  &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberBOOL{Value: i%2 == 0}, &types.AttributeValueMemberB{Value: []byte{0, 255}}}},
			"ns": &types.AttributeValueMemberNS{Value: []string{"1", "1e-100", fmt.Sprint(i)}},
			"ss": &types.AttributeValueMemberSS{Value: []string{"é", "\u0000", "<&>"}},
		}
		_, err = l.db.PutItem(l.t.Context(), &dynamodb.PutItemInput{TableName: &l.table, Item: item})
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// raw reads a shard to its end: the bodies as they came, and what encoding/json
// makes of them.
func (l *local) raw(shard string) (bodies [][]byte, journal []lakecheck.Record) {
	l.t.Helper()
	client := &tee{}
	endpoint := emulators.DynamoDBLocal(l.t)
	streams := dynamodbstreams.New(dynamodbstreams.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	it, err := l.iterator(dynamodbstreams.GetShardIteratorInput{ShardIteratorType: "TRIM_HORIZON"})
	if err != nil {
		l.t.Fatal(err)
	}
	for it != nil {
		out, err := streams.GetRecords(l.t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it, Limit: aws.Int32(100)})
		if err != nil {
			l.t.Fatal(err)
		}
		it = out.NextShardIterator
		bodies = append(bodies, client.body)
		var page struct {
			Records []struct {
				EventID   string `json:"eventID"`
				EventName string `json:"eventName"`
				Dynamodb  struct {
					SequenceNumber           string
					Keys, NewImage, OldImage json.RawMessage
				} `json:"dynamodb"`
			}
		}
		if err := json.Unmarshal(client.body, &page); err != nil {
			l.t.Fatal(err)
		}
		for _, r := range page.Records {
			d := r.Dynamodb
			journal = append(journal, lakecheck.Record{
				Shard: shard, Seq: d.SequenceNumber, EventID: r.EventID, Op: r.EventName,
				KeyJSON: string(d.Keys), NewJSON: string(d.NewImage), OldJSON: string(d.OldImage),
			})
		}
	}
	return bodies, journal
}

// items scans the table, as DynamoDB JSON by key.
func (l *local) items() map[string]string {
	l.t.Helper()
	client := &tee{}
	endpoint := emulators.DynamoDBLocal(l.t)
	db := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1", HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	if out, err := db.Scan(l.t.Context(), &dynamodb.ScanInput{TableName: &l.table}); err != nil || out.LastEvaluatedKey != nil {
		l.t.Fatalf("scan: %v, or more than a page", err)
	}
	var page struct{ Items []json.RawMessage }
	if err := json.Unmarshal(client.body, &page); err != nil {
		l.t.Fatal(err)
	}
	items := map[string]string{}
	for _, item := range page.Items {
		var key struct {
			PK json.RawMessage `json:"pk"`
		}
		if err := json.Unmarshal(item, &key); err != nil {
			l.t.Fatal(err)
		}
		items[fmt.Sprintf(`{"pk":%s}`, key.PK)] = string(item)
	}
	return items
}

// newBucket makes a bucket of the test's own, and of this run's.
func newBucket(t *testing.T, name string) string {
	t.Helper()
	name = fmt.Sprintf("%s-%d", name, time.Now().UnixNano())
	if _, err := s3Client(t).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}
