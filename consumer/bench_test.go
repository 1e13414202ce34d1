package consumer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

const (
	benchShards = 2
	perPage     = 1000
	pagesPerOp  = 50 // of each shard; two files
	perOp       = benchShards * pagesPerOp * perPage
)

// BenchmarkConsume is the whole way of a record, from GetRecords to the file's PUT: Run
// with the KCL Worker and the SDKs, two shards, in real time. Leases live in the
// simulator; pages come ready-made and files are thrown away, in the same
// process but outside of HTTP and TLS. What that costs, "server" tells.
func BenchmarkConsume(b *testing.B) {
	for _, c := range []struct {
		name      string
		both, old bool
	}{
		{"one-image", false, false},
		{"two-images/new-kept", true, false},
		{"two-images/both-kept", true, true},
	} {
		b.Run(c.name, func(b *testing.B) { benchConsume(b, c.both, c.old) })
		b.Run(c.name+"/server", func(b *testing.B) { benchServer(b, c.both) })
	}
}

func benchConsume(b *testing.B, both, old bool) {
	cloud := awssim.New(awssim.Config{})
	s, err := scene.Open(b.Context(), cloud, benchShards)
	if err != nil {
		b.Fatal(err)
	}
	cfg := cloud.AWSConfig("worker")
	tap := newTap(cfg.HTTPClient, both)
	cfg.HTTPClient = tap
	o := s.Worker("worker", zap.NewNop())
	o.DynamoDB, o.Streams = dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg)
	o.Store = writer.NewS3(scene.S3(cfg), scene.Bucket, "")
	registry := prometheus.NewRegistry()
	o.OldImage, o.Memory, o.Registerer = old, 512<<20, registry
	o.Limits = writer.Limits{Rows: pagesPerOp / 2 * perPage, Bytes: 64 << 20, Age: time.Hour}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx, o) }()
	defer func() {
		stop()
		tap.close()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	tap.run(b) // leases are taken, buffers are made

	b.SetBytes(tap.bytes() * benchShards * pagesPerOp)
	measure(b, func() { tap.run(b) })

	families, err := registry.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "dynamolake_consumer_rows_total" && int(f.GetMetric()[0].GetCounter().GetValue()) != (b.N+1)*perOp {
			b.Errorf("%v, want %d rows", f, (b.N+1)*perOp)
		}
	}
}

// benchServer reads the same pages with nothing behind.
func benchServer(b *testing.B, both bool) {
	tap := newTap(nil, both)
	get := func(place string) *http.Request {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://streams", strings.NewReader(`{"ShardIterator":"`+place+`"}`))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810.GetRecords")
		return r
	}
	tap.limit = 1 << 40
	page, buf := 0, make([]byte, tap.bytes()+1024)
	measure(b, func() {
		for range benchShards * pagesPerOp {
			resp, err := tap.Do(get("0 " + strconv.Itoa(page)))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(resp.Body, buf[:resp.ContentLength]); err != nil {
				b.Fatal(err)
			}
			page++
		}
	})
}

// measure runs op, of perOp records, and reports CPU time (user and system, of the
// whole process): on a shared machine a better measure than the clock.
func measure(b *testing.B, op func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	for b.Loop() {
		op()
	}
	used := cpuTime() - cpu
	runtime.ReadMemStats(&after)
	n := float64(b.N) * perOp
	b.ReportMetric(float64(used.Microseconds())/n, "cpu-µs/record")
	b.ReportMetric(n/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/record")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A tap is the AWS of a benchmark: it lets out full pages, as many as it is told, takes
// the files and counts them, and passes the rest on.
type tap struct {
	aws.HTTPClient
	ready [benchShards][]readyPage // by shard; used in turn

	mu     sync.Mutex
	more   sync.Cond
	limit  int // pages let out of each shard so far
	files  int
	over   bool
	shards int // numbered so far
}

// readyPage is a page whose sequence numbers are written in when it goes out.
type readyPage struct {
	body []byte
	seqs []int // where they stand
}

func newTap(rest aws.HTTPClient, both bool) *tap {
	t := &tap{HTTPClient: rest}
	t.more.L = &t.mu
	r := rand.New(rand.NewPCG(1, 1))
	for shard := range t.ready {
		for range 8 {
			t.ready[shard] = append(t.ready[shard], newReadyPage(r, both))
		}
	}
	return t
}

func newReadyPage(r *rand.Rand, both bool) readyPage {
	b := []byte(`{"Records":[`)
	var seqs []int
	for i := range perPage {
		if i > 0 {
			b = append(b, ',')
		}
		key := fmt.Sprintf(`"customer":{"S":"customer#%08d"},"order":{"N":"%d"}`, r.IntN(1e8), r.IntN(1e6))
		b = fmt.Appendf(b, `{"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":1.7638848E9,"Keys":{%s},"NewImage":{%s,%s}`, key, key, attributes(r))
		if both {
			b = fmt.Appendf(b, `,"OldImage":{%s,%s}`, key, attributes(r))
		}
		b = append(b, `,"SequenceNumber":"`...)
		seqs = append(seqs, len(b))
		b = append(b, sequence(0, i)...)
		b = fmt.Appendf(b, `","SizeBytes":950,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventID":"%032x","eventName":"MODIFY","eventSource":"aws:dynamodb","eventVersion":"1.1"}`, r.Uint64())
	}
	return readyPage{append(b, `],"NextShardIterator":`...), seqs}
}

// attributes is an order of about 1 KB of DynamoDB JSON: mostly short strings and
// numbers, a few nested values, one longer text.
func attributes(r *rand.Rand) string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while seven wizards boil an egg")
	text := func(n int) string {
		w := make([]string, n)
		for i := range w {
			w[i] = words[r.IntN(len(words))]
		}
		return strings.Join(w, " ")
	}
	return fmt.Sprintf(`"status":{"S":"%s"},"email":{"S":"user%d@example.com"},"created_at":{"S":"2026-11-%02dT%02d:%02d:%02d.%03dZ"},`+
		`"amount":{"N":"%d.%02d"},"quantity":{"N":"%d"},"paid":{"BOOL":%t},"discount":{"NULL":true},"tags":{"SS":["new","%s","eu-west"]},`+
		`"sizes":{"NS":["1","2.5","%d"]},"address":{"M":{"street":{"S":"%s"},"zip":{"S":"%05d"},"geo":{"M":{"lat":{"N":"48.%06d"},"lon":{"N":"16.%06d"}}}}},`+
		`"lines":{"L":[{"M":{"sku":{"S":"SKU-%06d"},"n":{"N":"%d"}}},{"M":{"sku":{"S":"SKU-%06d"},"n":{"N":"%d"}}}]},`+
		`"token":{"B":"3q2+7wAAAAAAAAAAAAAAAN6tvu8="},"note":{"S":"%s"},"version":{"N":"%d"}`,
		words[r.IntN(9)], r.IntN(1e6), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), r.IntN(10_000), r.IntN(100), r.IntN(20),
		r.IntN(2) == 0, words[r.IntN(9)], r.IntN(99), text(4), r.IntN(99_999), r.IntN(1e6), r.IntN(1e6), r.IntN(1e6), r.IntN(9), r.IntN(1e6), r.IntN(9),
		text(60), r.IntN(1000))
}

func (t *tap) bytes() int64 { return int64(len(t.ready[0][0].body)) }

// run lets out the pages of one op and waits for the files that they fill.
func (t *tap) run(b *testing.B) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limit += pagesPerOp
	t.more.Broadcast()
	// Each page is in a file: those hold half an op's pages of a shard.
	for want := t.limit / (pagesPerOp / 2) * benchShards; t.files < want; {
		t.more.Wait()
	}
}

// close lets go of whoever waits for a page.
func (t *tap) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.more.Broadcast()
}

func (t *tap) Do(r *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case op == "GetShardIterator":
		return t.iterator(r)
	case op == "GetRecords":
		return t.records(r)
	case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/changes/"):
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.files++
		t.more.Broadcast()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"1"`}}, Body: http.NoBody, Request: r}, nil
	}
	return t.HTTPClient.Do(r)
}

// iterator numbers the shards as they come.
func (t *tap) iterator(r *http.Request) (*http.Response, error) {
	var in struct{ ShardId, SequenceNumber string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	page, err := pageAfter(in.SequenceNumber)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	shard := t.shards
	t.shards++
	return answer(r, fmt.Appendf(nil, `{"ShardIterator":"%d %d"}`, shard, page)), nil
}

func (t *tap) records(r *http.Request) (*http.Response, error) {
	var in struct{ ShardIterator string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	var shard, page int
	if _, err := fmt.Sscan(in.ShardIterator, &shard, &page); err != nil {
		return nil, err
	}
	t.mu.Lock()
	for page >= t.limit && !t.over {
		t.more.Wait()
	}
	over := t.over
	t.mu.Unlock()
	if over {
		return answer(r, fmt.Appendf(nil, `{"Records":[],"NextShardIterator":"%s"}`, in.ShardIterator)), nil
	}
	p := &t.ready[shard][page%len(t.ready[shard])]
	for i, at := range p.seqs {
		strconv.AppendInt(p.body[at:at], int64(position(page, i)), 10) // of the same length, in place
	}
	p.body = fmt.Appendf(bytes.TrimRight(p.body, `0123456789 "}`), `"%d %d"}`, shard, page+1)
	return answer(r, p.body), nil
}
