package awssim

import (
	"math/big"
	"strconv"
	"strings"
)

// A number is neg? * digits * 10^exp, with neither leading nor trailing zeros in
// digits; zero has none.
type number struct {
	neg    bool
	digits string
	exp    int
}

func parseNumber(s string) (number, error) {
	bad := func() (number, error) {
		return number{}, invalid("The parameter cannot be converted to a numeric value: %s", s)
	}
	var n number
	rest := s
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.neg = rest[0] == '-'
		rest = rest[1:]
	}
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		e, err := strconv.Atoi(rest[i+1:])
		if err != nil || e > 1<<20 || e < -1<<20 {
			return bad()
		}
		n.exp = e
		rest = rest[:i]
	}
	whole, frac, dot := strings.Cut(rest, ".")
	if whole+frac == "" || dot && frac == "" && whole == "" {
		return bad()
	}
	digits := whole + frac
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return bad()
		}
	}
	n.exp -= len(frac)
	n.digits = strings.TrimLeft(digits, "0")
	short := strings.TrimRight(n.digits, "0")
	n.exp += len(n.digits) - len(short)
	n.digits = short
	return n, n.check()
}

func (n *number) check() error {
	if n.digits == "" {
		*n = number{}
		return nil
	}
	top := n.exp + len(n.digits) - 1
	switch {
	case len(n.digits) > 38:
		return invalid("Attempting to store more than 38 significant digits in a Number")
	case top > 125:
		return invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case top < -130:
		return invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return nil
}

// String is the canonical text: plain digits, no exponent, no needless zero.
func (n number) String() string {
	if n.digits == "" {
		return "0"
	}
	var s string
	switch point := len(n.digits) + n.exp; {
	case n.exp >= 0:
		s = n.digits + strings.Repeat("0", n.exp)
	case point > 0:
		s = n.digits[:point] + "." + n.digits[point:]
	default:
		s = "0." + strings.Repeat("0", -point) + n.digits
	}
	if n.neg {
		s = "-" + s
	}
	return s
}

// canonicalNumber returns the text under which equal numbers are equal.
func canonicalNumber(s string) (string, error) {
	if len(s) > 0 && len(s) < 19 && s[0] >= '1' && s[0] <= '9' && allDigits(s) {
		return s, nil
	}
	n, err := parseNumber(s)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// compareNumbers compares canonical texts.
func compareNumbers(a, b string) int {
	an, bn := a[0] == '-', b[0] == '-'
	switch {
	case an && bn:
		return compareNumbers(b[1:], a[1:])
	case an:
		return -1
	case bn:
		return 1
	}
	aw, af, _ := strings.Cut(a, ".")
	bw, bf, _ := strings.Cut(b, ".")
	if len(aw) != len(bw) {
		if len(aw) < len(bw) {
			return -1
		}
		return 1
	}
	if c := strings.Compare(aw, bw); c != 0 {
		return c
	}
	return strings.Compare(af, bf)
}

// addNumbers returns a + sign*b in canonical text.
func addNumbers(a, b string, sign int64) (string, error) {
	if len(a) < 18 && len(b) < 18 {
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		if errX == nil && errY == nil {
			return strconv.FormatInt(x+sign*y, 10), nil
		}
	}
	x, err := parseNumber(a)
	if err != nil {
		return "", err
	}
	y, err := parseNumber(b)
	if err != nil {
		return "", err
	}
	exp := min(x.exp, y.exp)
	sum := new(big.Int).Mul(y.scaled(exp), big.NewInt(sign))
	sum.Add(sum, x.scaled(exp))
	n, err := parseNumber(sum.String() + "e" + strconv.Itoa(exp))
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

func (n number) scaled(exp int) *big.Int {
	i := new(big.Int)
	i.SetString("0"+n.digits+strings.Repeat("0", max(0, n.exp-exp)), 10)
	if n.neg {
		i.Neg(i)
	}
	return i
}
