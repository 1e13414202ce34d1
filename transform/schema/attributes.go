package schema

import (
	"bytes"
	"iter"
)

// Value is a typed value of DynamoDB JSON, as {"S":"text"}, that package transform's decoder has
// passed.
type Value []byte

// Name is the name of an attribute as it stands in an image, without its quotes.
type Name []byte

// Text is the name without escapes. It aliases the name if there are none.
func (n Name) Text() []byte {
	if bytes.IndexByte(n, '\\') < 0 {
		return n
	}
	text, _ := unescape(nil, n)
	return text
}

// Attributes visits the members of an image, or of a map's content. What it gives
// aliases object.
func Attributes(object []byte) iter.Seq2[Name, Value] {
	return func(yield func(Name, Value) bool) {
		b := object
		for i := space(b, space(b, 0)+1); b[i] != '}'; {
			nameEnd, _ := strEnd(b, i+1)
			name := Name(b[i+1 : nameEnd])
			i = colon(b, nameEnd+1)
			end := valueEnd(b, i)
			if !yield(name, Value(b[i:end:end])) {
				return
			}
			i = next(b, end)
		}
	}
}

// Type is the type tag: S, N, B, BOOL, NULL, L, M, SS, NS or BS.
func (v Value) Type() string {
	t, _ := open(v, 0)
	return tagName(t)
}

// Text is the text of an S, N or B (its base64), or true or false; ok is false if it has
// a lone surrogate, whose three bytes it has then.
func (v Value) Text() (text []byte, ok bool) {
	t, i := open(v, 0)
	if t == tagBOOL || t == tagNULL {
		if v[i] == 't' {
			return v[i : i+4], true
		}
		return v[i : i+5], true
	}
	text, _, ok = new(arena).text(v, i)
	return text, ok
}

// Object is the content of an M.
func (v Value) Object() []byte {
	_, i := open(v, 0)
	return v[i:skip(v, i)]
}

// Elements visits the elements of an L.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		_, i := open(v, 0)
		for i = space(v, i+1); v[i] != ']'; {
			end := valueEnd(v, i)
			if !yield(v[i:end:end]) {
				return
			}
			i = next(v, end)
		}
	}
}

// Members visits the members of a set, as [Value.Text] would give them.
func (v Value) Members() iter.Seq2[[]byte, bool] {
	return func(yield func([]byte, bool) bool) {
		_, i := open(v, 0)
		for i = space(v, i+1); v[i] != ']'; {
			text, end, ok := new(arena).text(v, i)
			if !yield(text, ok) {
				return
			}
			i = next(v, end)
		}
	}
}
