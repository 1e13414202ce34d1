package awssim

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// A cond is a node of a condition, filter or key condition.
type cond struct {
	op   string // and, or, not, a comparator, between, in, or a function
	args []operand
	kids []*cond
}

// An operand is a path, a placeholder, or a function of them.
type operand struct {
	op   byte // 'p' path, 'v' value, 's' size, '+', '-', 'i' if_not_exists, 'l' list_append
	path path
	name string // of the placeholder, with its colon
	a, b *operand
}

func (p *parser) or() (*cond, error) { return p.chain("or", p.and) }

func (p *parser) and() (*cond, error) { return p.chain("and", p.not) }

func (p *parser) chain(op string, part func() (*cond, error)) (*cond, error) {
	c, err := part()
	for err == nil && p.word(op) {
		var more *cond
		if more, err = part(); err == nil {
			c = &cond{op: op, kids: []*cond{c, more}}
		}
	}
	return c, err
}

func (p *parser) not() (*cond, error) {
	if p.word("not") {
		c, err := p.not()
		return &cond{op: "not", kids: []*cond{c}}, err
	}
	return p.primary()
}

// functions are those that are conditions by themselves, by how many operands they take.
var functions = map[string]int{"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}

func (p *parser) primary() (*cond, error) {
	if p.take("(") {
		c, err := p.or()
		if err != nil {
			return nil, err
		}
		return c, p.expect(")")
	}
	if t := p.peek(); t.kind == 'w' && p.at+1 < len(p.toks) && p.toks[p.at+1].text == "(" && t.text != "size" {
		n, ok := functions[t.text]
		if !ok {
			return nil, invalid("Invalid %s: Invalid function name; function: %s", p.which, t.text)
		}
		p.at += 2
		args, err := p.list(")")
		if err != nil {
			return nil, err
		}
		if len(args) != n {
			return nil, invalid("Invalid %s: Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", p.which, t.text, len(args))
		}
		if args[0].op != 'p' {
			return nil, invalid("Invalid %s: Operator or function requires a document path; operator or function: %s", p.which, t.text)
		}
		return &cond{op: t.text, args: args}, nil
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch t := p.next(); {
	case t.kind == 'o' && strings.Contains(" = <> < <= > >= ", " "+t.text+" "):
		right, err := p.operand()
		return &cond{op: t.text, args: []operand{left, right}}, err
	case t.kind == 'w' && strings.EqualFold(t.text, "between"):
		low, err := p.operand()
		if err != nil {
			return nil, err
		}
		if !p.word("and") {
			return nil, p.syntax()
		}
		high, err := p.operand()
		return &cond{op: "between", args: []operand{left, low, high}}, err
	case t.kind == 'w' && strings.EqualFold(t.text, "in"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		args, err := p.list(")")
		return &cond{op: "in", args: append([]operand{left}, args...)}, err
	}
	p.at--
	if left.op == 's' && p.peek().kind == 0 {
		return nil, invalid("Invalid %s: The function is not allowed to be used this way in an expression; function: size", p.which)
	}
	return nil, p.syntax()
}

func (p *parser) list(end string) ([]operand, error) {
	var out []operand
	for {
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		out = append(out, o)
		if p.take(end) {
			return out, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

// operand parses a path, a value or size(path).
func (p *parser) operand() (operand, error) {
	t := p.peek()
	if t.kind == ':' {
		p.at++
		p.values = append(p.values, t.text)
		return operand{op: 'v', name: t.text}, nil
	}
	if t.kind == 'w' && t.text == "size" && p.at+1 < len(p.toks) && p.toks[p.at+1].text == "(" {
		p.at += 2
		path, err := p.path()
		if err != nil {
			return operand{}, err
		}
		return operand{op: 's', path: path}, p.expect(")")
	}
	path, err := p.path()
	return operand{op: 'p', path: path}, err
}

// paths adds all that the condition looks at.
func (c *cond) paths(to []path) []path {
	for _, a := range c.args {
		if a.path != nil {
			to = append(to, a.path)
		}
	}
	for _, k := range c.kids {
		to = k.paths(to)
	}
	return to
}

// get evaluates an operand; false when it leads to nothing.
func (o operand) get(b *binding, it item) (value, bool) {
	switch o.op {
	case 'v':
		return b.values.get(o.name)
	case 's':
		v, ok := o.path.bind(b).in(it)
		if !ok {
			return v, false
		}
		n := 0
		switch v.t {
		case kindS:
			n = len(utf16.Encode([]rune(v.s)))
		case kindB:
			n = len(v.s)
		case kindMap:
			n = len(v.m)
		case kindList, kindSS, kindNS, kindBS:
			n = len(v.l)
		default:
			return v, false
		}
		return value{t: kindN, s: strconv.Itoa(n)}, true
	}
	return o.path.bind(b).in(it)
}

// holds evaluates a condition on an item; a missing item is an empty one.
func (c *cond) holds(b *binding, it item) bool {
	switch c.op {
	case "and":
		return c.kids[0].holds(b, it) && c.kids[1].holds(b, it)
	case "or":
		return c.kids[0].holds(b, it) || c.kids[1].holds(b, it)
	case "not":
		return !c.kids[0].holds(b, it)
	}
	v, ok := c.args[0].get(b, it)
	switch c.op {
	case "attribute_exists":
		return ok
	case "attribute_not_exists":
		return !ok
	case "between":
		low, okLow := c.args[1].get(b, it)
		high, okHigh := c.args[2].get(b, it)
		return ok && okLow && okHigh && compare(">=", v, low) && compare("<=", v, high)
	case "in":
		for _, a := range c.args[1:] {
			if x, okX := a.get(b, it); ok && okX && equalValues(v, x) {
				return true
			}
		}
		return false
	}
	x, okX := c.args[1].get(b, it)
	if c.op == "<>" {
		return !ok || !okX || !equalValues(v, x)
	}
	if !ok || !okX {
		return false
	}
	switch c.op {
	case "attribute_type":
		return string(v.t) == x.s
	case "begins_with":
		return v.t == x.t && (v.t == kindS || v.t == kindB) && strings.HasPrefix(v.s, x.s)
	case "contains":
		if v.t == kindList || v.isSet() {
			return v.has(x)
		}
		return v.t == x.t && (v.t == kindS || v.t == kindB) && strings.Contains(v.s, x.s)
	}
	return compare(c.op, v, x)
}

func compare(op string, a, b value) bool {
	if op == "=" {
		return equalValues(a, b)
	}
	if a.t != b.t || a.t != kindS && a.t != kindN && a.t != kindB {
		return false
	}
	switch c := compareScalars(a, b); op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	default:
		return c >= 0
	}
}
