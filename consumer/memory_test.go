package consumer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
	"dynamolake/transform"
	"dynamolake/writer"
)

// A page server answers GetShardIterator and GetRecords itself, with as many full
// pages in each shard as it is told, and passes everything else on. So a test or a
// benchmark can have more data than the simulator would hold, and without its cost.
type pageServer struct {
	aws.HTTPClient
	pages int
	fill  func(b []byte, page int) []byte // appends the records, without the brackets
}

func (s *pageServer) Do(r *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if op != "GetRecords" && op != "GetShardIterator" {
		return s.HTTPClient.Do(r)
	}
	var in struct{ ShardIterator, SequenceNumber string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	if op == "GetShardIterator" {
		page, err := pageAfter(in.SequenceNumber)
		return answer(r, fmt.Appendf(nil, `{"ShardIterator":"%d"}`, page)), err
	}
	page, err := strconv.Atoi(in.ShardIterator)
	if err != nil {
		return nil, err
	}
	b := []byte(`{"Records":[`)
	if page < s.pages {
		b = append(make([]byte, 0, 5<<18), b...)
		b = s.fill(b, page)
		page++
	}
	return answer(r, fmt.Appendf(b, `],"NextShardIterator":"%d"}`, page)), nil
}

func answer(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-1.0"},
			"X-Amz-Crc32":  {strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)},
		},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
}

// A page's records are numbered page*pageStep+1 and so on, so that positions need no
// memory.
const pageStep = 1000

func position(page, record int) int { return 100_000_000_000_000_000 + page*pageStep + record + 1 }

func sequence(page, record int) string { return strconv.Itoa(position(page, record)) }

// pageAfter is the page that follows a sequence number; the consumer only goes on
// after whole pages here.
func pageAfter(seq string) (int, error) {
	if seq == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(seq)
	return (n-position(0, 0))/pageStep + 1, err
}

// TestMemoryIsBoundedWhateverTheShards has more waiting than fits, in many shards, and
// an S3 that takes nothing for a while and little afterwards.
func TestMemoryIsBoundedWhateverTheShards(t *testing.T) {
	if testing.Short() {
		t.Skip("gigabytes of pages")
	}
	const (
		shards, pages, records = 300, 2, 100
		memory                 = 32 << 20
		largest                = 4 << 20 // what a page is reserved before its size is known
	)
	filler := strings.Repeat("x", 10_000)
	fill := func(b []byte, page int) []byte {
		for i := range records {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"customer":{"S":"c"},"order":{"N":"%d"}},`+
				`"NewImage":{"customer":{"S":"c"},"order":{"N":"%d"},"filler":{"S":"%s"}},"SequenceNumber":"%s","SizeBytes":10000,`+
				`"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventID":"%032x","eventName":"INSERT","eventSource":"aws:dynamodb","eventVersion":"1.1"}`,
				time.Now().Unix(), i, i, filler, sequence(page, i), page*pageStep+i)
		}
		return b
	}
	inBubble(t, awssim.Config{}, shards, func(f *fixture) {
		began := time.Now()
		var refused atomic.Int64
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation != "PutObject" || !strings.Contains(call.Target, "/changes/") {
				return awssim.Fault{}
			}
			switch since := time.Since(began); {
			case since < time.Minute: // which the writer reports at once
				refused.Add(1)
				return awssim.Fault{Status: 403, Code: "AccessDenied"}
			case since < 2*time.Minute: // which it waits out
				refused.Add(1)
				return awssim.Fault{Status: 503, Code: "SlowDown"}
			}
			return awssim.Fault{Delay: time.Second}
		})
		m := f.start("w", func(o *consumer.Options) {
			cfg := f.Cloud.AWSConfig("w")
			cfg.HTTPClient = &pageServer{HTTPClient: cfg.HTTPClient, pages: pages, fill: fill}
			o.Streams = dynamodbstreams.NewFromConfig(cfg)
			o.Memory, o.Limits.Age = memory, 15*time.Second
		})
		time.Sleep(time.Second) // the tables are made, the metrics are there
		most := 0.0
		for behind := true; behind; {
			if time.Since(began) > 30*time.Minute {
				f.Fatalf("stuck with %d of %d rows", f.links(shards, nil), shards*pages*records)
			}
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				most = max(most, m.metric(f.T, "dynamolake_consumer_held_bytes"))
			}
			behind = m.metric(f.T, "dynamolake_consumer_rows_total") < shards*pages*records
		}
		f.Logf("everything written %s after the start; at most %.1f MiB held of %d MiB", time.Since(began), most/(1<<20), memory>>20)
		if most > memory/2+largest {
			f.Errorf("%.0f bytes held; half of --memory %d is for pages", most, memory)
		}
		if most < memory/4 || refused.Load() == 0 {
			f.Errorf("%.0f bytes held, %d writes refused: memory was never short, the test shows nothing", most, refused.Load())
		}
		last, err := transform.ParseSeq(sequence(pages-1, records-1))
		if err != nil {
			f.Fatal(err)
		}
		if n := f.links(shards, &last); n != shards*pages*records {
			f.Errorf("%d rows in the lake, want %d", n, shards*pages*records)
		}
	})
}

// links walks every shard's chain to its end and counts the rows. With last set, each
// must end there.
func (f *fixture) links(shards int, last *transform.Seq) (rows int64) {
	f.Helper()
	all := f.Cloud.Shards(scene.TableName)
	if len(all) != shards {
		f.Fatalf("%d shards", len(all))
	}
	for _, s := range all {
		chain := writer.NewChain(f.Store("observer"), writer.ChainPrefix(f.Prefix(), "all", s.ID))
		var at transform.Seq
		for {
			link, ok, err := chain.Next(context.Background(), at)
			if err != nil {
				f.Fatal(err)
			}
			if !ok {
				break
			}
			at = link.End
			rows += link.Rows
		}
		if last != nil && at != *last {
			f.Errorf("the chain of shard %s ends at %s, want %s", s.ID, at, *last)
		}
	}
	return rows
}

// TestIdleShardsCostLittleMemory runs the real program with 2,000 idle shards and asks
// the operating system what it takes.
func TestIdleShardsCostLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of a real process")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc here")
	}
	const shards, limit = 2000, 200_000_000
	var mu sync.Mutex
	read, polls := map[string]bool{}, 0
	cloud := awssim.New(awssim.Config{})
	cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		if call.Operation == "GetRecords" {
			mu.Lock()
			defer mu.Unlock()
			read[call.Target] = true
			polls++
		}
		return awssim.Fault{}
	})
	if _, err := scene.Open(t.Context(), cloud, shards); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud)
	defer server.Close()

	program := filepath.Join(t.TempDir(), "dynamolake")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/dynamolake").CombinedOutput(); err != nil {
		t.Fatalf("building dynamolake: %v\n%s", err, out)
	}
	var log bytes.Buffer
	child := exec.Command(program, "consume", "--table", scene.TableName, "--lake", "s3://"+scene.Bucket)
	child.Env = []string{
		"HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + server.URL, "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_EC2_METADATA_DISABLED=true",
	}
	child.Stdout, child.Stderr = &log, &log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	defer func() {
		child.Process.Kill() //nolint:errcheck // it may have ended
		<-ended
		if t.Failed() {
			t.Logf("its log:\n%s", log.String())
		}
	}()

	// A real process lives in real time. All are read, and none more often than an idle
	// shard is, within a tenth.
	began := time.Now()
	for quiet := false; !quiet; {
		mu.Lock()
		polls = 0
		mu.Unlock()
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("it ended: %v", err)
		case <-time.After(5 * time.Second):
		}
		mu.Lock()
		all, calls := len(read), polls
		mu.Unlock()
		quiet = all == shards && calls < shards/2*11/10
		if time.Since(began) > 3*time.Minute {
			t.Fatalf("%d of %d shards are read, with %d calls in 5 s", all, shards, calls)
		}
	}
	rss, most := memoryOf(t, child.Process.Pid, "VmRSS"), memoryOf(t, child.Process.Pid, "VmHWM")
	t.Logf("%d idle shards, all read after %s: %d MB resident, %d MB at most", shards, time.Since(began).Round(time.Second), rss/1e6, most/1e6)
	if rss > limit {
		t.Errorf("%d MB resident, want less than %d", rss/1e6, limit/1_000_000)
	}
}

// memoryOf reads a field of /proc/<pid>/status, in bytes.
func memoryOf(t *testing.T, pid int, field string) (n int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(status), field+":")
	if _, err := fmt.Sscanf(after, "%d kB", &n); !ok || err != nil {
		t.Fatalf("no %s in %s", field, status)
	}
	return n << 10
}
