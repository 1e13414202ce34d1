package adapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var errCut = errors.New("the JSON is cut short or malformed")

// scanner walks over JSON without decoding it, once: encoding/json reads each
// byte of a page four times on the way to a json.RawMessage, which costs more
// than the SDK's own decoding. It finds where values begin and end, and leaves
// what is inside to whoever looks inside.
type scanner struct {
	text []byte
	i    int // where the next value, or white space before it, begins
}

// members reads an object. It calls each at the beginning of every member's
// value, which each reads or leaves to be skipped.
func (s *scanner) members(each func(name []byte) error) error {
	return s.list('{', '}', func() error {
		name, err := s.value()
		if err != nil || name[0] != '"' {
			return errCut
		}
		if bytes.IndexByte(name, '\\') < 0 {
			name = name[1 : len(name)-1]
		} else {
			var plain string
			if err := json.Unmarshal(name, &plain); err != nil {
				return fmt.Errorf("a member's name: %w", err)
			}
			name = []byte(plain)
		}
		if s.blank() != ':' {
			return errCut
		}
		s.i++
		s.blank()
		return s.each(func() error { return each(name) })
	})
}

// elements reads an array. It calls each at the beginning of every element,
// which each reads or leaves to be skipped.
func (s *scanner) elements(each func() error) error {
	return s.list('[', ']', func() error { return s.each(each) })
}

func (s *scanner) each(visit func() error) error {
	begin := s.i
	if err := visit(); err != nil || s.i != begin {
		return err
	}
	_, err := s.value()
	return err
}

// list reads from one bracket to the other and calls item at each item.
func (s *scanner) list(opens, closes byte, item func() error) error {
	if s.blank() != opens {
		return fmt.Errorf("want %q: %w", opens, errCut)
	}
	s.i++
	if s.blank() == closes {
		s.i++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch s.blank() {
		case closes:
			s.i++
			return nil
		case ',':
			s.i++
			s.blank()
		default:
			return errCut
		}
	}
}

// blank skips white space and returns the byte behind it, 0 at the end.
func (s *scanner) blank() byte {
	for ; s.i < len(s.text); s.i++ {
		switch c := s.text[s.i]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// value reads a value of any kind and returns its text. The brackets in it
// balance, but are not told apart.
func (s *scanner) value() ([]byte, error) {
	s.blank()
	text, depth := s.text, 0
	for i := s.i; i < len(text); {
		ends := false
		switch text[i] {
		case '"':
			if i = closingQuote(text, i); i < 0 {
				return nil, errCut
			}
			i++
			ends = depth == 0
		case '{', '[':
			depth++
			i++
		case '}', ']':
			// At depth 0 it is the end of a number, true, false or null inside a list.
			if ends = depth == 0; !ends {
				i++
				depth--
				ends = depth == 0
			}
		case ',', ':', ' ', '\n', '\t', '\r':
			if ends = depth == 0; !ends {
				i++
			}
		default:
			i++
		}
		if ends {
			begin := s.i
			if s.i = i; begin == i {
				return nil, errCut
			}
			return text[begin:i:i], nil
		}
	}
	return nil, errCut
}

// closingQuote returns where the string ends whose first quote is at i, or -1.
func closingQuote(text []byte, i int) int {
	for from := i + 1; ; {
		next := bytes.IndexByte(text[from:], '"')
		if next < 0 {
			return -1
		}
		quote := from + next
		escapes := 0
		for text[quote-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return quote
		}
		from = quote + 1
	}
}
