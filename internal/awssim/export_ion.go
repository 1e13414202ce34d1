package awssim

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
)

// appendIon appends an item as a struct in Ion text.
func (it item) appendIon(b []byte) []byte {
	b = append(b, '{')
	for i, a := range it {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendSymbol(b, a.name), ':')
		b = a.v.appendIon(b)
	}
	return append(b, '}')
}

func (v value) appendIon(b []byte) []byte {
	switch v.t {
	case kindS:
		return appendString(b, v.s) // JSON's escapes are Ion's as well
	case kindN:
		return append(b, ionDecimal(v.s)...)
	case kindB:
		b = base64.StdEncoding.AppendEncode(append(b, '{', '{'), []byte(v.s))
		return append(b, '}', '}')
	case kindBool:
		return append(b, v.s...)
	case kindNull:
		return append(b, "null"...)
	case kindMap:
		return v.m.appendIon(b)
	case kindSS, kindNS, kindBS:
		b = append(b, "$dynamodb_"...)
		b = append(append(b, v.t...), "::"...)
	}
	b = append(b, '[')
	for i, e := range v.l {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendIon(b)
	}
	return append(b, ']')
}

// ionDecimal is a canonical number as the decimal that Java prints: 103., 6d2, 0.5.
func ionDecimal(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	digits := strings.TrimRight(s, "0")
	if zeros := len(s) - len(digits); zeros > 0 && digits != "" && digits != "-" {
		return digits + "d" + strconv.Itoa(zeros)
	}
	return s + "."
}

var (
	ionIdentifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) // one with a $ may mean something else
	ionKeyword    = regexp.MustCompile(`^(null|true|false|nan)$`)
)

// appendSymbol appends a field name, in quotes where it needs them.
func appendSymbol(b []byte, name string) []byte {
	if ionIdentifier.MatchString(name) && !ionKeyword.MatchString(name) {
		return append(b, name...)
	}
	quoted := appendString(nil, name)
	text := strings.ReplaceAll(string(quoted[1:len(quoted)-1]), `\"`, `"`)
	b = append(b, '\'')
	b = append(b, strings.ReplaceAll(text, `'`, `\'`)...)
	return append(b, '\'')
}
