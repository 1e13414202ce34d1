package verify

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkRows is a lake of one export, whose rows are read, and then folded and compared with
// nothing.
func BenchmarkRows(b *testing.B) {
	const rows = 100_000
	w := newWorld(b, folder(b))
	for n := range rows {
		w.table[keyJSON(n)] = imageJSON(n, fmt.Sprintf("a value that is about as long as values are, %d", n))
	}
	w.seed(minute(10))
	for _, c := range []struct {
		name  string
		depth Depth
		fold  bool
	}{{"footers", DepthFooters, false}, {"rows", DepthRows, false}, {"fold", DepthNames, true}} {
		b.Run(c.name, func(b *testing.B) {
			o := w.options()
			o.Depth = c.depth
			began := time.Now()
			for b.Loop() {
				v := newRun(o)
				w.must(v.read(b.Context()))
				if c.fold {
					s := newState(part{}, 10*rows)
					w.must(v.fold(b.Context(), s))
					if len(s.keys) != rows {
						b.Fatal(len(s.keys))
					}
				}
			}
			b.ReportMetric(rows*float64(b.N)/time.Since(began).Seconds(), "rows/s")
		})
	}
}
