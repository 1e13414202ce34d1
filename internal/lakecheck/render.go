package lakecheck

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// render is a value as DynamoDB JSON. Its fields are those of the map that it was taken from.
func (t *tree) render() (map[string]any, error) {
	k := t.kind
	switch {
	case k.name == "struct":
		fields := map[string]any{}
		for name, f := range t.fields {
			v, err := f.render()
			if err != nil {
				return nil, err
			}
			fields[name] = v
		}
		return map[string]any{"M": fields}, nil
	case k.elem != nil:
		elems := []any{}
		for _, e := range t.elems {
			v, err := e.render()
			if err != nil {
				return nil, err
			}
			for _, inside := range v { // the one
				if k.name == "set" {
					elems = append(elems, inside)
				} else {
					elems = append(elems, v)
				}
			}
		}
		if k.name == "list" {
			return map[string]any{"L": elems}, nil
		}
		tag := ""
		switch e := k.elem; {
		case e.name == "binary":
			tag = "BS"
		case e.name == "string" || e.form == "iso":
			tag = "SS"
		default:
			tag = "NS"
		}
		return map[string]any{tag: elems}, nil
	}
	return scalar(k, t.value)
}

// scalar is one value.
func scalar(k *kind, value any) (map[string]any, error) {
	text := func(tag string, v any) (map[string]any, error) { return map[string]any{tag: v}, nil }
	number := func(n int64, scale int) (map[string]any, error) { return text("N", fixed(big.NewInt(n), scale)) }
	switch v := value.(type) {
	case bool:
		return text("BOOL", v)
	case float64:
		return text("N", strconv.FormatFloat(v, 'f', -1, 64))
	case int32:
		if k.name == "decimal" {
			return number(int64(v), k.s)
		}
		day := time.Unix(0, 0).UTC().AddDate(0, 0, int(v))
		switch k.form {
		case "iso":
			return text("S", day.Format(time.DateOnly))
		case "seconds":
			return number(day.Unix(), 0)
		case "millis":
			return number(day.UnixMilli(), 0)
		}
	case int64:
		switch k.name {
		case "int64", "decimal":
			return number(v, k.s)
		}
		switch k.form {
		case "seconds":
			return number(v, 6)
		case "millis":
			return number(v, 3)
		case "micros":
			return number(v, 0)
		case "iso":
			layout := "2006-01-02T15:04:05"
			if k.digits > 0 {
				layout += "." + strings.Repeat("0", k.digits)
			}
			return text("S", time.UnixMicro(v).UTC().Format(layout+"Z"))
		}
	case []byte:
		switch k.name {
		case "string":
			return text("S", string(v))
		case "binary":
			return text("B", base64.StdEncoding.EncodeToString(v))
		case "decimal":
			n := new(big.Int).SetBytes(v)
			if v[0]&0x80 != 0 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
			}
			return text("N", fixed(n, k.s))
		case "json":
			d := json.NewDecoder(bytes.NewReader(v))
			d.UseNumber()
			var plain any
			if err := d.Decode(&plain); err != nil {
				return nil, fmt.Errorf("json: %w", err)
			}
			return typed(plain), nil
		}
	}
	return nil, fmt.Errorf("a %T of type %s", value, k.name)
}

// fixed is n times 10^-scale, without zeros at the end of its fraction.
func fixed(n *big.Int, scale int) string {
	r := new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	text := r.FloatString(scale)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// typed is plain JSON as DynamoDB has it.
func typed(plain any) map[string]any {
	switch v := plain.(type) {
	case string:
		return map[string]any{"S": v}
	case json.Number:
		return map[string]any{"N": v.String()}
	case bool:
		return map[string]any{"BOOL": v}
	case []any:
		list := []any{}
		for _, e := range v {
			list = append(list, typed(e))
		}
		return map[string]any{"L": list}
	case map[string]any:
		m := map[string]any{}
		for name, e := range v {
			m[name] = typed(e)
		}
		return map[string]any{"M": m}
	}
	return map[string]any{"NULL": true}
}

// member is one of an object, with its name as it stands there.
type member struct {
	name  string
	raw   []byte // the name, with its quotes
	value json.RawMessage
}

type object []member

func readObject(text []byte) (o object, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		m, from := member{}, d.InputOffset()
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		m.raw = bytes.TrimLeft(text[from:d.InputOffset()], ", \t\r\n")
		if err := json.Unmarshal(m.raw, &m.name); err != nil {
			return nil, err
		}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	return o, nil
}

func (o object) text() []byte {
	var parts [][]byte
	for _, m := range o {
		parts = append(parts, slices.Concat(m.raw, []byte(":"), m.value))
	}
	return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}"))
}

// put adds a value of a column under its path: into the maps of _rest, or those that it makes.
func (o *object) put(at path, value map[string]any) error {
	i := slices.IndexFunc(*o, func(m member) bool { return m.name == at[0] })
	if len(at) > 1 {
		value = map[string]any{"M": nest(at[1:], value)}
	}
	if i < 0 {
		raw, err := json.Marshal(at[0])
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		*o = append(*o, member{at[0], raw, text})
		return err
	}
	m := &(*o)[i]
	there, err := readObject(m.value)
	if err != nil || len(there) != 1 {
		return fmt.Errorf("attribute %q in _rest is no value", at[0])
	}
	inside, isMap := value["M"].(map[string]any)
	if there[0].name != "M" || !isMap {
		if !rounds(m.value, value) {
			return fmt.Errorf("attribute %q is in its column and in _rest", at[0])
		}
		return nil
	}
	fields, err := readObject(there[0].value)
	if err != nil {
		return err
	}
	for _, name := range sorted(inside) {
		if err := fields.put(path{name}, inside[name].(map[string]any)); err != nil {
			return err
		}
	}
	m.value = slices.Concat([]byte(`{"M":`), fields.text(), []byte("}"))
	return nil
}

func nest(at path, value map[string]any) map[string]any {
	if len(at) > 1 {
		value = map[string]any{"M": nest(at[1:], value)}
	}
	return map[string]any{at[0]: value}
}

func sorted(m map[string]any) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// rounds tells whether a value of a column is that of _rest, but for numbers that a double has
// rounded: else it should not be in both.
func rounds(exact json.RawMessage, column map[string]any) bool {
	var a any
	if json.Unmarshal(exact, &a) != nil {
		return false
	}
	text, err := json.Marshal(column)
	var b any
	if err != nil || json.Unmarshal(text, &b) != nil {
		return false
	}
	return near(a, b) && !reflect.DeepEqual(a, b)
}

func near(a, b any) bool {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok || x == y {
			return ok
		}
		m, err1 := strconv.ParseFloat(x, 64)
		n, err2 := strconv.ParseFloat(y, 64)
		return err1 == nil && err2 == nil && m == n
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, near)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, v := range x {
			if w, ok := y[name]; !ok || !near(v, w) {
				return false
			}
		}
		return true
	}
	return a == b
}
