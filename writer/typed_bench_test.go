package writer

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

var orderKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}}

// order is an item of about 1 KB and 36 attributes.
func order(r *rand.Rand, n int) (image, key string) {
	key = fmt.Sprintf(`"pk":{"S":"order#%08d"},"sk":{"N":"%d"}`, r.IntN(1e8), n)
	var b strings.Builder
	status := []string{"open", "paid", "packed", "shipped", "delivered"}[r.IntN(5)]
	fmt.Fprintf(&b, `{%s,"customer_id":{"S":"cust-%08d"},"status":{"S":"%s"},"email":{"S":"user%d@example.com"},`, key, r.IntN(1e8), status, r.IntN(1e6))
	fmt.Fprintf(&b, `"created_at":{"S":"2026-11-%02dT%02d:%02d:%02d.%03dZ"},"updated":{"N":"17638%05d"},`, 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), r.IntN(1e5))
	fmt.Fprintf(&b, `"amount":{"N":"%d.%d"},"tax":{"N":"%d.%d"},"quantity":{"N":"%d"},"version":{"N":"%d"},"paid":{"BOOL":%t},"day":{"S":"2026-11-%02d"},`,
		r.IntN(10_000), 1+r.IntN(9), r.IntN(100), 1+r.IntN(9), r.IntN(20), r.IntN(1000), r.IntN(2) == 0, 1+r.IntN(28))
	fmt.Fprintf(&b, `"token":{"B":"3q2+7wAAAAAAAAAA"},"address":{"M":{"zip":{"S":"%05d"},"city":{"S":"Linz"}}},"tags":{"SS":["new","eu"]},`, r.IntN(99_999))
	for i := range 20 {
		fmt.Fprintf(&b, `"attr%02d":{"S":"%x"},`, i, r.Uint32())
	}
	fmt.Fprintf(&b, `"gone":{"NULL":true}}`)
	return b.String(), key
}

const orderColumns = `
datasets:
  - name: all
    columns:
      - {name: customer_id, type: string}
      - {name: status, type: string}
      - {name: email, type: string}
      - {name: created_at, type: "timestamp(iso,3)"}
      - {name: updated, type: timestamp(seconds)}
      - {name: amount, type: "decimal(12,2)"}
      - {name: tax, type: "decimal(38,9)"}
      - {name: quantity, type: int64}
      - {name: version, type: int64}
      - {name: paid, type: bool}
      - {name: day, type: date(iso)}
      - {name: token, type: binary}
`

// orders are pages of a stream and the lines of an export, of the same items.
func orders(rows int) (bodies [][]byte, lines [][]byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for from := 0; from < rows; from += 1000 {
		records := make([]record, 1000)
		for i := range records {
			image, key := order(r, from+i)
			records[i] = record{seq: from + i + 1, op: transform.Insert, created: 1_700_000_000, keys: "{" + key + "}", new: image}
		}
		bodies, lines = append(bodies, pageBody("next", records...)), append(lines, exportLines(true, records...))
	}
	return bodies, lines
}

// orderPlans are what the benchmark compares: no schema, one of 12 columns, and the one that is
// inferred.
func orderPlans(b *testing.B, changes []transform.Change) map[string]*schema.Plan {
	declared, err := schema.Parse([]byte(orderColumns))
	if err != nil {
		b.Fatal(err)
	}
	declared.Number(nil)
	var sample schema.Sample
	for i := range changes {
		sample.Observe(changes[i].New)
	}
	inferred := schema.Infer(&sample, orderKeys, schema.DefaultLimits)
	inferred.Number(nil)
	plans := map[string]*schema.Plan{"json-only": nil}
	for name, s := range map[string]*schema.Schema{"12-columns": declared, "inferred": inferred} {
		if plans[name], err = s.Datasets[0].Plan(orderKeys); err != nil {
			b.Fatal(err)
		}
	}
	return plans
}

// BenchmarkEncodeTyped writes items of about 1 KB and 36 attributes, 10,000 a file. Each figure is
// of one step alone, but for convert, which is the whole way from a gzipped data file of an export,
// and stream, that from the bodies of pages.
//
//	go test ./writer -run '^$' -bench EncodeTyped -cpu 1
func BenchmarkEncodeTyped(b *testing.B) {
	const rows = 10_000
	bodies, lines := orders(rows)
	var zipped [][]byte
	for _, l := range lines {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(l)
		w.Close()
		zipped = append(zipped, z.Bytes())
	}
	var page transform.Page
	decoder := transform.NewDecoder(orderKeys)
	decodeLines := func(l []byte) []transform.Change {
		if err := decoder.DecodeExport(l, transform.ViewFull, &page); err != nil || len(page.Changes) != 1000 {
			b.Fatal(err, len(page.Changes))
		}
		return page.Changes
	}
	var gz gzip.Reader
	unzip := func(z []byte, into *bytes.Buffer) []byte {
		into.Reset()
		if err := gz.Reset(bytes.NewReader(z)); err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(into, &gz); err != nil {
			b.Fatal(err)
		}
		return into.Bytes()
	}
	measure := func(name string, once func() int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size := once()
			before := cpuTime()
			for b.Loop() {
				size = once()
			}
			cpu := float64(cpuTime()-before) / float64(b.N) / rows
			b.ReportMetric(cpu, "cpu-ns/row")
			b.ReportMetric(1e9/cpu, "rows/cpu-s")
			if size > 0 {
				b.ReportMetric(float64(size)/rows, "file-B/row")
			}
		})
	}
	var text bytes.Buffer
	measure("gunzip", func() int {
		for _, z := range zipped {
			unzip(z, &text)
		}
		return 0
	})
	measure("decode-lines", func() int {
		for _, l := range lines {
			decodeLines(l)
		}
		return 0
	})
	measure("decode-pages", func() int {
		for _, body := range bodies {
			if err := decoder.Decode(body, &page); err != nil {
				b.Fatal(err)
			}
		}
		return 0
	})
	plans := orderPlans(b, decodeLines(lines[0]))
	for _, name := range []string{"json-only", "12-columns", "inferred"} {
		s := Schema{Keys: orderKeys, Table: "t", Dataset: "all", Plan: plans[name]}
		e := NewEncoder(s)
		slice := sliceOfBodies(b, bodies)
		measure(name+"/encode-stream", func() int {
			f, err := e.Encode(slice, Info{Shard: "s"})
			if err != nil {
				b.Fatal(err)
			}
			return len(f.Body)
		})
		measure(name+"/encode-alone", encodeAlone(b, s, slice))
		measure(name+"/stream", func() int {
			f, err := e.Encode(sliceOfBodies(b, bodies), Info{Shard: "s"})
			if err != nil {
				b.Fatal(err)
			}
			return len(f.Body)
		})
		measure(name+"/convert", func() int {
			x := e.Export(io.Discard, ExportInfo{To: time.Unix(1, 0)})
			for _, z := range zipped {
				if err := x.Add(decodeLines(unzip(z, &text))); err != nil {
					b.Fatal(err)
				}
			}
			stats, err := x.Close()
			if err != nil {
				b.Fatal(err)
			}
			return int(stats.Bytes)
		})
	}
}

func sliceOfBodies(b *testing.B, bodies [][]byte) Slice {
	batch := NewBatch(transform.Seq{})
	d := transform.NewDecoder(orderKeys)
	for _, body := range bodies {
		p := new(transform.Page)
		if err := d.Decode(body, p); err != nil {
			b.Fatal(err)
		}
		batch.Add(body, p, time.Unix(0, 0))
	}
	s, _ := batch.Cut(time.Unix(0, 0), Limits{}, true)
	return s
}

// encodeAlone writes what was shredded before: what the file costs without the way there.
func encodeAlone(b *testing.B, s Schema, slice Slice) func() int {
	w := newFileWriter(columnsOf(s, ofStream), streamGroupBytes)
	var runs []*schema.Run
	var kept [][]*transform.Change
	for _, part := range slice.parts {
		for len(part) > 0 {
			n, _ := run(part)
			if s.Plan != nil {
				w.rows.run = s.Plan.NewRun()
			}
			w.shred(part[:n])
			runs, kept = append(runs, w.rows.run), append(kept, append([]*transform.Change(nil), w.kept...))
			part = part[n:]
		}
	}
	return func() int {
		w.out.Reset()
		w.begin(&w.out, rows{shard: []byte("s"), source: sourceStream})
		own := w.rows.run
		for i := range runs {
			w.rows.run, w.kept = runs[i], append(w.kept[:0], kept[i]...)
			if err := w.write(); err != nil {
				b.Fatal(err)
			}
		}
		if w.rows.run = nil; own != nil {
			w.rows.run = s.Plan.NewRun()
		}
		if err := w.end(nil); err != nil {
			b.Fatal(err)
		}
		return w.out.Len()
	}
}

// cpuTime is the process's user and system time.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
