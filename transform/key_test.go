package transform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeyValueIsExactOnlyIfTheColumnHoldsItAll(t *testing.T) {
	type value struct {
		Bytes string
		Dec   string
		Exact bool
	}
	for name, c := range map[string]struct {
		keyType KeyType
		text    string
		want    value
	}{
		"text":                             {'S', `"a"`, value{"a", "0", true}},
		"text with every escape":           {'S', `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000"`, value{"\"\\/\b\f\n\r\té😀\x00", "0", true}},
		"empty text":                       {'S', `""`, value{"", "0", true}},
		"half a pair, first":               {'S', `"\ud83dx"`, value{"\xed\xa0\xbdx", "0", false}},
		"half a pair, second":              {'S', `"\ude00"`, value{"\xed\xb8\x80", "0", false}},
		"half a pair before a whole one":   {'S', `"\ud83d\ud83d\ude00"`, value{"\xed\xa0\xbd😀", "0", false}},
		"half a pair before other escapes": {'S', `"\ud83d\n\u0041"`, value{"\xed\xa0\xbd\nA", "0", false}},
		"a whole number":                   {'N', `"42"`, value{"42", "42", true}},
		"a number with escapes":            {'N', `"\u0034\u0032"`, value{"42", "42", true}},
		"a fraction":                       {'N', `"-0.000000001"`, value{"-0.000000001", "-0.000000001", true}},
		"the largest":                      {'N', `"99999999999999999999999999999.999999999"`, value{"99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999", true}},
		"one more digit":                   {'N', `"100000000000000000000000000000"`, value{"100000000000000000000000000000", "0", false}},
		"zeros that say nothing":           {'N', `"1.50"`, value{"1.50", "0", false}},
		"an exponent":                      {'N', `"1E2"`, value{"1E2", "0", false}},
		"a negative zero":                  {'N', `"-0"`, value{"-0", "0", false}},
		"bytes":                            {'B', `"AP8="`, value{"\x00\xff", "0", true}},
		"bytes with escapes":               {'B', `"\/\/8="`, value{"\xff\xff", "0", true}},
		"no bytes":                         {'B', `""`, value{"", "0", true}},
		"bytes with bits nobody uses":      {'B', `"AP9="`, value{"\x00\xff", "0", false}},
	} {
		t.Run(name, func(t *testing.T) {
			keys := KeySchema{Hash: KeyAttr{"id", c.keyType}}
			item := `{"id":{"` + string(rune(c.keyType)) + `":` + c.text + `}}`
			var p Page
			agree(t, keys, answer(record(map[string]string{"Keys": item, "NewImage": item})), &p)
			if len(p.Changes) != 1 {
				t.Fatal(p.Rejects)
			}
			v := p.Changes[0].Hash
			if diff := cmp.Diff(c.want, value{string(v.Bytes), FormatDecimal(v.Dec), v.Exact}); diff != "" {
				t.Error("want - got +\n" + diff)
			}
		})
	}
}

func TestColumnsNameTheKey(t *testing.T) {
	long := string(make([]byte, 64<<10))
	for name, c := range map[string]struct {
		hash, rng   string
		first, next string
	}{
		"their own names":               {"pk", "sk", "pk", "sk"},
		"one attribute, one column":     {"pk", "", "pk", ""},
		"metadata names are taken":      {"_seq", "_x", "attr_seq", "attr_x"},
		"names that differ by case":     {"Id", "iD", "Id", "iD_2"},
		"names that differ by a prefix": {"_a", "ATTR_A", "attr_a", "ATTR_A_2"},
		"hostile names":                 {"a.b", "q\"uo`te; drop", "a.b", "q\"uo`te; drop"},
		"unicode":                       {"ключ", "КЛЮЧ", "ключ", "КЛЮЧ_2"},
		"no UTF-8":                      {"a\xff", "b", "a\uFFFD", "b"},
		"no name":                       {"", "attr", "attr", "attr_2"},
		"64 KB":                         {long, long + "x", long, long + "x"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := KeySchema{Hash: KeyAttr{c.hash, 'S'}, Range: KeyAttr{c.rng, 'N'}}
			want := []Column{{Name: c.first, Attr: c.hash, Type: 'S', FieldID: 101}}
			if c.rng != "" {
				want = append(want, Column{Name: c.next, Attr: c.rng, Type: 'N', FieldID: 102})
			}
			if diff := cmp.Diff(want, keys.Columns()); diff != "" {
				t.Error("want - got +\n" + diff)
			}
		})
	}
}
