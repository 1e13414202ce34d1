package schema

import "bytes"

// json adds the typed value at i to a json leaf: the plain JSON that it is, if it is.
// Strings, names among them, and numbers are copied as they stand; so the value has
// one way back: string S, number N, true BOOL, null NULL, list L, object M.
func (r *Run) json(b []byte, i int, n *node, rep uint8) (end int, why Misfit) {
	text, end, why := plain(r.arena.room(len(b)-i), b, i) // never longer than the image
	if why != Fits {
		return 0, why
	}
	text = r.arena.keep(text)
	r.cells[n.span.from] = append(r.cells[n.span.from], Cell{Bytes: text, Rep: rep, Def: n.span.def})
	return end, Fits
}

// plain appends the typed value at i as plain JSON.
func plain(dst, b []byte, i int) (text []byte, end int, why Misfit) {
	t, i := open(b, i)
	switch t {
	case 'S':
		end, escaped := strEnd(b, i+1)
		if escaped && !sound(b[i+1:end]) {
			return dst, 0, NotText
		}
		return append(dst, b[i:end+1]...), closing(b, end+1), Fits
	case 'N':
		end, _ := strEnd(b, i+1)
		from := len(dst)
		if dst, _ = unescape(dst, b[i+1:end]); !isJSONNumber(dst[from:]) {
			return dst, 0, NotPlain
		}
		return dst, closing(b, end+1), Fits
	case tagBOOL:
		word := "true"
		if b[i] == 'f' {
			word = "false"
		}
		return append(dst, word...), closing(b, i+len(word)), Fits
	case tagNULL:
		if b[i] == 'f' {
			return dst, 0, NotPlain
		}
		return append(dst, "null"...), closing(b, i+len("true")), Fits
	case 'L', 'M':
		return plainContainer(dst, b, i)
	}
	return dst, 0, NotPlain
}

func plainContainer(dst, b []byte, i int) (text []byte, end int, why Misfit) {
	left := b[i]
	dst = append(dst, left)
	i = space(b, i+1)
	for first := true; b[i] != left+2; first = false { // '{'+2 is '}', '['+2 is ']'
		if !first {
			dst = append(dst, ',')
		}
		if left == '{' {
			nameEnd, escaped := strEnd(b, i+1)
			if escaped && !sound(b[i+1:nameEnd]) {
				return dst, 0, NotText
			}
			dst = append(append(dst, b[i:nameEnd+1]...), ':')
			i = colon(b, nameEnd+1)
		}
		if dst, i, why = plain(dst, b, i); why != Fits {
			return dst, 0, why
		}
		i = next(b, i)
	}
	return append(dst, left+2), closing(b, i+1), Fits
}

// sound tells whether the inside of a JSON string has no lone surrogate.
func sound(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return true
		}
		raw = raw[i:]
		if raw[1] != 'u' {
			raw = raw[2:]
			continue
		}
		n := 6
		if r := hex4(raw[2:]); r>>11 == 0xD800>>11 {
			if r>>10 != 0xD800>>10 || len(raw) < 12 || raw[6] != '\\' || raw[7] != 'u' || hex4(raw[8:])>>10 != 0xDC00>>10 {
				return false
			}
			n = 12
		}
		raw = raw[n:]
	}
}

// isJSONNumber tells whether a number of DynamoDB is spelled as JSON spells one.
func isJSONNumber(text []byte) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
		return i > from
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(text) && text[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(text)
}
