package schema

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"dynamolake/transform"
)

// hostile makes items as awkward as DynamoDB and JSON allow, and schemas for them. Names
// are few, so that each has every type sooner or later.
type hostile struct{ *rand.Rand }

var hostileNames = []string{
	"a", "b", "c", "d", "e", "id", "a.b", "", "_rest", `quo"te`, `back\slash`, "ünï 漢 😀", "line\nend", "A", "x\x00y", strings.Repeat("long", 70),
}

var hostileKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "s\"k", Type: 'N'}}

func newHostile(seed uint64) *hostile { return &hostile{rand.New(rand.NewPCG(seed, 4))} }

func pick[T any](h *hostile, from ...T) T { return from[h.IntN(len(from))] }

func (h *hostile) name() string { return pick(h, hostileNames...) }

func (h *hostile) space() string {
	if h.IntN(10) > 0 {
		return ""
	}
	return pick(h, " ", "\n", "\t", "\r\n  ")
}

// quote writes a JSON string, with escapes also where none are needed.
func (h *hostile) quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	eager := h.IntN(6) == 0
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || eager && r < 0x10000 && h.IntN(3) == 0:
			fmt.Fprintf(&b, `\u%04x`, r)
		case eager && r >= 0x10000:
			fmt.Fprintf(&b, `\u%04x\u%04X`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		case eager && r == '/':
			b.WriteString(`\/`)
		default:
			b.WriteRune(r)
		}
	}
	if h.IntN(60) == 0 {
		b.WriteString(pick(h, `\ud83d`, `\udc00`, `\ud83d\ud83d`, `\ud83dx`))
	}
	b.WriteByte('"')
	return b.String()
}

func (h *hostile) members(left string, members []string, right string) string {
	h.Shuffle(len(members), func(i, j int) {
		if left == "{" {
			members[i], members[j] = members[j], members[i]
		}
	})
	return left + h.space() + strings.Join(members, h.space()+","+h.space()) + h.space() + right
}

func (h *hostile) typed(tag, content string) string {
	if h.IntN(80) == 0 {
		tag = fmt.Sprintf(`\u%04x`, tag[0]) + tag[1:]
	}
	return h.members("{", []string{`"` + tag + `"` + h.space() + ":" + h.space() + content}, "}")
}

// attrs are n attributes; now and then one is there twice.
func (h *hostile) attrs(n, depth int, names func() string) []string {
	var all []string
	seen := map[string]bool{}
	for range n {
		name := names()
		if seen[name] && h.IntN(40) > 0 {
			continue
		}
		seen[name] = true
		all = append(all, h.quote(name)+h.space()+":"+h.space()+h.value(depth))
	}
	return all
}

func (h *hostile) item() (image, pk, sk string) {
	pk, sk = h.typed("S", h.quote(h.text())), h.typed("N", h.quote(h.number()))
	all := append(h.attrs(h.IntN(20), 0, h.name), `"pk":`+pk, `"s\"k":`+sk)
	return h.members("{", all, "}"), pk, sk
}

func (h *hostile) value(depth int) string {
	kind := h.IntN(13)
	if depth > 0 && h.IntN(200) == 0 {
		deep := 32 - depth
		return strings.Repeat(`{"L":[`, deep) + h.typed("S", `"deep"`) + strings.Repeat("]}", deep)
	}
	if depth > 4 && kind < 3 {
		kind += 5
	}
	switch kind {
	case 0:
		return h.typed("M", h.members("{", h.attrs(h.IntN(6), depth+1, h.name), "}"))
	case 1:
		return h.typed("L", h.members("[", h.many(func() string { return h.value(depth + 1) }), "]"))
	case 2: // elements of one kind
		seed := h.Uint64()
		return h.typed("L", h.members("[", h.many(func() string {
			one := newHostile(seed)
			return one.value(depth + 1)
		}), "]"))
	case 3:
		return h.typed("SS", h.members("[", h.many(func() string { return h.quote(h.text()) }), "]"))
	case 4:
		return h.typed("NS", h.members("[", h.many(func() string { return h.quote(h.number()) }), "]"))
	case 5:
		return h.typed("BS", h.members("[", h.many(func() string { return h.quote(h.base64()) }), "]"))
	case 6:
		return h.typed("NULL", pick(h, "true", "true", "true", "false"))
	case 7:
		return h.typed("BOOL", pick(h, "true", "false"))
	case 8:
		return h.typed("B", h.quote(h.base64()))
	case 9, 10:
		return h.typed("N", h.quote(h.number()))
	}
	return h.typed("S", h.quote(h.text()))
}

func (h *hostile) many(one func() string) []string {
	var all []string
	for range h.IntN(5) {
		all = append(all, one())
	}
	return all
}

func (h *hostile) base64() string {
	b := make([]byte, h.IntN(7))
	for i := range b {
		b[i] = byte(h.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(b)
	if n := len(text); n > 0 && text[n-1] == '=' && h.IntN(4) == 0 {
		text = strings.Replace(text, "A=", "B=", 1) // bits that are not used
	}
	return text
}

func (h *hostile) number() string {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + h.IntN(10))
		}
		return string(b)
	}
	at := time.UnixMicro(h.Int64N(2e15))
	switch h.IntN(14) {
	case 0:
		return pick(h, "0", "-0", "1.0", "1E2", "1e2", "00", "+1", ".5", "5.", "0.10", "-0.0", "007", "1e-7")
	case 1:
		return pick(h, "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809")
	case 2:
		return digits(38)
	case 3:
		return "-" + digits(39)
	case 4:
		return "1" + digits(h.IntN(37)) + "E" + pick(h, "", "-", "+") + digits(1+h.IntN(3))
	case 5:
		return "0." + digits(h.IntN(38)) + "1"
	case 6:
		return pick(h, "", "-") + "1" + digits(h.IntN(28)) + "." + digits(h.IntN(9)) + "1"
	case 7:
		return fmt.Sprint(at.Unix())
	case 8:
		return fmt.Sprint(at.UnixMilli())
	case 9:
		return fmt.Sprint(at.Unix() / 86400 * 86400)
	case 10:
		return pick(h, "0.1", "0.30000000000000004", "1.7976931348623157e308", "2.5", "-12.25", "123456789.123456789")
	case 11:
		return pick(h, "253402300799", "253402300800", "-62135596800", "-62135596801", "253402300799.999999", "1.0000001")
	}
	return fmt.Sprint(h.IntN(2000) - 1000)
}

func (h *hostile) text() string {
	at := time.UnixMicro(h.Int64N(4e15)).UTC()
	switch h.IntN(12) {
	case 0:
		return ""
	case 1:
		return at.Format("2006-01-02T15:04:05Z")
	case 2:
		return at.Format("2006-01-02T15:04:05.000Z")
	case 3:
		return at.Format("2006-01-02T15:04:05.000000Z")
	case 4:
		return at.Format("2006-01-02")
	case 5:
		return pick(h, "2023-02-29", "2024-02-29", "2026-11-23T24:00:00Z", "2026-11-23T10:00:60Z", "0000-01-01", "0001-01-01", "9999-12-31", "2026-11-23t10:00:00Z", "2026-1-1", "2026-11-23T10:00:00+00:00", "1900-02-29", "2000-02-29T00:00:00.000Z", "2026-13-01", "2026-00-10", "2026-04-31")
	case 6:
		return pick(h, "123", "1.5", "null", "true", "\u2028</script>&")
	case 7:
		return h.name()
	}
	return strings.Repeat(pick(h, "x", "yz", "é", "\\", `"`, " "), h.IntN(12))
}

// typ is any type. In a list it may be a struct too.
func (h *hostile) typ(depth int) Type {
	if depth < 3 && h.IntN(3) == 0 {
		switch h.IntN(3) {
		case 0:
			e := h.typ(depth + 1)
			return Type{Kind: List, Elem: &e}
		case 1:
			for {
				if e := h.typ(9); e.Kind != Bool && e.Kind != JSON {
					return Type{Kind: Set, Elem: &e}
				}
			}
		default:
			t := Type{Kind: Struct}
			for i := range 1 + h.IntN(4) {
				if from := h.name(); !t.takes(from) {
					t.Fields = append(t.Fields, Field{Name: fmt.Sprintf("f%d", i), From: from, Type: h.typ(depth + 1)})
				}
			}
			return t
		}
	}
	form := pick(h, Seconds, Millis, ISO)
	switch k := pick(h, String, String, Int64, Double, Decimal, Bool, Binary, Timestamp, Date, JSON); k {
	case Decimal:
		p := 1 + h.IntN(38)
		return pick(h, Type{Kind: k, Precision: p, Scale: h.IntN(p + 1)}, Type{Kind: k, Precision: 38, Scale: 9})
	case Timestamp:
		if form == ISO {
			return Type{Kind: k, Form: form, Digits: pick(h, 0, 3, 6)}
		}
		return Type{Kind: k, Form: pick(h, form, Micros)}
	case Date:
		return Type{Kind: k, Form: form}
	default:
		return Type{Kind: k}
	}
}

func (t *Type) takes(from string) bool {
	for _, f := range t.Fields {
		if f.From == from {
			return true
		}
	}
	return false
}

// schema has columns for some of the names, and for some that are inside others.
func (h *hostile) schema() *Schema {
	d := Dataset{Name: "all", MaxColumns: usualColumns, NewAttributes: h.IntN(2) == 0}
	for i := range h.IntN(14) {
		c := Column{Name: fmt.Sprintf("c%d", i), From: Path{h.name()}, Type: h.typ(0), Required: h.IntN(8) == 0}
		for h.IntN(4) == 0 {
			c.From = append(c.From, h.name())
		}
		clash := false
		for _, b := range d.Columns {
			clash = clash || b.From.within(c.From) || c.From.within(b.From)
		}
		if !clash {
			d.Columns = append(d.Columns, c)
		}
	}
	s := &Schema{Unmatched: Reject, Datasets: []Dataset{d}}
	s.Number(nil)
	return s
}
