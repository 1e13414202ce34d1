package transform

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

var benchKeys = KeySchema{Hash: KeyAttr{"pk", 'S'}, Range: KeyAttr{"sk", 'N'}}

// benchImage is an order of about 1 KB of DynamoDB JSON: mostly short strings
// and numbers, a few nested values, one longer text.
func benchImage(r *rand.Rand, key string) string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while seven wizards boil an egg")
	text := func(n int) string {
		w := make([]string, n)
		for i := range w {
			w[i] = words[r.IntN(len(words))]
		}
		return strings.Join(w, " ")
	}
	return fmt.Sprintf(`{%s,"customer_id":{"S":"cust-%08d"},"status":{"S":"%s"},"email":{"S":"user%d@example.com"},`+
		`"created_at":{"S":"2026-11-%02dT%02d:%02d:%02d.%03dZ"},"amount":{"N":"%d.%02d"},"quantity":{"N":"%d"},"paid":{"BOOL":%t},`+
		`"discount":{"NULL":true},"tags":{"SS":["new","%s","eu-west"]},"sizes":{"NS":["1","2.5","%d"]},`+
		`"address":{"M":{"street":{"S":"%s"},"zip":{"S":"%05d"},"city":{"S":"Wien \u00d6"},"geo":{"M":{"lat":{"N":"48.%06d"},"lon":{"N":"16.%06d"}}}}},`+
		`"lines":{"L":[{"M":{"sku":{"S":"SKU-%06d"},"n":{"N":"%d"}}},{"M":{"sku":{"S":"SKU-%06d"},"n":{"N":"%d"}}}]},`+
		`"token":{"B":"3q2+7wAAAAAAAAAAAAAAAN6tvu8="},"note":{"S":"%s"},"version":{"N":"%d"}}`,
		key, r.IntN(1e8), words[r.IntN(9)], r.IntN(1e6), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000),
		r.IntN(10_000), r.IntN(100), r.IntN(20), r.IntN(2) == 0, words[r.IntN(9)], r.IntN(99), text(4), r.IntN(99_999),
		r.IntN(1e6), r.IntN(1e6), r.IntN(1e6), r.IntN(9), r.IntN(1e6), r.IntN(9), text(40), r.IntN(1000))
}

// benchPage is an answer of 1,000 records; old images only with both.
func benchPage(both bool) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	b.WriteString(`{"NextShardIterator":"arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026|1|AAAA","Records":[`)
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		key := fmt.Sprintf(`"pk":{"S":"order#%08d"},"sk":{"N":"%d"}`, r.IntN(1e8), i)
		image := benchImage(r, key)
		fmt.Fprintf(&b, `{"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":1.7638E9,"Keys":{%s},"NewImage":%s`, key, image)
		if both {
			fmt.Fprintf(&b, `,"OldImage":%s`, benchImage(r, key))
		}
		fmt.Fprintf(&b, `,"SequenceNumber":"%d","SizeBytes":%d,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventID":"%032x","eventName":"MODIFY","eventSource":"aws:dynamodb","eventVersion":"1.1"}`,
			100000000012345678+i, len(image), r.Uint64())
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// BenchmarkDecode decodes pages of 1,000 records of about 1 KB an image, by the
// decoder and by the SDK's own deserializer over an in-memory HTTP client.
func BenchmarkDecode(b *testing.B) {
	for _, images := range []struct {
		name string
		both bool
	}{{"one-image", false}, {"two-images", true}} {
		body := benchPage(images.both)
		var before time.Duration
		report := func(b *testing.B) {
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1000, "cpu-ns/record")
		}
		b.Run(images.name+"/dynamolake", func(b *testing.B) {
			d, p := NewDecoder(benchKeys), new(Page)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			before = cpuTime()
			for b.Loop() {
				if err := d.Decode(body, p); err != nil || len(p.Changes) != 1000 {
					b.Fatal(err, len(p.Changes), p.Rejects)
				}
			}
			report(b)
		})
		b.Run(images.name+"/dynamolake-rest", func(b *testing.B) {
			d, p := NewDecoder(benchKeys), new(Page)
			var rest []byte
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			before = cpuTime()
			before = cpuTime()
			for b.Loop() {
				if err := d.Decode(body, p); err != nil {
					b.Fatal(err)
				}
				rest = rest[:0]
				for i := range p.Changes {
					rest = p.Changes[i].AppendRest(rest)
				}
			}
			report(b)
		})
		b.Run(images.name+"/sdk", func(b *testing.B) {
			client := dynamodbstreams.New(dynamodbstreams.Options{
				Region:      "eu-west-1",
				Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
				HTTPClient:  answers(body),
			})
			iterator := "i"
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			before = cpuTime()
			for b.Loop() {
				out, err := client.GetRecords(context.Background(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator})
				if err != nil || len(out.Records) != 1000 {
					b.Fatal(err)
				}
			}
			report(b)
		})
	}
}

// cpuTime is the process's user and system time: on a shared machine a better
// measure than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// answers is an HTTP client that answers every request with itself.
type answers []byte

func (a answers) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:       io.NopCloser(bytes.NewReader(a)),
	}, nil
}
