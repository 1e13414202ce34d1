package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// oneDocument keeps a ledger in memory.
type oneDocument struct {
	body    []byte
	version string
}

func (d *oneDocument) Load(context.Context) ([]byte, string, error) { return d.body, d.version, nil }

func (d *oneDocument) Swap(_ context.Context, body []byte, version string) error {
	if version != d.version {
		return ledger.ErrChanged
	}
	d.body, d.version = body, version+"+"
	return nil
}

// shapedOptions are those of an import into a folder.
func shapedOptions(tb testing.TB, lake string) Options {
	tb.Helper()
	store, err := writer.NewFolder(lake)
	if err != nil {
		tb.Fatal(err)
	}
	o := Defaults()
	o.Store, o.Worker, o.Ledger = store, "bench", ledger.NewStore(&oneDocument{}, someARN)
	o.Table = Table{Name: "test", ARN: someARN, Account: "123456789123", Region: "eu-north-1", Keys: shapeKeys}
	return o
}

// BenchmarkConvert imports exports from a folder to a folder: the product's own
// way, but for the network. cpu-s/1M is user and system time for a million items.
func BenchmarkConvert(b *testing.B) {
	for _, c := range []struct{ files, items int }{{1, 50_000}, {1, 400_000}, {4, 100_000}} {
		b.Run(fmt.Sprintf("files=%d/items=%d", c.files, c.items), func(b *testing.B) {
			from, text, packed := shapedExport(b, b.TempDir(), c.files, c.items)
			total := int64(c.files * c.items)
			b.SetBytes(text)
			base, peak := heapBytes(), uint64(0)
			var cpu time.Duration
			for b.Loop() {
				o := shapedOptions(b, b.TempDir())
				o.Progress = func(Progress) { peak = max(peak, heapBytes()) }
				before := cpuTime()
				if r, err := FromExport(b.Context(), o, Import{From: from}); err != nil || r.Items != total || r.Rejects != 0 {
					b.Fatal(r, err)
				}
				cpu += cpuTime() - before
			}
			b.ReportMetric(float64(text)/float64(total), "B/item")
			b.ReportMetric(float64(text)/float64(packed), "gz-ratio")
			b.ReportMetric(cpu.Seconds()/float64(b.N)/float64(total)*1e6, "cpu-s/1M")
			b.ReportMetric(float64(total)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
			b.ReportMetric(float64(peak-min(base, peak))/(1<<20), "peak-MiB")
		})
	}
}

// BenchmarkConvertDatasets is BenchmarkConvert with schemas, beside one without, which they are compared with in pairs.
func BenchmarkConvertDatasets(b *testing.B) {
	const items = 50_000
	from, text, _ := shapedExport(b, b.TempDir(), 1, items)
	for _, c := range []struct{ name, schema string }{
		{"none", ""},
		{"typed=12", shapeTwelve("all", "")},
		{"inferred", "infer"},
		{"filter", shapeTwelve("orders", `item.entityType == "ORDER"`) + "unmatched: drop\n"},
		{"three", "datasets:\n  - name: everything\n" + strings.TrimPrefix(shapeTwelve("orders", `item.entityType == "ORDER"`), "datasets:\n") +
			strings.TrimPrefix(shapeTwelve("masked", ""), "datasets:\n") + "    hash: [email]\n    drop: [address]\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(text)
			base, peak := heapBytes(), uint64(0)
			var cpu time.Duration
			for b.Loop() {
				o := shapedOptions(b, b.TempDir())
				o.Datasets = shapedDatasets(b, o, c.schema)
				o.Progress = func(Progress) { peak = max(peak, heapBytes()) }
				before := cpuTime()
				if r, err := FromExport(b.Context(), o, Import{From: from}); err != nil || r.Items != items || r.Rejects != 0 {
					b.Fatal(r, err)
				}
				cpu += cpuTime() - before
			}
			b.ReportMetric(cpu.Seconds()/float64(b.N)/items*1e6, "cpu-s/1M")
			b.ReportMetric(float64(peak-min(base, peak))/(1<<20), "peak-MiB")
		})
	}
}

// shapeTwelve is a dataset with twelve columns of the shape.
func shapeTwelve(name, filter string) string {
	text := "datasets:\n  - name: " + name + "\n"
	if filter != "" {
		text += "    filter: '" + filter + "'\n"
	}
	text += "    columns:\n"
	for _, c := range []string{
		"updatedAt timestamp(iso)", "version int64", "tenant string", "active bool", "ttl int64", "traceId string",
		"entityType string", "status string", "currency string", "customerId string", "warehouse string", "weightGrams int64",
	} {
		column, kind, _ := strings.Cut(c, " ")
		text += "      - {name: " + column + ", from: " + column + ", type: " + kind + "}\n"
	}
	return text
}

// shapedDatasets opens a schema in the lake of an import; nil where there is to be none.
func shapedDatasets(tb testing.TB, o Options, text string) *dataset.Live {
	tb.Helper()
	if text == "" {
		return nil
	}
	var asked *schema.Schema
	if text != "infer" {
		var err error
		if asked, err = schema.Parse([]byte(text)); err != nil {
			tb.Fatal(err)
		}
	}
	live, err := dataset.Open(tb.Context(), dataset.NewCatalog(o.Store, o.prefix()), asked, dataset.Options{
		Table: o.Table.Name, Keys: o.Table.Keys, Source: writer.SourceFull, Rules: rule.Options{Salt: []byte("salt")},
	}, schema.DefaultLimits)
	if err != nil {
		tb.Fatal(err)
	}
	return live
}

// BenchmarkStages are the parts of a conversion alone, on the same text.
func BenchmarkStages(b *testing.B) {
	const items = 50_000
	root := b.TempDir()
	shapedExport(b, root, 1, items)
	file := root + "/AWSDynamoDB/01768385930622-0badcafe/data/file0.json.gz"
	stage := func(name string, once func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				once(b)
			}
			b.ReportMetric((cpuTime()-before).Seconds()/float64(b.N)/items*1e6, "cpu-s/1M")
		})
	}
	unpack := func(b *testing.B, out io.Writer) {
		in, err := os.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		defer in.Close()
		z, err := gzip.NewReader(in)
		if err == nil {
			_, err = io.Copy(out, z)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	stage("gunzip", func(b *testing.B) { unpack(b, io.Discard) })
	var text strings.Builder
	unpack(b, &text)
	chunks := func(f func(lines []byte) error) {
		if _, err := eachLines(strings.NewReader(text.String()), nil, f); err != nil {
			b.Fatal(err)
		}
	}
	d, page := transform.NewDecoder(shapeKeys), &transform.Page{}
	decode := func(lines []byte) error {
		if err := d.DecodeExport(lines, transform.ViewFull, page); err != nil || len(page.Rejects) > 0 {
			return errors.Join(err, fmt.Errorf("%d rejects", len(page.Rejects)))
		}
		return nil
	}
	stage("scan", func(*testing.B) { chunks(decode) })
	e := writer.NewEncoder(writer.Schema{Keys: shapeKeys, Table: "test", Dataset: dataset.All})
	stage("scan+encode", func(b *testing.B) {
		x := e.Export(io.Discard, writer.ExportInfo{ARN: "arn", To: time.Unix(1, 0)})
		chunks(func(lines []byte) error {
			if err := decode(lines); err != nil {
				return err
			}
			return x.Add(page.Changes)
		})
		if _, err := x.Close(); err != nil {
			b.Fatal(err)
		}
	})
}

// TestMemoryDoesNotGrowWithTheFile converts a file of four times another's size.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	if testing.Short() {
		t.Skip("converts 250 MB")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // the garbage counts
	peakOf := func(items int) uint64 {
		from, _, _ := shapedExport(t, t.TempDir(), 1, items)
		o := shapedOptions(t, t.TempDir())
		base, peak := heapBytes(), uint64(0)
		o.Progress = func(Progress) { peak = max(peak, heapBytes()) }
		if r, err := FromExport(t.Context(), o, Import{From: from}); err != nil || r.Items != int64(items) {
			t.Fatal(r, err)
		}
		return (peak - min(base, peak)) >> 20
	}
	small, large := peakOf(50_000), peakOf(200_000)
	t.Logf("%d MiB, and %d MiB for four times as many items", small, large)
	if large > 2*small+64 || large > fileBytes>>20*2 {
		t.Errorf("memory grows with the file: %d MiB, then %d MiB", small, large)
	}
}

func heapBytes() uint64 {
	s := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtimemetrics.Read(s)
	return s[0].Value.Uint64()
}

// cpuTime is user and system time of the process.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
