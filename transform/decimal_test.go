package transform

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseDecimalTakesWhatItNeedNotRound(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{ // "" for not ok
		"0": "0", "-0": "0", "0.000": "0", "00": "0", "0e5": "0", "0e99999": "0",
		"1": "1", "-1": "-1", "+1": "1", "01": "1", "1.": "1", ".5": "0.5", "1.50": "1.5",
		"1e2": "100", "1E+2": "100", "150e-2": "1.5", "1e-9": "0.000000001", "1e-10": "",
		"10e-10":                                 "0.000000001",
		"1e28":                                   "1" + strings.Repeat("0", 28),
		"1e29":                                   "",
		nines:                                    "",
		nines + "e-9":                            nines[:29] + "." + nines[:9],
		"-" + nines + "e-9":                      "-" + nines[:29] + "." + nines[:9],
		nines + "0e-10":                          nines[:29] + "." + nines[:9],
		nines + "1e-10":                          "",
		"1" + strings.Repeat("0", 100):           "",
		"1" + strings.Repeat("0", 100) + "e-100": "1",
		"0." + strings.Repeat("0", 100) + "1e101": "1",
		"": "", "-": "", ".": "", "e1": "", "1e": "", "1e+": "", "1e123456": "", "1x": "", "1.2.3": "", "1 ": "", "0x1": "", "NaN": "",
	} {
		dec, ok := ParseDecimal(text)
		got := ""
		if ok {
			got = FormatDecimal(dec)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if !ok && dec != [16]byte{} {
			t.Errorf("%q: not ok, but not zero", text)
		}
	}
}

func TestDecimalIsBigEndianTwosComplement(t *testing.T) {
	for text, want := range map[string]string{
		"0.000000001":  "00000000000000000000000000000001",
		"-0.000000001": "ffffffffffffffffffffffffffffffff",
		"1":            "0000000000000000000000003b9aca00",
		"99999999999999999999999999999.999999999": "4b3b4ca85a86c47a098a223fffffffff",
	} {
		dec, _ := ParseDecimal(text)
		if got := fmt.Sprintf("%x", dec); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestDecimalAgreesWithBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 20_000 {
		// Any 16 bytes format; those of at most 38 digits also come back.
		var dec [16]byte
		for i := r.IntN(17); i < 16; i++ {
			dec[i] = byte(r.Uint32())
		}
		if r.IntN(2) == 0 && dec[0] == 0 {
			for i := range dec {
				dec[i] = ^dec[i]
			}
		}
		units := new(big.Int).SetBytes(dec[:])
		if dec[0]&0x80 != 0 {
			units.Sub(units, new(big.Int).Lsh(big.NewInt(1), 128))
		}
		want := new(big.Rat).SetFrac(units, big.NewInt(1e9)).FloatString(9)
		want = strings.TrimSuffix(strings.TrimRight(want, "0"), ".")
		if got := FormatDecimal(dec); got != want {
			t.Fatalf("%x: got %s, want %s", dec, got, want)
		}
		back, ok := ParseDecimal(want)
		if fits := len(new(big.Int).Abs(units).String()) <= 38; ok != fits || ok && back != dec {
			t.Fatalf("%s: back is %x %t, was %x", want, back, ok, dec)
		}
		if n, ok := normalNumber(want); !ok || n != want {
			t.Fatalf("%s: as a normal number it is %s", want, n)
		}
	}
}
