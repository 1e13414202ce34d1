package writer

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	pqzstd "github.com/parquet-go/parquet-go/compress/zstd"

	"dynamolake/transform"
)

const (
	pageBytes = 1 << 20

	// A row group is in memory, compressed, until it is complete.
	streamGroupBytes = 128 << 20
	exportGroupBytes = 32 << 20

	// A key is at most 2 KB long, so bounds in the page index are never cut. The
	// library cuts an upper bound of 0xFF bytes to a lower one. Attributes are longer, and
	// boundedType cuts their bounds better.
	boundBytes = 2048

	// A page is in memory before it is compressed, one for each column. Where attributes
	// make many columns, pages are smaller, but for the least.
	allPageBytes   = 32 << 20
	leastPageBytes = 64 << 10
)

// fileWriter writes one file at a time and keeps its buffers: begin, add as often
// as need be, end. After an error its state is unknown.
type fileWriter struct {
	layout
	pq    *parquet.GenericWriter[any]
	vals  [][]parquet.Value   // by column; those of fixed columns stay for the file
	kept  []*transform.Change // of a run
	rows  rows
	rule  Rule
	out   bytes.Buffer // of slice
	to    io.Writer    // of the file
	n     int64        // rows in it
	notes Notes        // of it
	// The bounds of its _ts, in microseconds; 0 where no row tells one.
	minTS, maxTS int64
	chooser      *chooser // nil without a plan
	begun        bool     // the file has rows

	groupBytes int64 // of DynamoDB JSON in a row group
	group      int64 // in the one under way
}

func newFileWriter(l layout, groupBytes int64) *fileWriter {
	w := &fileWriter{layout: l, vals: make([][]parquet.Value, len(l.cols)), groupBytes: groupBytes}
	if plan := l.schema.Plan; plan != nil {
		w.rows.run, w.chooser = plan.NewRun(), newChooser(plan)
		if l.schema.Rule != nil {
			w.rule = l.schema.Rule()
		}
	}
	for i := range l.cols {
		w.vals[i] = make([]parquet.Value, 0, runRows)
	}
	w.pq = l.parquetWriter(&w.out)
	return w
}

func (l *layout) parquetWriter(out io.Writer) *parquet.GenericWriter[any] {
	page := pageBytes
	if l.schema.Plan != nil {
		page = max(min(pageBytes, allPageBytes/len(l.cols)), leastPageBytes)
	}
	options := []parquet.WriterOption{
		parquet.NewSchema("change", newRowNode(l.cols)),
		parquet.CreatedBy("dynamolake", strconv.Itoa(FormatVersion), "parquet-go"),
		parquet.Compression(&pqzstd.Codec{Level: zstd.SpeedFastest}),
		parquet.DataPageVersion(2),
		parquet.DataPageStatistics(false), // the page index says it once
		parquet.PageBufferSize(page),
		parquet.ColumnIndexSizeLimit(l.boundLimit),
	}
	if l.sorted != "" {
		options = append(options, parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending(l.sorted))))
	}
	for _, c := range l.cols {
		if c.blank {
			options = append(options, parquet.SkipPageBounds(c.pathOf()...))
		}
	}
	return parquet.NewGenericWriter[any](out, options...)
}

// slice writes the file of a slice. footer is asked for when its rows are known.
func (w *fileWriter) slice(s Slice, info Info, footer func() [][2]string) ([]byte, error) {
	w.out.Reset()
	w.begin(&w.out, rows{shard: []byte(strings.ToValidUTF8(info.Shard, "\uFFFD")), source: sourceStream, epoch: info.Epoch})
	for _, part := range s.parts {
		if err := w.add(part); err != nil {
			return nil, err
		}
	}
	if err := w.end(footer()); err != nil {
		return nil, err
	}
	return bytes.Clone(w.out.Bytes()), nil
}

// begin starts a file. r is what its rows have in common.
func (w *fileWriter) begin(out io.Writer, r rows) {
	// Reset would wipe the last file's metadata in place, and with it the column
	// names and the sorting column, which the library shares with the next file.
	clear(w.pq.File().Metadata().RowGroups)
	w.pq.Reset(out)
	w.to, w.begun = out, false
	r.text, r.run = w.rows.text, w.rows.run
	w.rows, w.group, w.n, w.minTS, w.maxTS = r, 0, 0, 0, 0
	w.notes = Notes{}
	if w.schema.Plan != nil {
		w.notes.Misfits = w.schema.Plan.NewTally()
	}
	for i := range w.vals {
		w.vals[i] = w.vals[i][:0]
	}
}

// add writes rows. It keeps nothing of the changes but what columns that are the
// same in every row made of the first.
func (w *fileWriter) add(part []transform.Change) error {
	if !w.begun && w.chooser != nil {
		w.begun = true
		if dicts, changed := w.chooser.choose(w.schema.Plan, part); changed {
			w.layout = columnsWith(w.schema, w.origin, dicts)
			w.pq = w.parquetWriter(w.to)
		}
	}
	for len(part) > 0 {
		n, bytes := run(part)
		if err := w.run(part[:n]); err != nil {
			return err
		}
		part = part[n:]
		if w.group += bytes; w.group >= w.groupBytes {
			if err := w.pq.Flush(); err != nil {
				return err
			}
			w.group = 0
		}
	}
	return nil
}

// span takes a row's time into the bounds.
func (w *fileWriter) span(c *transform.Change) {
	ts := w.rows.ts
	if ts == 0 {
		ts = c.Created
	}
	if ts != 0 {
		if w.minTS == 0 || ts < w.minTS {
			w.minTS = ts
		}
		w.maxTS = max(w.maxTS, ts)
	}
}

// takeNotes are those of the file, for whoever keeps them.
func (w *fileWriter) takeNotes() Notes {
	notes := w.notes
	w.notes = Notes{}
	return notes
}

// end completes the file.
func (w *fileWriter) end(footer [][2]string) error {
	for _, kv := range footer {
		w.pq.SetKeyValueMetadata("dynamolake."+kv[0], strings.ToValidUTF8(kv[1], "\uFFFD"))
	}
	if err := w.pq.Close(); err != nil {
		return err
	}
	for i := range w.vals {
		clear(w.vals[i][:cap(w.vals[i])]) // they point into the pages
	}
	clear(w.kept[:cap(w.kept)])
	if w.rows.run != nil {
		w.rows.run.Reset()
	}
	return nil
}
