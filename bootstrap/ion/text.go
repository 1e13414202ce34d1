package ion

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendText writes text as a JSON string, with the escapes that JSON demands.
// Bytes that are not UTF-8 stay, for whoever reads the line to judge.
func appendText(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&0xF])
		}
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}

// idInQuotes is a field name that the ion module takes for a symbol id.
var idInQuotes = regexp.MustCompile(`"\$[0-9]+"\s*:`)

var (
	errHalf = errors.New("an escape for half a surrogate pair, or for no character at all")
	errID   = errors.New("a field name in double quotes that looks like a symbol id")
)

// repair makes a line one that the ion module reads rightly, or refuses it. It
// puts surrogate pairs together, in place.
func repair(line []byte) ([]byte, error) {
	if bytes.Contains(line, []byte(`"$`)) && idInQuotes.Match(line) {
		return nil, errID
	}
	i := bytes.IndexByte(line, '\\')
	if i < 0 {
		return line, nil
	}
	out := line[:i]
	for i < len(line) {
		c := line[i]
		if c != '\\' || i+1 == len(line) {
			out = append(out, c)
			i++
			continue
		}
		r, n := escaped(line[i:])
		if n != 0 && !utf8.ValidRune(r) {
			low, m := escaped(line[i+n:])
			if r = utf16.DecodeRune(r, low); m == 0 || r == utf8.RuneError {
				return nil, errHalf
			}
			out = utf8.AppendRune(out, r)
			i += n + m
			continue
		}
		// Any other escape stays. Of a \\ both go at once, so that what follows
		// is not taken for an escape.
		n = max(n, 2)
		out = append(out, line[i:i+n]...)
		i += n
	}
	return out, nil
}

// escaped reads a \u or \U escape that text begins with, and returns what it stands for
// and how long it is; 0 if there is none.
func escaped(text []byte) (r rune, n int) {
	switch {
	case bytes.HasPrefix(text, []byte(`\u`)):
		n = 6
	case bytes.HasPrefix(text, []byte(`\U`)):
		n = 10
	}
	if n == 0 || len(text) < n {
		return 0, 0
	}
	u, err := strconv.ParseUint(string(text[2:n]), 16, 32)
	if err != nil {
		return 0, 0
	}
	return rune(u), n
}
