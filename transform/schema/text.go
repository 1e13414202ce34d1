package schema

import (
	"encoding/base64"
	"unicode/utf8"
)

// unescape appends the text that the inside of a JSON string stands for. It is not
// ok if there is a lone surrogate, of which it writes the three-byte form.
func unescape(dst, raw []byte) (text []byte, ok bool) {
	ok = true
	for i := 0; i < len(raw); {
		c := raw[i]
		i++
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		c = raw[i]
		i++
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(raw[i:])
			i += 4
			if r>>10 == 0xD800>>10 && i+6 <= len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
				if low := hex4(raw[i+2:]); low>>10 == 0xDC00>>10 {
					r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
					i += 6
				}
			}
			if r>>11 == 0xD800>>11 {
				ok = false
				dst = append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF)
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			continue
		}
		dst = append(dst, c)
	}
	return dst, ok
}

func hex4(b []byte) (r rune) {
	for _, c := range b[:4] {
		r = r<<4 | rune(c&0xF)
		if c > '9' {
			r += 9
		}
	}
	return r
}

// strict refuses what an encoder does not write: bits that are not used.
var strict = base64.StdEncoding.Strict()

// arena holds the bytes that cells could not take from the image. It never grows
// in place, so that they stay where they are.
type arena struct{ b []byte }

// room returns space for n more bytes, of length 0.
func (a *arena) room(n int) []byte {
	if cap(a.b)-len(a.b) < n {
		a.b = make([]byte, 0, max(n, 2*cap(a.b), 4096))
	}
	return a.b[len(a.b):len(a.b):cap(a.b)]
}

// keep takes what was appended to the room.
func (a *arena) keep(used []byte) []byte {
	a.b = a.b[:len(a.b)+len(used)]
	return used[:len(used):len(used)]
}

// text reads a string, its opening quote at i: a piece of the image, or of the
// arena if it had escapes. It is not ok if the string has a lone surrogate.
func (a *arena) text(b []byte, i int) (text []byte, end int, ok bool) {
	end, escaped := strEnd(b, i+1)
	raw := b[i+1 : end : end]
	if !escaped {
		return raw, end + 1, true
	}
	text, ok = unescape(a.room(len(raw)), raw)
	return a.keep(text), end + 1, ok
}

// binary decodes base64; not ok if an encoder would write another text.
func (a *arena) binary(text []byte) (data []byte, ok bool) {
	room := a.room(base64.StdEncoding.DecodedLen(len(text)))
	room = room[:cap(room)]
	n, err := strict.Decode(room, text)
	if err != nil {
		return nil, false
	}
	return a.keep(room[:n]), true
}
