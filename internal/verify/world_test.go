package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

var setOptions = dataset.Options{Table: "orders", Keys: tableKeys}

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
	set     *dataset.Set // the datasets that are written
	timing  ledger.Timing
	table   map[string]string // images by key, DynamoDB JSON
	epoch   int64             // of the stream
	seq     int
	tips    map[string]transform.Seq // by chain
	pending map[string][]string      // records by chain
	leases  []checkpoint.Row
	records []string // keys of the records of exports
}

func newWorld(t testing.TB, store writer.Lake) *world {
	w := &world{
		t: t, store: store, prefix: writer.TablePrefix("123456789012", "eu-west-1", "orders"), timing: ledger.RealTiming(),
		set:   dataset.Whole(setOptions),
		table: map[string]string{}, tips: map[string]transform.Seq{}, pending: map[string][]string{}, seq: 1000,
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
	for _, name := range w.set.Names() {
		c := chainID{name, shard}.String()
		w.pending[c] = append(w.pending[c], fmt.Sprintf(
			`{"eventID":"%d","eventName":"%s","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%s%s,"SequenceNumber":"%021d","SizeBytes":9,"StreamViewType":"NEW_IMAGE"}}`,
			w.seq, op, at.Unix(), keyJSON(n), image, w.seq))
	}
}

// flush writes what a shard has as the next file of each dataset.
func (w *world) flush(shard, parent string, end bool) (l writer.Link) {
	w.t.Helper()
	for _, name := range w.set.Names() {
		l = w.flushIn(name, shard, parent, end)
	}
	return l
}

// flushIn does so in one dataset.
func (w *world) flushIn(name, shard, parent string, end bool) writer.Link {
	w.t.Helper()
	id := chainID{name, shard}.String()
	next := `,"NextShardIterator":"next"`
	if end {
		next = ""
	}
	page := &transform.Page{}
	body := []byte(`{"Records":[` + strings.Join(w.pending[id], ",") + `]` + next + `}`)
	w.must(transform.NewDecoder(tableKeys).Decode(body, page))
	if len(page.Rejects) > 0 {
		w.t.Fatal(page.Rejects[0].Reason)
	}
	delete(w.pending, id)
	b := writer.NewBatch(w.tips[id])
	b.Add(body, page, time.Now())
	slice, ok := b.Cut(time.Now(), writer.Limits{}, true)
	if !ok {
		w.t.Fatal("nothing to write")
	}
	part, err := w.set.Part(name)
	w.must(err)
	file, err := part.Encoder.Encode(slice, writer.Info{Stream: streamARN, Shard: shard, Parent: parent, Epoch: w.epoch, Writer: "test"})
	w.must(err)
	l, _, err := writer.NewChain(w.store, writer.ChainPrefix(w.prefix, name, shard)).Commit(w.t.Context(), file)
	w.must(err)
	w.tips[id] = l.End
	return l
}

// use writes the next version of the schema, under which all that follows is written. What was put before has
// been flushed: new datasets begin where the checkpoint is.
func (w *world) use(text string) {
	w.t.Helper()
	asked, err := schema.Parse([]byte(text))
	w.must(err)
	next, _ := asked.Adopt(w.set.Schema)
	w.must(dataset.NewCatalog(w.store, w.prefix).Add(w.t.Context(), next))
	before := w.set.Names()
	o := setOptions
	o.Rules.Salt = []byte("salt")
	w.set, err = dataset.Compile(next, o)
	w.must(err)
	for _, shard := range []string{shardA, shardB} {
		for _, name := range w.set.Names() {
			if tip := w.tips[chainID{before[0], shard}.String()]; !slices.Contains(before, name) && !tip.IsZero() {
				w.tips[chainID{name, shard}.String()] = tip
			}
		}
	}
}

// lease says what the lease table has of a shard.
func (w *world) lease(shard string, ended bool, through time.Time) {
	tip := w.tips[chainID{w.set.Names()[0], shard}.String()]
	r := checkpoint.Row{Key: shard, CurrentTo: through, Checkpoint: checkpoint.Checkpoint{Seq: tip.Digits()}}
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
	x := ledger.Export{To: at, Status: ledger.Exported, Schema: w.set.Version, ARN: fmt.Sprintf("%s/export/%d-aaaa", tableARN, at.UnixMilli())}
	w.update(func(l *ledger.Ledger) (err error) { epoch, err = l.StartFull(x, true); return err })
	var files [2][]string
	for i, key := range slices.Sorted(maps.Keys(w.table)) {
		files[i%2] = append(files[i%2], `{"Item":`+w.table[key]+`}`)
	}
	w.convert(epoch, x, files[:])
}

// window converts an incremental export of these lines.
func (w *world) window(epoch int64, from, to time.Time, lines ...string) {
	x := ledger.Export{From: from, To: to, Status: ledger.Exported, Schema: w.set.Version, ARN: fmt.Sprintf("%s/export/%d-bbbb", tableARN, from.UnixMilli())}
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
	r := Record{Record: ledger.Record{Export: x.ID(), ARN: x.ARN, Source: ledger.Full, Epoch: epoch, From: x.From, To: x.To, Schema: w.set.Version}}
	for i, lines := range files {
		for _, part := range w.set.Parts {
			r.Files = append(r.Files, w.convertFile(&r, part, x, i, lines))
		}
		r.Items += int64(len(lines))
	}
	for _, f := range r.Files {
		r.Rows += f.Rows
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

// convertFile makes of a data file what one dataset has of it.
func (w *world) convertFile(r *Record, part dataset.Part, x ledger.Export, i int, lines []string) RecordFile {
	w.t.Helper()
	prefix, view := writer.SnapshotPrefix(w.prefix, part.Name, x.ID()), transform.ViewFull
	if !x.From.IsZero() {
		r.Source, prefix, view = ledger.Incremental, writer.WindowPrefix(w.prefix, part.Name, x.From, x.To), transform.ViewNew
	}
	f := RecordFile{Dataset: part.Name, DataFile: fmt.Sprintf("exports/AWSDynamoDB/data/%s-%d.json.gz", x.ID(), i), MD5: "abc==", Items: int64(len(lines))}
	f.Parquet = prefix + writer.ExportFileName(f.DataFile)
	info := writer.ExportInfo{ARN: x.ARN, From: x.From, To: x.To, Epoch: r.Epoch, DataFile: f.DataFile, DataMD5: f.MD5, Items: f.Items, Writer: "test"}
	page := &transform.Page{}
	w.must(transform.NewDecoder(tableKeys).DecodeExport([]byte(strings.Join(lines, "\n")), view, page))
	if len(page.Rejects) > 0 {
		w.t.Fatal(page.Rejects[0].Reason)
	}
	var out bytes.Buffer
	e := part.Encoder.Export(&out, info)
	w.must(e.Add(page.Changes))
	stats, err := e.Close()
	w.must(err)
	f.Size, f.Rows = stats.Bytes, stats.Rows
	w.must(w.store.PutNew(w.t.Context(), f.Parquet, out.Bytes(), part.Encoder.ExportMeta(info)))
	return f
}

// minute is a time in the world.
func minute(n int) time.Time { return epochBegin.Add(time.Duration(n) * time.Minute) }

// grown is a lake with all that there may be in one: a full export, a shard that ended and its
// child, a gap that was repaired, and rows that a later one overrides.
func grown(t testing.TB, store writer.Lake) *world {
	w := newWorld(t, store)
	w.grow()
	return w
}

// grow makes of an empty lake what grown returns.
func (w *world) grow() {
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
	w.must(w.store.PutNew(w.t.Context(), w.prefix+"_ledger/gaps/"+shardB+"/after-"+w.tips[chainID{w.set.Names()[0], shardB}.String()].String()+".json",
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
