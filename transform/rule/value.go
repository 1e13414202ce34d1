package rule

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"dynamolake/transform/schema"
)

// list is a list or a set, with the raw text of its elements.
type list struct {
	traits.Lister
	raw []schema.Value
}

// value makes what CEL sees of a typed value.
func value(v schema.Value) ref.Val {
	switch t := v.Type(); t {
	case "M":
		return &object{raw: v.Object()}
	case "L":
		var l list
		var elements []ref.Val
		for e := range v.Elements() {
			l.raw = append(l.raw, e)
			elements = append(elements, value(e))
		}
		l.Lister = types.NewRefValList(types.DefaultTypeAdapter, elements)
		return &l
	case "SS", "NS", "BS":
		var l list
		var elements []ref.Val
		for m := range v.Members() {
			l.raw = append(l.raw, typed(t[:1], m))
			elements = append(elements, scalar(t[:1], m))
		}
		l.Lister = types.NewRefValList(types.DefaultTypeAdapter, elements)
		return &l
	case "NULL":
		return types.NullValue
	default:
		text, _ := v.Text()
		return scalar(t, text)
	}
}

// typed makes a typed value of a set's member. N and B need no escapes; an S is
// quoted.
func typed(tag string, text []byte) schema.Value {
	return append(appendQuoted([]byte(`{"`+tag+`":`), text), '}')
}

// appendQuoted appends text as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

func scalar(tag string, text []byte) ref.Val {
	switch tag {
	case "N":
		return number(string(text))
	case "B":
		data, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			return types.NewErr("malformed base64")
		}
		return types.Bytes(data)
	case "BOOL":
		return types.Bool(string(text) == "true")
	}
	return types.String(text)
}

// number is an int if it is one of 64 bits, whatever its spelling, else the nearest
// double.
func number(text string) ref.Val {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return types.NewErr("a number beyond what a double holds; use text or compare")
	}
	if math.Abs(f) < 1<<64 && f == math.Trunc(f) {
		// The double may be whole because it is rounded.
		if r, ok := exact(text); ok && r.IsInt() && r.Num().IsInt64() {
			return types.Int(r.Num().Int64())
		}
	}
	return types.Double(f)
}

// rawOf returns the raw value that text and compare are asked for.
func rawOf(of, key ref.Val) (schema.Value, ref.Val) {
	switch o := of.(type) {
	case *object:
		if name, ok := key.(types.String); ok {
			if v := o.find(string(name)); v != nil {
				return v, nil
			}
			return nil, types.NewErr("no such key: %v", key)
		}
	case *list:
		if i, ok := key.(types.Int); ok {
			if i >= 0 && int(i) < len(o.raw) {
				return o.raw[i], nil
			}
			return nil, types.NewErr("no such index")
		}
	}
	return nil, types.NewErr("text and compare want an attribute of an item, a map or a list of one")
}

// textOf is text(of, key).
func textOf(of, key ref.Val) ref.Val {
	raw, err := rawOf(of, key)
	if err != nil {
		return err
	}
	switch raw.Type() {
	case "S", "N", "B":
		text, _ := raw.Text()
		return types.String(text)
	}
	return types.NewErr("text of a %s", raw.Type())
}

// compareTo is compare(of, key, number).
func compareTo(args ...ref.Val) ref.Val {
	raw, err := rawOf(args[0], args[1])
	if err != nil {
		return err
	}
	if raw.Type() != "N" {
		return types.NewErr("compare of a %s", raw.Type())
	}
	text, _ := raw.Text()
	a, ok1 := exact(string(text))
	b, ok2 := exact(string(args[2].(types.String)))
	if !ok1 || !ok2 {
		return types.NewErr("compare of what is no number of DynamoDB's range")
	}
	return types.Int(a.Cmp(b))
}

// exact reads a number of DynamoDB. One with an exponent of many digits would take all
// memory.
func exact(text string) (*big.Rat, bool) {
	if len(text) > 400 {
		return nil, false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		case c|0x20 == 'e':
			if e, err := strconv.Atoi(text[i+1:]); err != nil || e < -1000 || e > 1000 {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}
