package transform

import (
	"iter"
	"unicode/utf8"
)

// op reads an eventName.
func (s *scanner) op(i int) (Op, int) {
	text, end := s.text(i)
	if end < 0 {
		return 0, end
	}
	switch string(text) {
	case "INSERT":
		return Insert, end
	case "MODIFY":
		return Modify, end
	case "REMOVE":
		return Remove, end
	}
	return 0, s.fail(i, "unknown eventName")
}

// seq reads a SequenceNumber. Zero stands before every record, so none has it.
func (s *scanner) seq(i int) (Seq, int) {
	text, end := s.text(i)
	if end < 0 {
		return Seq{}, end
	}
	seq, err := ParseSeq(text)
	if err != nil || seq.IsZero() {
		return Seq{}, s.fail(i, "malformed SequenceNumber")
	}
	return seq, end
}

// size reads SizeBytes.
func (s *scanner) size(i int) (int64, int) {
	end := s.number(i)
	if end < 0 {
		return 0, end
	}
	if end-i > 18 {
		return 0, s.fail(i, "SizeBytes out of range")
	}
	n := int64(0)
	for _, c := range s.b[i:end] {
		if c < '0' || c > '9' {
			return 0, s.fail(i, "SizeBytes is no whole number")
		}
		n = n*10 + int64(c-'0')
	}
	return n, end
}

// maxCreated is the year 10000, in microseconds.
const maxCreated = 253_402_300_800 * 1_000_000

// epoch reads seconds since 1970, whole or not, as microseconds, rounded down.
func (s *scanner) epoch(i int) (int64, int) {
	end := s.number(i)
	if end < 0 {
		return 0, end
	}
	micros, _, ok := microseconds(s.b[i:end], 6)
	if !ok {
		return 0, s.fail(i, "ApproximateCreationDateTime out of range")
	}
	return micros, end
}

// microseconds reads a number of units of 10^unit microseconds since 1970, and
// tells whether nothing was rounded off.
func microseconds(text []byte, unit int) (micros int64, exact, ok bool) {
	n, ok := splitNumber(text)
	if !ok {
		return 0, false, false
	}
	exact = true
	kept, shift := 0, n.exponent-n.fraction+unit
	for _, c := range text[n.from:n.to] {
		switch {
		case c == '.':
		case kept == 18: // all that an int64 surely holds
			exact = exact && c == '0'
			shift++
		default:
			if micros = micros*10 + int64(c-'0'); micros != 0 {
				kept++
			}
		}
	}
	for ; shift < 0 && micros != 0; shift++ {
		exact = exact && micros%10 == 0
		micros /= 10
	}
	for ; shift > 0 && micros != 0 && micros < maxCreated; shift-- {
		micros *= 10
	}
	return micros, exact, micros < maxCreated && (!n.negative || micros == 0)
}

// ttl reads a userIdentity and tells whether it is that of the time to live. The
// service's own spelling is PrincipalId and Type; its documentation and its
// Lambda events have principalId and type.
func (s *scanner) ttl(i int) (bool, int) {
	var service, dynamodb bool
	i = s.fields(i, func(name []byte, i int) int {
		var text []byte
		switch string(name) {
		case "Type", "type":
			text, i = s.text(i)
			service = string(text) == "Service"
		case "PrincipalId", "principalId":
			text, i = s.text(i)
			dynamodb = string(text) == "dynamodb.amazonaws.com"
		default:
			i = s.skip(i, 4)
		}
		return i
	})
	return service && dynamodb, i
}

// keyValue reads a checked typed value as the column of a key attribute holds it.
// It is not ok if the value has another type.
func (s *scanner) keyValue(at span, t KeyType) (v KeyValue, ok bool) {
	i, _ := s.first(at.from, '{', '}')
	tag, i := s.name(i)
	if len(tag) != 1 || tag[0] != byte(t) {
		return v, false
	}
	text, _ := s.text(i)
	v.Bytes = text
	switch t {
	case 'S':
		v.Exact = utf8.Valid(text)
	case 'N':
		var canonical [48]byte
		if dec, fits := ParseDecimal(text); fits && string(appendDecimal(canonical[:0], dec)) == string(text) {
			v.Dec, v.Exact = dec, true
		}
	case 'B':
		v.Bytes, v.Exact = s.decodeBase64(text)
	}
	return v, true
}

// salvage finds what it can of a rejected record, whose JSON is sound: sequence
// number and creation time, zero if they are missing, malformed or ambiguous.
func (s *scanner) salvage(i int) (seq Seq, created int64) {
	times := 0
	for at := range s.named(i, "dynamodb") {
		for at := range s.named(at, "SequenceNumber") {
			seq, _ = s.seq(at)
			times++
		}
		for at := range s.named(at, "ApproximateCreationDateTime") {
			created, _ = s.epoch(at)
		}
	}
	if times != 1 || seq.IsZero() {
		return Seq{}, 0
	}
	return seq, created
}

// named yields where the values of an object's members of that name are; none if
// it is no object.
func (s *scanner) named(i int, want string) iter.Seq[int] {
	return func(yield func(int) bool) {
		i, more := s.first(i, '{', '}')
		for more {
			name, at := s.name(i)
			if string(name) == want && !yield(at) {
				return
			}
			i, more = s.next(s.skip(at, 0), '}')
		}
	}
}
