package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// tree is a typed value as the tests read it, by encoding/json and with nothing of the walk.
// Numbers and base64 keep their text.
type tree struct {
	tag   string
	text  string // S unescaped, N, B, BOOL and NULL
	list  []tree // L, and sets, whose members are S, N or B
	attrs []attr // M
}

type attr struct {
	name  string
	value tree
}

func readTree(value []byte) tree {
	m := rawMembers(value)
	t := tree{tag: m[0].name}
	content := m[0].value
	switch t.tag {
	case "S", "N", "B":
		t.text = rawText(content)
	case "BOOL", "NULL":
		t.text = string(content)
	case "SS", "NS", "BS":
		for _, e := range rawList(content) {
			t.list = append(t.list, tree{tag: t.tag[:1], text: rawText(e)})
		}
	case "L":
		for _, e := range rawList(content) {
			t.list = append(t.list, readTree(e))
		}
	case "M":
		t.attrs = readAttrs(content)
	default:
		panic("tag " + t.tag)
	}
	return t
}

func readAttrs(object []byte) []attr {
	attrs := []attr{}
	for _, m := range rawMembers(object) {
		attrs = append(attrs, attr{m.name, readTree(m.value)})
	}
	return attrs
}

type rawMember struct {
	name  string
	value json.RawMessage
}

func rawMembers(object []byte) []rawMember {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		panic(fmt.Sprintf("no object: %.200q", object))
	}
	var all []rawMember
	for d.More() {
		from := d.InputOffset()
		if _, err := d.Token(); err != nil {
			panic(err)
		}
		quote := bytes.TrimLeft(object[from:d.InputOffset()], ", \t\r\n")
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			panic(err)
		}
		all = append(all, rawMember{rawText(quote), value})
	}
	return all
}

func rawList(list []byte) (elements []json.RawMessage) {
	if err := json.Unmarshal(list, &elements); err != nil {
		panic(err)
	}
	return elements
}

var escapes = regexp.MustCompile(`(?:\\u[0-9a-fA-F]{4})+|\\.`)

// rawText unescapes a quoted string; a lone surrogate becomes its three bytes.
func rawText(quote []byte) string {
	return string(escapes.ReplaceAllFunc(quote[1:len(quote)-1], func(m []byte) []byte {
		if m[1] != 'u' {
			if i := strings.IndexByte("bfnrt", m[1]); i >= 0 {
				return []byte("\b\f\n\r\t"[i : i+1])
			}
			return m[1:]
		}
		var units []rune
		for ; len(m) > 0; m = m[6:] {
			var u rune
			fmt.Sscanf(string(m[2:6]), "%x", &u)
			units = append(units, u)
		}
		var out []byte
		for i := 0; i < len(units); i++ {
			u := units[i]
			if i+1 < len(units) {
				if pair := utf16.DecodeRune(u, units[i+1]); pair != utf8.RuneError {
					out = utf8.AppendRune(out, pair)
					i++
					continue
				}
			}
			if utf16.IsSurrogate(u) {
				out = append(out, byte(0xE0+u/4096), byte(0x80+u/64%64), byte(0x80+u%64))
			} else {
				out = utf8.AppendRune(out, u)
			}
		}
		return out
	}))
}

// String is one text for equal values: attributes in order of their names, the rest as it is.
func (t tree) String() string {
	switch t.tag {
	case "L", "SS", "NS", "BS":
		parts := make([]string, len(t.list))
		for i, e := range t.list {
			parts[i] = e.String()
		}
		return t.tag + "[" + strings.Join(parts, " ") + "]"
	case "M":
		return "M" + attrsText(t.attrs)
	}
	return t.tag + fmt.Sprintf("%q", t.text)
}

func attrsText(attrs []attr) string {
	parts := make([]string, len(attrs))
	for i, a := range attrs {
		parts[i] = fmt.Sprintf("%q: %s", a.name, a.value)
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

func find(attrs []attr, name string) (value tree, times int) {
	for _, a := range attrs {
		if a.name == name {
			value, times = a.value, times+1
		}
	}
	return value, times
}
