package transform

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Key numbers are decimal(38,9): an integer of at most 38 digits, in units of
// 10^-9, as 16 bytes of big-endian two's complement. That is how Parquet stores
// it in a fixed-length byte array.
const (
	decimalDigits = 38
	decimalScale  = 9
)

// FormatDecimal is the canonical text of a decimal(38,9): no exponent, no
// leading zeros, no zeros at the end of a fraction, no negative zero.
func FormatDecimal(dec [16]byte) string {
	var buf [48]byte
	return string(appendDecimal(buf[:0], dec))
}

// ParseDecimal reads a number as DynamoDB writes it, exponents included. It is
// not ok when the text is no number or when decimal(38,9) would round it.
func ParseDecimal[T string | []byte](digits T) (dec [16]byte, ok bool) {
	n, ok := splitNumber(digits)
	if !ok {
		return dec, false
	}
	// value = coefficient * 10^exponent, where the coefficient does not end in
	// zero; so a negative shift would cut off a digit.
	var hi, lo uint64
	significant, zeros := 0, 0
	for i := n.from; i < n.to; i++ {
		c := digits[i]
		switch {
		case c == '.':
		case c == '0':
			zeros++
		default:
			if significant > 0 {
				significant += zeros
			}
			significant++
			if significant > decimalDigits {
				return dec, false
			}
			if hi|lo != 0 {
				for range zeros {
					hi, lo = timesTen(hi, lo, 0)
				}
			}
			zeros = 0
			hi, lo = timesTen(hi, lo, uint64(c-'0'))
		}
	}
	if significant == 0 {
		return dec, true
	}
	shift := n.exponent - n.fraction + zeros + decimalScale
	if shift < 0 || significant+shift > decimalDigits {
		return dec, false
	}
	for range shift {
		hi, lo = timesTen(hi, lo, 0)
	}
	if n.negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	binary.BigEndian.PutUint64(dec[:8], hi)
	binary.BigEndian.PutUint64(dec[8:], lo)
	return dec, true
}

// timesTen is v*10 + digit on 128 bits.
func timesTen(hi, lo, digit uint64) (uint64, uint64) {
	carry, low := bits.Mul64(lo, 10)
	low, c := bits.Add64(low, digit, 0)
	return hi*10 + carry + c, low
}

func appendDecimal(dst []byte, dec [16]byte) []byte {
	hi, lo := binary.BigEndian.Uint64(dec[:8]), binary.BigEndian.Uint64(dec[8:])
	if hi>>63 != 0 {
		dst = append(dst, '-')
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	// Any 16 bytes must format, also those of more than 38 digits: 9 digits behind
	// the point, 18 in front of it, and the rest, which 64 bits hold.
	hi, lo, fraction := divide(hi, lo, 1e9)
	_, lo, low := divide(hi, lo, 1e18)
	if lo == 0 {
		dst = strconv.AppendUint(dst, low, 10)
	} else {
		dst = strconv.AppendUint(dst, lo, 10)
		dst = appendPadded(dst, low, 18)
	}
	if fraction != 0 {
		dst = append(dst, '.')
		dst = appendPadded(dst, fraction, 9)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return dst
}

func divide(hi, lo, by uint64) (qhi, qlo, remainder uint64) {
	qlo, remainder = bits.Div64(hi%by, lo, by)
	return hi / by, qlo, remainder
}

// appendPadded appends v with leading zeros, width digits in all.
func appendPadded(dst []byte, v uint64, width int) []byte {
	at := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := at + width - 1; v != 0; i-- {
		dst[i] = '0' + byte(v%10)
		v /= 10
	}
	return dst
}
