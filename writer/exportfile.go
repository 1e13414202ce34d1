package writer

import (
	"errors"
	"fmt"
	"io"

	"dynamolake/transform"
)

// ExportFile is a Parquet file of an export under way. It is written as its rows
// come and holds at most a row group of them, compressed. One goroutine owns it.
type ExportFile struct {
	enc   *Encoder
	info  ExportInfo
	w     *fileWriter // nil when the file is complete, or cannot be
	out   counted
	stats ExportStats
	notes Notes
	err   error // what Add and Close return from now on
}

// Export starts a file, which out gets piece by piece. It never waits. A file that
// is not closed costs nothing but its memory, until it is forgotten.
func (e *Encoder) Export(out io.Writer, info ExportInfo) *ExportFile {
	x := &ExportFile{enc: e, info: info, out: counted{w: out}}
	select {
	case x.w = <-e.spare:
	default:
		x.w = newFileWriter(columnsOf(e.schema, ofExport), exportGroupBytes)
	}
	r := rows{source: info.source(), epoch: info.Epoch}
	if info.Full() {
		r.ts = info.To.UnixMicro()
	}
	x.w.begin(&x.out, r)
	return x
}

// Add writes a row for each change. The changes, and the text that they alias, may
// be used again when it returns. After an error the file cannot be completed.
func (x *ExportFile) Add(changes []transform.Change) error {
	if x.err != nil {
		return x.err
	}
	x.w.notes.Refused = x.w.notes.Refused[:0]
	if err := x.w.add(changes); err != nil {
		return x.fail(err)
	}
	return nil
}

// Refused are the changes of the last Add that the rule kept out, valid as long as those are.
func (x *ExportFile) Refused() []Refusal {
	if x.w == nil {
		return nil
	}
	return x.w.notes.Refused
}

// Notes are those of the whole file, once it is closed; Refused is not in them.
func (x *ExportFile) Notes() Notes { return x.notes }

// Close completes the file: out has all of it when there is no error. out itself
// is not closed.
func (x *ExportFile) Close() (ExportStats, error) {
	if x.err != nil {
		return ExportStats{}, x.err
	}
	x.stats = ExportStats{Rows: x.w.n, MinTS: x.w.minTS, MaxTS: x.w.maxTS}
	if err := x.w.end(x.enc.exportFooter(x.info, x.stats)); err != nil {
		return ExportStats{}, x.fail(err)
	}
	x.stats.Bytes = x.out.n
	x.notes = x.w.takeNotes()
	x.notes.Refused = nil
	select {
	case x.enc.spare <- x.w:
	default:
	}
	x.w, x.err = nil, errors.New("the file is closed")
	return x.stats, nil
}

func (x *ExportFile) fail(err error) error {
	rows := x.w.n
	x.w = nil // of unknown state
	x.err = fmt.Errorf("encode %s of %s after %d rows: %w", x.info.DataFile, x.info.ARN, rows, err)
	return x.err
}

// counted counts what passes.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
