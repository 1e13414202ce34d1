package transform

import "encoding/base64"

// base64 reads the string of a B.
func (s *scanner) base64(i int) int {
	text, end := s.text(i)
	if end < 0 {
		return end
	}
	if !isBase64(text) {
		return s.fail(i, "malformed base64 in a B")
	}
	return end
}

// base64Digit has the alphabet's members set.
var base64Digit = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
	}
	return set
}()

// isBase64 tells whether text is padded standard base64.
func isBase64(text []byte) bool {
	n := len(text)
	if n%4 != 0 {
		return false
	}
	if n > 0 && text[n-1] == '=' {
		n--
		if text[n-1] == '=' {
			n--
		}
	}
	for _, c := range text[:n] {
		if !base64Digit[c] {
			return false
		}
	}
	return true
}

// decodeBase64 writes the bytes of checked base64 into the arena. It tells
// whether an encoder would write the same text: the last digit may have bits
// that are not used.
func (s *scanner) decodeBase64(text []byte) (data []byte, canonical bool) {
	arena := s.page.room(base64.StdEncoding.DecodedLen(len(text)))
	data = arena[len(arena):cap(arena)]
	n, err := base64.StdEncoding.Strict().Decode(data, text)
	if canonical = err == nil; !canonical {
		n, _ = base64.StdEncoding.Decode(data, text)
	}
	s.page.arena = arena[:len(arena)+n]
	return data[:n:n], canonical
}
