package writer

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"

	"dynamolake/transform"
)

// Encoder turns changes into Parquet files of one schema: with Encode the slices
// of a stream, with Export the lines of an export's data files. Any number of
// goroutines may share one. For Encode it keeps one file writer for each
// processor, and the others wait for their turn, so memory does not grow with
// the number of shards. With Export it is the caller who bounds the open files.
type Encoder struct {
	schema Schema
	keys   string // JSON of the key columns
	attrs  string // JSON of the attribute columns; empty without a plan
	idle   chan *fileWriter
	spare  chan *fileWriter // of exports, between two files
}

// NewEncoder returns an encoder of the schema.
func NewEncoder(s Schema) *Encoder {
	n := runtime.GOMAXPROCS(0)
	e := &Encoder{schema: s, keys: keysText(s.Keys), attrs: attributesText(s.Plan), idle: make(chan *fileWriter, n), spare: make(chan *fileWriter, n)}
	for range n {
		e.idle <- nil // made when first needed
	}
	return e
}

// NewRule makes a rule as those of the encoder's files are; nil if they have none.
func (e *Encoder) NewRule() Rule {
	if e.schema.Rule == nil {
		return nil
	}
	return e.schema.Rule()
}

// Encode returns the file of a slice. The slice's batch may advance afterwards:
// the file aliases nothing.
func (e *Encoder) Encode(s Slice, info Info) (File, error) {
	w := <-e.idle
	defer func() { e.idle <- w }()
	if w == nil {
		w = newFileWriter(columnsOf(e.schema, ofStream), streamGroupBytes)
	}
	l := Link{
		After: s.After, End: s.End, ShardEnd: s.ShardEnd,
		Schema: e.schema.Version, Writer: escape(info.Writer), Attempt: info.Attempt,
	}
	if l.Attempt == "" {
		l.Attempt = rand.Text()
	}
	body, err := w.slice(s, info, func() [][2]string {
		l.Rows, l.MinTS, l.MaxTS = w.n, w.minTS, w.maxTS
		return e.footer(l, info)
	})
	if err != nil {
		w = nil // of unknown state
		return File{}, fmt.Errorf("encode %d rows of shard %s after %s: %w", s.Rows, info.Shard, s.After, err)
	}
	f := newFile(body, l, e.schema, strconv.FormatInt(info.Epoch, 10))
	f.Notes = w.takeNotes()
	return f, nil
}

// footer is the file's own metadata, in order. It holds what the object metadata
// holds, but for the hash of the whole file.
func (e *Encoder) footer(l Link, info Info) [][2]string {
	meta := l.meta()
	kv := [][2]string{}
	for _, name := range []string{"format", "after", "end", "shard-end", "rows", "min-ts", "max-ts", "writer", "attempt"} {
		kv = append(kv, [2]string{name, meta[name]})
	}
	kv = append(kv,
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
	return e.withAttributes(kv)
}

// withAttributes adds what is only in files with attribute columns.
func (e *Encoder) withAttributes(kv [][2]string) [][2]string {
	if e.attrs != "" {
		kv = append(kv, [2]string{"columns", e.attrs})
	}
	return kv
}

// keyColumn is a key column as the footer tells of it.
type keyColumn struct {
	Column    string `json:"column"`
	Attribute string `json:"attribute"`
	Type      string `json:"type"`
}

func keysText(keys transform.KeySchema) string {
	var list []keyColumn
	for _, c := range keys.Columns() {
		list = append(list, keyColumn{c.Name, c.Attr, string(rune(c.Type))})
	}
	text, _ := json.Marshal(list) // strings only: cannot fail
	return string(text)
}
