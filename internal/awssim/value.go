package awssim

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

// A value is one attribute value. Values are never changed in place, so items,
// images and pages may share them.
type value struct {
	t kind
	s string  // S: text; N: canonical digits; B: bytes; BOOL: "true" or "false"
	l []value // L: elements; sets: members, sorted
	m item    // M
}

// kind is the name of a type on the wire.
type kind string

const (
	kindS    kind = "S"
	kindN    kind = "N"
	kindB    kind = "B"
	kindBool kind = "BOOL"
	kindNull kind = "NULL"
	kindList kind = "L"
	kindMap  kind = "M"
	kindSS   kind = "SS"
	kindNS   kind = "NS"
	kindBS   kind = "BS"
)

func (v value) isSet() bool { return v.t == kindSS || v.t == kindNS || v.t == kindBS }

// member is the type of the members of a set.
func (k kind) member() kind { return k[:1] }

const (
	msgEmptyValue = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	msgManyTypes  = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)

func parseValue(n node) (value, error) {
	if n.kind != '{' || len(n.obj) == 0 {
		return value{}, invalid(msgEmptyValue)
	}
	if len(n.obj) > 1 {
		return value{}, invalid(msgManyTypes)
	}
	f := n.obj[0]
	switch k := kind(f.name); k {
	case kindS, kindN, kindB:
		return parseScalar(k, f.node)
	case kindBool:
		if f.node.isTrue() {
			return value{t: kindBool, s: "true"}, nil
		}
		return value{t: kindBool, s: "false"}, nil
	case kindNull:
		if !f.node.isTrue() {
			return value{}, invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return value{t: kindNull}, nil
	case kindList:
		v := value{t: kindList, l: make([]value, 0, len(f.node.items()))}
		for _, e := range f.node.items() {
			ev, err := parseValue(e)
			if err != nil {
				return v, err
			}
			v.l = append(v.l, ev)
		}
		return v, nil
	case kindMap:
		m, err := parseItem(f.node)
		return value{t: kindMap, m: m}, err
	case kindSS, kindNS, kindBS:
		return parseSet(k, f.node)
	}
	return value{}, invalid(msgEmptyValue)
}

func parseScalar(k kind, n node) (value, error) {
	if n.kind != '"' {
		return value{}, fail(400, "SerializationException", "%s is not a string", k)
	}
	switch k {
	case kindN:
		s, err := canonicalNumber(n.str)
		return value{t: kindN, s: s}, err
	case kindB:
		b, err := base64.StdEncoding.DecodeString(n.str)
		if err != nil {
			return value{}, fail(400, "SerializationException", "Base64 encoded length is expected a multiple of 4 bytes but found: %d", len(n.str))
		}
		return value{t: kindB, s: string(b)}, nil
	}
	return value{t: kindS, s: n.str}, nil
}

func parseSet(k kind, n node) (value, error) {
	v := value{t: k, l: make([]value, 0, len(n.items()))}
	var texts []string
	for _, e := range n.items() {
		m, err := parseScalar(k.member(), e)
		if err != nil {
			return v, err
		}
		v.l = append(v.l, m)
		texts = append(texts, e.str)
	}
	if len(v.l) == 0 {
		name := map[kind]string{kindSS: "string set ", kindNS: "number set ", kindBS: "binary set "}[k]
		return v, invalid("One or more parameter values were invalid: An %s may not be empty", name)
	}
	slices.SortFunc(v.l, compareScalars)
	for i := 1; i < len(v.l); i++ {
		if compareScalars(v.l[i-1], v.l[i]) == 0 {
			return v, invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates.", strings.Join(texts, ", "))
		}
	}
	return v, nil
}

// compareScalars orders two values of one scalar type as a sort key would.
func compareScalars(a, b value) int {
	if a.t == kindN {
		return compareNumbers(a.s, b.s)
	}
	return strings.Compare(a.s, b.s)
}

func equalValues(a, b value) bool {
	return a.t == b.t && a.s == b.s && slices.EqualFunc(a.l, b.l, equalValues) && equalItems(a.m, b.m)
}

// has says whether a set or a list contains x.
func (v value) has(x value) bool {
	return slices.ContainsFunc(v.l, func(e value) bool { return equalValues(e, x) })
}

// size is what DynamoDB bills and limits, as documented.
func (v value) size() int {
	switch v.t {
	case kindS, kindB:
		return len(v.s)
	case kindN:
		digits := strings.Trim(strings.Replace(strings.TrimLeft(v.s, "-"), ".", "", 1), "0")
		n := (len(digits)+1)/2 + 1
		if v.s[0] == '-' {
			n++
		}
		return n
	case kindBool, kindNull:
		return 1
	case kindMap:
		return 3 + v.m.size() + len(v.m)
	}
	n := 0
	if v.t == kindList {
		n = 3 + len(v.l)
	}
	for _, e := range v.l {
		n += e.size()
	}
	return n
}

// append appends the value as DynamoDB JSON.
func (v value) append(b []byte) []byte {
	b = append(b, '{', '"')
	b = append(b, v.t...)
	b = append(b, '"', ':')
	switch v.t {
	case kindBool:
		b = append(b, v.s...)
	case kindNull:
		b = append(b, "true"...)
	case kindMap:
		b = v.m.append(b)
	case kindList:
		b = append(b, '[')
		for i, e := range v.l {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.append(b)
		}
		b = append(b, ']')
	case kindSS, kindNS, kindBS:
		b = append(b, '[')
		for i, e := range v.l {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendBare(b)
		}
		b = append(b, ']')
	default:
		b = v.appendBare(b)
	}
	return append(b, '}')
}

func (v value) appendBare(b []byte) []byte {
	switch v.t {
	case kindB:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, []byte(v.s))
		return append(b, '"')
	case kindN:
		b = append(b, '"')
		b = append(b, v.s...)
		return append(b, '"')
	}
	return appendString(b, v.s)
}

func (v value) String() string { return string(bytes.TrimSpace(v.append(nil))) }
