package awssim

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzStringsSurviveTheWire(f *testing.F) {
	for _, s := range []string{"", "plain", "12345678", "1234567\"", "\\1234567", "\x00\x1f\n\r\t", "é€😀", "sixteen bytes ok\x01", "\u2028</script>", strings.Repeat("x", 40) + "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip()
		}
		wire := appendString(nil, s)
		var theirs string
		if err := json.Unmarshal(wire, &theirs); err != nil || theirs != s {
			t.Errorf("%q is written as %s, read as %q, error %v", s, wire, theirs, err)
		}
		escaped, _ := json.Marshal(s)
		for _, w := range [][]byte{wire, escaped} {
			if n, err := parseJSON(w); err != nil || n.text() != s {
				t.Errorf("%s is read as %q, error %v", w, n.text(), err)
			}
		}
	})
}

func FuzzWhatIsReadIsJSON(f *testing.F) {
	for _, s := range []string{`{}`, `[1,-2.5e3,true,false,null,"a"]`, `{"a":{"b":[{"c":"\u00e9\ud83d\ude00"}]}}`, `{"a":1,}`, `[1`, `"\x"`, ``, ` [ ] `, `{"a" 1}`, `tru`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseJSON([]byte(s))
		if json.Valid([]byte(s)) && utf8.ValidString(s) && strings.Count(s, "[")+strings.Count(s, "{") < 100 && err != nil {
			t.Errorf("%q: %v", s, err)
		}
		_ = n.append(nil) // must not panic
	})
}

func FuzzNumbersKeepTheirValue(f *testing.F) {
	for _, s := range [][2]string{{"0", "1"}, {"-1.50", "1.5"}, {"1e10", "-0.001"}, {"99999999999999999999999999999999999999", "1"}, {"123456789012345678", "987654321098765432"}, {"5.", ".5"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 200 || len(b) > 200 {
			t.Skip()
		}
		x, errX := canonicalNumber(a)
		y, errY := canonicalNumber(b)
		if errX != nil || errY != nil {
			t.Skip()
		}
		rx, ok := new(big.Rat).SetString(a)
		ry, ok2 := new(big.Rat).SetString(b)
		if !ok || !ok2 {
			t.Fatalf("%q or %q is taken for a number", a, b)
		}
		if back, _ := new(big.Rat).SetString(x); back.Cmp(rx) != 0 {
			t.Errorf("%q became %q", a, x)
		}
		if again, err := canonicalNumber(x); err != nil || again != x {
			t.Errorf("%q has the spellings %q and %q", a, x, again)
		}
		if got, want := compareNumbers(x, y), rx.Cmp(ry); got != want {
			t.Errorf("%q against %q: %d, want %d", x, y, got, want)
		}
		if sum, err := addNumbers(x, y, -1); err == nil {
			if r, _ := new(big.Rat).SetString(sum); r.Cmp(new(big.Rat).Sub(rx, ry)) != 0 {
				t.Errorf("%q - %q = %q", x, y, sum)
			}
		}
	})
}
