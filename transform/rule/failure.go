package rule

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Failure is an expression that failed on an item.
type Failure struct {
	What   string // which expression
	Reason string // holds no item content
}

func (f *Failure) Error() string { return f.What + ": " + f.Reason }

func (p *program) failure(reason string) error { return &Failure{p.what, reason} }

// eval evaluates the expression.
func (p *program) eval(v *variables) (ref.Val, error) {
	v.item.want, v.old.want = p.names["item"].Attrs, p.names["old"].Attrs
	v.item.got, v.old.got = nil, nil
	out, _, err := p.Eval(v)
	if err == nil {
		return out, nil
	}
	var cancelled interpreter.EvalCancelledError
	if errors.As(err, &cancelled) || errors.Is(err, errGrows) {
		return nil, p.failure("it costs more than its limit")
	}
	return nil, p.failure(p.words(err.Error()))
}

var quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?`)

// words are an error of CEL without content of items, which it may quote.
func (p *program) words(text string) string {
	const noKey = "no such key"
	if i := strings.Index(text, noKey); i >= 0 {
		name := strings.TrimPrefix(text[i:], noKey+": ")
		for _, n := range p.names {
			if slices.Contains(n.Attrs, name) {
				return noKey + ": " + name + "; ask has() first where it may be missing"
			}
		}
		return noKey
	}
	for _, known := range []string{
		"no such overload", "division by zero", "modulus by zero", "integer overflow", "timestamp overflow", "duration overflow",
		"index out of bounds", "text of a", "text and compare", "compare of", "a number beyond", "malformed base64", "the key of a lookup", "no such index",
	} {
		if strings.HasPrefix(text, known) {
			if known == "index out of bounds" { // the index behind it may be of the item
				return known
			}
			return quotedText.ReplaceAllString(text, "...")
		}
	}
	return "a function refuses the value that it is given"
}
