package transform

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// twinMembers takes an object apart.
func twinMembers(object json.RawMessage) ([]twinMember, bool) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var members []twinMember
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
		members = append(members, twinMember{twinText(quote), quote, value})
	}
	return members, true
}

func twinList(list json.RawMessage) (elements []json.RawMessage, ok bool) {
	if list[0] != '[' {
		return nil, false
	}
	return elements, json.Unmarshal(list, &elements) == nil
}

var twinEscapes = regexp.MustCompile(`(?:\\u[0-9a-fA-F]{4})+|\\.`)

// twinText unescapes a quoted string.
func twinText(quote []byte) []byte {
	short := map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}
	return twinEscapes.ReplaceAllFunc(quote[1:len(quote)-1], func(m []byte) []byte {
		if m[1] != 'u' {
			if s, ok := short[m[1]]; ok {
				return []byte(s)
			}
			return m[1:]
		}
		var units []rune
		for ; len(m) > 0; m = m[6:] {
			var u rune
			for _, c := range m[2:6] {
				u = u*16 + rune(strings.IndexByte("0123456789abcdef", c|0x20))
			}
			units = append(units, u)
		}
		var out []byte
		for i := 0; i < len(units); i++ {
			u := units[i]
			if i+1 < len(units) {
				if pair := utf16.DecodeRune(u, units[i+1]); pair != utf8.RuneError {
					out = append(out, string(pair)...)
					i++
					continue
				}
			}
			if utf16.IsSurrogate(u) {
				out = append(out, byte(0xE0+u/4096), byte(0x80+u/64%64), byte(0x80+u%64))
				continue
			}
			out = append(out, string(u)...)
		}
		return out
	})
}

func twinString(raw json.RawMessage) ([]byte, bool) {
	if raw[0] != '"' {
		return nil, false
	}
	return twinText(raw), true
}

var twinNumber = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?$`)

// twinShape tells whether an object of attributes is well typed.
func twinShape(object json.RawMessage, depth int) bool {
	members, ok := twinMembers(object)
	for _, m := range members {
		ok = ok && twinTyped(m.value, depth)
	}
	return ok
}

func twinTyped(value json.RawMessage, depth int) bool {
	members, ok := twinMembers(value)
	if !ok || len(members) != 1 {
		return false
	}
	tag, content := string(members[0].name), members[0].value
	switch tag {
	case "S", "N", "B":
		text, ok := twinString(content)
		return ok && (tag != "N" || twinNumber.Match(text)) && (tag != "B" || twinBase64(text) != nil)
	case "BOOL", "NULL":
		return string(content) == "true" || string(content) == "false"
	case "SS", "NS", "BS":
		elements, ok := twinList(content)
		for _, e := range elements {
			ok = ok && twinTyped(json.RawMessage(`{"`+tag[:1]+`":`+string(e)+`}`), depth)
		}
		return ok
	case "L":
		elements, ok := twinList(content)
		ok = ok && depth < 64
		for _, e := range elements {
			ok = ok && twinTyped(e, depth+1)
		}
		return ok
	case "M":
		return depth < 64 && twinShape(content, depth+1)
	}
	return false
}

// twinBase64 decodes, nil if it cannot.
func twinBase64(text []byte) []byte {
	data, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || bytes.ContainsAny(text, "\r\n") {
		return nil
	}
	return append([]byte{}, data...)
}

func twinKey(value json.RawMessage, t KeyType) (v twinValue, ok bool) {
	if !twinTyped(value, 0) {
		return v, false
	}
	members, _ := twinMembers(value)
	if string(members[0].name) != string(rune(t)) {
		return v, false
	}
	text := twinText(members[0].value)
	v.Bytes = string(text)
	switch t {
	case 'S':
		v.Exact = utf8.Valid(text)
	case 'N':
		v.Dec = twinDecimal(string(text))
		v.Exact = v.Dec == string(text)
		if !v.Exact || v.Dec == "0" {
			v.Dec = "" // as 16 zero bytes
		}
	case 'B':
		data := twinBase64(text)
		v.Bytes, v.Exact = string(data), base64.StdEncoding.EncodeToString(data) == string(text)
	}
	return v, true
}

// twinDecimal is the canonical text of a number if it is a decimal(38,9).
func twinDecimal(text string) string {
	if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 5 {
		return "" // only zero could still fit, and its canonical text is not this
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return ""
	}
	units := new(big.Rat).Mul(r, big.NewRat(1e9, 1))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	if !units.IsInt() || units.Num().CmpAbs(limit) >= 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimRight(r.FloatString(9), "0"), ".")
}

// twinEpoch is a JSON number of seconds in microseconds.
func twinEpoch(raw json.RawMessage) (int64, bool) {
	if raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') || !twinNumber.Match(raw) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(string(raw))
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(1e6, 1))
	micros := new(big.Int).Quo(r.Num(), r.Denom()) // towards zero
	if micros.Sign() < 0 || micros.Cmp(big.NewInt(253402300800*1e6)) >= 0 {
		return 0, false
	}
	return micros.Int64(), true
}

var twinSize = regexp.MustCompile(`^[0-9]{1,18}$`)

// twinFields collects the known fields that are not null; not ok if raw is no
// object or has one of them twice.
func twinFields(raw json.RawMessage, known ...string) (map[string]json.RawMessage, bool) {
	members, ok := twinMembers(raw)
	fields := map[string]json.RawMessage{}
	for _, m := range members {
		for _, k := range known {
			if string(m.name) == k && string(m.value) != "null" {
				ok = ok && fields[k] == nil
				fields[k] = m.value
			}
		}
	}
	return fields, ok
}
