package lakecheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dynamolake/internal/lakecheck"
	"dynamolake/transform"
	"dynamolake/writer"
)

const (
	tablePrefix = "123456789012/eu-west-1/orders/"
	parent      = "shardId-00000001795421179133-643f640a"
	child       = "shardId-00000001795435579133-0b1c2d3e"
)

// memory is a store that a test may damage.
type memory struct {
	objects map[string]stored
	now     time.Time
}

type stored struct {
	body     []byte
	meta     map[string]string
	modified time.Time
}

func (m *memory) Get(_ context.Context, key string) ([]byte, writer.Object, error) {
	s, ok := m.objects[key]
	if !ok {
		return nil, writer.Object{}, writer.ErrNotFound
	}
	return s.body, writer.Object{Key: key, Size: int64(len(s.body)), Meta: s.meta, Modified: s.modified}, nil
}

func (m *memory) List(_ context.Context, prefix string) iter.Seq2[writer.Object, error] {
	return func(yield func(writer.Object, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(m.objects)) {
			s := m.objects[key]
			if strings.HasPrefix(key, prefix) && !yield(writer.Object{Key: key, Size: int64(len(s.body)), Modified: s.modified}, nil) {
				return
			}
		}
	}
}

// put writes an object a second after the last one.
func (m *memory) put(key string, f writer.File) {
	m.now = m.now.Add(time.Second)
	m.objects[key] = stored{f.Body, f.Meta, m.now}
}

// world is a table's history and the lake that was made of it.
type world struct {
	t       testing.TB
	keys    transform.KeySchema
	encoder *writer.Encoder
	journal []lakecheck.Record
	items   map[string]string
	store   *memory
	epoch   int64 // of what is committed
}

func newWorld(t testing.TB, keys transform.KeySchema) *world {
	return &world{
		t:       t,
		keys:    keys,
		encoder: writer.NewEncoder(writer.Schema{Keys: keys, OldImage: true, Table: "orders", Dataset: "all"}),
		items:   map[string]string{},
		epoch:   1,
		store:   &memory{objects: map[string]stored{}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)},
	}
}

// change makes the next thing happen to an item; an empty image removes it.
func (w *world) change(shard, key, image string) lakecheck.Record {
	r := lakecheck.Record{
		Shard:   shard,
		Seq:     fmt.Sprintf("99%019d", len(w.journal)+1), // 21 digits
		EventID: fmt.Sprintf("event-%d", len(w.journal)+1),
		Op:      "MODIFY",
		KeyJSON: key,
		NewJSON: image,
		OldJSON: w.items[key],
	}
	switch {
	case image == "":
		r.Op = "REMOVE"
		delete(w.items, key)
	case r.OldJSON == "":
		r.Op = "INSERT"
		w.items[key] = image
	default:
		w.items[key] = image
	}
	w.journal = append(w.journal, r)
	return r
}

// file encodes records as the object after a cursor.
func (w *world) file(shard, after string, ended bool, records ...lakecheck.Record) writer.File {
	w.t.Helper()
	var page struct {
		NextShardIterator *string `json:",omitempty"`
		Records           []any
	}
	page.Records = []any{}
	if !ended {
		page.NextShardIterator = new(string)
		*page.NextShardIterator = "more"
	}
	for _, r := range records {
		d := map[string]any{
			"ApproximateCreationDateTime": 1795435579,
			"Keys":                        json.RawMessage(r.KeyJSON),
			"SequenceNumber":              r.Seq,
			"SizeBytes":                   10,
			"StreamViewType":              "NEW_AND_OLD_IMAGES",
		}
		if r.NewJSON != "" {
			d["NewImage"] = json.RawMessage(r.NewJSON)
		}
		if r.OldJSON != "" {
			d["OldImage"] = json.RawMessage(r.OldJSON)
		}
		page.Records = append(page.Records, map[string]any{"eventID": r.EventID, "eventName": r.Op, "eventSource": "aws:dynamodb", "dynamodb": d})
	}
	body, err := json.Marshal(page)
	if err != nil {
		w.t.Fatal(err)
	}
	var p transform.Page
	if err := transform.NewDecoder(w.keys).Decode(body, &p); err != nil {
		w.t.Fatal(err)
	}
	if len(p.Rejects) > 0 {
		w.t.Fatalf("the test's own record does not decode: %s", p.Rejects[0].Reason)
	}
	batch := writer.NewBatch(seq(w.t, after))
	batch.Add(body, &p, time.Now())
	slice, ok := batch.Cut(time.Now(), writer.Limits{}, true)
	if !ok {
		w.t.Fatal("nothing to cut")
	}
	f, err := w.encoder.Encode(slice, writer.Info{Shard: shard, Writer: "w1", Epoch: w.epoch})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// commit writes records as the next object of a shard's chain and returns its key.
func (w *world) commit(shard, after string, ended bool, records ...lakecheck.Record) string {
	w.t.Helper()
	k := key(w.t, shard, after)
	w.store.put(k, w.file(shard, after, ended, records...))
	return k
}

func (w *world) check() lakecheck.Report {
	w.t.Helper()
	lake, err := lakecheck.Read(w.t.Context(), w.store, tablePrefix)
	if err != nil {
		w.t.Fatal(err)
	}
	return lakecheck.Check(lake, w.journal, w.items)
}

func key(t testing.TB, shard, after string) string {
	return writer.ChainPrefix(tablePrefix, "all", shard) + "after-" + seq(t, after).String() + ".parquet"
}

func seq(t testing.TB, digits string) transform.Seq {
	t.Helper()
	if digits == "" {
		return transform.Seq{}
	}
	s, err := transform.ParseSeq(digits)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryTypeOfKeyComesBack(t *testing.T) {
	tests := []struct {
		name         string
		keys         transform.KeySchema
		key, another string
	}{
		{"a text", transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}}, `{"pk":{"S":"a\"\u0001<é"}}`, `{"pk":{"S":"b"}}`},
		{"a number that its column holds", transform.KeySchema{Hash: transform.KeyAttr{Name: "n", Type: 'N'}}, `{"n":{"N":"-12.5"}}`, `{"n":{"N":"12345678901234567890"}}`},
		{"a number that its column cannot hold", transform.KeySchema{Hash: transform.KeyAttr{Name: "n", Type: 'N'}}, `{"n":{"N":"1E+100"}}`, `{"n":{"N":"0.12345678901"}}`},
		{"bytes", transform.KeySchema{Hash: transform.KeyAttr{Name: "b", Type: 'B'}}, `{"b":{"B":"AP8="}}`, `{"b":{"B":"AA=="}}`},
		{
			"a hostile pair",
			transform.KeySchema{Hash: transform.KeyAttr{Name: "_seq", Type: 'S'}, Range: transform.KeyAttr{Name: "a.\"b", Type: 'N'}},
			`{"_seq":{"S":"1"},"a.\"b":{"N":"1"}}`, `{"_seq":{"S":"1"},"a.\"b":{"N":"2"}}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.keys)
			image := strings.TrimSuffix(test.key, "}") + `,"v":{"L":[{"N":"1.0"},{"NULL":true}]}}`
			a := w.change(parent, test.key, image)
			b := w.change(parent, test.another, strings.TrimSuffix(test.another, "}")+`,"v":{"SS":["x","y"]}}`)
			c := w.change(parent, test.key, "")
			d := w.change(parent, test.key, image)
			w.commit(parent, "", false, a, b)
			w.commit(parent, b.Seq, true, c, d)
			if r := w.check(); !r.OK() || r.Items != 2 || r.Changes != 4 || r.Files != 2 {
				t.Errorf("report: %s\n%s", r, strings.Join(r.Problems, "\n"))
			}
		})
	}
}

func TestAnObjectThatIsNoParquetIsKeptWithItsError(t *testing.T) {
	w := newWorld(t, transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}})
	k := w.commit(parent, "", false, w.change(parent, `{"pk":{"S":"a"}}`, `{"pk":{"S":"a"}}`))
	whole := w.store.objects[k].body
	for _, body := range [][]byte{nil, whole[:len(whole)/2], bytes.Repeat([]byte("x"), 100), whole[4:]} {
		w.store.objects[k] = stored{body: body}
		lake, err := lakecheck.Read(t.Context(), w.store, tablePrefix)
		if err != nil {
			t.Fatal(err)
		}
		if len(lake.Objects) != 1 || lake.Objects[0].Err == nil {
			t.Errorf("%d bytes of damage: %d objects, want one with an error", len(body), len(lake.Objects))
		}
	}
}

// Pages, dictionaries and nulls only meet in a file of some size.
func TestALargeObjectComesBackRowByRow(t *testing.T) {
	w := newWorld(t, transform.KeySchema{Hash: transform.KeyAttr{Name: "n", Type: 'N'}})
	var records []lakecheck.Record
	for i := range 5_000 {
		n := fmt.Sprint(i % 700)
		if i%3 == 0 {
			n += ".0000000000001" // more than its column holds
		}
		key, image := `{"n":{"N":"`+n+`"}}`, ""
		if i%5 != 4 {
			image = fmt.Sprintf(`{"n":{"N":"%s"},"v":{"S":"%s"}}`, n, strings.Repeat(fmt.Sprint(i), 100))
		}
		records = append(records, w.change(parent, key, image))
	}
	w.commit(parent, "", false, records...)
	if r := w.check(); !r.OK() || r.Changes != len(records) {
		t.Errorf("report: %s\n%s", r, strings.Join(r.Problems, "\n"))
	}
}

func BenchmarkReadAndCheck(b *testing.B) {
	w := newWorld(b, transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}})
	after := ""
	for range 100 {
		var records []lakecheck.Record
		for range 100 {
			n := len(w.journal) % 2_000
			records = append(records, w.change(parent, fmt.Sprintf(`{"pk":{"S":"%d"}}`, n), fmt.Sprintf(`{"pk":{"S":"%d"},"v":{"N":"%d"}}`, n, len(w.journal))))
		}
		w.commit(parent, after, false, records...)
		after = records[99].Seq
	}
	for b.Loop() {
		if r := w.check(); !r.OK() {
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(len(w.journal))*float64(b.N)/b.Elapsed().Seconds(), "changes/s")
}
