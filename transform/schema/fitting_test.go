package schema

import (
	"fmt"
	"strings"
)

// itemFor is an item most of whose attributes fit the dataset's columns, and some of which
// nearly do.
func (h *hostile) itemFor(d *Dataset) (image, pk, sk string) {
	pk, sk = h.typed("S", h.quote(h.text())), h.typed("N", h.quote(h.number()))
	tops := map[string]map[string]string{} // of the first two names of paths
	var all []string
	for _, c := range d.Columns {
		if h.IntN(5) == 0 {
			continue
		}
		value := h.valueFor(&c.Type)
		for i := len(c.From) - 1; i > 1; i-- {
			value = h.typed("M", h.members("{", []string{h.quote(c.From[i]) + ":" + value}, "}"))
		}
		if len(c.From) == 1 {
			all = append(all, h.quote(c.From[0])+":"+value)
			continue
		}
		if tops[c.From[0]] == nil {
			tops[c.From[0]] = map[string]string{}
		}
		tops[c.From[0]][c.From[1]] = value
	}
	for _, c := range d.Columns {
		inside := tops[c.From[0]]
		if len(c.From) == 1 || inside == nil {
			continue
		}
		delete(tops, c.From[0])
		var members []string
		for _, name := range hostileNames {
			if value, ok := inside[name]; ok {
				members = append(members, h.quote(name)+":"+value)
			} else if h.IntN(12) == 0 {
				members = append(members, h.quote(name)+":"+h.value(3))
			}
		}
		all = append(all, h.quote(c.From[0])+":"+h.typed("M", h.members("{", members, "}")))
	}
	have := readAttrs([]byte("{" + strings.Join(all, ",") + "}"))
	for _, a := range h.attrs(h.IntN(8), 0, h.name) {
		if _, twice := find(have, readAttrs([]byte("{" + a + "}"))[0].name); twice == 0 || h.IntN(60) == 0 {
			all = append(all, a)
		}
	}
	all = append(all, `"pk":`+pk, `"s\"k":`+sk)
	return h.members("{", all, "}"), pk, sk
}

// valueFor fits the type, mostly.
func (h *hostile) valueFor(t *Type) string {
	if h.IntN(25) == 0 {
		return h.value(2)
	}
	switch t.Kind {
	case List:
		return h.typed("L", h.members("[", h.many(func() string { return h.valueFor(t.Elem) }), "]"))
	case Set:
		tag, quote := "NS", func() string { return h.quote(h.numberFor(t.Elem)) }
		switch {
		case t.Elem.Kind == Binary:
			tag, quote = "BS", func() string { return h.quote(h.base64()) }
		case t.Elem.Kind == String || t.Elem.Form == ISO:
			tag, quote = "SS", func() string { return h.quote(h.textFor(t.Elem)) }
		}
		return h.typed(tag, h.members("[", h.many(quote), "]"))
	case Struct:
		var members []string
		for _, f := range t.Fields {
			if h.IntN(4) > 0 {
				members = append(members, h.quote(f.From)+h.space()+":"+h.valueFor(&f.Type))
			}
		}
		if h.IntN(12) == 0 {
			members = append(members, h.attrs(1, 3, h.name)...)
		}
		return h.typed("M", h.members("{", members, "}"))
	case Bool:
		return h.typed("BOOL", pick(h, "true", "false"))
	case Binary:
		return h.typed("B", h.quote(h.base64()))
	case JSON:
		return h.value(3)
	case String:
		return h.typed("S", h.quote(h.text()))
	}
	if t.Form == ISO {
		return h.typed("S", h.quote(h.textFor(t)))
	}
	return h.typed("N", h.quote(h.numberFor(t)))
}

func (h *hostile) textFor(t *Type) string {
	for range 8 {
		text := h.text()
		if t.Kind == String || clockTwin(text, t) {
			return text
		}
	}
	return h.text()
}

func (h *hostile) numberFor(t *Type) string {
	switch {
	case h.IntN(4) == 0:
		return h.number()
	case t.Kind == Decimal:
		v := h.Int64N(1 << h.IntN(62))
		whole := fmt.Sprint(v)
		if n := t.Precision - t.Scale; len(whole) > n {
			whole = strings.TrimLeft(whole[:n], "0")
		}
		if whole == "" {
			whole = "0"
		}
		if t.Scale > 0 && h.IntN(2) == 0 {
			whole += "." + strings.Repeat("0", h.IntN(t.Scale)) + "7"
		}
		return pick(h, "", "-") + whole
	case t.Kind == Date:
		days := h.Int64N(40_000) - 10_000
		return fmt.Sprint(days * 86_400 * map[Form]int64{Seconds: 1, Millis: 1000}[t.Form])
	case t.Kind == Timestamp:
		return fmt.Sprint(h.Int64N(2e9) * map[Form]int64{Seconds: 1, Millis: 1000, Micros: 1e6}[t.Form])
	}
	return fmt.Sprint(h.Int64())
}
