package writer

import (
	"fmt"
	"testing"
	"time"

	"dynamolake/transform"
)

// BenchmarkEncode is a slice of 1-KB inserts to a file in memory.
func BenchmarkEncode(b *testing.B) {
	for _, rows := range []int{1, 1_000, 10_000, 50_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			s, in := largeSlice(b, rows)
			e := NewEncoder(Schema{Keys: stringKey, Table: "t", Dataset: "all"})
			info := Info{Stream: "arn", Shard: "shardId-00000001700000000000-0a1b2c3d", Writer: "w"}
			b.SetBytes(in)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				f, err := e.Encode(s, info)
				if err != nil {
					b.Fatal(err)
				}
				size = len(f.Body)
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(size)/float64(rows), "file-B/row")
		})
	}
}

// BenchmarkDecodeEncode is the whole way from a GetRecords body to a file.
func BenchmarkDecodeEncode(b *testing.B) {
	const pages, perPage = 10, 1000
	var bodies [][]byte
	var in int64
	for i := range pages {
		body := pageBody("next", largeRecords(uint64(i), i*perPage+1, perPage)...)
		bodies = append(bodies, body)
		in += int64(len(body))
	}
	d := transform.NewDecoder(stringKey)
	e := NewEncoder(Schema{Keys: stringKey, Table: "t", Dataset: "all"})
	var free []*transform.Page
	for range pages {
		free = append(free, new(transform.Page))
	}
	now := time.Unix(0, 0)
	b.SetBytes(in)
	b.ReportAllocs()
	for b.Loop() {
		batch := NewBatch(transform.Seq{})
		batch.Free = func(_ []byte, p *transform.Page) { free = append(free, p) }
		for _, body := range bodies {
			p := free[len(free)-1]
			free = free[:len(free)-1]
			if err := d.Decode(body, p); err != nil {
				b.Fatal(err)
			}
			batch.Add(body, p, now)
		}
		s, _ := batch.Cut(now, Limits{}, true)
		if _, err := e.Encode(s, Info{Shard: "shardId-00000001700000000000-0a1b2c3d", Writer: "w"}); err != nil {
			b.Fatal(err)
		}
		batch.Advance(s.End)
	}
	b.ReportMetric(float64(pages*perPage)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func largeSlice(tb testing.TB, rows int) (Slice, int64) {
	batch := NewBatch(transform.Seq{})
	var in int64
	for from := 1; from <= rows; from += 1000 {
		body := pageBody("next", largeRecords(uint64(from), from, min(1000, rows-from+1))...)
		batch.Add(body, decode(tb, stringKey, body), time.Unix(0, 0))
		in += int64(len(body))
	}
	s, _ := batch.Cut(time.Unix(0, 0), Limits{}, true)
	return s, in
}
