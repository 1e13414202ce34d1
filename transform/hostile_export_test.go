package transform

import (
	"fmt"
	"strings"
)

// written is a WriteTimestampMicros in one of the spellings that are about.
func (h *hostile) written() string {
	if h.broken() {
		return []string{
			`{"N":"1.5"}`, `{"S":"1"}`, `{"N":1}`, `{}`, `"soon"`, `""`, `-1`, `{"N":"-1"}`, `1e30`, `1695353076000000.5`,
			`{"N":"253402300800000000"}`, `true`, `[1]`, `"1e-1"`, `1.00000000000000000000001e3`,
		}[h.IntN(15)]
	}
	micros := 1_700_000_000_000_000 + h.Int64N(1_000_000_000_000)
	switch h.IntN(8) {
	case 0:
		return fmt.Sprintf(`%d`, micros)
	case 1:
		return h.quote(fmt.Sprint(micros))
	case 2:
		return h.quote(fmt.Sprintf(`%d.`, micros))
	case 3:
		return `1.695e15`
	case 4:
		return fmt.Sprintf(`%d000000000.0e-9`, micros)
	case 5:
		return "null"
	}
	return h.typedN(fmt.Sprint(micros))
}

func (h *hostile) typedN(digits string) string {
	return h.container('{', []string{h.member("N", h.quote(digits))}, '}')
}

// line is a line of an export of that view, mostly.
func (h *hostile) line(view View) string {
	key, image := h.key()
	var fields []string
	if h.broken() {
		view = []View{ViewFull, ViewNewAndOld, ViewNew}[h.IntN(3)]
	}
	whole := func() string { return h.object(append(image, h.attributes(3)...)...) }
	if view == ViewFull {
		fields = append(fields, h.member("Item", whole()))
	} else {
		fields = append(
			fields,
			h.member("Metadata", h.object(h.member("WriteTimestampMicros", h.written()), h.member("x", "[{}]"))),
			h.member("Keys", h.object(key...)),
		)
		removed := h.IntN(3) == 0
		if !removed {
			fields = append(fields, h.member("NewImage", whole()))
		}
		if view == ViewNewAndOld && (removed || h.IntN(2) == 0) || h.broken() {
			fields = append(fields, h.member("OldImage", h.object(h.attributes(3)...)))
		}
	}
	fields = h.damage(fields)
	if h.IntN(4) == 0 {
		fields = append(fields, h.member("future", `[{"a":[1.5e-3,null,true,{}],"":[]}]`))
	}
	line := h.space() + h.object(fields...) + h.space()
	// A line has no line end inside.
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(line)
}

// lines are lines of a data file, some of them no JSON.
func (h *hostile) lines(n int, view View) string {
	var b strings.Builder
	for range n {
		line := h.line(view)
		switch {
		case !h.broken():
		case h.IntN(2) == 0:
			line = line[:h.IntN(len(line))]
		default:
			line += []string{"}", "{}", "x", ",", "\x00"}[h.IntN(5)]
		}
		b.WriteString(line)
		b.WriteString([]string{"\n", "\n", "\n", "\r\n", "\n\n", "\n \t\n"}[h.IntN(6)])
	}
	if h.IntN(2) == 0 {
		return strings.TrimRight(b.String(), "\r\n \t")
	}
	return b.String()
}
