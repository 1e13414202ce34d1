package transform

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// hostile writes GetRecords answers that are sound but as awkward as JSON and
// DynamoDB allow, and with broken records among them. One seed, one answer.
type hostile struct {
	*rand.Rand
	keys KeySchema
	seq  uint64
	// breakage is how many of 1,000 places get something that does not belong.
	breakage int
}

func newHostile(seed uint64) *hostile {
	h := &hostile{Rand: rand.New(rand.NewPCG(seed, 2)), seq: 100}
	types := []KeyType{'S', 'N', 'B'}
	h.keys.Hash = KeyAttr{h.nonEmpty(), types[h.IntN(3)]}
	if h.IntN(2) == 0 {
		h.keys.Range = KeyAttr{h.nonEmpty() + "2", types[h.IntN(3)]}
	}
	if h.IntN(2) == 0 {
		h.breakage = 20
	}
	return h
}

func (h *hostile) broken() bool { return h.IntN(1000) < h.breakage }

func (h *hostile) nonEmpty() string {
	for {
		if n := h.plain(); n != "" && utf8.ValidString(n) {
			return n
		}
	}
}

// plain is text of a hostile kind.
func (h *hostile) plain() string {
	switch h.IntN(40) {
	case 0:
		return ""
	case 1:
		if h.IntN(20) == 0 {
			return strings.Repeat("long name ", 6500)
		}
	case 2:
		return "a.b.c"
	case 3:
		return `quo"te`
	case 4:
		return `back\slash`
	case 5:
		return "\x00"
	case 6:
		return "😀 ünï 漢"
	case 7:
		return "line\r\nend\t"
	case 8:
		if h.broken() {
			return "bad \xff\xc0 utf-8"
		}
	case 9:
		return "SequenceNumber"
	case 10:
		return "_rest"
	}
	const letters = `abcdefghijklmnopqrstuvwxyzABCDEF{}[]:," \`
	b := make([]byte, h.IntN(24))
	for i := range b {
		b[i] = letters[h.IntN(len(letters))]
	}
	return string(b)
}

func (h *hostile) space() string {
	if h.IntN(12) != 0 {
		return ""
	}
	return []string{" ", "\n", "\t", "\r\n  "}[h.IntN(4)]
}

// quote writes a JSON string, with escapes also where none are needed.
func (h *hostile) quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	eager := h.IntN(6) == 0 && len(s) < 1000
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ':
			fmt.Fprintf(&b, `\u%04X`, r)
		case r == utf8.RuneError || !eager || h.IntN(3) != 0:
			b.WriteString(s[i : i+n])
		case r >= 0x10000:
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		case r == '/':
			b.WriteString(`\/`)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	if h.IntN(200) == 0 {
		b.WriteString(`\ud83d`) // half a pair
	}
	b.WriteByte('"')
	return b.String()
}

// object writes members in any order.
func (h *hostile) object(members ...string) string { return h.container('{', members, '}') }

func (h *hostile) container(left rune, members []string, right rune) string {
	if left == '{' {
		h.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	}
	var b strings.Builder
	b.WriteString(string(left) + h.space())
	for i, m := range members {
		if i > 0 {
			b.WriteString(h.space() + "," + h.space())
		}
		b.WriteString(m)
	}
	b.WriteString(h.space() + string(right))
	return b.String()
}

func (h *hostile) member(name, value string) string {
	return h.quote(name) + h.space() + ":" + h.space() + value
}

func (h *hostile) number() string {
	if h.broken() {
		return []string{"", "abc", "1e", "--1", "1.2.3", "0x10", "1e999999", "NaN", "1 "}[h.IntN(9)]
	}
	sign := []string{"", "-"}[h.IntN(2)]
	digits := func(n int) string {
		b := []byte{'1' + byte(h.IntN(9))}
		for range n - 1 {
			b = append(b, '0'+byte(h.IntN(10)))
		}
		return string(b)
	}
	switch h.IntN(10) {
	case 0:
		return sign + digits(38)
	case 1:
		return fmt.Sprintf("%s%s.%se%d", sign, digits(1), digits(37), h.IntN(256)-130)
	case 2:
		return sign + digits(29) + "." + digits(9)
	case 3:
		return sign + "0." + strings.Repeat("0", h.IntN(10)) + digits(1)
	case 4:
		return []string{"0", "-0", "0.0", "1.50", "+1", "01", ".5", "5.", "1E+2"}[h.IntN(9)]
	case 5:
		return sign + digits(1+h.IntN(3)) + strings.Repeat("0", h.IntN(30))
	}
	return sign + digits(1+h.IntN(12)) + []string{"", "." + digits(1+h.IntN(6))}[h.IntN(2)]
}

func (h *hostile) binary() string {
	data := make([]byte, h.IntN(20))
	for i := range data {
		data[i] = byte(h.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(data)
	switch {
	case h.broken():
		return text + []string{"=", "A", "====", "\n", "A==="}[h.IntN(5)]
	case h.IntN(20) == 0:
		return text + "QR==" // bits that an encoder leaves zero; only sound alone or after whole groups
	}
	return text
}

func (h *hostile) scalar(t KeyType) string {
	switch t {
	case 'N':
		return h.quote(h.number())
	case 'B':
		return h.quote(h.binary())
	}
	return h.quote(h.plain())
}

// typed is the content of a value of type t.
func (h *hostile) typed(tag, content string) string {
	if h.broken() {
		return []string{"null", "{}", `"S"`, `{"S":null}`, `{"X":"1"}`, `{"S":"1","N":"1"}`, `{"S":1}`, `{"BOOL":"true"}`, `{"":""}`, `{"L":{}}`}[h.IntN(10)]
	}
	return h.container('{', []string{h.member(tag, content)}, '}')
}

func (h *hostile) value(depth int) string {
	switch n := h.IntN(12); {
	case n == 0:
		return h.typed("BOOL", []string{"true", "false"}[h.IntN(2)])
	case n == 1:
		return h.typed("NULL", "true")
	case n == 2:
		t := KeyType("SNB"[h.IntN(3)])
		elements := make([]string, h.IntN(4))
		for i := range elements {
			elements[i] = h.scalar(t)
		}
		return h.typed(string(rune(t))+"S", h.container('[', elements, ']'))
	case n == 3 && depth > 0:
		elements := make([]string, h.IntN(4))
		for i := range elements {
			elements[i] = h.value(depth - 1)
		}
		return h.typed("L", h.container('[', elements, ']'))
	case n == 4 && depth > 0:
		return h.typed("M", h.object(h.attributes(depth-1)...))
	case n == 5 && h.IntN(50) == 0:
		levels := 30 + h.IntN(40) // on both sides of the limit
		return strings.Repeat(`{"L":[{"M":{"":`, levels/2) + `{"S":""}` + strings.Repeat("}}]}", levels/2)
	default:
		t := KeyType("SNB"[h.IntN(3)])
		return h.typed(string(rune(t)), h.scalar(t))
	}
}

// attributes writes attributes with names of their own.
func (h *hostile) attributes(depth int) []string {
	var members []string
	taken := map[string]bool{h.keys.Hash.Name: true, h.keys.Range.Name: h.keys.HasRange()}
	for range h.IntN(6) {
		name := h.plain()
		if !taken[name] || h.broken() {
			members = append(members, h.member(name, h.value(depth)))
		}
		taken[name] = true
	}
	return members
}

// key writes the key's members, as Keys and as an image has them.
func (h *hostile) key() (key, image []string) {
	attrs := []KeyAttr{h.keys.Hash}
	if h.keys.HasRange() {
		attrs = append(attrs, h.keys.Range)
	}
	for _, a := range attrs {
		t := a.Type
		if h.broken() {
			t = 'N'
		}
		value := h.typed(string(rune(t)), h.scalar(t))
		key = append(key, h.member(a.Name, value))
		if h.broken() {
			value = h.typed(string(rune(t)), h.scalar(t))
		}
		for n := 1; n > 0 && !h.broken(); n-- {
			image = append(image, h.member(a.Name, value))
			if h.broken() {
				n++
			}
		}
	}
	if h.broken() {
		key = key[1:]
	}
	return key, image
}

func (h *hostile) record() string {
	h.seq += 1 + h.Uint64N(1000)
	key, image := h.key()
	op := []string{"INSERT", "MODIFY", "REMOVE"}[h.IntN(3)]
	stream := []string{
		h.member("ApproximateCreationDateTime", []string{"1700000000", "1.7e9", "1700000000.999", "1.700000000123456789E9", "0"}[h.IntN(5)]),
		h.member("Keys", h.object(key...)),
		h.member("SequenceNumber", h.quote(fmt.Sprint(h.seq)+strings.Repeat("0", 18))),
		h.member("SizeBytes", fmt.Sprint(h.IntN(800_000))),
		h.member("StreamViewType", `"NEW_AND_OLD_IMAGES"`),
	}
	if op != "REMOVE" {
		stream = append(stream, h.member("NewImage", h.object(append(image, h.attributes(3)...)...)))
	}
	if op != "INSERT" && h.IntN(3) > 0 {
		stream = append(stream, h.member("OldImage", h.object(h.attributes(3)...)))
	}
	record := []string{
		h.member("awsRegion", `"us-east-1"`),
		h.member("eventID", h.quote(fmt.Sprintf("%032x", h.Uint64()))),
		h.member("eventName", h.quote(op)),
		h.member("eventVersion", `"1.1"`),
		h.member("future", `[{"a":[1.5e-3,null,true,{}],"":[]}]`),
	}
	switch h.IntN(6) {
	case 0:
		record = append(record, h.member("userIdentity", `{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`))
	case 1:
		record = append(record, h.member("userIdentity", `{"principalId":"dynamodb.amazonaws.com","type":"Service"}`))
	case 2:
		record = append(record, h.member("userIdentity", "null"))
	}
	stream, record = h.damage(stream), h.damage(record)
	return h.object(append(record, h.member("dynamodb", h.object(stream...)))...)
}

// damage drops a field, doubles one, or gives one a value of the wrong kind.
func (h *hostile) damage(fields []string) []string {
	i := h.IntN(len(fields))
	name := fields[i][:strings.LastIndexByte(fields[i][:min(60, len(fields[i]))], '"')+1]
	switch n := h.IntN(4); {
	case !h.broken():
	case n == 0:
		fields = append(fields[:i], fields[i+1:]...)
	case n == 1:
		fields = append(fields, fields[i])
	default:
		if c := strings.IndexByte(name, ':'); c > 0 {
			name = name[:c]
		}
		fields[i] = name + ":" + []string{"null", "5", `"x"`, "{}", "[]", "-1", "1e30"}[h.IntN(7)]
	}
	return fields
}

func (h *hostile) page(records int) string {
	var list []string
	for range records {
		list = append(list, h.record())
		if h.broken() {
			list = append(list, []string{"null", "5", `"r"`, "[]", "{}"}[h.IntN(5)])
		}
	}
	members := []string{h.member("Records", h.container('[', list, ']'))}
	switch h.IntN(3) {
	case 0:
		members = append(members, h.member("NextShardIterator", h.quote("arn:aws:dynamodb/…|1|AAA")))
	case 1:
		members = append(members, h.member("NextShardIterator", "null"))
	}
	return h.space() + h.object(members...) + h.space()
}
