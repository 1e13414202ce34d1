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

// keywords are words of the grammar itself; the rest of the reserved words only
// cannot be names.
var keywords = map[string]bool{"and": true, "or": true, "not": true, "between": true, "in": true}

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
			rest := strings.TrimLeft(s[i+1:], " ")
			end := len(s) - len(rest)
			if more, err := lex(which, rest); err == nil && len(more) > 0 {
				end += len(more[0].text)
			}
			if len(out) > 0 {
				start = out[len(out)-1].pos
			}
			return nil, invalid("Invalid %s: Syntax error; token: %q, near: %q", which, string(c), s[start:end])
		}
	}
	return out, nil
}

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
	from, to := 0, len(p.src)
	if p.at > 0 {
		from = p.toks[min(p.at, len(p.toks))-1].pos
	}
	if next := p.at + 1; next < len(p.toks) {
		to = p.toks[next].pos + len(p.toks[next].text)
	}
	return invalid("Invalid %s: Syntax error; token: %q, near: %q", p.which, t.text, p.src[from:to])
}

func (p *parser) expect(symbol string) error {
	if !p.take(symbol) {
		return p.syntax()
	}
	return nil
}
