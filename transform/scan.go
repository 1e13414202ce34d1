package transform

import (
	"encoding/binary"
	"math/bits"
)

// maxJSONDepth is how deep containers may nest anywhere in a body, as in
// encoding/json.
const maxJSONDepth = 10_000

// scanner walks over one body. Its methods take a position and return the one
// behind what they read, or -1 after noting why; nobody looks at the position
// twice. Whatever it walks over, it has checked to be JSON.
//
// Positions are plain ints in registers rather than a field, and strings are
// searched eight bytes at a time: this loop sees every byte that DynamoDB sends,
// and is most of the CPU that a change costs before Parquet.
type scanner struct {
	b    []byte
	page *Page // for its arena
	utf8 bool  // b is valid UTF-8 all through
	why  string
	at   int
}

func (s *scanner) fail(at int, why string) int {
	s.at, s.why = at, why
	return -1
}

// space skips white space.
func (s *scanner) space(i int) int {
	for i < len(s.b) && s.b[i] <= ' ' && isSpace(s.b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// is tells whether the byte at i is c. The end of the body is no byte.
func (s *scanner) is(i int, c byte) bool { return uint(i) < uint(len(s.b)) && s.b[i] == c }

// first enters a container. With more it returns the first member's position,
// without the one behind the container, or -1.
func (s *scanner) first(i int, left, right byte) (_ int, more bool) {
	if !s.is(i, left) {
		if left == '{' {
			return s.fail(i, "want an object"), false
		}
		return s.fail(i, "want a list"), false
	}
	i = s.space(i + 1)
	if s.is(i, right) {
		return i + 1, false
	}
	return i, true
}

// next goes on behind a member, returning as first does.
func (s *scanner) next(i int, right byte) (_ int, more bool) {
	i = s.space(i)
	if s.is(i, ',') {
		return s.space(i + 1), true
	}
	if s.is(i, right) {
		return i + 1, false
	}
	return s.fail(i, "want a comma or the end"), false
}

// colon reads what stands between a name and its value.
func (s *scanner) colon(i int) int {
	i = s.space(i)
	if !s.is(i, ':') {
		return s.fail(i, "want a colon")
	}
	return s.space(i + 1)
}

// fields visits an object's members by their unescaped names, but for those that
// are null: they count as missing. visit is given where the value is, and
// returns the position behind it.
func (s *scanner) fields(i int, visit func(name []byte, at int) int) int {
	i, more := s.first(i, '{', '}')
	for more {
		var name []byte
		if name, i = s.name(i); i < 0 {
			return i
		}
		end, null := s.word(i, "null")
		if !null {
			if end = visit(name, i); end < 0 {
				return end
			}
		}
		i, more = s.next(end, '}')
	}
	return i
}

// name reads a member's name and returns it unescaped, with the position of the
// value.
func (s *scanner) name(i int) ([]byte, int) {
	text, i := s.text(i)
	if i < 0 {
		return nil, i
	}
	return text, s.colon(i)
}

// text reads a string and returns it unescaped: a piece of the body where it can,
// else of the arena.
func (s *scanner) text(i int) ([]byte, int) {
	end, escaped := s.str(i)
	if end < 0 {
		return nil, end
	}
	raw := s.b[i+1 : end-1 : end-1]
	if escaped {
		raw = s.unescape(raw)
	}
	return raw, end
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads a string with its quotes.
func (s *scanner) str(i int) (end int, escaped bool) {
	b := s.b
	if uint(i) >= uint(len(b)) || b[i] != '"' {
		return s.fail(i, "want a string"), false
	}
	i++
	for {
		// Eight bytes a step. A byte's high bit is set in stop if the byte ends
		// the run: a quote or a control character (with bit 1 flipped, these are
		// the ASCII below 0x21) or a backslash. Borrows can set false bits, but
		// only above a true one, and only the lowest counts.
		for i <= len(b)-8 {
			w := binary.LittleEndian.Uint64(b[i:])
			low, slash := w^2*ones, w^'\\'*ones
			stop := ((low-0x21*ones)&^low | (slash-ones)&^slash) & highs
			if stop == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(stop) >> 3
			if b[i] == '"' {
				return i + 1, escaped
			}
			break
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= ' ' {
			i++
		}
		if i >= len(b) {
			return s.fail(i, "the text ends inside a string"), false
		}
		switch b[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			if i = s.escape(i); i < 0 {
				return i, false
			}
		default:
			return s.fail(i, "control character in a string"), false
		}
	}
}

// escape reads one escape sequence.
func (s *scanner) escape(i int) int {
	if i+1 >= len(s.b) {
		return s.fail(i, "the text ends inside a string")
	}
	switch s.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 <= len(s.b) {
			if _, ok := hex4(s.b[i+2 : i+6]); ok {
				return i + 6
			}
		}
	}
	return s.fail(i, "unknown escape in a string")
}

func hex4(b []byte) (r rune, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// word reads a literal such as true, and tells whether it is there.
func (s *scanner) word(i int, w string) (int, bool) {
	if len(s.b)-i >= len(w) && string(s.b[i:i+len(w)]) == w {
		return i + len(w), true
	}
	return i, false
}

// number reads a JSON number.
func (s *scanner) number(i int) int {
	b, start := s.b, i
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if s.is(i, '-') {
		i++
	}
	if s.is(i, '0') {
		i++
	} else if !digits() {
		return s.fail(start, "want a JSON value")
	}
	if s.is(i, '.') {
		i++
		if !digits() {
			return s.fail(start, "malformed number")
		}
	}
	if s.is(i, 'e') || s.is(i, 'E') {
		i++
		if s.is(i, '+') || s.is(i, '-') {
			i++
		}
		if !digits() {
			return s.fail(start, "malformed number")
		}
	}
	return i
}

// skip reads any JSON value; open is how many containers are open around it.
func (s *scanner) skip(i, open int) int {
	if i >= len(s.b) {
		return s.fail(i, "the text ends too early")
	}
	right := byte('}')
	switch c := s.b[i]; c {
	case '"':
		i, _ = s.str(i)
		return i
	case 't', 'f', 'n':
		for _, w := range [...]string{"true", "false", "null"} {
			if end, ok := s.word(i, w); ok {
				return end
			}
		}
		return s.fail(i, "want a JSON value")
	case '[':
		right = ']'
	case '{':
	default:
		return s.number(i)
	}
	if open == maxJSONDepth {
		return s.fail(i, "nested too deep")
	}
	i, more := s.first(i, s.b[i], right)
	for more {
		if right == '}' {
			if i, _ = s.str(i); i < 0 {
				return i
			}
			if i = s.colon(i); i < 0 {
				return i
			}
		}
		if i = s.skip(i, open+1); i < 0 {
			return i
		}
		i, more = s.next(i, right)
	}
	return i
}
