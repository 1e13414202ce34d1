package writer

import (
	"fmt"
	"io"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"dynamolake/transform"
)

// BenchmarkEncodeExport is a data file of a full export, items of about 1 KB, to a
// Parquet file that is written away as it is made.
func BenchmarkEncodeExport(b *testing.B) {
	const perPage = 1000
	var pages []*transform.Page
	var in int64
	for i := range 10 {
		lines := exportLines(true, largeRecords(uint64(i), i*perPage+1, perPage)...)
		pages = append(pages, decodeExport(b, stringKey, lines, transform.ViewFull))
		in += int64(len(lines))
	}
	info := ExportInfo{ARN: "arn", To: time.Unix(1_700_000_000, 0), DataFile: "data/a.json.gz", Writer: "w"}
	for _, rows := range []int{1000, 10_000, 100_000, 500_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			e := NewEncoder(Schema{Keys: stringKey, Table: "t", Dataset: "all"})
			b.SetBytes(in / 10 * int64(rows) / perPage)
			b.ReportAllocs()
			base, peak := heapBytes(), uint64(0)
			var stats ExportStats
			for b.Loop() {
				x := e.Export(io.Discard, info)
				for i := range rows / perPage {
					if err := x.Add(pages[i%len(pages)].Changes); err != nil {
						b.Fatal(err)
					}
					peak = max(peak, heapBytes())
				}
				var err error
				if stats, err = x.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(stats.Bytes)/float64(rows), "file-B/row")
			b.ReportMetric(float64(peak-base)/(1<<20), "peak-MiB")
		})
	}
}

// heapBytes is what objects take, those included that are garbage already.
func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestAFileOfAnExportIsEncodedInFlatMemory, also of what does not compress. It is
// about 60 MiB; what the collector has not found yet comes on top.
func TestAFileOfAnExportIsEncodedInFlatMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // the garbage counts
	const limit = 128 << 20
	var lines strings.Builder
	random := uint64(1)
	for i := range 300 {
		fmt.Fprintf(&lines, `{"Item":{"pk":{"S":"item-%d"},"b":{"B":"`, i)
		for range 1000 {
			for range 11 { // 60 bits a round, of Base64
				random = random*6364136223846793005 + 1442695040888963407
				lines.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random>>58])
			}
			lines.WriteByte('A')
		}
		lines.WriteString("\"}}}\n")
	}
	page := decodeExport(t, stringKey, []byte(lines.String()), transform.ViewFull)
	e := NewEncoder(Schema{Keys: stringKey, Table: "t", Dataset: "all"})
	base, peak := heapBytes(), uint64(0)
	x := e.Export(io.Discard, ExportInfo{To: time.Unix(1, 0)})
	for range 40 { // 140 MB
		if err := x.Add(page.Changes); err != nil {
			t.Fatal(err)
		}
		peak = max(peak, heapBytes())
	}
	stats, err := x.Close()
	if err != nil || stats.Bytes < 130<<20 {
		t.Errorf("%+v, %v", stats, err)
	}
	t.Logf("%d MiB in a file of %d MiB", (peak-base)>>20, stats.Bytes>>20)
	if peak-base > limit {
		t.Errorf("%d MiB at most, want at most %d", (peak-base)>>20, limit>>20)
	}
}
