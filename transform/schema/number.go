package schema

import (
	"math"
	"math/bits"
	"strconv"
)

// canonical tells how a number's text stands to what a column gives back: digits, a
// minus before them, no zeros in front or at the end of a fraction, no negative zero,
// no exponent. whole and fraction count the digits, whole without a lone zero.
func canonical(text []byte) (negative bool, whole, fraction int, ok bool) {
	i := 0
	if len(text) > 0 && text[0] == '-' {
		negative = true
		i++
	}
	from := i
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	whole = i - from
	if whole == 0 || whole > 1 && text[from] == '0' {
		return negative, 0, 0, false
	}
	if text[from] == '0' {
		whole = 0
	}
	if i < len(text) {
		if text[i] != '.' {
			return negative, 0, 0, false
		}
		i++
		point := i
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
		fraction = i - point
		if i < len(text) || fraction == 0 || text[i-1] == '0' {
			return negative, 0, 0, false
		}
	}
	return negative, whole, fraction, !negative || whole+fraction > 0
}

var powers = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// decimal reads a number as an integer of at most 38 digits in units of 10^-scale.
func decimal(text []byte, precision, scale int) (low, high int64, m Misfit) {
	negative, whole, fraction, ok := canonical(text)
	if !ok {
		return 0, 0, Spelling
	}
	if fraction > scale || whole > precision-scale {
		return 0, 0, TooLarge
	}
	if whole+scale <= 18 {
		u := uint64(0)
		for _, c := range text {
			if c -= '0'; c <= 9 {
				u = u*10 + uint64(c)
			}
		}
		low = int64(u * powers[scale-fraction])
		if negative {
			low = -low
		}
		return low, low >> 63, Fits
	}
	low, high = wideDecimal(text, scale-fraction, negative)
	return low, high, Fits
}

// wideDecimal reads the digits of up to 38, and shift zeros behind them.
func wideDecimal(text []byte, shift int, negative bool) (low, high int64) {
	var hi, lo uint64
	part, digits := uint64(0), 0 // digits of a part that hi and lo do not have yet
	flush := func() {
		var carry uint64
		over, product := bits.Mul64(lo, powers[digits])
		lo, carry = bits.Add64(product, part, 0)
		hi = hi*powers[digits] + over + carry
		part, digits = 0, 0
	}
	for _, c := range text {
		if c -= '0'; c <= 9 {
			part = part*10 + uint64(c)
			if digits++; digits == 19 {
				flush()
			}
		}
	}
	for shift > 0 {
		n := min(shift, 19-digits)
		part *= powers[n]
		digits += n
		if shift -= n; digits == 19 {
			flush()
		}
	}
	if hi == 0 && lo == 0 {
		lo = part
	} else {
		flush()
	}
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	return int64(lo), int64(hi)
}

// int64Of reads a whole number.
func int64Of(text []byte) (v int64, m Misfit) {
	negative, whole, fraction, ok := canonical(text)
	switch {
	case !ok:
		return 0, Spelling
	case fraction > 0 || whole > 19:
		return 0, TooLarge
	}
	u := uint64(0)
	if negative {
		text = text[1:]
	}
	for _, c := range text {
		u = u*10 + uint64(c-'0') // 19 digits always fit
	}
	switch {
	case negative && u <= 1<<63:
		return -int64(u), Fits
	case !negative && u < 1<<63:
		return int64(u), Fits
	}
	return 0, TooLarge
}

// doubleOf reads a number, Rounded if it would be written otherwise. It allocates
// nothing: the conversion to a string stays on the stack.
func doubleOf(text []byte) (floatBits int64, m Misfit) {
	if len(text) > 400 {
		return 0, TooLarge
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, TooLarge
	}
	var buf [512]byte
	if string(strconv.AppendFloat(buf[:0], v, 'f', -1, 64)) != string(text) {
		return int64(math.Float64bits(v)), Rounded
	}
	return int64(math.Float64bits(v)), Fits
}
