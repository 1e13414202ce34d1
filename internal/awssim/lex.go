package awssim

import (
	_ "embed"
	"strings"
	"sync"
)

// A token of an expression: a word, a #name, a :value, an index or a symbol.
type token struct {
	kind byte // 'w', '#', ':', '0', or 'o' for a symbol; 0 at the end
	text string
	pos  int
}

//go:embed reserved.txt
var reservedText string

// reserved is the documented list of words that cannot stand for an attribute.
var reserved = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(reservedText) {
		set[w] = true
	}
	return set
})

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// lex splits the text of an expression; which names the parameter in errors.
func lex(which, s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case isLetter(c) || c == '_':
			for i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '_') {
				i++
			}
			out = append(out, token{'w', s[start:i], start})
		case c == '#' || c == ':':
			for i++; i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '_'); i++ {
			}
			out = append(out, token{c, s[start:i], start})
		case isDigit(c):
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			out = append(out, token{'0', s[start:i], start})
		case strings.HasPrefix(s[i:], "<>") || strings.HasPrefix(s[i:], "<=") || strings.HasPrefix(s[i:], ">="):
			i += 2
			out = append(out, token{'o', s[start:i], start})
		case strings.IndexByte("=<>(),.[]+-", c) >= 0:
			i++
			out = append(out, token{'o', s[start:i], start})
		default:
			return nil, invalid("Invalid %s: Syntax error; token: %q, near: %q", which, string(c), near(s, i))
		}
	}
	return out, nil
}

func near(s string, at int) string { return s[max(0, at-8):min(len(s), at+8)] }

// A parser walks the tokens of one expression and notes the placeholders it meets.
type parser struct {
	which  string
	src    string
	toks   []token
	at     int
	names  []string
	values []string
}

func (p *parser) peek() token {
	if p.at < len(p.toks) {
		return p.toks[p.at]
	}
	return token{pos: len(p.src), text: "<EOF>"}
}

func (p *parser) next() token {
	t := p.peek()
	p.at++
	return t
}

// take consumes the symbol if it is next.
func (p *parser) take(symbol string) bool {
	if t := p.peek(); t.kind == 'o' && t.text == symbol {
		p.at++
		return true
	}
	return false
}

// word consumes the keyword if it is next, in any case.
func (p *parser) word(keyword string) bool {
	if t := p.peek(); t.kind == 'w' && strings.EqualFold(t.text, keyword) {
		p.at++
		return true
	}
	return false
}

func (p *parser) syntax() error {
	t := p.peek()
	return invalid("Invalid %s: Syntax error; token: %q, near: %q", p.which, t.text, near(p.src, t.pos))
}

func (p *parser) expect(symbol string) error {
	if !p.take(symbol) {
		return p.syntax()
	}
	return nil
}
