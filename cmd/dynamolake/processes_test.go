package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/consumer"
	"dynamolake/consumer/adapter"
	"dynamolake/internal/emulators"
	"dynamolake/internal/fleet"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/transform"
	"dynamolake/writer"
)

func TestMain(m *testing.M) { emulators.Main(m) }

const (
	processes   = 4
	chaosLength = time.Minute
)

// world is DynamoDB Local and an S3 server with one table and one bucket.
type world struct {
	cfg    aws.Config
	s3URL  string
	bucket string
	table  string
	env    []string
}

func openWorld(t testing.TB) world {
	t.Helper()
	db := emulators.DynamoDBLocal(t)
	s3URL, access, secret := emulators.S3(t)
	w := world{
		cfg: aws.Config{
			Region: "us-east-1", BaseEndpoint: &db,
			Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""),
		},
		s3URL: s3URL, bucket: fmt.Sprintf("lake-%d", os.Getpid()), table: fmt.Sprintf("orders-%d", os.Getpid()),
		env: append(os.Environ(), "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID="+access, "AWS_SECRET_ACCESS_KEY="+secret,
			"AWS_ENDPOINT_URL_DYNAMODB="+db, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS="+db, "AWS_ENDPOINT_URL_S3="+s3URL,
			"AWS_EC2_METADATA_DISABLED=true"),
	}
	if err := scene.CreateTable(t.Context(), dynamodb.NewFromConfig(w.cfg), w.table); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &w.bucket}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w world) s3() *s3.Client {
	return s3.NewFromConfig(w.cfg, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = &w.s3URL, true })
}

func (w world) store() writer.Store { return writer.NewS3(w.s3(), w.bucket, "") }

// build makes the real binary.
func build(t testing.TB, flags ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "dynamolake")
	if out, err := exec.Command("go", append(append([]string{"build"}, flags...), "-o", bin, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("building dynamolake: %v\n%s", err, out)
	}
	return bin
}

// TestProcessesLoseAndDoubleNothing runs four real processes over DynamoDB Local and a real
// S3 server, kills and freezes them at random for a minute under a live writer,
// and compares the lake with the stream and the table.
func TestProcessesLoseAndDoubleNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute and a half of real processes")
	}
	w := openWorld(t)
	bin := build(t, "-race")
	logs := t.TempDir()
	t.Cleanup(func() {
		if t.Failed() {
			showLogs(t, logs)
		}
	})
	lives := make([]int, processes) // how often each was started: an id is never used twice
	start := func(n int) *exec.Cmd {
		lives[n]++
		f, err := os.OpenFile(filepath.Join(logs, fmt.Sprintf("worker-%d.log", n)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c := exec.Command(bin, "consume", "--table", w.table, "--lake", "s3://"+w.bucket, "--flush-interval", "500ms",
			"--flush-rows", "500", "--lease-duration", "3s", "--lease-renew", "1s", "--poll-max", "500ms", "--worker-id", fmt.Sprintf("worker-%d-%d", n, lives[n]))
		c.Env, c.Stdout, c.Stderr = w.env, f, f
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
		return c
	}
	workers := make([]*exec.Cmd, processes)
	for i := range workers {
		workers[i] = start(i)
	}

	writing, stopWriting := context.WithCancel(t.Context())
	wrote := make(chan error, 1)
	author := scene.NewAuthor(dynamodb.NewFromConfig(w.cfg), w.table, 11, 300)
	steps := 0
	go func() {
		for writing.Err() == nil {
			if err := author.Step(writing); err != nil && writing.Err() == nil {
				wrote <- err
				return
			}
			steps++
		}
		wrote <- nil
	}()
	kills, freezes := chaos(t, w, workers, start)
	stopWriting()
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}

	journal, last := streamJournal(t, w)
	awaitCheckpoint(t, w, last)
	for _, c := range workers {
		c.Process.Signal(syscall.SIGCONT)
		c.Process.Signal(syscall.SIGTERM)
	}
	for i, c := range workers {
		if err := c.Wait(); err != nil {
			t.Errorf("worker-%d did not end cleanly on SIGTERM: %v", i, err)
		}
	}
	noRaces(t, logs, processes)
	table, err := consumer.Describe(t.Context(), dynamodb.NewFromConfig(w.cfg), w.table)
	if err != nil {
		t.Fatal(err)
	}
	lake, err := lakecheck.Read(t.Context(), w.store(), writer.TablePrefix(table.Account, table.Region, table.Name))
	if err != nil {
		t.Fatal(err)
	}
	report := lakecheck.Check(lake, journal, tableItems(t, w))
	t.Logf("%d requests, %d kill -9, %d freezes: %s", steps, kills, freezes, report)
	if !report.OK() || report.Changes == 0 {
		t.Errorf("the lake is not the stream:\n%s", strings.Join(report.Problems, "\n"))
	}
}

// chaos kills and freezes members of the fleet, mostly the one that reads: DynamoDB
// Local has a single shard.
func chaos(t *testing.T, w world, workers []*exec.Cmd, start func(int) *exec.Cmd) (kills, freezes int) {
	rng := rand.New(rand.NewPCG(5, 5))
	thaw := map[int]time.Time{} // when a frozen process goes on
	signal := func(i int, sig syscall.Signal) {
		if err := workers[i].Process.Signal(sig); err != nil {
			t.Fatalf("signal %v to worker-%d: %v", sig, i, err)
		}
	}
	for end := time.Now().Add(chaosLength); time.Now().Before(end); {
		time.Sleep(time.Duration(500+rng.IntN(2000)) * time.Millisecond) // real processes live in real time
		for i, at := range thaw {
			if time.Now().After(at) {
				signal(i, syscall.SIGCONT)
				delete(thaw, i)
			}
		}
		i := rng.IntN(len(workers))
		if reader, ok := readerOf(t, w); ok && rng.IntN(4) > 0 {
			i = reader
		}
		if rng.IntN(2) == 0 {
			kills++
			signal(i, syscall.SIGKILL)
			workers[i].Wait() //nolint:errcheck // it was killed
			delete(thaw, i)
			workers[i] = start(i)
		} else if _, frozen := thaw[i]; !frozen {
			freezes++
			signal(i, syscall.SIGSTOP)
			thaw[i] = time.Now().Add(time.Duration(1000+rng.IntN(6000)) * time.Millisecond) // the lease is 3 s
		}
	}
	for i := range thaw {
		signal(i, syscall.SIGCONT)
	}
	return kills, freezes
}

// readerOf is the process that holds the lease.
func readerOf(t testing.TB, w world) (n int, ok bool) {
	t.Helper()
	for _, worker := range statusOf(t, w).Workers {
		if _, err := fmt.Sscanf(worker.ID, "worker-%d-", &n); err == nil && worker.Shards > 0 {
			return n, true
		}
	}
	return 0, false
}

// statusOf is what `dynamolake status` prints; empty while there is no fleet yet.
func statusOf(t testing.TB, w world) (r fleet.Report) {
	t.Helper()
	var out strings.Builder
	if err := (inspecting{table: w.table, output: "json"}).run(t.Context(), w.cfg, &out); err != nil {
		return fleet.Report{}
	}
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// tableItems scans the table: key to item, as DynamoDB JSON.
func tableItems(t testing.TB, w world) map[string]string {
	t.Helper()
	items := map[string]string{}
	for p := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(w.cfg), &dynamodb.ScanInput{TableName: &w.table, ConsistentRead: aws.Bool(true)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			items[asJSON(t, map[string]ddbtypes.AttributeValue{"customer": it["customer"], "order": it["order"]})] = asJSON(t, it)
		}
	}
	return items
}

func asJSON(t testing.TB, item map[string]ddbtypes.AttributeValue) string {
	t.Helper()
	b, err := json.Marshal(plain(&ddbtypes.AttributeValueMemberM{Value: item}).(map[string]any)["M"])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// plain is an attribute value in the shape of DynamoDB JSON.
func plain(v ddbtypes.AttributeValue) any {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberM:
		m := map[string]any{}
		for name, x := range v.Value {
			m[name] = plain(x)
		}
		return map[string]any{"M": m}
	case *ddbtypes.AttributeValueMemberL:
		l := []any{}
		for _, x := range v.Value {
			l = append(l, plain(x))
		}
		return map[string]any{"L": l}
	case *ddbtypes.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *ddbtypes.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *ddbtypes.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *ddbtypes.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *ddbtypes.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *ddbtypes.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}
	case *ddbtypes.AttributeValueMemberNS:
		return map[string]any{"NS": v.Value}
	case *ddbtypes.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}
	}
	panic(fmt.Sprintf("attribute of type %T", v))
}

// streamJournal reads the whole stream through the SDK, as the truth about what
// was written, and returns the last sequence number of each shard with records.
func streamJournal(t testing.TB, w world) (journal []lakecheck.Record, last map[string]transform.Seq) {
	t.Helper()
	ctx := t.Context()
	table, err := consumer.Describe(ctx, dynamodb.NewFromConfig(w.cfg), w.table)
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodbstreams.NewFromConfig(w.cfg)
	shards, err := consumer.NewLineage(client, table.StreamARN).Shards(ctx)
	if err != nil {
		t.Fatal(err)
	}
	last = map[string]transform.Seq{}
	for _, s := range shards {
		it, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &table.StreamARN, ShardId: &s.ID, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		if err != nil {
			t.Fatal(err)
		}
		for next, empty := it.ShardIterator, 0; next != nil && empty < 3; {
			var raw adapter.Raw
			if _, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: next}, adapter.CaptureRaw(&raw)); err != nil {
				t.Fatal(err)
			}
			// encoding/json, not the product's decoder: the truth must not share its mistakes.
			var page struct {
				NextShardIterator *string
				Records           []struct {
					EventID   string `json:"eventID"`
					EventName string `json:"eventName"`
					DynamoDB  struct {
						Keys, NewImage, OldImage json.RawMessage
						SequenceNumber           string
					} `json:"dynamodb"`
				}
			}
			if err := json.Unmarshal(raw.Buf, &page); err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				journal = append(journal, lakecheck.Record{
					Shard: s.ID, Seq: r.DynamoDB.SequenceNumber, EventID: r.EventID, Op: r.EventName,
					KeyJSON: string(r.DynamoDB.Keys), NewJSON: string(r.DynamoDB.NewImage), OldJSON: string(r.DynamoDB.OldImage),
				})
				if last[s.ID], err = transform.ParseSeq(r.DynamoDB.SequenceNumber); err != nil {
					t.Fatal(err)
				}
			}
			if next = page.NextShardIterator; len(page.Records) == 0 {
				empty++
			}
		}
	}
	return journal, last
}

// awaitCheckpoint waits until every shard's lease is at its last record.
func awaitCheckpoint(t testing.TB, w world, last map[string]transform.Seq) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		r := statusOf(t, w)
		behind := len(last)
		for _, s := range r.Shards {
			at, seqErr := transform.ParseSeq(s.Checkpoint)
			if end, ok := last[s.ID]; ok && (s.State == "ended" || seqErr == nil && at.Compare(end) >= 0) {
				behind--
			}
		}
		if behind == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the fleet does not reach the end of the stream: %d shards behind\n%+v", behind, r)
		}
		time.Sleep(200 * time.Millisecond) // real processes live in real time
	}
}

// noRaces fails if the race detector spoke up in any process.
func noRaces(t testing.TB, dir string, want int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(files) != want {
		t.Fatalf("logs %v, error %v; want one of each process", files, err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(string(body), "WARNING: DATA RACE"); i >= 0 {
			t.Errorf("%s:\n%s", filepath.Base(name), body[i:min(len(body), i+3000)])
		}
	}
}

func showLogs(t testing.TB, dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		body, _ := io.ReadAll(f)
		f.Close()
		t.Logf("%s:\n%s", filepath.Base(name), body[max(0, len(body)-6000):])
	}
}
