package transform

import "encoding/binary"

// maxDepth is how deep M and L may nest. DynamoDB stops at 32; the rest is room
// for the day it does not.
const maxDepth = 64

// Only the shape of values is checked, not the service's limits on them: an empty
// set or a number of 50 digits is kept as it stands, and so is a name that
// occurs twice (the service writes none).

// found is where a walk over an image or a Keys object met the key attributes.
type found struct {
	hash, rng member
	members   int
	twice     bool // a key attribute was there twice
}

// member is one attribute in its object.
type member struct {
	span       // from its name to the next member's name, or to the closing brace
	value span // its typed value, braces included
}

// span is a range of positions; the zero span is none.
type span struct{ from, to int }

// attributes reads an object of attributes: a whole image, Keys, or the content of
// an M. At the top it notes the key attributes in f; inside f is nil.
func (s *scanner) attributes(i, depth int, keys *KeySchema, f *found) int {
	i, more := s.first(i, '{', '}')
	for more {
		start := i
		end, escaped := s.str(i)
		if end < 0 {
			return end
		}
		var at *member
		if f != nil {
			at = s.key(s.b[start+1:end-1], escaped, keys, f)
		}
		// Nobody writes white space here, so look before calling.
		if s.is(end, ':') && s.is(end+1, '{') {
			i = end + 1
		} else if i = s.colon(end); i < 0 {
			return i
		}
		from := i
		if i = s.value(i, depth); i < 0 {
			return i
		}
		to := i
		if i, more = s.next(i, '}'); at != nil && i >= 0 {
			*at = member{span: span{start, i}, value: span{from, to}}
			if !more {
				at.to = i - 1
			}
		}
	}
	return i
}

// key returns where to note the attribute if it is one of the key.
func (s *scanner) key(name []byte, escaped bool, keys *KeySchema, f *found) *member {
	f.members++
	if escaped {
		name = s.unescape(name)
	}
	var at *member
	switch {
	case string(name) == keys.Hash.Name:
		at = &f.hash
	case keys.HasRange() && string(name) == keys.Range.Name:
		at = &f.rng
	default:
		return nil
	}
	f.twice = f.twice || at.to != 0
	return at
}

// value reads one typed value, as {"S":"text"}; depth is how many M and L are
// around it.
func (s *scanner) value(i, depth int) int {
	// Without white space, which is how the service writes, one load tells a
	// type of one letter, {"?":, and the two words, {"BOOL": and {"NULL":.
	const frame, mask = '{' | '"'<<8 | '"'<<24 | ':'<<32, 0xFF_FF_00_FF_FF
	const boolean, null = 0x3A_22_4C_4F_4F_42_22_7B, 0x3A_22_4C_4C_55_4E_22_7B
	var w uint64
	if i <= len(s.b)-8 {
		w = binary.LittleEndian.Uint64(s.b[i:])
	}
	switch {
	case w&mask == frame:
		i = s.content(s.b[i+2:i+3], i+5, depth)
	case w == boolean || w == null:
		i = s.content(s.b[i+2:i+6], i+8, depth)
	default:
		var more bool
		if i, more = s.first(i, '{', '}'); !more {
			if i < 0 {
				return i
			}
			return s.fail(i, "attribute value without a type")
		}
		var tag []byte
		if tag, i = s.name(i); i >= 0 {
			i = s.content(tag, i, depth)
		}
	}
	if s.is(i, '}') {
		return i + 1
	}
	if i < 0 {
		return i
	}
	i, more := s.next(i, '}')
	if more {
		return s.fail(i, "attribute value with two types")
	}
	return i
}

// content reads what a type tag announces.
func (s *scanner) content(tag []byte, i, depth int) int {
	i = s.space(i)
	switch string(tag) {
	case "S":
		i, _ = s.str(i)
		return i
	case "N":
		return s.digits(i)
	case "B":
		return s.base64(i)
	case "M":
		if depth == maxDepth {
			return s.fail(i, "nested too deep")
		}
		return s.attributes(i, depth+1, nil, nil)
	case "L":
		if depth == maxDepth {
			return s.fail(i, "nested too deep")
		}
		i, more := s.first(i, '[', ']')
		for more {
			if i = s.value(i, depth+1); i < 0 {
				return i
			}
			i, more = s.next(i, ']')
		}
		return i
	case "BOOL", "NULL":
		if end, ok := s.word(i, "true"); ok {
			return end
		}
		if end, ok := s.word(i, "false"); ok {
			return end
		}
		return s.fail(i, "want true or false")
	case "SS", "NS", "BS":
		i, more := s.first(i, '[', ']')
		for more {
			switch tag[0] {
			case 'S':
				i, _ = s.str(i)
			case 'N':
				i = s.digits(i)
			case 'B':
				i = s.base64(i)
			}
			if i < 0 {
				return i
			}
			i, more = s.next(i, ']')
		}
		return i
	}
	return s.fail(i, "unknown attribute type")
}

// digits reads the string of an N.
func (s *scanner) digits(i int) int {
	// Plain integers and decimals first, in one run to the closing quote.
	if s.is(i, '"') {
		b, j := s.b, i+1
		if s.is(j, '-') {
			j++
		}
		run := j
		for j < len(b) && b[j]-'0' <= 9 {
			j++
		}
		if j > run && s.is(j, '.') {
			j++
			for j < len(b) && b[j]-'0' <= 9 {
				j++
			}
		}
		if j > run && s.is(j, '"') {
			return j + 1
		}
	}
	text, end := s.text(i)
	if end < 0 {
		return end
	}
	if _, ok := splitNumber(text); !ok {
		return s.fail(i, "malformed number in an N")
	}
	return end
}
