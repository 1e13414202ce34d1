package schema

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// fit is the slow twin of the walk: what a column of that type takes of a value, and what
// stays. Not ok: it takes nothing.
func fit(v tree, t *Type) (taken tree, stays *tree, ok bool) {
	if t.Kind == Struct {
		if v.tag != "M" {
			return taken, nil, false
		}
		taken = tree{tag: "M"}
		var rest []attr
		for _, a := range v.attrs {
			i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.From == a.name })
			if _, times := find(v.attrs, a.name); i < 0 || times > 1 {
				rest = append(rest, a)
				continue
			}
			got, left, ok := fit(a.value, &t.Fields[i].Type)
			if ok {
				taken.attrs = append(taken.attrs, attr{a.name, got})
			} else {
				left = &a.value
			}
			if left != nil {
				rest = append(rest, attr{a.name, *left})
			}
		}
		if len(rest) > 0 {
			stays = &tree{tag: "M", attrs: rest}
		}
		return taken, stays, true
	}
	taken, whole, ok := fitWhole(v, t)
	if ok && !whole {
		stays = &v
	}
	return taken, stays, ok
}

// fitWhole does so for what is in its column whole, or rounded.
func fitWhole(v tree, t *Type) (taken tree, whole, ok bool) {
	switch t.Kind {
	case List, Set:
		want := "NS"
		switch {
		case t.Kind == List:
			want = "L"
		case t.Elem.Kind == Binary:
			want = "BS"
		case t.Elem.Kind == String || t.Elem.Form == ISO:
			want = "SS"
		}
		if v.tag != want {
			return v, false, false
		}
		taken, whole = tree{tag: v.tag}, true
		for _, e := range v.list {
			got, exact, ok := fitWhole(e, t.Elem)
			if !ok {
				return v, false, false
			}
			taken.list = append(taken.list, got)
			whole = whole && exact
		}
		return taken, whole, true
	case Struct:
		got, stays, ok := fit(v, t)
		// A rounded double is no remainder, but all else is.
		for _, a := range v.attrs {
			_, have := find(got.attrs, a.name)
			_, times := find(v.attrs, a.name)
			i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.From == a.name })
			if have == 0 || times > 1 || i < 0 {
				return v, false, false
			}
			if _, _, ok := fitWhole(a.value, &t.Fields[i].Type); !ok {
				return v, false, false
			}
		}
		return got, stays == nil, ok
	case JSON:
		_, ok := plainTwin(v)
		return v, true, ok
	}
	return fitScalar(v, t)
}

var (
	canonicalInteger = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	canonicalDecimal = regexp.MustCompile(`^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]*[1-9])$`)
	jsonNumber       = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

func fitScalar(v tree, t *Type) (taken tree, whole, ok bool) {
	no := func() (tree, bool, bool) { return v, false, false }
	wants := "N"
	switch {
	case t.Kind == String || t.Form == ISO:
		wants = "S"
	case t.Kind == Bool:
		wants = "BOOL"
	case t.Kind == Binary:
		wants = "B"
	}
	if v.tag != wants || v.tag == "S" && !utf8.ValidString(v.text) {
		return no()
	}
	switch t.Kind {
	case Int64:
		_, err := strconv.ParseInt(v.text, 10, 64)
		return v, true, err == nil && canonicalInteger.MatchString(v.text)
	case Decimal:
		return v, true, decimalTwin(v.text, t.Precision, t.Scale) != nil
	case Double:
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil || len(v.text) > 400 {
			return no()
		}
		back := strconv.FormatFloat(f, 'f', -1, 64)
		return tree{tag: "N", text: back}, back == v.text, true
	case Binary:
		data, err := base64.StdEncoding.DecodeString(v.text)
		return v, true, err == nil && base64.StdEncoding.EncodeToString(data) == v.text
	case Timestamp, Date:
		return v, true, clockTwin(v.text, t)
	}
	return v, true, true
}

// decimalTwin is the number in units of 10^-scale, nil if it does not fit.
func decimalTwin(text string, precision, scale int) *big.Int {
	r, ok := new(big.Rat).SetString(text)
	if !ok || !canonicalDecimal.MatchString(text) {
		return nil
	}
	pow := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	r.Mul(r, new(big.Rat).SetInt(pow(scale)))
	if !r.IsInt() || r.Num().CmpAbs(pow(precision)) >= 0 {
		return nil
	}
	return r.Num()
}

func clockTwin(text string, t *Type) bool {
	if t.Form == ISO {
		layout := "2006-01-02"
		if t.Kind == Timestamp {
			layout += "T15:04:05"
			if t.Digits > 0 {
				layout += "." + strings.Repeat("0", t.Digits)
			}
			layout += "Z"
		}
		at, err := time.Parse(layout, text)
		return err == nil && at.Format(layout) == text && at.Year() >= 1 && at.Year() <= 9999
	}
	micros := decimalTwin(text, 38, map[Form]int{Seconds: 6, Millis: 3, Micros: 0}[t.Form])
	if micros == nil || !micros.IsInt64() {
		return false
	}
	at := time.UnixMicro(micros.Int64()).UTC()
	return at.Year() >= 1 && at.Year() <= 9999 && (t.Kind == Timestamp || at.Equal(at.Truncate(24*time.Hour)))
}

// plainTwin writes plain JSON.
func plainTwin(v tree) (string, bool) {
	switch v.tag {
	case "S":
		b, err := json.Marshal(v.text)
		return string(b), err == nil && utf8.ValidString(v.text)
	case "N":
		return v.text, jsonNumber.MatchString(v.text)
	case "BOOL":
		return v.text, true
	case "NULL":
		return "null", v.text == "true"
	case "L":
		parts := []string{}
		for _, e := range v.list {
			p, ok := plainTwin(e)
			if !ok {
				return "", false
			}
			parts = append(parts, p)
		}
		return "[" + strings.Join(parts, ",") + "]", true
	case "M":
		parts := []string{}
		for _, a := range v.attrs {
			p, ok := plainTwin(a.value)
			if !ok || !utf8.ValidString(a.name) {
				return "", false
			}
			name, _ := json.Marshal(a.name)
			parts = append(parts, string(name)+":"+p)
		}
		return "{" + strings.Join(parts, ",") + "}", true
	}
	return "", false
}

// shredTwin takes an item apart: by column what it takes, and what stays. Names that are there
// twice on a column's way stay.
func shredTwin(item []attr, columns []Column) (taken []*tree, rest []attr) {
	taken = make([]*tree, len(columns))
	return taken, restTwin(item, nil, columns, taken)
}

func restTwin(attrs []attr, at Path, columns []Column, taken []*tree) (rest []attr) {
	rest = []attr{}
	for _, a := range attrs {
		here := append(slices.Clone(at), a.name)
		column, inside := -1, false
		for i, c := range columns {
			if c.From != nil && slices.Equal(c.From, here) {
				column = i
			}
			inside = inside || len(c.From) > len(here) && c.From.within(here)
		}
		if _, times := find(attrs, a.name); times > 1 {
			column, inside = -1, false
		}
		switch {
		case column >= 0:
			got, stays, ok := fit(a.value, &columns[column].Type)
			if ok {
				taken[column] = &got
			} else {
				stays = &a.value
			}
			if stays != nil {
				rest = append(rest, attr{a.name, *stays})
			}
		case inside && a.value.tag == "M":
			left := restTwin(a.value.attrs, here, columns, taken)
			if len(left) > 0 || len(a.value.attrs) == 0 {
				rest = append(rest, attr{a.name, tree{tag: "M", attrs: left}})
			}
		default:
			rest = append(rest, a)
		}
	}
	return rest
}
