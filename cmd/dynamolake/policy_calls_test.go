package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
)

// inquest runs whole commands in virtual time, and notes what each calls.
type inquest struct {
	*testing.T
	*scene.Scene
	mu      sync.Mutex
	calls   called
	running []func()
	cut     map[string]bool // commands whose parts of uploads are refused until one was given up
	deaf    map[string]bool // commands that hear nothing of the exports they ask for
}

// callsOfCommands takes every command through what it does, rare branches included.
func callsOfCommands(t *testing.T) called {
	q := &inquest{calls: called{}, cut: map[string]bool{}, deaf: map[string]bool{}}
	bubble.Run(t, func(t *testing.T) {
		q.T = t
		s, err := scene.Open(t.Context(), awssim.New(awssim.Config{}), 2)
		if err != nil {
			t.Fatal(err)
		}
		q.Scene = s
		defer func() {
			for _, stop := range q.running {
				stop()
			}
		}()
		s.Cloud.Intercept(q.watch)
		if _, err := scene.S3(s.Cloud.AWSConfig("author")).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("exports")}); err != nil {
			t.Fatal(err)
		}
		q.tell()
	})
	return q.calls
}

func (q *inquest) tell() {
	exporting := []string{"--export-bucket=exports", "--state=dynamodb"}
	q.write(60)
	time.Sleep(3 * time.Hour) // CloudWatch has nothing of a younger table
	q.mustRun("advise", "--freshness=5", "--engineering=4", "--cost=3", "--volume=4", "--downstream=3")

	// A full export of a table that has nothing turned on, and another whose files go.
	q.setStream(false)
	q.bulk()
	enable := append([]string{"bootstrap", "--enable"}, exporting...)
	q.unheard(nil, enable...)
	q.cut["bootstrap"] = true
	if code, text := q.run(q.Context(), enable...); code != 1 {
		q.Errorf("bootstrap of a lake that refuses parts: exit code %d\n%s", code, text)
	}
	q.mustRun(enable...)
	manifest := "s3://exports/" + q.manifest()

	// A fleet of one, whose stream goes on in new shards; then one that lost a day, and repairs that itself.
	consume := append([]string{"consume", "--repair=on"}, exporting...)
	stop := q.start(consume...)
	q.live(20 * time.Minute)
	q.must(q.Cloud.RollAll(scene.TableName))
	q.live(20 * time.Minute)
	q.outage(stop)
	q.unheard(nil, consume...)
	q.cut["consume"] = true
	stop = q.start(consume...)
	q.untilClosed(1)

	// Without repair of its own the gap is left to incremental.
	q.outage(stop)
	consume = append([]string{"consume", "--repair=off", "--on-gap=continue"}, exporting...)
	incremental := append([]string{"incremental", "--follow", "--keep-raw=false"}, exporting...)
	q.unheard(q.start(consume...), incremental...)
	q.cut["incremental"] = true
	stop = q.start(consume...)
	end := q.start(incremental...)
	q.untilClosed(2)
	end()

	q.cut["replay"] = true
	export := []string{"replay", "--state=dynamodb", "--into=export", "--export=" + path.Base(path.Dir(manifest))}
	if code, text := q.run(q.Context(), export...); code != 1 {
		q.Errorf("replay into a lake that refuses parts: exit code %d\n%s", code, text)
	}
	q.mustRun(export...)
	q.mustRun("replay", "--state=dynamodb", "--into=stream", "--from="+time.Now().Add(-time.Hour).Format(time.RFC3339))
	q.mustRun("replay", "--state=dynamodb", "--into=rejects", "--rejects")

	q.mustRun("status", "--state=dynamodb")
	q.mustRun("verify", "--state=dynamodb", "--against-export="+manifest)
	stop()
	q.write(20)
	if code, text := q.run(q.Context(), "verify", "--state=dynamodb", "--against-table", "--depth=rows"); code != 1 {
		q.Errorf("verify of a lake that lacks changes: exit code %d\n%s", code, text)
	}
	q.mustRun("schema", "show", "--format=table")
	q.mustRun("schema", "infer", "--export="+manifest)
	q.mustRun("schema", "infer", "--from=table", "--items=100")
	q.mustRun("checkpoint", "list")
	q.mustRun("checkpoint", "show", "--shard="+q.Cloud.Shards(scene.TableName)[0].ID)
	backup := "--backup=" + filepath.Join(q.TempDir(), "rows.json")
	q.mustRun("checkpoint", "rewind", "--to="+time.Now().Add(-time.Hour).Format(time.RFC3339), backup)
	q.mustRun("checkpoint", "restore", backup)
	snapshot := append([]string{"snapshot", "--into=part", "--filter=attribute_exists(noise)", "--enable", "--keep-raw=false"}, exporting...)
	q.must(q.Cloud.SetPITR(scene.TableName, 0))
	q.unheard(nil, snapshot...)
	q.cut["snapshot"] = true
	if code, text := q.run(q.Context(), snapshot...); code != 1 {
		q.Errorf("snapshot into a lake that refuses parts: exit code %d\n%s", code, text)
	}
	q.mustRun(snapshot...)
	q.mustRun(append([]string{"bootstrap", "--again", "--keep-raw=false"}, exporting...)...)
	q.first(enable...)
	q.first(consume...)
	q.first(incremental...)
	q.first(snapshot...)
	q.first("replay", "--state=dynamodb", "--into=first", "--rejects")
	q.mustRun("checkpoint", "move", "--to=dynamolake")
	q.first("checkpoint", "move", "--state=dynamodb", "--to=dynamolake")
}

// watch notes each call of a command, and refuses parts of uploads where that is asked for.
func (q *inquest) watch(call *awssim.Call) awssim.Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	// Anybody may ask who he is.
	if call.Client != "author" && call.Client != "observer" && call.Service != "sts" {
		q.calls.add(call.Client, permissionOf(call.Service, call.Operation, call.Target))
	}
	switch {
	case call.Operation == "AbortMultipartUpload":
		delete(q.cut, call.Client)
	case call.Operation == "UploadPart" && q.cut[call.Client] && strings.HasSuffix(call.Target, ".parquet"):
		return awssim.Fault{Status: 400, Code: "InvalidPart"}
	case call.Operation == "ExportTableToPointInTime" && q.deaf[call.Client]:
		return awssim.Fault{DropReply: true}
	}
	return awssim.Fault{}
}

// absences notes who asks for an object that is not there: who may not list is answered
// that it is forbidden.
type absences struct {
	aws.HTTPClient
	from func(bucket string)
}

func (a absences) Do(r *http.Request) (*http.Response, error) {
	resp, err := a.HTTPClient.Do(r)
	if err == nil && resp.StatusCode == http.StatusNotFound && r.Header.Get("X-Amz-Target") == "" {
		bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		a.from(bucket)
	}
	return resp, err
}

// run runs a command to its end.
func (q *inquest) run(ctx context.Context, args ...string) (code int, text string) {
	note := func(service, operation, target string) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.calls.add(args[0], permissionOf(service, operation, target))
	}
	cfg := q.Cloud.AWSConfig(args[0])
	metrics := &withCloudWatch{HTTPClient: absences{cfg.HTTPClient, func(bucket string) { note("s3", "HeadBucket", bucket) }}}
	cfg.HTTPClient = metrics
	env := []string{"DYNAMOLAKE_TABLE=" + scene.TableName, "DYNAMOLAKE_LAKE=s3://lake/p"}
	var out bytes.Buffer
	code = run(context.WithValue(ctx, awsKey{}, cfg), args, env, streams{out: &out, err: &out})
	if len(metrics.asked) > 0 {
		note("cloudwatch", "GetMetricStatistics", "")
	}
	return code, out.String()
}

func (q *inquest) mustRun(args ...string) {
	q.Helper()
	if code, text := q.run(q.Context(), args...); code != 0 {
		q.Fatalf("%q: exit code %d\n%s", args, code, text)
	}
}

// start runs a command until it is stopped.
func (q *inquest) start(args ...string) (stop func()) {
	ctx, cancel := context.WithCancel(q.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if code, text := q.run(ctx, args...); code != 0 {
			q.Errorf("%q: exit code %d\n%s", args, code, text)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	q.running = append(q.running, stop)
	return stop
}

func (q *inquest) must(err error) {
	q.Helper()
	if err != nil {
		q.Fatal(err)
	}
}

// write makes so many requests to the table.
func (q *inquest) write(requests int) {
	q.Helper()
	author := q.Author(uint64(time.Now().UnixNano()), 50)
	for range requests {
		q.must(author.Step(q.Context()))
	}
}

// live writes now and then for so long.
func (q *inquest) live(d time.Duration) {
	q.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Minute) {
		q.write(5)
	}
}

// outage stops a fleet for longer than the stream keeps its records. An item that was inserted just before, and
// is deleted meanwhile, is the one that a repair has to ask the table for.
func (q *inquest) outage(stop func()) {
	q.Helper()
	brief := map[string]ddbtypes.AttributeValue{
		"customer": &ddbtypes.AttributeValueMemberS{Value: "brief"}, "order": &ddbtypes.AttributeValueMemberN{Value: "1"},
	}
	db := dynamodb.NewFromConfig(q.Cloud.AWSConfig("author"))
	_, err := db.PutItem(q.Context(), &dynamodb.PutItemInput{TableName: aws.String(scene.TableName), Item: brief})
	q.must(err)
	time.Sleep(time.Minute)
	stop()
	_, err = db.DeleteItem(q.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(scene.TableName), Key: brief})
	q.must(err)
	q.bulk()
	q.live(30 * time.Hour)
}

// unheard runs a command whose request for an export is answered into the void, and leaves it for so long that
// asking again would make another export: the next run has to look for the first. What else runs is stopped, too.
func (q *inquest) unheard(stop func(), args ...string) {
	q.Helper()
	q.deafen(args[0], true)
	ctx, cancel := context.WithTimeout(q.Context(), 40*time.Minute)
	defer cancel()
	q.run(ctx, args...)
	if stop != nil {
		stop()
	}
	q.deafen(args[0], false)
	time.Sleep(8 * time.Hour)
}

// first runs a command, whatever becomes of it, where there is no ledger yet.
func (q *inquest) first(args ...string) {
	q.Helper()
	db := dynamodb.NewFromConfig(q.Cloud.AWSConfig("author"))
	_, err := db.DeleteTable(q.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(ledgerTable)})
	q.must(err)
	ctx, cancel := context.WithTimeout(q.Context(), time.Minute)
	defer cancel()
	q.run(ctx, args...)
}

func (q *inquest) deafen(command string, deaf bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deaf[command] = deaf
}

// bulk writes items that no Parquet file holds in one part of an upload.
func (q *inquest) bulk() {
	q.Helper()
	db := dynamodb.NewFromConfig(q.Cloud.AWSConfig("author"))
	noise := rand.NewChaCha8([32]byte{byte(time.Now().Unix() >> 12)})
	for i := range 30 {
		b := make([]byte, 380<<10)
		noise.Read(b) //nolint:errcheck // never fails
		_, err := db.PutItem(q.Context(), &dynamodb.PutItemInput{TableName: aws.String(scene.TableName), Item: map[string]ddbtypes.AttributeValue{
			"customer": &ddbtypes.AttributeValueMemberS{Value: "bulk"},
			"order":    &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(i)},
			"noise":    &ddbtypes.AttributeValueMemberB{Value: b},
		}})
		q.must(err)
	}
}

func (q *inquest) setStream(on bool) {
	q.Helper()
	spec := &ddbtypes.StreamSpecification{StreamEnabled: &on}
	if on {
		spec.StreamViewType = ddbtypes.StreamViewTypeNewAndOldImages
	}
	_, err := dynamodb.NewFromConfig(q.Cloud.AWSConfig("author")).UpdateTable(q.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String(scene.TableName), StreamSpecification: spec,
	})
	q.must(err)
}

// untilClosed waits until this gap is known, and repaired as all before it.
func (q *inquest) untilClosed(gap int) {
	q.Helper()
	for end := time.Now().Add(6 * time.Hour); ; q.live(10 * time.Minute) {
		_, text := q.run(q.Context(), "status", "--state=dynamodb", "--output=json")
		if strings.Contains(text, fmt.Sprintf(`"gap":%d`, gap)) && strings.Contains(text, `"missing":[]`) {
			return
		}
		if time.Now().After(end) {
			q.Fatalf("gap %d is not closed:\n%s", gap, text)
		}
	}
}

// manifest is the key of the only export's summary.
func (q *inquest) manifest() string {
	q.Helper()
	cfg := q.Cloud.AWSConfig("observer")
	out, err := scene.S3(cfg).ListObjectsV2(q.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("exports")})
	q.must(err)
	for _, o := range out.Contents {
		if strings.HasSuffix(*o.Key, "/manifest-summary.json") {
			return *o.Key
		}
	}
	q.Fatal("there is no export")
	return ""
}
