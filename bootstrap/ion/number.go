package ion

import (
	"strconv"
	"strings"
)

// plainZeros is how many zeros a number may need before it is written with an
// exponent. DynamoDB's own numbers, from 1E-130 to 9.9...E+125, stay below.
const plainZeros = 140

// appendNumber writes digits * 10^exponent as DynamoDB does: plain, without a zero
// that says nothing. The digits may have a sign.
func appendNumber(dst []byte, digits string, exponent int) []byte {
	digits, negative := strings.CutPrefix(digits, "-")
	digits = strings.TrimLeft(digits, "0")
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	if short == "" {
		return append(dst, '0')
	}
	if negative {
		dst = append(dst, '-')
	}
	whole := len(short) + exponent // digits in front of the point
	switch {
	case exponent > plainZeros || whole < -plainZeros:
		dst = append(append(dst, short...), 'E')
		return strconv.AppendInt(dst, int64(exponent), 10)
	case exponent >= 0:
		return appendZeros(append(dst, short...), exponent)
	case whole > 0:
		dst = append(append(dst, short[:whole]...), '.')
		return append(dst, short[whole:]...)
	}
	return append(appendZeros(append(dst, "0."...), -whole), short...)
}

func appendZeros(dst []byte, n int) []byte {
	return append(dst, strings.Repeat("0", n)...)
}

// appendFloat does so with the fewest digits that tell the float from all others.
func appendFloat(dst []byte, f float64) []byte {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	e, _ := strconv.Atoi(exponent)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return appendNumber(dst, whole+fraction, e-len(fraction))
}
