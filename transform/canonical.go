package transform

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical returns the one form that equal images share, to compare them:
// attributes and set members sorted by their text in that form, no white space, no
// escapes but those that JSON demands, and numbers as DynamoDB normalises them,
// so that 1.0 and 1 are the same. Lists keep their order. What is no
// UTF-8 stays as it is, and so do escaped lone surrogates. Unlike the decoder it
// refuses an attribute that occurs twice.
//
// It is for readers, checkers and tests: slow, and on purpose without a line of
// the decoder's scanner, so that one can prove the other.
func Canonical(image []byte) ([]byte, error) {
	attrs, err := readItem(image)
	if err != nil {
		return nil, fmt.Errorf("canonical form of an image: %w", err)
	}
	return attrs.appendTo(nil), nil
}

// attrs is an item: canonical values by quoted canonical name.
type attrs map[string][]byte

func (a attrs) appendTo(dst []byte) []byte {
	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name[1:len(name)-1])
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, name...)
		dst = append(dst, `":`...)
		dst = append(dst, a[`"`+name+`"`]...)
	}
	return append(dst, '}')
}

func readItem(text []byte) (attrs, error) {
	if !json.Valid(text) {
		return nil, errors.New("not JSON")
	}
	r := reader{text: text}
	return r.item(0)
}

// reader takes apart text that json.Valid has passed; so it need not look for
// mistakes of syntax.
type reader struct {
	text []byte
	i    int
}

// peek returns the next byte that is not white space.
func (r *reader) peek() byte {
	for strings.IndexByte(" \t\r\n", r.text[r.i]) >= 0 {
		r.i++
	}
	return r.text[r.i]
}

// each calls visit at each member of an object or list.
func (r *reader) each(left byte, visit func() error) error {
	if r.peek() != left {
		return fmt.Errorf("want %c at byte %d", left, r.i)
	}
	for r.i++; r.peek() != left+2; { // '{'+2 is '}', '['+2 is ']'
		if r.peek() == ',' {
			r.i++
		}
		if err := visit(); err != nil {
			return err
		}
	}
	r.i++
	return nil
}

// member reads a name and the colon; the name comes quoted.
func (r *reader) member() string {
	name, _ := r.str()
	r.peek()
	r.i++
	return name
}

func (r *reader) item(depth int) (attrs, error) {
	a := attrs{}
	err := r.each('{', func() error {
		name := r.member()
		if _, twice := a[name]; twice {
			return fmt.Errorf("attribute twice before byte %d", r.i)
		}
		value, err := r.value(depth)
		a[name] = value
		return err
	})
	return a, err
}

// value reads one typed value.
func (r *reader) value(depth int) ([]byte, error) {
	var out []byte
	err := r.each('{', func() error {
		if out != nil {
			return fmt.Errorf("attribute value with two types at byte %d", r.i)
		}
		tag := r.member()
		content, err := r.content(tag, depth)
		out = slices.Concat([]byte("{"), []byte(tag), []byte(":"), content, []byte("}"))
		return err
	})
	if err == nil && out == nil {
		err = fmt.Errorf("attribute value without a type before byte %d", r.i)
	}
	return out, err
}

func (r *reader) content(tag string, depth int) ([]byte, error) {
	switch tag {
	case `"S"`, `"N"`, `"B"`:
		return r.scalar(tag)
	case `"BOOL"`, `"NULL"`:
		for _, word := range []string{"true", "false"} {
			if r.peek() == word[0] {
				r.i += len(word)
				return []byte(word), nil
			}
		}
		return nil, fmt.Errorf("want true or false at byte %d", r.i)
	case `"SS"`, `"NS"`, `"BS"`:
		return r.list(func() ([]byte, error) { return r.scalar(`"` + tag[1:2] + `"`) }, true)
	case `"L"`:
		if depth == maxDepth {
			return nil, fmt.Errorf("nested too deep at byte %d", r.i)
		}
		return r.list(func() ([]byte, error) { return r.value(depth + 1) }, false)
	case `"M"`:
		if depth == maxDepth {
			return nil, fmt.Errorf("nested too deep at byte %d", r.i)
		}
		a, err := r.item(depth + 1)
		return a.appendTo(nil), err
	}
	return nil, fmt.Errorf("unknown attribute type before byte %d", r.i)
}

func (r *reader) list(element func() ([]byte, error), sorted bool) ([]byte, error) {
	var all [][]byte
	err := r.each('[', func() error {
		e, err := element()
		all = append(all, e)
		return err
	})
	if sorted {
		slices.SortFunc(all, bytes.Compare)
	}
	return slices.Concat([]byte("["), bytes.Join(all, []byte(",")), []byte("]")), err
}

// scalar reads the string of an S, N or B.
func (r *reader) scalar(tag string) ([]byte, error) {
	quoted, ok := r.str()
	if !ok {
		return nil, fmt.Errorf("want a string at byte %d", r.i)
	}
	text := quoted[1 : len(quoted)-1]
	switch tag {
	case `"N"`:
		n, ok := normalNumber(text)
		if !ok {
			return nil, fmt.Errorf("malformed number before byte %d", r.i)
		}
		return []byte(`"` + n + `"`), nil
	case `"B"`:
		// The standard decoder skips line ends. Quoted, they are backslashes.
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("malformed base64 before byte %d", r.i)
		}
		return []byte(`"` + base64.StdEncoding.EncodeToString(data) + `"`), nil
	}
	return []byte(quoted), nil
}

// str reads a string and returns it quoted in canonical form; not ok if there is
// something else.
func (r *reader) str() (quoted string, ok bool) {
	if r.peek() != '"' {
		return "", false
	}
	out := []byte{'"'}
	for r.i++; r.text[r.i] != '"'; {
		c := r.text[r.i]
		r.i++
		if c != '\\' {
			out = append(out, c)
			continue
		}
		c = r.text[r.i]
		r.i++
		switch c {
		case '/':
			out = append(out, '/')
		case 'u':
			out = append(out, r.unicode()...)
		default: // one of "\bfnrt, whose short escapes are the canonical ones
			out = append(out, '\\', c)
		}
	}
	r.i++
	return string(append(out, '"')), true
}

// unicode reads the digits of a \u escape, and the second half of a surrogate pair.
// It returns the character, escaped if it must be.
func (r *reader) unicode() string {
	unit := func(at int) rune {
		u, _ := strconv.ParseUint(string(r.text[at:at+4]), 16, 16)
		return rune(u)
	}
	u := unit(r.i)
	r.i += 4
	if !utf16.IsSurrogate(u) {
		return quoteText(string(u))
	}
	if bytes.HasPrefix(r.text[r.i:], []byte(`\u`)) {
		if pair := utf16.DecodeRune(u, unit(r.i+2)); pair != utf8.RuneError {
			r.i += 6
			return string(pair)
		}
	}
	return fmt.Sprintf(`\u%04x`, u)
}

// quoteText escapes what JSON demands, without the quotes around it.
func quoteText(s string) string {
	short := map[byte]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	var out []byte
	for i := range len(s) {
		switch e, ok := short[s[i]]; {
		case ok:
			out = append(out, e...)
		case s[i] < ' ':
			out = fmt.Appendf(out, `\u%04x`, s[i])
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}
