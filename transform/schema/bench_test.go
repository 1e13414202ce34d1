package schema

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"dynamolake/transform"
)

var benchKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}}

// benchImage is an item of about 1 KB and 36 attributes, most of them short.
func benchImage(r *rand.Rand, n int) (image, key string) {
	key = fmt.Sprintf(`"pk":{"S":"order#%08d"},"sk":{"N":"%d"}`, r.IntN(1e8), n)
	var b strings.Builder
	fmt.Fprintf(&b, `{%s,"customer_id":{"S":"cust-%08d"},"status":{"S":"shipped"},"email":{"S":"user%d@example.com"},`, key, r.IntN(1e8), r.IntN(1e6))
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

const benchColumns = `
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

// BenchmarkShred takes items of about 1 KB apart, 1,000 a time and 64 a run, and beside it the
// decoder alone over the page that has them.
func BenchmarkShred(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var page bytes.Buffer
	page.WriteString(`{"NextShardIterator":"i","Records":[`)
	size := 0
	for i := range 1000 {
		if i > 0 {
			page.WriteByte(',')
		}
		image, key := benchImage(r, i)
		size += len(image)
		fmt.Fprintf(&page, `{"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":1.7638E9,"Keys":{%s},"NewImage":%s,"SequenceNumber":"%d","SizeBytes":%d,"StreamViewType":"NEW_IMAGE"},"eventID":"%032x","eventName":"MODIFY","eventSource":"aws:dynamodb","eventVersion":"1.1"}`,
			key, image, 100000000012345678+i, len(image), r.Uint64())
	}
	page.WriteString(`]}`)
	var p transform.Page
	decoder := transform.NewDecoder(benchKeys)
	if err := decoder.Decode(page.Bytes(), &p); err != nil || len(p.Changes) != 1000 {
		b.Fatal(err, len(p.Changes))
	}
	s, err := Parse([]byte(benchColumns))
	if err != nil {
		b.Fatal(err)
	}
	s.Number(nil)
	wide, err := Parse([]byte(benchColumns + `
      - {name: tags, type: set<string>}
      - {name: address, type: struct, fields: [{name: zip, type: string}, {name: city, type: string}]}
      - {name: gone, type: json}
`))
	if err != nil {
		b.Fatal(err)
	}
	wide.Number(nil)
	measure := func(name string, once func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			once()
			before := cpuTime()
			for b.Loop() {
				once()
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1000, "cpu-ns/item")
			b.ReportMetric(float64(size)/1000, "B/item")
		})
	}
	var other transform.Page
	measure("decode-alone", func() {
		if err := decoder.Decode(page.Bytes(), &other); err != nil {
			b.Fatal(err)
		}
	})
	var rest []byte
	measure("key-rest-alone", func() {
		rest = rest[:0]
		for i := range p.Changes {
			rest = p.Changes[i].AppendRest(rest)
		}
	})
	for name, s := range map[string]*Schema{"12-columns": s, "15-columns-nested": wide} {
		plan, err := s.Datasets[0].Plan(benchKeys)
		if err != nil {
			b.Fatal(err)
		}
		run := plan.NewRun()
		shred := func(each func(row int, c *transform.Change)) {
			for i := range p.Changes {
				c := &p.Changes[i]
				if run.Rows() == 64 {
					run.Reset()
				}
				run.Shred(c.New, c.Hash.Exact, c.Range.Exact)
				each(run.Rows()-1, c)
			}
		}
		measure(name, func() { shred(func(int, *transform.Change) {}) })
		measure(name+"-rest", func() {
			rest = rest[:0]
			shred(func(row int, c *transform.Change) { rest = run.AppendRest(rest, row, c.New) })
		})
	}
}

// cpuTime is the process's user and system time: on a shared machine a better
// measure than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
