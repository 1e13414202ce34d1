package transform

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// benchLines are 1,000 lines of items of about 1 KB.
func benchLines(view View) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for i := range 1000 {
		key := fmt.Sprintf(`"pk":{"S":"order#%08d"},"sk":{"N":"%d"}`, r.IntN(1e8), i)
		if view == ViewFull {
			fmt.Fprintf(&b, "{\"Item\":%s}\n", benchImage(r, key))
			continue
		}
		fmt.Fprintf(&b, `{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":{%s},"OldImage":%s,"NewImage":%s}`+"\n",
			1768387673917155+i, key, benchImage(r, key), benchImage(r, key))
	}
	return b.Bytes()
}

// BenchmarkDecodeExport decodes 1,000 lines of about 1 KB an image.
func BenchmarkDecodeExport(b *testing.B) {
	for _, c := range []struct {
		name string
		view View
	}{{"full", ViewFull}, {"two-images", ViewNewAndOld}} {
		b.Run(c.name, func(b *testing.B) {
			lines := benchLines(c.view)
			d, p := NewDecoder(benchKeys), new(Page)
			b.SetBytes(int64(len(lines)))
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if err := d.DecodeExport(lines, c.view, p); err != nil || len(p.Changes) != 1000 {
					b.Fatal(err, len(p.Changes), len(p.Rejects))
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "lines/s")
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1000, "cpu-ns/line")
		})
	}
}

func TestDecodeExportAllocatesNothing(t *testing.T) {
	for _, view := range []View{ViewFull, ViewNewAndOld} {
		lines := benchLines(view)
		d, p := NewDecoder(benchKeys), new(Page)
		allocs := testing.AllocsPerRun(10, func() {
			if err := d.DecodeExport(lines, view, p); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 0 {
			t.Errorf("view %c: %v allocations for 1,000 lines", view, allocs)
		}
	}
}
