package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// written is the cells of one value, leaf by leaf.
type written struct {
	leaves []Leaf
	cells  [][]Cell
}

// value is the typed value that is there at definition level def, inside rep lists;
// not ok if it is null.
func (w written) value(t *Type, def, rep uint8) (value []byte, ok bool, err error) {
	for i := range w.cells {
		if len(w.cells[i]) == 0 {
			return nil, false, fmt.Errorf("leaf %s has no cell", strings.Join(w.leaves[i].Path, "."))
		}
	}
	if w.cells[0][0].Def < def {
		return nil, false, nil
	}
	switch t.Kind {
	case Struct:
		fields, from := members{}, 0
		for i := range t.Fields {
			f := &t.Fields[i]
			to := from + f.Type.leaves()
			value, ok, err := written{w.leaves[from:to], w.cells[from:to]}.value(&f.Type, def+1, rep)
			if err != nil {
				return nil, false, err
			}
			if ok {
				fields.add(f.From, value)
			}
			from = to
		}
		return mapValue(fields), true, nil
	case List, Set:
		value, err := w.list(t, def, rep+1)
		return value, true, err
	}
	value, err = scalarValue(&w.cells[0][0], t)
	return value, true, err
}

// list writes a list or set whose elements repeat at level rep.
func (w written) list(t *Type, def, rep uint8) ([]byte, error) {
	var elements [][]byte
	for first := true; w.cells[0][0].Def > def; first = false {
		one := written{w.leaves, make([][]Cell, len(w.cells))}
		rest := written{w.leaves, make([][]Cell, len(w.cells))}
		for i, cells := range w.cells {
			n := 1
			for n < len(cells) && cells[n].Rep > rep {
				n++
			}
			one.cells[i], rest.cells[i] = cells[:n], cells[n:]
			if !first && cells[0].Rep != rep {
				return nil, fmt.Errorf("leaf %s: an element that does not repeat", strings.Join(w.leaves[i].Path, "."))
			}
		}
		value, ok, err := one.value(t.Elem, def+2, rep)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("an element is null")
		}
		elements = append(elements, value)
		if w = rest; len(w.cells[0]) == 0 {
			break
		}
	}
	if t.Kind == List {
		return append(append([]byte(`{"L":[`), bytes.Join(elements, []byte(","))...), "]}"...), nil
	}
	name := map[bool]string{true: "NS", false: "SS"}[writes('N', *t.Elem)]
	if t.Elem.Kind == Binary {
		name = "BS"
	}
	for i, e := range elements { // {"N":"1"} is "1" in an NS
		elements[i] = e[len(`{"N":`) : len(e)-1]
	}
	return append(append([]byte(`{"`+name+`":[`), bytes.Join(elements, []byte(","))...), "]}"...), nil
}

// scalarValue writes a value that is not null.
func scalarValue(c *Cell, t *Type) ([]byte, error) {
	text := func(tag, s string) ([]byte, error) { return []byte(`{"` + tag + `":` + quote(s) + `}`), nil }
	switch t.Kind {
	case String:
		return text("S", string(c.Bytes))
	case Int64:
		return text("N", strconv.FormatInt(c.Low, 10))
	case Double:
		return text("N", strconv.FormatFloat(c.Double(), 'f', -1, 64))
	case Decimal:
		dec := c.Decimal()
		return text("N", point(new(big.Int).SetBytes(dec[:]), dec[0]>>7 != 0, t.Scale))
	case Bool:
		return []byte(`{"BOOL":` + strconv.FormatBool(c.Bool()) + `}`), nil
	case Binary:
		return text("B", base64.StdEncoding.EncodeToString(c.Bytes))
	case Timestamp, Date:
		at := time.UnixMicro(c.Low).UTC()
		if t.Kind == Date {
			at = time.Unix(c.Low*86400, 0).UTC()
		}
		switch {
		case t.Kind == Date && t.Form == ISO:
			return text("S", at.Format("2006-01-02"))
		case t.Form == ISO:
			return text("S", at.Format("2006-01-02T15:04:05"+[...]string{"", 3: ".000", 6: ".000000"}[t.Digits]+"Z"))
		}
		micros := big.NewInt(at.UnixMicro())
		return text("N", point(micros, false, scaleOf(t.Form)))
	case JSON:
		return typed(c.Bytes)
	}
	return nil, fmt.Errorf("no scalar: %s", t)
}

// point writes an integer as so many units of 10^-scale. wrapped says that it is 2^128
// too great.
func point(v *big.Int, wrapped bool, scale int) string {
	if wrapped {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	sign := ""
	if v.Sign() < 0 {
		sign = "-"
	}
	digits := v.Abs(v).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	return strings.TrimSuffix(sign+whole+"."+strings.TrimRight(fraction, "0"), ".")
}

// typed writes plain JSON as DynamoDB JSON, strings and numbers as they stand.
func typed(plain []byte) ([]byte, error) {
	plain = bytes.TrimSpace(plain)
	if len(plain) == 0 {
		return nil, fmt.Errorf("a json column has no JSON")
	}
	switch plain[0] {
	case '{':
		fields, err := readMembers(plain)
		for i := range fields {
			if err == nil {
				fields[i].value, err = typed(fields[i].value)
			}
		}
		return mapValue(fields), err
	case '[':
		var elements []json.RawMessage
		err := json.Unmarshal(plain, &elements)
		out := [][]byte{}
		for _, e := range elements {
			if err == nil {
				var value []byte
				value, err = typed(e)
				out = append(out, value)
			}
		}
		return append(append([]byte(`{"L":[`), bytes.Join(out, []byte(","))...), "]}"...), err
	case '"':
		return append(append([]byte(`{"S":`), plain...), '}'), nil
	case 't', 'f':
		return append(append([]byte(`{"BOOL":`), plain...), '}'), nil
	case 'n':
		return []byte(`{"NULL":true}`), nil
	}
	return append(append([]byte(`{"N":"`), plain...), `"}`...), nil
}
