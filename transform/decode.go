package transform

import (
	"bytes"
	"fmt"
	"math"
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
// NewImage. A field of ours that occurs twice makes no sense.
func (d *Decoder) Decode(body []byte, p *Page) error {
	p.reset()
	if len(body) > math.MaxInt32 {
		return fmt.Errorf("decode GetRecords answer: %d bytes are more than an answer can have", len(body))
	}
	s := scanner{b: body, page: p}
	if i := s.answer(&d.keys); i < 0 {
		p.reset()
		return fmt.Errorf("decode GetRecords answer: %s at byte %d of %d", s.why, s.at, len(body))
	}
	return nil
}

// answer reads the whole body.
func (s *scanner) answer(keys *KeySchema) int {
	var records, next bool
	i, more := s.first(s.space(0), '{', '}')
	for more {
		var name []byte
		if name, i = s.name(i); i < 0 {
			return i
		}
		if end, null := s.word(i, "null"); null {
			i, more = s.next(end, '}')
			continue
		}
		switch string(name) {
		case "Records":
			if records {
				return s.fail(i, "Records for the second time")
			}
			records = true
			i = s.records(i, keys)
		case "NextShardIterator":
			if next {
				return s.fail(i, "NextShardIterator for the second time")
			}
			next = true
			var text []byte
			if text, i = s.text(i); i >= 0 {
				s.page.Next = string(text)
			}
		default:
			i = s.skip(i, 1)
		}
		if i < 0 {
			return i
		}
		i, more = s.next(i, '}')
	}
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
		p.Changes = append(p.Changes, Change{})
		c := &p.Changes[len(p.Changes)-1]
		if i = s.record(i, keys, c); i >= 0 {
			p.reached(c.Seq, c.Created)
		} else {
			// Was it the meaning or the JSON? A second walk that only looks at
			// the JSON tells, and finds the record's end.
			*c = Change{}
			p.Changes = p.Changes[:len(p.Changes)-1]
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

// record reads one record and leaves the decision whether it makes sense to the
// parts.
func (s *scanner) record(i int, keys *KeySchema, c *Change) int {
	start := i
	var r raw
	i, more := s.first(i, '{', '}')
	for more {
		var name []byte
		if name, i = s.name(i); i < 0 {
			return i
		}
		if end, null := s.word(i, "null"); null {
			i, more = s.next(end, '}')
			continue
		}
		twice := false
		switch string(name) {
		case "dynamodb":
			twice = r.once(1)
			i = s.stream(i, keys, c, &r)
		case "eventID":
			twice = r.once(2)
			c.EventID, i = s.text(i)
		case "eventName":
			twice = r.once(4)
			c.Op, i = s.op(i)
		case "userIdentity":
			twice = r.once(8)
			c.TTL, i = s.ttl(i)
		default:
			i = s.skip(i, 3)
		}
		if i < 0 {
			return i
		}
		if twice {
			return s.fail(i, "field for the second time before here")
		}
		i, more = s.next(i, '}')
	}
	if i < 0 {
		return i
	}
	c.TTL = c.TTL && c.Op == Remove
	if why := s.settle(keys, c, &r); why != "" {
		return s.fail(start, why)
	}
	return i
}

// raw is what a record's fields left behind to be put together at its end, for
// they come in any order.
type raw struct {
	seen      uint
	keys, img span
	inKeys    found
	inNew     found
}

// once notes a field and tells whether it had been noted before.
func (r *raw) once(field uint) (twice bool) {
	twice = r.seen&field != 0
	r.seen |= field
	return twice
}

// stream reads a record's dynamodb field.
func (s *scanner) stream(i int, keys *KeySchema, c *Change, r *raw) int {
	i, more := s.first(i, '{', '}')
	for more {
		var name []byte
		if name, i = s.name(i); i < 0 {
			return i
		}
		if end, null := s.word(i, "null"); null {
			i, more = s.next(end, '}')
			continue
		}
		twice, from := false, i
		switch string(name) {
		case "ApproximateCreationDateTime":
			twice = r.once(16)
			c.Created, i = s.epoch(i)
		case "Keys":
			twice = r.once(32)
			if i = s.attributes(i, 0, keys, &r.inKeys); i >= 0 {
				c.Keys, r.keys = s.b[from:i:i], span{from, i}
			}
		case "NewImage":
			twice = r.once(64)
			if i = s.attributes(i, 0, keys, &r.inNew); i >= 0 {
				c.New, r.img = s.b[from:i:i], span{from, i}
			}
		case "OldImage":
			twice = r.once(128)
			if i = s.attributes(i, 0, nil, nil); i >= 0 {
				c.Old = s.b[from:i:i]
			}
		case "SequenceNumber":
			twice = r.once(256)
			c.Seq, i = s.seq(i)
		case "SizeBytes":
			twice = r.once(512)
			c.Size, i = s.size(i)
		default:
			i = s.skip(i, 4)
		}
		if i < 0 {
			return i
		}
		if twice {
			return s.fail(i, "field for the second time before here")
		}
		i, more = s.next(i, '}')
	}
	return i
}

// settle checks what a record says as a whole, and fills in the key and the rest.
// It returns what is wrong, or nothing.
func (s *scanner) settle(keys *KeySchema, c *Change, r *raw) string {
	attributes := 1
	if keys.HasRange() {
		attributes = 2
	}
	switch {
	case c.Op == 0:
		return "no eventName"
	case c.Seq.IsZero():
		return "no SequenceNumber"
	case c.Keys == nil:
		return "no Keys"
	case r.inKeys.hash.to == 0:
		return "Keys lacks the partition key"
	case keys.HasRange() && r.inKeys.rng.to == 0:
		return "Keys lacks the sort key"
	case r.inKeys.members != attributes:
		return "Keys has attributes that are not of the table's key"
	case c.Op == Remove && c.New != nil:
		return "REMOVE with a NewImage"
	case c.Op != Remove && c.New == nil:
		return c.Op.String() + " without NewImage"
	case r.inNew.twice:
		return "NewImage has a key attribute twice"
	}
	if why := s.settleKey(c, r, keys.Hash.Type, &c.Hash, r.inKeys.hash, r.inNew.hash); why != "" {
		return why
	}
	if !keys.HasRange() {
		return ""
	}
	return s.settleKey(c, r, keys.Range.Type, &c.Range, r.inKeys.rng, r.inNew.rng)
}

// settleKey does so for one key attribute, which stands in Keys and in NewImage.
func (s *scanner) settleKey(c *Change, r *raw, t KeyType, v *KeyValue, inKeys, inNew member) string {
	var ok bool
	if *v, ok = s.keyValue(inKeys.value, t); !ok {
		return "Keys has a key attribute of another type than the table's key"
	}
	if c.Op == Remove {
		if !v.Exact {
			c.rest.add(inKeys.span, r.keys.from)
		}
		return ""
	}
	if inNew.to == 0 {
		return "NewImage lacks a key attribute"
	}
	k, n := inKeys.value, inNew.value
	if !bytes.Equal(s.b[k.from:k.to], s.b[n.from:n.to]) {
		// The column speaks for both, so they must say the same.
		if other, ok := s.keyValue(n, t); !ok || !bytes.Equal(other.Bytes, v.Bytes) {
			return "a key attribute in NewImage differs from Keys"
		}
	}
	if v.Exact {
		c.rest.add(inNew.span, r.img.from)
	}
	return ""
}
