package transform

import (
	"strconv"
	"strings"
)

// number is the parts of a number's text.
type number struct {
	from, to int // the digits, with the point among them
	fraction int // digits behind the point
	exponent int
	negative bool
}

// maxExponentDigits bounds what is read as an exponent; DynamoDB's own numbers
// end at 10^125.
const maxExponentDigits = 5

// splitNumber reads an optional sign, digits with an optional point, and an
// optional exponent. It takes a little more than the service writes ("+1", "01",
// ".5", "5."), because a number of any spelling is kept as it stands.
func splitNumber[T string | []byte](s T) (n number, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		n.negative = s[i] == '-'
		i++
	}
	n.from = i
	digits, point := 0, false
	for ; i < len(s); i++ {
		if c := s[i]; c >= '0' && c <= '9' {
			digits++
			if point {
				n.fraction++
			}
		} else if c == '.' && !point {
			point = true
		} else {
			break
		}
	}
	n.to = i
	if digits == 0 {
		return n, false
	}
	if i == len(s) {
		return n, true
	}
	if s[i] != 'e' && s[i] != 'E' {
		return n, false
	}
	i++
	minus := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		minus = s[i] == '-'
		i++
	}
	if i == len(s) || len(s)-i > maxExponentDigits {
		return n, false
	}
	for ; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return n, false
		}
		n.exponent = n.exponent*10 + int(s[i]-'0')
	}
	if minus {
		n.exponent = -n.exponent
	}
	return n, true
}

// plainZeros is how many zeros a normal number may need before it is written with
// an exponent. DynamoDB's own numbers stay below.
const plainZeros = 140

// normalNumber is the one spelling of a number: no plus, no zeros that say
// nothing, no negative zero, an exponent only far beyond DynamoDB's range.
func normalNumber(s string) (string, bool) {
	n, ok := splitNumber(s)
	if !ok {
		return "", false
	}
	digits := strings.Replace(s[n.from:n.to], ".", "", 1)
	exponent := n.exponent - n.fraction
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	digits = strings.TrimLeft(trimmed, "0")
	if digits == "" {
		return "0", true
	}
	sign := ""
	if n.negative {
		sign = "-"
	}
	whole := len(digits) + exponent // digits in front of the point
	switch {
	case exponent > plainZeros || whole < -plainZeros:
		return sign + digits + "E" + strconv.Itoa(exponent), true
	case exponent >= 0:
		return sign + digits + strings.Repeat("0", exponent), true
	case whole > 0:
		return sign + digits[:whole] + "." + digits[whole:], true
	default:
		return sign + "0." + strings.Repeat("0", -whole) + digits, true
	}
}
