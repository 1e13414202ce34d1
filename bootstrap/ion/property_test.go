package ion

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/amazon-ion/ion-go/ion"

	"dynamolake/transform"
)

// TestItemsComeThrough writes items as ION, by the ion module's writer, and as
// DynamoDB JSON, and compares the latter with what the reader makes of the former.
func TestItemsComeThrough(t *testing.T) {
	for seed := range uint64(300) {
		var text bytes.Buffer
		a := author{Rand: rand.New(rand.NewPCG(seed, 5)), ion: ion.NewTextWriter(&text)}
		a.check(a.ion.BeginStruct())
		a.check(a.ion.FieldName(ion.NewSymbolTokenFromString("Item")))
		want := a.fields(3)
		a.check(a.ion.EndStruct())
		a.check(a.ion.Finish())
		if a.err != nil {
			t.Fatal(a.err)
		}
		line := "$ion_1_0 " + strings.ReplaceAll(text.String(), "\n", " ")
		got, err := readAll(t, line)
		if err != nil {
			t.Fatalf("seed %d: %v\n%.1000s", seed, err, line)
		}
		got = strings.TrimSuffix(strings.TrimPrefix(got, `{"Item":`), "}\n")
		one, err := transform.Canonical([]byte(got))
		if err != nil {
			t.Fatalf("seed %d: %v\n%.1000s", seed, err, got)
		}
		other, err := transform.Canonical([]byte(want))
		if err != nil {
			t.Fatal(err)
		}
		if string(one) != string(other) {
			t.Fatalf("seed %d\ngot  %.1000s\nwant %.1000s", seed, one, other)
		}
	}
}

// author writes random values twice: as ION, and as the DynamoDB JSON returned.
type author struct {
	*rand.Rand
	ion ion.Writer
	err error
}

func (a *author) check(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *author) text() string {
	const runes = "abc \"'\\/\n\r\t\x00\x1f$_{}[]:,.é漢😀\u2028"
	all := []rune(runes)
	n := a.IntN(12)
	var b strings.Builder
	for range n {
		b.WriteRune(all[a.IntN(len(all))])
	}
	return b.String()
}

func quoted(s string) string {
	return string(appendText(nil, s))
}

func (a *author) fields(depth int) string {
	a.check(a.ion.BeginStruct())
	var members []string
	for i := range a.IntN(6) {
		name := fmt.Sprint(a.text(), i)
		if a.IntN(10) == 0 {
			name = fmt.Sprint("$", i)
		}
		a.check(a.ion.FieldName(ion.NewSymbolTokenFromString(name)))
		members = append(members, quoted(name)+":"+a.value(depth))
	}
	a.check(a.ion.EndStruct())
	return "{" + strings.Join(members, ",") + "}"
}

func (a *author) list(element func() string) string {
	a.check(a.ion.BeginList())
	elements := make([]string, a.IntN(4))
	for i := range elements {
		elements[i] = element()
	}
	a.check(a.ion.EndList())
	return "[" + strings.Join(elements, ",") + "]"
}

func (a *author) value(depth int) string {
	scalars := map[string]func() string{"S": a.str, "N": a.number, "B": a.blob}
	t := string("SNB"[a.IntN(3)])
	switch n := a.IntN(9); {
	case n == 0:
		yes := a.IntN(2) == 0
		a.check(a.ion.WriteBool(yes))
		return fmt.Sprintf(`{"BOOL":%t}`, yes)
	case n == 1:
		a.check(a.ion.WriteNull())
		return `{"NULL":true}`
	case n == 2:
		a.check(a.ion.Annotation(ion.NewSymbolTokenFromString("$dynamodb_" + t + "S")))
		return `{"` + t + `S":` + a.list(scalars[t]) + `}`
	case n == 3 && depth > 0:
		return `{"L":` + a.list(func() string { return a.value(depth - 1) }) + `}`
	case n == 4 && depth > 0:
		return `{"M":` + a.fields(depth-1) + `}`
	}
	return `{"` + t + `":` + scalars[t]() + `}`
}

func (a *author) str() string {
	s := a.text()
	a.check(a.ion.WriteString(s))
	return quoted(s)
}

func (a *author) blob() string {
	data := make([]byte, a.IntN(9))
	for i := range data {
		data[i] = byte(a.Uint32())
	}
	a.check(a.ion.WriteBlob(data))
	return quoted(base64.StdEncoding.EncodeToString(data))
}

// number is one that DynamoDB can hold.
func (a *author) number() string {
	digits := strconv.Itoa(1 + a.IntN(9))
	for range a.IntN(38) {
		digits += strconv.Itoa(a.IntN(10))
	}
	if a.IntN(2) == 0 {
		digits = "-" + digits
	}
	n, _ := new(big.Int).SetString(digits, 10)
	switch a.IntN(3) {
	case 0:
		a.check(a.ion.WriteBigInt(n))
		return quoted(digits)
	case 1:
		f := a.NormFloat64()
		a.check(a.ion.WriteFloat(f))
		return quoted(strconv.FormatFloat(f, 'f', -1, 64))
	}
	exponent := a.IntN(200) - 130
	a.check(a.ion.WriteDecimal(ion.NewDecimal(n, int32(exponent), false)))
	return quoted(fmt.Sprintf("%sE%d", digits, exponent))
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		bookION, `{Record:{Keys:{a:1.},Metadata:{WriteTimestampMicros:1d3},NewImage:{a:1,b:{{AA==}},c:[null,{}]}}}`,
		`{Item:{'$4':"\ud83d\ude00\U0001F600\x41",b:$dynamodb_NS::[-0x1F,1.5e3,0b1]}}`, "$ion_symbol_table::{symbols:[\"a\"]} {Item:{$10:1}}",
		"{Item:{a:'''b''' '''c'''}} // d\n{Item:{/**/}}", `{Item:{a:2007-01-01T00:00:00.5Z,b:(a.b),c:{{"d"}},e:+inf}}`, "\xe0\x01\x00\xea", "{\"$4\":1}",
	} {
		f.Add([]byte(seed))
	}
	d := transform.NewDecoder(transform.KeySchema{Hash: transform.KeyAttr{Name: "a", Type: 'N'}})
	f.Fuzz(func(t *testing.T, text []byte) {
		got, _ := io.ReadAll(NewReader(bytes.NewReader(text)))
		var p transform.Page
		if err := d.DecodeExport(got, transform.ViewFull, &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rejects {
			if strings.Contains(r.Reason, "JSON") {
				t.Errorf("%s: %q", r.Reason, r.Raw)
			}
		}
		if lines := bytes.Count(got, []byte("\n")); lines != len(p.Changes)+len(p.Rejects) {
			t.Errorf("%d lines, but %d changes and %d rejects", lines, len(p.Changes), len(p.Rejects))
		}
	})
}
