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
	if err := x.w.add(changes); err != nil {
		return x.fail(err)
	}
	x.stats.Rows = x.w.n
	for i := range changes {
		ts := x.w.rows.ts
		if ts == 0 {
			ts = changes[i].Created
		}
		if ts != 0 {
			if x.stats.MinTS == 0 || ts < x.stats.MinTS {
				x.stats.MinTS = ts
			}
			x.stats.MaxTS = max(x.stats.MaxTS, ts)
		}
	}
	return nil
}

// Close completes the file: out has all of it when there is no error. out itself
// is not closed.
func (x *ExportFile) Close() (ExportStats, error) {
	if x.err != nil {
		return ExportStats{}, x.err
	}
	if err := x.w.end(x.enc.exportFooter(x.info, x.stats)); err != nil {
		return ExportStats{}, x.fail(err)
	}
	x.stats.Bytes = x.out.n
	select {
	case x.enc.spare <- x.w:
	default:
	}
	x.w, x.err = nil, errors.New("the file is closed")
	return x.stats, nil
}

func (x *ExportFile) fail(err error) error {
	x.w = nil // of unknown state
	x.err = fmt.Errorf("encode %s of %s after %d rows: %w", x.info.DataFile, x.info.ARN, x.stats.Rows, err)
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
