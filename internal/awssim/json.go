package awssim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// A node is a parsed JSON value. Requests are small and read once, so a tree of
// slices beats maps of interfaces both in speed and in saying what is absent.
type node struct {
	kind byte   // 0 absent, '{', '[', '"', '0' number, 't', 'f', 'n'
	str  string // text of a string, digits of a number
	obj  []field
	arr  []node
}

type field struct {
	name string
	node node
}

// get returns the member of an object, or an absent node.
func (n node) get(name string) node {
	for i := range n.obj {
		if n.obj[i].name == name {
			return n.obj[i].node
		}
	}
	return node{}
}

func (n node) there() bool     { return n.kind != 0 && n.kind != 'n' }
func (n node) text() string    { return n.str }
func (n node) fields() []field { return n.obj }
func (n node) items() []node   { return n.arr }
func (n node) isTrue() bool    { return n.kind == 't' }

// int returns a number, or other when it is absent or not one.
func (n node) int(other int) int {
	if i, err := strconv.Atoi(n.str); err == nil && n.kind == '0' {
		return i
	}
	return other
}

type jsonParser struct {
	b   []byte
	pos int
}

var errJSON = errors.New("the request body is not JSON")

// parseJSON parses a whole body. Strings without escapes share its memory.
func parseJSON(b []byte) (node, error) {
	p := jsonParser{b: b}
	n, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	if p.space(); p.pos != len(b) {
		return node{}, fmt.Errorf("%w: something follows at byte %d", errJSON, p.pos)
	}
	return n, nil
}

func (p *jsonParser) space() {
	for p.pos < len(p.b) {
		switch p.b[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *jsonParser) bad() error { return fmt.Errorf("%w at byte %d", errJSON, p.pos) }

func (p *jsonParser) value(depth int) (node, error) {
	if p.space(); p.pos >= len(p.b) || depth > 200 {
		return node{}, p.bad()
	}
	switch ch := p.b[p.pos]; ch {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		s, err := p.string()
		return node{kind: '"', str: s}, err
	case 't', 'f', 'n':
		word := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[ch]
		if end := p.pos + len(word); end <= len(p.b) && string(p.b[p.pos:end]) == word {
			p.pos = end
			return node{kind: ch}, nil
		}
		return node{}, p.bad()
	default:
		start := p.pos
		for p.pos < len(p.b) && (p.b[p.pos] >= '0' && p.b[p.pos] <= '9' || p.b[p.pos] == '-' || p.b[p.pos] == '+' || p.b[p.pos] == '.' || p.b[p.pos]|0x20 == 'e') {
			p.pos++
		}
		if start == p.pos {
			return node{}, p.bad()
		}
		return node{kind: '0', str: string(p.b[start:p.pos])}, nil
	}
}

func (p *jsonParser) object(depth int) (node, error) {
	n := node{kind: '{'}
	p.pos++
	if p.space(); p.pos < len(p.b) && p.b[p.pos] == '}' {
		p.pos++
		return n, nil
	}
	for {
		if p.space(); p.pos >= len(p.b) || p.b[p.pos] != '"' {
			return n, p.bad()
		}
		name, err := p.string()
		if err != nil {
			return n, err
		}
		if p.space(); p.pos >= len(p.b) || p.b[p.pos] != ':' {
			return n, p.bad()
		}
		p.pos++
		v, err := p.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.obj = append(n.obj, field{name, v})
		if p.space(); p.pos >= len(p.b) {
			return n, p.bad()
		}
		switch p.b[p.pos] {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return n, nil
		default:
			return n, p.bad()
		}
	}
}

func (p *jsonParser) array(depth int) (node, error) {
	n := node{kind: '['}
	p.pos++
	if p.space(); p.pos < len(p.b) && p.b[p.pos] == ']' {
		p.pos++
		return n, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.arr = append(n.arr, v)
		if p.space(); p.pos >= len(p.b) {
			return n, p.bad()
		}
		switch p.b[p.pos] {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return n, nil
		default:
			return n, p.bad()
		}
	}
}

// string parses a string at the opening quote.
func (p *jsonParser) string() (string, error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.b) && p.b[p.pos] != '"' && p.b[p.pos] != '\\' {
		p.pos++
	}
	if p.pos < len(p.b) && p.b[p.pos] == '"' {
		raw := p.b[start:p.pos]
		p.pos++
		if !utf8.Valid(raw) {
			return "", fmt.Errorf("%w: a string is not UTF-8", errJSON)
		}
		return unsafe.String(unsafe.SliceData(raw), len(raw)), nil
	}
	out := append([]byte(nil), p.b[start:p.pos]...)
	for p.pos < len(p.b) {
		switch ch := p.b[p.pos]; ch {
		case '"':
			p.pos++
			return string(out), nil
		case '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		default:
			out = append(out, ch)
			p.pos++
		}
	}
	return "", p.bad()
}

func (p *jsonParser) escape(out []byte) ([]byte, error) {
	if p.pos++; p.pos >= len(p.b) {
		return nil, p.bad()
	}
	ch := p.b[p.pos]
	p.pos++
	switch ch {
	case '"', '\\', '/':
		return append(out, ch), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
		r, err := p.hex()
		if err != nil {
			return nil, err
		}
		if utf16.IsSurrogate(r) && p.pos+1 < len(p.b) && p.b[p.pos] == '\\' && p.b[p.pos+1] == 'u' {
			p.pos += 2
			low, err := p.hex()
			if err != nil {
				return nil, err
			}
			r = utf16.DecodeRune(r, low)
		}
		return utf8.AppendRune(out, r), nil
	}
	return nil, p.bad()
}

func (p *jsonParser) hex() (rune, error) {
	if p.pos+4 > len(p.b) {
		return 0, p.bad()
	}
	v, err := strconv.ParseUint(string(p.b[p.pos:p.pos+4]), 16, 32)
	p.pos += 4
	return rune(v), err
}

// append writes the node as JSON, with the members of objects sorted: the same request has
// the same text, in whatever order its sender walked a map.
func (n node) append(b []byte) []byte {
	switch n.kind {
	case '"':
		return appendString(b, n.str)
	case '{':
		obj := slices.SortedFunc(slices.Values(n.obj), func(x, y field) int { return strings.Compare(x.name, y.name) })
		b = append(b, '{')
		for i, f := range obj {
			if i > 0 {
				b = append(b, ',')
			}
			b = f.node.append(append(appendString(b, f.name), ':'))
		}
		return append(b, '}')
	case '[':
		b = append(b, '[')
		for i, e := range n.arr {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.append(b)
		}
		return append(b, ']')
	case 't':
		return append(b, "true"...)
	case 'f':
		return append(b, "false"...)
	case '0':
		return append(b, n.str...)
	}
	return append(b, "null"...)
}

const hexDigits = "0123456789abcdef"

// plain says whether none of eight bytes is a control, a quote or a backslash.
func plain(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^'"'*ones, w^'\\'*ones
	return ((w-' '*ones)&^w|(quote-ones)&^quote|(slash-ones)&^slash)&highs == 0
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	raw := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := 0; i < len(s); i++ {
		for len(s)-i >= 8 && plain(binary.LittleEndian.Uint64(raw[i:])) {
			i += 8
		}
		if i == len(s) {
			break
		}
		ch := s[i]
		if ch >= 0x20 && ch != '"' && ch != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch ch {
		case '"', '\\':
			b = append(b, '\\', ch)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[ch>>4], hexDigits[ch&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
