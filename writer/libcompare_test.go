package writer_test

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"dynamolake/transform"
	"dynamolake/writer"
)

// BenchmarkLibrary writes the same 20,000 changes of 1 KB with the writer as it
// is (parquet-go) and with arrow-go's column writers at the same settings: zstd 1,
// pages v2, page index, statistics but for _rest, dictionaries on the same three
// columns. The figures are in docs/decisions/2026-11-23-parquet-library.md.
func BenchmarkLibrary(b *testing.B) {
	const n = 20_000
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}}
	batch := writer.NewBatch(transform.Seq{})
	for from := 1; from <= n; from += 1000 {
		body := writer.PageBody("next", writer.LargeRecords(uint64(from), from, 1000)...)
		p := new(transform.Page)
		if err := transform.NewDecoder(keys).Decode(body, p); err != nil {
			b.Fatal(err)
		}
		batch.Add(body, p, time.Unix(0, 0))
	}
	s, _ := batch.Cut(time.Unix(0, 0), writer.Limits{}, true)

	run := func(name string, encode func() (int, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size, cpu := 0, cpuTime(b)
			for b.Loop() {
				var err error
				if size, err = encode(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuTime(b)-cpu).Seconds()/(n*float64(b.N))*1e6, "cpu-s/Mrow")
			b.ReportMetric(float64(size)/n, "file-B/row")
		})
	}
	e := writer.NewEncoder(writer.Schema{Keys: keys})
	run("parquet-go", func() (int, error) {
		f, err := e.Encode(s, writer.Info{Shard: shard})
		return len(f.Body), err
	})
	a := newArrowEncoder()
	run("arrow-go", func() (int, error) { return a.encode(s) })
}

// cpuTime is what the process has spent: the machine's other work is not in it.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// arrowEncoder is the same file through arrow-go's low-level API, with its
// buffers kept from file to file.
type arrowEncoder struct {
	root  *schema.GroupNode
	props *parquet.WriterProperties
	out   bytes.Buffer
	text  []byte
	bytes [8][]parquet.ByteArray
	ints  [2][]int64
	ttl   []bool
	def   []int16
}

func newArrowEncoder() *arrowEncoder {
	req, opt := parquet.Repetitions.Required, parquet.Repetitions.Optional
	text := func(name string, rep parquet.Repetition, id int32) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, rep, schema.StringLogicalType{}, parquet.Types.ByteArray, -1, id))
	}
	return &arrowEncoder{
		root: schema.MustGroup(schema.NewGroupNode("change", req, schema.FieldList{
			text("_op", req, 1),
			text("_seq", req, 2),
			schema.MustPrimitive(schema.NewPrimitiveNodeLogical("_ts", opt, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros), parquet.Types.Int64, -1, 3)),
			text("_shard", req, 4),
			text("_event_id", opt, 5),
			text("_source", req, 6),
			schema.NewInt64Node("_epoch", req, 7),
			schema.NewBooleanNode("_ttl", req, 8),
			text("pk", opt, 101),
			text("_rest", opt, 10),
		}, -1)),
		props: parquet.NewWriterProperties(
			parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1),
			parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDataPageSize(1<<20),
			parquet.WithPageIndexEnabled(true), parquet.WithStatsFor("_rest", false),
			parquet.WithDictionaryDefault(false),
			parquet.WithDictionaryFor("_op", true), parquet.WithDictionaryFor("_shard", true), parquet.WithDictionaryFor("_source", true),
			parquet.WithEncodingFor("_seq", parquet.Encodings.DeltaByteArray),
			parquet.WithEncodingFor("_ts", parquet.Encodings.DeltaBinaryPacked),
			parquet.WithEncodingFor("_epoch", parquet.Encodings.DeltaBinaryPacked),
			parquet.WithEncodingFor("_event_id", parquet.Encodings.DeltaLengthByteArray),
			parquet.WithEncodingFor("pk", parquet.Encodings.DeltaLengthByteArray),
			parquet.WithEncodingFor("_rest", parquet.Encodings.DeltaLengthByteArray),
		),
	}
}

func (a *arrowEncoder) encode(s writer.Slice) (int, error) {
	a.out.Reset()
	a.text = a.text[:0]
	for i := range a.bytes {
		a.bytes[i] = a.bytes[i][:0]
	}
	a.ints[0], a.ints[1], a.ttl, a.def = a.ints[0][:0], a.ints[1][:0], a.ttl[:0], a.def[:0]
	add := func(i int, v []byte) { a.bytes[i] = append(a.bytes[i], v) }
	insert, stream := []byte("INSERT"), []byte("stream")
	for c := range s.Changes() {
		add(0, insert)
		add(1, c.Seq[:])
		add(3, []byte(shard))
		add(4, c.EventID)
		add(5, stream)
		add(6, c.Hash.Bytes)
		from := len(a.text)
		a.text = c.AppendRest(a.text)
		add(7, a.text[from:])
		a.ints[0] = append(a.ints[0], c.Created)
		a.ints[1] = append(a.ints[1], 0)
		a.ttl = append(a.ttl, c.TTL)
		a.def = append(a.def, 1)
	}
	w := file.NewParquetWriter(&a.out, a.root, file.WithWriterProps(a.props))
	group, err := w.AppendRowGroupChecked()
	if err != nil {
		return 0, err
	}
	texts := []int{0, 1, -1, 3, 4, 5, -1, -1, 6, 7}
	optional := map[int]bool{2: true, 4: true, 8: true, 9: true}
	for i := range 10 {
		cw, err := group.NextColumn()
		if err != nil {
			return 0, err
		}
		var def []int16
		if optional[i] {
			def = a.def
		}
		switch cw := cw.(type) {
		case *file.ByteArrayColumnChunkWriter:
			_, err = cw.WriteBatch(a.bytes[texts[i]], def, nil)
		case *file.Int64ColumnChunkWriter:
			_, err = cw.WriteBatch(a.ints[i/4], def, nil)
		case *file.BooleanColumnChunkWriter:
			_, err = cw.WriteBatch(a.ttl, nil, nil)
		}
		if err != nil {
			return 0, err
		}
		if err := cw.Close(); err != nil {
			return 0, err
		}
	}
	if err := group.Close(); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return a.out.Len(), nil
}
