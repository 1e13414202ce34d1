package schema

import (
	"encoding/binary"
	"math/bits"
)

// The functions here walk over DynamoDB JSON that package transform's decoder has
// passed. They trust it: what they say of other text is nonsense, and they may panic.

func space(b []byte, i int) int {
	for b[i] <= ' ' {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// strEnd returns where the string's closing quote is; i is behind the opening one.
func strEnd(b []byte, i int) (end int, escaped bool) {
	for {
		for i <= len(b)-8 {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^'"'*ones, w^'\\'*ones
			// A borrow sets false bits, but only above a true one.
			stop := ((quote-ones)&^quote | (slash-ones)&^slash) & highs
			if stop == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(stop) >> 3
			break
		}
		for b[i] != '"' && b[i] != '\\' {
			i++
		}
		if b[i] == '"' {
			return i, escaped
		}
		escaped = true
		i += 2
	}
}

// colon returns where the value begins; i is behind its name.
func colon(b []byte, i int) int {
	if b[i] == ':' && b[i+1] > ' ' {
		return i + 1
	}
	return space(b, space(b, i)+1)
}

// next returns where the next member begins, or the closing bracket; i is behind
// a value.
func next(b []byte, i int) int {
	if i = space(b, i); b[i] == ',' {
		i = space(b, i+1)
	}
	return i
}

// skip returns the position behind an object or list.
func skip(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			i, _ = strEnd(b, i+1)
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}

// tag is the type of a typed value: S, N, B, L, M, or one of the following.
type tag byte

const (
	tagSS   tag = 's'
	tagNS   tag = 'n'
	tagBS   tag = 'b'
	tagBOOL tag = '?'
	tagNULL tag = '0'

	// tagNotNULL is {"NULL":false}, which nothing takes. Only samples know it.
	tagNotNULL tag = '1'
)

// open returns the type of a typed value, and where its content is.
func open(b []byte, i int) (t tag, content int) {
	if b[i+1] == '"' && b[i+3] == '"' && b[i+4] == ':' && b[i+5] > ' ' {
		return tag(b[i+2]), i + 5
	}
	i = space(b, i+1)
	end, escaped := strEnd(b, i+1)
	name := b[i+1 : end]
	if escaped {
		name, _ = unescape(nil, name)
	}
	switch string(name) {
	case "SS":
		t = tagSS
	case "NS":
		t = tagNS
	case "BS":
		t = tagBS
	case "BOOL":
		t = tagBOOL
	case "NULL":
		t = tagNULL
	default:
		t = tag(name[0])
	}
	return t, colon(b, end+1)
}

// closing returns the position behind a typed value; i is behind its content.
func closing(b []byte, i int) int {
	if b[i] == '}' {
		return i + 1
	}
	return space(b, i) + 1
}

// valueEnd returns the position behind a typed value.
func valueEnd(b []byte, i int) int {
	if b[i+1] == '"' && b[i+3] == '"' && b[i+4] == ':' && b[i+5] == '"' {
		end, _ := strEnd(b, i+6)
		return closing(b, end+1)
	}
	return skip(b, i)
}
