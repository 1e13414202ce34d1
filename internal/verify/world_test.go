package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/transform"
	"dynamolake/writer"
)

var (
	epochBegin = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	tableKeys  = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}}
)

const (
	tableARN  = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
	streamARN = tableARN + "/stream/2026-05-01T09:59:00.000"
	shardA    = "shardId-00000001777629600000-0000000a"
	shardB    = "shardId-00000001777644000000-0000000b"
)

// world is a lake made by the real writer and the real ledger, and the table that it should be.
type world struct {
	t       testing.TB
	store   writer.Lake
	prefix  string
	ledger  *ledger.Store
	encoder *writer.Encoder
	timing  ledger.Timing
	table   map[string]string // images by key, DynamoDB JSON
	epoch   int64             // of the stream
	seq     int
	tips    map[string]transform.Seq
	pending map[string][]string // records by shard
	leases  []checkpoint.Row
	records []string // keys of the records of exports
}

func newWorld(t testing.TB, store writer.Lake) *world {
	w := &world{
		t: t, store: store, prefix: writer.TablePrefix("123456789012", "eu-west-1", "orders"), timing: ledger.RealTiming(),
		encoder: writer.NewEncoder(writer.Schema{Keys: tableKeys, Table: "orders", Dataset: "all"}),
		table:   map[string]string{}, tips: map[string]transform.Seq{}, pending: map[string][]string{}, seq: 1000,
	}
	w.ledger = ledger.NewStore(ledger.Document(store, w.prefix+ledger.Key, writer.ErrNotFound, writer.ErrChanged), tableARN)
	return w
}

func folder(t testing.TB) writer.Lake {
	f, err := writer.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func simulated(t testing.TB) writer.Lake {
	cfg := awssim.New(awssim.Config{}).AWSConfig("test")
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lake")}); err != nil {
		t.Fatal(err)
	}
	return writer.NewS3(client, "lake", "deep/down")
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func keyJSON(n int) string { return fmt.Sprintf(`{"pk":{"S":"k%d"},"sk":{"N":"%d"}}`, n%7, n) }

func imageJSON(n int, value string) string {
	return fmt.Sprintf(`{"sk":{"N":"%d"},"pk":{"S":"k%d"},"value":{"S":"%s"},"n":{"N":"1.50"},"tags":{"SS":["b","a"]}}`, n, n%7, value)
}

// put and remove are changes that a shard of the stream has.
func (w *world) put(shard string, n int, value string, at time.Time) {
	op := "INSERT"
	if _, ok := w.table[keyJSON(n)]; ok {
		op = "MODIFY"
	}
	w.table[keyJSON(n)] = imageJSON(n, value)
	w.record(shard, op, n, `,"NewImage":`+imageJSON(n, value), at)
}

func (w *world) remove(shard string, n int, at time.Time) {
	delete(w.table, keyJSON(n))
	w.record(shard, "REMOVE", n, "", at)
}

func (w *world) record(shard, op string, n int, image string, at time.Time) {
	w.seq += 7
	w.pending[shard] = append(w.pending[shard], fmt.Sprintf(
		`{"eventID":"%d","eventName":"%s","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%s%s,"SequenceNumber":"%021d","SizeBytes":9,"StreamViewType":"NEW_IMAGE"}}`,
		w.seq, op, at.Unix(), keyJSON(n), image, w.seq))
}

// flush writes what a shard has as its next file.
func (w *world) flush(shard, parent string, end bool) writer.Link {
	w.t.Helper()
	next := `,"NextShardIterator":"next"`
	if end {
		next = ""
	}
	page := &transform.Page{}
	body := []byte(`{"Records":[` + strings.Join(w.pending[shard], ",") + `]` + next + `}`)
	w.must(transform.NewDecoder(tableKeys).Decode(body, page))
	if len(page.Rejects) > 0 {
		w.t.Fatal(page.Rejects[0].Reason)
	}
	delete(w.pending, shard)
	b := writer.NewBatch(w.tips[shard])
	b.Add(body, page, time.Now())
	slice, ok := b.Cut(time.Now(), writer.Limits{}, true)
	if !ok {
		w.t.Fatal("nothing to write")
	}
	file, err := w.encoder.Encode(slice, writer.Info{Stream: streamARN, Shard: shard, Parent: parent, Epoch: w.epoch, Writer: "test"})
	w.must(err)
	l, _, err := writer.NewChain(w.store, writer.ChainPrefix(w.prefix, "all", shard)).Commit(w.t.Context(), file)
	w.must(err)
	w.tips[shard] = l.End
	return l
}

// lease says what the lease table has of a shard.
func (w *world) lease(shard string, ended bool, through time.Time) {
	r := checkpoint.Row{Key: shard, CurrentTo: through, Checkpoint: checkpoint.Checkpoint{Seq: w.tips[shard].Digits()}}
	if ended {
		r.Checkpoint = checkpoint.Checkpoint{Sentinel: checkpoint.ShardEnd}
	}
	w.leases = append(slices.DeleteFunc(w.leases, func(r checkpoint.Row) bool { return r.Key == shard }), r)
}

func (w *world) update(f func(*ledger.Ledger) error) {
	w.t.Helper()
	_, err := w.ledger.Update(w.t.Context(), f)
	w.must(err)
}

// seed makes a full export of what the table is, in two files.
func (w *world) seed(at time.Time) {
	var epoch int64
	x := ledger.Export{To: at, Status: ledger.Exported, ARN: fmt.Sprintf("%s/export/%d-aaaa", tableARN, at.UnixMilli())}
	w.update(func(l *ledger.Ledger) (err error) { epoch, err = l.StartFull(x, true); return err })
	var files [2][]string
	for i, key := range slices.Sorted(maps.Keys(w.table)) {
		files[i%2] = append(files[i%2], `{"Item":`+w.table[key]+`}`)
	}
	w.convert(epoch, x, files[:])
}

// window converts an incremental export of these lines.
func (w *world) window(epoch int64, from, to time.Time, lines ...string) {
	x := ledger.Export{From: from, To: to, Status: ledger.Exported, ARN: fmt.Sprintf("%s/export/%d-bbbb", tableARN, from.UnixMilli())}
	w.update(func(l *ledger.Ledger) error { return l.Add(epoch, x) })
	w.convert(epoch, x, [][]string{lines})
}

// change is a line of an incremental export; without a value the item is gone.
func (w *world) change(n int, value string, at time.Time) string {
	image := ""
	if delete(w.table, keyJSON(n)); value != "" {
		image = `,"NewImage":` + imageJSON(n, value)
		w.table[keyJSON(n)] = imageJSON(n, value)
	}
	return fmt.Sprintf(`{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":%s%s}`, at.UnixMicro(), keyJSON(n), image)
}

func (w *world) convert(epoch int64, x ledger.Export, files [][]string) {
	w.t.Helper()
	r := Record{Record: ledger.Record{Export: x.ID(), ARN: x.ARN, Source: ledger.Full, Epoch: epoch, From: x.From, To: x.To}}
	prefix, view := writer.SnapshotPrefix(w.prefix, "all", x.ID()), transform.ViewFull
	if !x.From.IsZero() {
		r.Source, prefix, view = ledger.Incremental, writer.WindowPrefix(w.prefix, "all", x.From, x.To), transform.ViewNew
	}
	for i, lines := range files {
		f := RecordFile{Dataset: "all", DataFile: fmt.Sprintf("exports/AWSDynamoDB/data/%s-%d.json.gz", x.ID(), i), MD5: "abc==", Items: int64(len(lines))}
		f.Rows, f.Parquet = f.Items, prefix+writer.ExportFileName(f.DataFile)
		info := writer.ExportInfo{ARN: x.ARN, From: x.From, To: x.To, Epoch: epoch, DataFile: f.DataFile, DataMD5: f.MD5, Items: f.Items, Writer: "test"}
		page := &transform.Page{}
		w.must(transform.NewDecoder(tableKeys).DecodeExport([]byte(strings.Join(lines, "\n")), view, page))
		if len(page.Rejects) > 0 {
			w.t.Fatal(page.Rejects[0].Reason)
		}
		var out bytes.Buffer
		e := w.encoder.Export(&out, info)
		w.must(e.Add(page.Changes))
		stats, err := e.Close()
		w.must(err)
		f.Size = stats.Bytes
		w.must(w.store.PutNew(w.t.Context(), f.Parquet, out.Bytes(), w.encoder.ExportMeta(info)))
		r.Files, r.Items, r.Rows = append(r.Files, f), r.Items+f.Items, r.Rows+f.Rows
	}
	body, err := json.MarshalIndent(r, "", "  ")
	w.must(err)
	key := w.prefix + "_ledger/exports/" + r.Export + ".json"
	w.records = append(w.records, key)
	w.must(w.store.PutNew(w.t.Context(), key, body, nil))
	w.update(func(l *ledger.Ledger) error {
		return l.Convert(epoch, x.From, ledger.Done{Items: r.Items, To: x.To}, x.To, w.timing)
	})
}

// minute is a time in the world.
func minute(n int) time.Time { return epochBegin.Add(time.Duration(n) * time.Minute) }

// grown is a lake with all that there may be in one: a full export, a shard that ended and its
// child, a gap that was repaired, and rows that a later one overrides.
func grown(t testing.TB, store writer.Lake) *world {
	w := newWorld(t, store)
	w.update(func(l *ledger.Ledger) error {
		w.epoch = l.StartStream(streamARN, minute(0), time.Time{}, minute(0), w.timing)
		return nil
	})
	for n := range 20 {
		w.table[keyJSON(n)] = imageJSON(n, "seeded")
	}
	w.put(shardA, 1, "before the export", minute(5))
	w.flush(shardA, "", false)
	w.seed(minute(10))
	w.put(shardA, 1, "after the export", minute(12))
	w.remove(shardA, 2, minute(13))
	w.put(shardA, 50, "new", minute(14))
	w.flush(shardA, "", false)
	w.put(shardA, 3, "last of A", minute(60))
	w.flush(shardA, "", true)
	w.put(shardB, 3, "first of B", minute(61))
	w.put(shardB, 4, "B", minute(62))
	w.flush(shardB, shardA, false)

	// Shard B loses an hour.
	var gap, repair int64
	w.update(func(l *ledger.Ledger) (err error) {
		gap, w.epoch, err = l.OpenGap(ledger.Loss{Since: minute(62), Seen: minute(130), Resumed: minute(120), Reason: "test", Adopted: w.epoch}, w.timing)
		return err
	})
	w.must(w.store.PutNew(t.Context(), w.prefix+"_ledger/gaps/"+shardB+"/after-"+w.tips[shardB].String()+".json",
		fmt.Appendf(nil, `{"shard":%q,"seen":%q,"reason":"test","gap":%d,"epoch":%d}`, shardB, minute(130).Format(time.RFC3339), gap, w.epoch), nil))
	w.put(shardB, 5, "behind the gap", minute(121))
	w.put(shardB, 6, "behind the gap", minute(123))
	w.flush(shardB, shardA, false)
	var until time.Time
	w.update(func(l *ledger.Ledger) error {
		if err := l.FixGap(gap, minute(121), w.timing); err != nil {
			return err
		}
		repair, until = l.Gap(gap).Epoch, l.Gap(gap).To
		return nil
	})
	middle := minute(90)
	lines := []string{w.change(7, "in the gap", minute(70)), w.change(8, "", minute(75))}
	w.window(repair, minute(60), middle, lines...)
	w.window(repair, middle, until, w.change(9, "in the gap", minute(100)))
	w.lease(shardA, true, minute(60))
	w.lease(shardB, false, minute(150))
	w.leases[1].Parents = []string{shardA}
	return w
}

func (w *world) options() Options {
	o := Defaults()
	o.Store, o.Prefix, o.Table, o.Keys, o.Ledger, o.Depth = w.store, w.prefix, "orders", tableKeys, w.ledger, DepthRows
	o.Leases = func(context.Context) ([]checkpoint.Row, error) { return w.leases, nil }
	return o
}

// verify runs and returns the doubts by kind.
func (w *world) verify(o Options) Report {
	w.t.Helper()
	r, err := Run(w.t.Context(), o)
	w.must(err)
	return r
}

// swap replaces an object's content.
func (w *world) swap(key string, change func([]byte) []byte) {
	w.t.Helper()
	body, o, err := w.store.Get(w.t.Context(), key)
	w.must(err)
	w.must(w.store.Delete(w.t.Context(), key))
	if body = change(body); body != nil {
		w.must(w.store.PutNew(w.t.Context(), key, body, o.Meta))
	}
}

// keys are the objects below a part of the lake whose names hold a text, in order.
func (w *world) keys(holds string) (keys []string) {
	for o, err := range w.store.List(w.t.Context(), w.prefix) {
		w.must(err)
		if strings.Contains(o.Key, holds) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// bubble is a test in virtual time. The decompressors of the Parquet reader have channels, and
// wait in a pool of the process for the next bubble, which must not use them: two
// collections empty it.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, f)
}
