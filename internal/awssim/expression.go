package awssim

import (
	"slices"
	"strings"
	"sync"
)

// An expression is the parsed text of one expression parameter. It holds no
// values, so it is parsed once per text and shared.
type expression struct {
	which  string
	cond   *cond   // of conditions, filters and key conditions
	update *update // of updates
	paths  []path  // of projections
	names  []string
	values []string
}

// exprCache keeps parsed expressions by parameter and text. Callers use a handful of
// texts; the cache is emptied should a caller build a new text for each call.
type exprCache struct {
	mu   sync.Mutex
	byID map[exprID]*expression
}

type exprID struct{ which, text string }

const exprCacheLimit = 10_000

func (c *exprCache) parse(which, text string) (*expression, error) {
	id := exprID{which, text}
	c.mu.Lock()
	e := c.byID[id]
	c.mu.Unlock()
	if e != nil {
		return e, nil
	}
	e, err := parseExpression(which, strings.Clone(text))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) > exprCacheLimit {
		c.byID = map[exprID]*expression{}
	}
	c.byID[exprID{which, strings.Clone(text)}] = e
	return e, nil
}

func parseExpression(which, text string) (*expression, error) {
	toks, err := lex(which, text)
	if err != nil {
		return nil, err
	}
	if len(toks) == 0 {
		return nil, invalid("Invalid %s: The expression can not be empty;", which)
	}
	if len(text) > 4096 {
		return nil, invalid("Invalid %s: Expression size has exceeded the maximum allowed size; expression size: %d", which, len(text))
	}
	p := &parser{which: which, src: text, toks: toks}
	e := &expression{which: which}
	switch which {
	case "UpdateExpression":
		e.update, err = p.update()
	case "ProjectionExpression":
		for {
			var at path
			if at, err = p.path(); err != nil {
				break
			}
			e.paths = append(e.paths, at)
			if !p.take(",") {
				break
			}
		}
	default:
		e.cond, err = p.or()
	}
	if err != nil {
		return nil, err
	}
	if p.at < len(p.toks) {
		return nil, p.syntax()
	}
	e.names, e.values = p.names, p.values
	return e, nil
}

// A binding is the placeholders of one request.
type binding struct {
	names  node // ExpressionAttributeNames
	values item // ExpressionAttributeValues
	exprs  []*expression
}

// bind parses the named expression parameters of a request and checks that every
// placeholder is defined and used. Absent parameters give nil expressions.
func (c *Cloud) bind(in node, which ...string) (*binding, []*expression, error) {
	b := &binding{names: in.get("ExpressionAttributeNames")}
	out := make([]*expression, len(which))
	for i, w := range which {
		n := in.get(w)
		if !n.there() {
			continue
		}
		e, err := c.exprs.parse(w, n.text())
		if err != nil {
			return nil, nil, err
		}
		out[i] = e
		b.exprs = append(b.exprs, e)
	}
	if n := in.get("ExpressionAttributeValues"); n.there() {
		if len(n.obj) == 0 {
			return nil, nil, invalid("ExpressionAttributeValues must not be empty")
		}
		vals, err := parseItem(n)
		if err != nil {
			return nil, nil, err
		}
		b.values = vals
	}
	return b, out, b.check()
}

func (b *binding) check() error {
	if b.names.there() && len(b.names.obj) == 0 {
		return invalid("ExpressionAttributeNames must not be empty")
	}
	if len(b.exprs) == 0 {
		if b.names.there() {
			return invalid("ExpressionAttributeNames can only be specified when using expressions")
		}
		if b.values != nil {
			return invalid("ExpressionAttributeValues can only be specified when using expressions")
		}
		return nil
	}
	for _, e := range b.exprs {
		for _, name := range e.names {
			if !b.names.get(name).there() {
				return invalid("Invalid %s: An expression attribute name used in the document path is not defined; attribute name: %s", e.which, name)
			}
		}
		for _, name := range e.values {
			if _, ok := b.values.get(name); !ok {
				return invalid("Invalid %s: An expression attribute value used in expression is not defined; attribute value: %s", e.which, name)
			}
		}
		if e.paths != nil {
			if err := apart(e.which, bindAll(b, e.paths)); err != nil {
				return err
			}
		}
		if e.cond != nil {
			if err := e.cond.check(b, e.which); err != nil {
				return err
			}
		}
	}
	for _, f := range b.names.obj {
		if !slices.ContainsFunc(b.exprs, func(e *expression) bool { return slices.Contains(e.names, f.name) }) {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", f.name)
		}
	}
	for _, a := range b.values {
		if !slices.ContainsFunc(b.exprs, func(e *expression) bool { return slices.Contains(e.values, a.name) }) {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", a.name)
		}
	}
	return nil
}

// check refuses operands whose type can never fit.
func (c *cond) check(b *binding, which string) error {
	for _, k := range c.kids {
		if err := k.check(b, which); err != nil {
			return err
		}
	}
	for i, a := range c.args {
		if a.op != 'v' {
			continue
		}
		v, _ := b.values.get(a.name)
		ok := true
		switch c.op {
		case "<", "<=", ">", ">=", "between":
			ok = v.t == kindS || v.t == kindN || v.t == kindB
		case "begins_with":
			ok = v.t == kindS || v.t == kindB
		case "attribute_type":
			if ok = v.t == kindS; ok && typeWord(kind(v.s)) == "" {
				return invalid("Invalid %s: Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", which, v.s)
			}
		}
		if !ok {
			return invalid("Invalid %s: Incorrect operand type for operator or function; operator or function: %s, operand type: %s", which, c.op, v.t)
		}
		if c.op == "between" && i == 2 {
			if low, is := b.values.get(c.args[1].name); is && c.args[1].op == 'v' {
				if low.t != v.t {
					return invalid("Invalid %s: The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}", which, low.t, low.s, v.t, v.s)
				}
				if compareScalars(low, v) > 0 {
					return invalid("Invalid %s: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}", which, low.t, low.s, v.t, v.s)
				}
			}
		}
	}
	return nil
}
