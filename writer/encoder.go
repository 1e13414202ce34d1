package writer

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	pqzstd "github.com/parquet-go/parquet-go/compress/zstd"

	"dynamolake/transform"
)

const (
	// runRows and runBytes bound what is handed to the Parquet writer in one go,
	// column by column: small enough for the caches, and a page is closed at most
	// one run late.
	runRows  = 128
	runBytes = 256 << 10

	pageBytes     = 1 << 20
	rowGroupBytes = 128 << 20

	// A key is at most 2 KB long, so bounds in the page index are never cut. The
	// library cuts an upper bound of 0xFF bytes to a lower one.
	boundBytes = 2048
)

// Encoder turns slices into Parquet files of one schema. Any number of goroutines
// may share one: it keeps one file writer for each processor, and the
// others wait for their turn, so memory does not grow with the number of shards.
type Encoder struct {
	schema Schema
	cols   []column
	keys   string // JSON of the key columns
	idle   chan *fileWriter
}

// NewEncoder returns an encoder of the schema.
func NewEncoder(s Schema) *Encoder {
	e := &Encoder{schema: s, cols: columnsOf(s), keys: keysText(s.Keys), idle: make(chan *fileWriter, runtime.GOMAXPROCS(0))}
	for range cap(e.idle) {
		e.idle <- nil // made when first needed
	}
	return e
}

// Encode returns the file of a slice. The slice's batch may advance afterwards:
// the file aliases nothing.
func (e *Encoder) Encode(s Slice, info Info) (File, error) {
	w := <-e.idle
	defer func() { e.idle <- w }()
	if w == nil {
		w = newFileWriter(e.cols)
	}
	l := Link{
		After: s.After, End: s.End, ShardEnd: s.ShardEnd, Rows: int64(s.Rows),
		Writer: escape(info.Writer), Attempt: info.Attempt,
	}
	if l.Attempt == "" {
		l.Attempt = rand.Text()
	}
	for c := range s.Changes() {
		if c.Created != 0 {
			if l.MinTS == 0 || c.Created < l.MinTS {
				l.MinTS = c.Created
			}
			l.MaxTS = max(l.MaxTS, c.Created)
		}
	}
	body, err := w.write(s, info, e.footer(l, info))
	if err != nil {
		w = nil // of unknown state
		return File{}, fmt.Errorf("encode %d rows of shard %s after %s: %w", s.Rows, info.Shard, s.After, err)
	}
	return newFile(body, l, e.schema, strconv.FormatInt(info.Epoch, 10)), nil
}

// footer is the file's own metadata, in order. It holds what the object metadata
// holds, but for the hash of the whole file.
func (e *Encoder) footer(l Link, info Info) [][2]string {
	meta := l.meta()
	kv := [][2]string{}
	for _, name := range []string{"format", "after", "end", "shard-end", "rows", "min-ts", "max-ts", "writer", "attempt"} {
		kv = append(kv, [2]string{name, meta[name]})
	}
	return append(kv,
		[2]string{"table", e.schema.Table},
		[2]string{"dataset", e.schema.Dataset},
		[2]string{"stream", info.Stream},
		[2]string{"shard", info.Shard},
		[2]string{"parent", info.Parent},
		[2]string{"epoch", strconv.FormatInt(info.Epoch, 10)},
		[2]string{"schema", strconv.Itoa(e.schema.Version)},
		[2]string{"keys", e.keys},
		[2]string{"gap-before", info.GapBefore},
	)
}

func keysText(keys transform.KeySchema) string {
	type key struct {
		Column    string `json:"column"`
		Attribute string `json:"attribute"`
		Type      string `json:"type"`
	}
	var list []key
	for _, c := range keys.Columns() {
		list = append(list, key{c.Name, c.Attr, string(rune(c.Type))})
	}
	text, _ := json.Marshal(list) // strings only: cannot fail
	return string(text)
}

// fileWriter writes one file at a time and keeps its buffers.
type fileWriter struct {
	cols []column
	out  bytes.Buffer
	pq   *parquet.GenericWriter[any]
	vals [][]parquet.Value // by column; those of fixed columns stay for the file
	rows rows

	groupBytes int64 // of DynamoDB JSON in a row group
}

func newFileWriter(cols []column) *fileWriter {
	w := &fileWriter{cols: cols, vals: make([][]parquet.Value, len(cols)), groupBytes: rowGroupBytes}
	options := []parquet.WriterOption{
		parquet.NewSchema("change", newRowNode(cols)),
		parquet.CreatedBy("dynamolake", strconv.Itoa(FormatVersion), "parquet-go"),
		parquet.Compression(&pqzstd.Codec{Level: zstd.SpeedFastest}),
		parquet.DataPageVersion(2),
		parquet.DataPageStatistics(false), // the page index says it once
		parquet.PageBufferSize(pageBytes),
		parquet.ColumnIndexSizeLimit(func([]string) int { return boundBytes }),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("_seq"))),
	}
	for i, c := range cols {
		w.vals[i] = make([]parquet.Value, 0, runRows)
		if c.blank {
			options = append(options, parquet.SkipPageBounds(c.name))
		}
	}
	w.pq = parquet.NewGenericWriter[any](&w.out, options...)
	return w
}

func (w *fileWriter) write(s Slice, info Info, footer [][2]string) ([]byte, error) {
	w.out.Reset()
	// Reset would wipe the last file's metadata in place, and with it the column
	// names and the sorting column, which the library shares with the next file.
	clear(w.pq.File().Metadata().RowGroups)
	w.pq.Reset(&w.out)
	w.rows.shard, w.rows.epoch = []byte(strings.ToValidUTF8(info.Shard, "\uFFFD")), info.Epoch
	for i := range w.vals {
		w.vals[i] = w.vals[i][:0]
	}
	for _, kv := range footer {
		w.pq.SetKeyValueMetadata("dynamolake."+kv[0], strings.ToValidUTF8(kv[1], "\uFFFD"))
	}
	group := int64(0)
	for _, part := range s.parts {
		for len(part) > 0 {
			n, bytes := run(part)
			if err := w.run(part[:n]); err != nil {
				return nil, err
			}
			part = part[n:]
			if group += bytes; group >= w.groupBytes {
				if err := w.pq.Flush(); err != nil {
					return nil, err
				}
				group = 0
			}
		}
	}
	if err := w.pq.Close(); err != nil {
		return nil, err
	}
	for i := range w.vals {
		clear(w.vals[i][:cap(w.vals[i])]) // they point into the pages
	}
	return bytes.Clone(w.out.Bytes()), nil
}

// run is how many changes to write in one go.
func run(part []transform.Change) (n int, bytes int64) {
	for n < len(part) && n < runRows && bytes < runBytes {
		bytes += size(&part[n])
		n++
	}
	return n, bytes
}

func (w *fileWriter) run(part []transform.Change) error {
	w.rows.text = w.rows.text[:0]
	for i, cw := range w.pq.ColumnWriters() {
		c, vals := &w.cols[i], w.vals[i]
		if !c.fixed {
			vals = vals[:0]
		}
		for j := len(vals); j < len(part); j++ {
			v, ok := c.value(&w.rows, &part[j])
			if ok {
				v = v.Level(0, c.def, i)
			} else {
				v = parquet.NullValue().Level(0, 0, i)
			}
			vals = append(vals, v)
		}
		w.vals[i] = vals
		if _, err := cw.WriteRowValues(vals[:len(part)]); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return nil
}
