package transform

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Decoder decodes the GetRecords answers of one table. It holds no state between
// pages: any number of goroutines may share it.
type Decoder struct {
	keys KeySchema
}

// NewDecoder returns a decoder for a table with that primary key.
func NewDecoder(keys KeySchema) *Decoder { return &Decoder{keys: keys} }

// Decode reads one raw answer of GetRecords into p, which aliases body from then
// on. A record that is JSON but makes no sense goes to p.Rejects. A body that is
// not JSON, or not an answer of GetRecords, is an error, and p is empty then.
//
// Unknown fields are skipped. A field that is null counts as missing. Missing are
// allowed: NextShardIterator, Records next to a NextShardIterator (an answer with
// neither would read as an empty end of the shard, and is an error), and of a
// record all but eventName, SequenceNumber, Keys and, for INSERT and MODIFY,
// NewImage. A field of ours that occurs twice makes no sense, and neither does
// text that is not UTF-8, for no string column could hold it; escaped lone
// surrogates are taken, as they stand.
func (d *Decoder) Decode(body []byte, p *Page) error {
	p.reset()
	if len(body) > math.MaxInt32 {
		return fmt.Errorf("decode GetRecords answer: %d bytes are more than an answer can have", len(body))
	}
	s := scanner{b: body, page: p, utf8: utf8.Valid(body)}
	if i := s.answer(&d.keys); i < 0 {
		p.reset()
		return fmt.Errorf("decode GetRecords answer: %s at byte %d of %d", s.why, s.at, len(body))
	}
	return nil
}

// answer reads the whole body.
func (s *scanner) answer(keys *KeySchema) int {
	var records, next bool
	i := s.fields(s.space(0), func(name []byte, i int) int {
		switch string(name) {
		case "Records":
			if records {
				return s.fail(i, "Records for the second time")
			}
			records = true
			return s.records(i, keys)
		case "NextShardIterator":
			if next {
				return s.fail(i, "NextShardIterator for the second time")
			}
			next = true
			text, i := s.text(i)
			s.page.Next = string(text)
			return i
		}
		return s.skip(i, 1)
	})
	if i < 0 {
		return i
	}
	if i = s.space(i); i != len(s.b) {
		return s.fail(i, "more text behind the answer")
	}
	if !records && !next {
		return s.fail(0, "neither Records nor NextShardIterator")
	}
	return i
}

// records reads the list of records.
func (s *scanner) records(i int, keys *KeySchema) int {
	p := s.page
	i, more := s.first(i, '[', ']')
	for more {
		start := i
		c := p.add()
		if i = s.record(i, keys, c); i >= 0 {
			p.reached(c.Seq, c.Created)
		} else {
			// Was it the meaning or the JSON? A second walk that only looks at
			// the JSON tells, and finds the record's end.
			p.drop()
			why, at := s.why, s.at
			if i = s.skip(start, 2); i < 0 {
				return i
			}
			r := Reject{
				Raw:    s.b[start:i:i],
				Reason: fmt.Sprintf("%s at byte %d of the record", why, at-start),
			}
			var created int64
			r.Seq, created = s.salvage(start)
			p.reached(r.Seq, created)
			p.Rejects = append(p.Rejects, r)
		}
		i, more = s.next(i, ']')
	}
	return i
}

// reached keeps the page's highest sequence number.
func (p *Page) reached(seq Seq, created int64) {
	if seq.Compare(p.Last) > 0 {
		p.Last, p.LastCreated = seq, created
	}
}
