package transform

import (
	"strings"
	"testing"
)

func TestCanonicalIsOneFormForEqualImages(t *testing.T) {
	for name, c := range map[string]struct{ image, want string }{
		"attributes in any order":   {`{"b":{"S":""},"a":{"S":""},"":{"NULL":true}}`, `{"":{"NULL":true},"a":{"S":""},"b":{"S":""}}`},
		"white space":               {" { \"a\" :\n{ \"L\" : [ { \"BOOL\" : false } , { \"M\" : { } } ] } } ", `{"a":{"L":[{"BOOL":false},{"M":{}}]}}`},
		"escapes nobody needs":      {`{"\u0061\/":{"S":"\u00e9\u0022\ud83d\ude00\u000a"}}`, `{"a/":{"S":"é\"😀\n"}}`},
		"escapes that must be":      {`{"\"\\":{"S":"\u0000\u001F\b\f\t\r"}}`, `{"\"\\":{"S":"\u0000\u001f\b\f\t\r"}}`},
		"a backslash before a u":    {`{"a":{"S":"\\ud83d\\ude00"}}`, `{"a":{"S":"\\ud83d\\ude00"}}`},
		"half a surrogate pair":     {`{"a":{"S":"\uD83D\u0041\uDE00"}}`, `{"a":{"S":"\ud83dA\ude00"}}`},
		"bytes that are no UTF-8":   {"{\"a\":{\"S\":\"\xff\"}}", "{\"a\":{\"S\":\"\xff\"}}"},
		"numbers":                   {`{"a":{"L":[{"N":"1.0"},{"N":"-0"},{"N":"1e3"},{"N":"0.10"},{"N":"00.5e-3"},{"N":"-12.50E1"}]}}`, `{"a":{"L":[{"N":"1"},{"N":"0"},{"N":"1000"},{"N":"0.1"},{"N":"0.0005"},{"N":"-125"}]}}`},
		"the service's limits":      {`{"a":{"NS":["9.9e125","1e-130"]}}`, `{"a":{"NS":["0.` + strings.Repeat("0", 129) + `1","99` + strings.Repeat("0", 124) + `"]}}`},
		"numbers beyond the limits": {`{"a":{"NS":["10e99998","0.1e-9999","-25e2000"]}}`, `{"a":{"NS":["-25E2000","1E-10000","1E99999"]}}`},
		"sets in any order":         {`{"a":{"SS":["b","a"]},"b":{"NS":["2","10","1.0"]},"c":{"BS":["/w==","AA=="]}}`, `{"a":{"SS":["a","b"]},"b":{"NS":["1","10","2"]},"c":{"BS":["/w==","AA=="]}}`},
		"base64 with spare bits":    {`{"a":{"B":"AP9="}}`, `{"a":{"B":"AP8="}}`},
		"a list keeps its order":    {`{"a":{"L":[{"S":"b"},{"S":"a"}]}}`, `{"a":{"L":[{"S":"b"},{"S":"a"}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Canonical([]byte(c.image))
			if err != nil || string(got) != c.want {
				t.Fatalf("got %s, %v\nwant %s", got, err, c.want)
			}
			again, err := Canonical(got)
			if err != nil || string(again) != c.want {
				t.Errorf("its own canonical form is another: %s, %v", again, err)
			}
		})
	}
}

func TestCanonicalRefusesWhatIsNoImage(t *testing.T) {
	for image, want := range map[string]string{
		``: "not JSON", `{`: "not JSON", `{"a":{"S":"\x"}}`: "not JSON",
		`[]`: "want {", `5`: "want {", `{"a":null}`: "want {", `{"a":"b"}`: "want {",
		`{"a":{}}`: "without a type", `{"a":{"S":"","N":"1"}}`: "two types", `{"a":{"Q":""}}`: "unknown attribute type",
		`{"a":{"S":""},"\u0061":{"S":""}}`: "twice", `{"m":{"M":{"a":{"S":""},"a":{"S":""}}}}`: "twice",
		`{"a":{"S":1}}`: "want a string", `{"a":{"N":1}}`: "want a string", `{"a":{"N":"x"}}`: "malformed number",
		`{"a":{"B":"x"}}`: "malformed base64", `{"a":{"B":"AAAA\n"}}`: "malformed base64", `{"a":{"BOOL":1}}`: "true or false",
		`{"a":{"SS":"x"}}`: "want [", `{"a":{"L":{}}}`: "want [", `{"a":{"M":[]}}`: "want {", `{"a":{"NS":["1","x"]}}`: "malformed number",
		`{"a":` + strings.Repeat(`{"L":[`, 65) + strings.Repeat(`]}`, 65) + `}`: "nested too deep",
	} {
		got, err := Canonical([]byte(image))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "canonical form of an image: ") {
			t.Errorf("%.60s: got %s, %v; want an error with %q", image, got, err, want)
		}
	}
}

func TestRebuildItemPutsKeyAndRestTogether(t *testing.T) {
	keys := KeySchema{Hash: KeyAttr{`h"`, 'S'}, Range: KeyAttr{"r", 'N'}}
	text := func(s string) KeyValue { return KeyValue{Bytes: []byte(s), Exact: true} }
	number := func(s string) KeyValue {
		dec, ok := ParseDecimal(s)
		return KeyValue{Dec: dec, Exact: ok}
	}
	null := KeyValue{}
	for name, c := range map[string]struct {
		keys      KeySchema
		hash, rng KeyValue
		rest      string
		want, err string
	}{
		"all from columns":            {keys, text("a\n\"é"), number("1.5"), ``, `{"h\"":{"S":"a\n\"é"},"r":{"N":"1.5"}}`, ""},
		"with other attributes":       {keys, text("a"), number("-3"), `{"x":{"S":""},"a":{"N":"1.0"}}`, `{"a":{"N":"1"},"h\"":{"S":"a"},"r":{"N":"-3"},"x":{"S":""}}`, ""},
		"an empty rest":               {keys, text(""), number("0"), `{}`, `{"h\"":{"S":""},"r":{"N":"0"}}`, ""},
		"a key from the rest":         {keys, text("a"), null, `{"r":{"N":"1e100"}}`, `{"h\"":{"S":"a"},"r":{"N":"1` + strings.Repeat("0", 100) + `"}}`, ""},
		"both from the rest, escaped": {keys, null, null, `{"\u0072":{"N":"1.0"},"\u0068\u0022":{"S":"\ud800"}}`, `{"h\"":{"S":"\ud800"},"r":{"N":"1"}}`, ""},
		"binary, without a sort key":  {KeySchema{Hash: KeyAttr{"b", 'B'}}, text("\x00\xff"), null, `{"r":{"S":""}}`, `{"b":{"B":"AP8="},"r":{"S":""}}`, ""},
		"a key nowhere":               {keys, text("a"), null, `{"x":{"S":""}}`, "", "neither in its column nor in _rest"},
		"a key in both":               {keys, text("a"), number("1"), `{"r":{"N":"1"}}`, "", "both in its column and in _rest"},
		"a key of another type":       {keys, text("a"), null, `{"r":{"S":"1"}}`, "", "another type"},
		"a rest that is none":         {keys, text("a"), number("1"), `{"x":1}`, "", "_rest: want {"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := RebuildItem(c.keys, c.hash, c.rng, []byte(c.rest))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %s, %v; want an error with %q", got, err, c.err)
				}
				return
			}
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}
