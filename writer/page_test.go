package writer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dynamolake/transform"
)

// record is one stream record as a test writes it down.
type record struct {
	seq     int
	op      transform.Op
	created int64 // seconds since 1970
	keys    string
	new     string
	old     string
	ttl     bool
}

var stringKey = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}}

// seqText has 21 digits, as the service's have at least.
func seqText(n int) string { return fmt.Sprintf("1%020d", n) }

// seqOf is the position of record n; 0 stands before all.
func seqOf(n int) transform.Seq {
	if n == 0 {
		return transform.Seq{}
	}
	s, err := transform.ParseSeq(seqText(n))
	if err != nil {
		panic(err)
	}
	return s
}

// pageBody is the records as GetRecords answers them; next may be empty.
func pageBody(next string, records ...record) []byte {
	var b strings.Builder
	b.WriteString(`{`)
	if next != "" {
		fmt.Fprintf(&b, `"NextShardIterator":%q,`, next)
	}
	b.WriteString(`"Records":[`)
	for i, r := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"awsRegion":"eu-west-1","eventID":"%032x","eventName":%q,"eventSource":"aws:dynamodb","eventVersion":"1.1","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%s,"SequenceNumber":%q,"SizeBytes":%d,"StreamViewType":"NEW_AND_OLD_IMAGES"`,
			r.seq, r.op, r.created, r.keys, seqText(r.seq), len(r.new)+len(r.old))
		if r.new != "" {
			fmt.Fprintf(&b, `,"NewImage":%s`, r.new)
		}
		if r.old != "" {
			fmt.Fprintf(&b, `,"OldImage":%s`, r.old)
		}
		b.WriteString(`}`)
		if r.ttl {
			b.WriteString(`,"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"}`)
		}
		b.WriteString(`}`)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// exportLines are the records as the lines of a data file of an export: of a full
// one the items that are there after them, else what an incremental one with both
// images says of them, the time with microseconds.
func exportLines(full bool, records ...record) []byte {
	var b strings.Builder
	for _, r := range records {
		switch {
		case full && r.new != "":
			fmt.Fprintf(&b, `{"Item":%s}`, r.new)
		case full:
			continue
		default:
			fmt.Fprintf(&b, `{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":%s`, r.created*1_000_000+int64(r.seq), r.keys)
			if r.old != "" {
				fmt.Fprintf(&b, `,"OldImage":%s`, r.old)
			}
			if r.new != "" {
				fmt.Fprintf(&b, `,"NewImage":%s`, r.new)
			}
			b.WriteString(`}`)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func decodeExport(t testing.TB, keys transform.KeySchema, lines []byte, view transform.View) *transform.Page {
	t.Helper()
	p := new(transform.Page)
	if err := transform.NewDecoder(keys).DecodeExport(lines, view, p); err != nil {
		t.Fatal(err)
	}
	if len(p.Rejects) > 0 {
		t.Fatalf("reject: %s", p.Rejects[0].Reason)
	}
	return p
}

func decode(t testing.TB, keys transform.KeySchema, body []byte) *transform.Page {
	t.Helper()
	p := new(transform.Page)
	if err := transform.NewDecoder(keys).Decode(body, p); err != nil {
		t.Fatalf("%v in %.2000s", err, body)
	}
	if len(p.Rejects) > 0 {
		t.Fatalf("reject: %s", p.Rejects[0].Reason)
	}
	return p
}

// sliceOf is the first slice of a batch that holds the records.
func sliceOf(t testing.TB, keys transform.KeySchema, records ...record) Slice {
	t.Helper()
	b := NewBatch(transform.Seq{})
	body := pageBody("next", records...)
	b.Add(body, decode(t, keys, body), time.Unix(0, 0))
	s, ok := b.Cut(time.Unix(0, 0), Limits{}, true)
	if !ok {
		t.Fatal("nothing to cut")
	}
	return s
}

func opOf(b byte) transform.Op { return transform.Op(b) }

// insert is a small record of stringKey.
func insert(n int) record {
	key := fmt.Sprintf(`{"pk":{"S":"item-%d"}}`, n)
	return record{seq: n, op: transform.Insert, created: 1_700_000_000, keys: key, new: key}
}

// largeRecords are inserts of about 1 KB each, of mixed types.
func largeRecords(seed uint64, from, n int) []record {
	r := rand.New(rand.NewPCG(seed, 1))
	word := func() string {
		return []string{"amber", "basalt", "cedar", "delta", "ember", "fjord", "glade"}[r.IntN(7)]
	}
	records := make([]record, n)
	for i := range records {
		pk := fmt.Sprintf("customer#%08d", r.IntN(100_000))
		keys := fmt.Sprintf(`{"pk":{"S":%q}}`, pk)
		var img strings.Builder
		fmt.Fprintf(&img, `{"pk":{"S":%q}`, pk)
		for a := 0; img.Len() < 980; a++ {
			switch a % 6 {
			case 0:
				fmt.Fprintf(&img, `,"name_%d":{"S":"%s %s %x"}`, a, word(), word(), r.Uint32())
			case 1:
				fmt.Fprintf(&img, `,"amount_%d":{"N":"%d.%02d"}`, a, r.IntN(1_000_000), r.IntN(100))
			case 2:
				fmt.Fprintf(&img, `,"flag_%d":{"BOOL":%t}`, a, r.IntN(2) == 0)
			case 3:
				fmt.Fprintf(&img, `,"tags_%d":{"SS":[%q,%q]}`, a, word()+"1", word()+"2")
			case 4:
				fmt.Fprintf(&img, `,"nested_%d":{"M":{"street":{"S":"%s road %d"},"zip":{"N":"%05d"}}}`, a, word(), r.IntN(300), r.IntN(99999))
			case 5:
				fmt.Fprintf(&img, `,"id_%d":{"S":"%016x%016x"}`, a, r.Uint64(), r.Uint64())
			}
		}
		img.WriteString(`}`)
		records[i] = record{seq: from + i, op: transform.Insert, created: 1_700_000_000 + int64(i/100), keys: keys, new: img.String()}
	}
	return records
}
