package writer

import (
	"fmt"

	"github.com/parquet-go/parquet-go"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

const (
	// runRows and runBytes bound what is handed to the Parquet writer in one go,
	// column by column: small enough for the caches, and a page is closed at most
	// one run late.
	runRows  = 128
	runBytes = 256 << 10
)

// run is how many changes to write in one go.
func run(part []transform.Change) (n int, bytes int64) {
	for n < len(part) && n < runRows && bytes < runBytes {
		bytes += size(&part[n])
		n++
	}
	return n, bytes
}

func (w *fileWriter) run(part []transform.Change) error {
	w.shred(part)
	if len(w.kept) == 0 {
		return nil
	}
	return w.write()
}

// write writes the rows that are kept, column by column.
func (w *fileWriter) write() error {
	w.rows.text = w.rows.text[:0]
	for i, cw := range w.pq.ColumnWriters() {
		c, vals := &w.cols[i], w.vals[i]
		if !c.fixed {
			vals = vals[:0]
		}
		if c.typed != nil {
			vals, w.rows.text = c.typed.appendValues(vals, w.rows.text, w.rows.run.Leaf(c.typed.leaf), i)
			w.vals[i] = vals
			if _, err := cw.WriteRowValues(vals); err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
			continue
		}
		for j := len(vals); j < len(w.kept); j++ {
			w.rows.row = j
			v, ok := c.value(&w.rows, w.kept[j])
			if ok {
				v = v.Level(0, c.def, i)
			} else {
				v = parquet.NullValue().Level(0, 0, i)
			}
			vals = append(vals, v)
		}
		w.vals[i] = vals
		if _, err := cw.WriteRowValues(vals[:len(w.kept)]); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	w.n += int64(len(w.kept))
	return nil
}

// shred adds the changes to the run of attribute columns, if there is one, and has the
// rule say which to keep.
func (w *fileWriter) shred(part []transform.Change) {
	w.kept = w.kept[:0]
	run := w.rows.run
	if run != nil {
		run.Reset()
	}
	if w.rule != nil {
		w.rule.Begin()
	}
	for i := range part {
		c := &part[i]
		if out, why := w.row(run, c); out != nil {
			w.kept = append(w.kept, out)
			w.span(out)
		} else if why != "" {
			w.notes.Refused = append(w.notes.Refused, Refusal{*c, why})
		}
	}
	if run != nil {
		w.notes.Misfits.Misfits(run)
		w.notes.Fresh = w.notes.Fresh || run.Fresh()
	}
}

// row adds a row to the run, and returns the change that it is of; nil if there is none.
func (w *fileWriter) row(run *schema.Run, c *transform.Change) (out *transform.Change, why string) {
	out = c
	if w.rule != nil {
		if out, why = w.rule.Admit(c); out == nil {
			return nil, why
		}
	}
	if run == nil {
		return out, ""
	}
	if out.New == nil {
		run.Blank()
	} else {
		run.Shred(out.New, out.Hash.Exact, out.Range.Exact)
	}
	if w.rule != nil {
		if why = w.rule.Finish(run, c); why != "" {
			run.Undo()
			return nil, why
		}
	}
	return out, ""
}
