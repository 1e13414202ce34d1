package verify

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkRows is a lake of one export, whose rows are read, and then folded and compared with
// nothing: without a schema, with columns, and in datasets.
func BenchmarkRows(b *testing.B) {
	const rows = 100_000
	for _, schema := range []struct{ name, text string }{{"whole", ""}, {"typed", typedSchema}, {"split", splitSchema}} {
		w := newWorld(b, folder(b))
		if schema.text != "" {
			w.use(schema.text)
		}
		for n := range rows {
			w.table[keyJSON(n)] = imageJSON(n, fmt.Sprintf("a value that is about as long as values are, %d", n))
		}
		w.seed(minute(10))
		for _, c := range []struct {
			name  string
			depth Depth
			fold  bool
		}{{"footers", DepthFooters, false}, {"rows", DepthRows, false}, {"fold", DepthNames, true}} {
			b.Run(schema.name+"/"+c.name, func(b *testing.B) {
				o := w.options()
				o.Depth = c.depth
				if c.fold {
					o.AgainstTable, o.Salt = new(Table), []byte("salt")
				}
				began := time.Now()
				read := int64(0)
				for b.Loop() {
					v := newRun(o)
					w.must(v.read(b.Context()))
					read += v.report.Rows
					if c.fold {
						s := newState(part{}, 10*rows)
						w.must(v.fold(b.Context(), s))
						if len(s.keys) < rows {
							b.Fatal(len(s.keys))
						}
					}
				}
				b.ReportMetric(float64(read)/time.Since(began).Seconds(), "rows/s")
			})
		}
	}
}
