package awssim

import (
	"slices"
	"strings"
)

// An update is a parsed UpdateExpression.
type update struct {
	set    []assignment
	remove []path
	add    []assignment
	delete []assignment
}

type assignment struct {
	path path
	v    operand
}

func (p *parser) update() (*update, error) {
	u := &update{}
	seen := map[string]bool{}
	for p.peek().kind != 0 {
		clause := strings.ToUpper(p.next().text)
		if seen[clause] {
			return nil, invalid("Invalid UpdateExpression: The %q section can only be used once in an update expression;", clause)
		}
		seen[clause] = true
		for {
			var err error
			switch clause {
			case "SET":
				u.set, err = p.assign(u.set, true)
			case "REMOVE":
				var at path
				at, err = p.path()
				u.remove = append(u.remove, at)
			case "ADD":
				u.add, err = p.assign(u.add, false)
			case "DELETE":
				u.delete, err = p.assign(u.delete, false)
			default:
				p.at--
				err = p.syntax()
			}
			if err != nil {
				return nil, err
			}
			if !p.take(",") {
				break
			}
		}
	}
	if len(seen) == 0 {
		return nil, invalid("Invalid UpdateExpression: The expression can not be empty;")
	}
	return u, nil
}

func (p *parser) assign(to []assignment, set bool) ([]assignment, error) {
	at, err := p.path()
	if err != nil {
		return nil, err
	}
	if !set {
		t := p.next()
		if t.kind != ':' {
			p.at--
			return nil, p.syntax()
		}
		p.values = append(p.values, t.text)
		return append(to, assignment{at, operand{op: 'v', name: t.text}}), nil
	}
	if err := p.expect("="); err != nil {
		return nil, err
	}
	v, err := p.sum()
	return append(to, assignment{at, v}), err
}

// sum parses one operand, or two with a sign between.
func (p *parser) sum() (operand, error) {
	left, err := p.setOperand()
	if err != nil {
		return left, err
	}
	for _, sign := range []string{"+", "-"} {
		if p.take(sign) {
			right, err := p.setOperand()
			return operand{op: sign[0], a: &left, b: &right}, err
		}
	}
	return left, nil
}

func (p *parser) setOperand() (operand, error) {
	if p.take("(") {
		o, err := p.sum()
		if err != nil {
			return o, err
		}
		return o, p.expect(")")
	}
	t := p.peek()
	if t.kind != 'w' || p.at+1 >= len(p.toks) || p.toks[p.at+1].text != "(" {
		return p.operand()
	}
	op := map[string]byte{"if_not_exists": 'i', "list_append": 'l'}[t.text]
	if _, known := functions[t.text]; known || t.text == "size" {
		return operand{}, invalid("Invalid UpdateExpression: The function is not allowed in an update expression; function: %s", t.text)
	}
	if op == 0 {
		return operand{}, invalid("Invalid UpdateExpression: Invalid function name; function: %s", t.text)
	}
	p.at += 2
	a, err := p.setOperand()
	if err != nil {
		return a, err
	}
	if err := p.expect(","); err != nil {
		return a, err
	}
	b, err := p.setOperand()
	if err != nil {
		return b, err
	}
	if op == 'i' && a.op != 'p' {
		return a, invalid("Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists")
	}
	return operand{op: op, a: &a, b: &b}, p.expect(")")
}

var (
	errNoOperand   = invalid("The provided expression refers to an attribute that does not exist in the item")
	errOperandType = invalid("An operand in the update expression has an incorrect data type")
)

// result evaluates the right side of an assignment on the item as it was.
func (o operand) result(b *binding, it item) (value, error) {
	switch o.op {
	case 'i':
		if v, ok := o.a.get(b, it); ok {
			return v, nil
		}
		return o.b.result(b, it)
	case '+', '-', 'l':
		x, err := o.a.result(b, it)
		if err != nil {
			return x, err
		}
		y, err := o.b.result(b, it)
		if err != nil {
			return y, err
		}
		if o.op == 'l' {
			if x.t != kindList || y.t != kindList {
				return x, errOperandType
			}
			return value{t: kindList, l: slices.Concat(x.l, y.l)}, nil
		}
		if x.t != kindN || y.t != kindN {
			return x, errOperandType
		}
		sign := int64(1)
		if o.op == '-' {
			sign = -1
		}
		s, err := addNumbers(x.s, y.s, sign)
		return value{t: kindN, s: s}, err
	}
	v, ok := o.get(b, it)
	if !ok {
		return v, errNoOperand
	}
	return v, nil
}

// paths are all targets, bound, in the order of the clauses.
func (u *update) paths(b *binding) []path {
	out := make([]path, 0, len(u.set)+len(u.remove)+len(u.add)+len(u.delete))
	for _, list := range [][]assignment{u.set, u.add, u.delete} {
		for _, a := range list {
			out = append(out, a.path.bind(b))
		}
	}
	for _, p := range u.remove {
		out = append(out, p.bind(b))
	}
	return out
}

// check refuses what cannot hold for any item: overlaps and key attributes.
func (u *update) check(b *binding, isKey func(string) bool) error {
	paths := u.paths(b)
	for _, p := range paths {
		if isKey(p[0].name) {
			return invalid("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", p[0].name)
		}
	}
	if err := apart("UpdateExpression", paths); err != nil {
		return err
	}
	for _, a := range slices.Concat(u.add, u.delete) {
		v, _ := b.values.get(a.v.name)
		if !v.isSet() && (v.t != kindN || slices.ContainsFunc(u.delete, func(d assignment) bool { return d.v.name == a.v.name })) {
			op := "ADD"
			if slices.ContainsFunc(u.delete, func(d assignment) bool { return d.v.name == a.v.name }) {
				op = "DELETE"
			}
			return invalid("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND", op, typeWord(v.t), op)
		}
	}
	return nil
}

func typeWord(k kind) string {
	return map[kind]string{kindS: "STRING", kindN: "NUMBER", kindB: "BINARY", kindBool: "BOOLEAN", kindNull: "NULL", kindList: "LIST", kindMap: "MAP", kindSS: "STRING_SET", kindNS: "NUMBER_SET", kindBS: "BINARY_SET"}[k]
}

// apply returns the item after the update; it itself stays as it is.
func (u *update) apply(b *binding, it item) (item, error) {
	out := it
	for _, a := range u.set {
		v, err := a.v.result(b, it)
		if err != nil {
			return nil, err
		}
		if out, err = a.path.bind(b).set(out, v); err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		of  []assignment
		add bool
	}{{u.add, true}, {u.delete, false}} {
		for _, a := range list.of {
			x, _ := b.values.get(a.v.name)
			at := a.path.bind(b)
			have, ok := at.in(it)
			v, keep, err := combine(have, ok, x, list.add)
			switch {
			case err != nil:
				return nil, err
			case keep:
				out, err = at.set(out, v)
			case ok:
				out, err = at.remove(out)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	// Indexes mean the list as it was, so higher ones go first.
	gone := make([]path, 0, len(u.remove))
	for _, p := range u.remove {
		gone = append(gone, p.bind(b))
	}
	slices.SortStableFunc(gone, func(p, q path) int { return q[len(q)-1].index - p[len(p)-1].index })
	for _, p := range gone {
		var err error
		if out, err = p.remove(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// combine is ADD or DELETE of x to what is there; keep is false when nothing is left.
func combine(have value, ok bool, x value, add bool) (v value, keep bool, err error) {
	if !ok {
		return x, add, nil
	}
	if have.t != x.t {
		return have, true, errOperandType
	}
	if have.t == kindN {
		s, err := addNumbers(have.s, x.s, 1)
		return value{t: kindN, s: s}, true, err
	}
	out := value{t: have.t}
	for _, e := range have.l {
		if add || !x.has(e) {
			out.l = append(out.l, e)
		}
	}
	if add {
		for _, e := range x.l {
			if !have.has(e) {
				out.l = append(out.l, e)
			}
		}
		slices.SortFunc(out.l, compareScalars)
	}
	return out, len(out.l) > 0, nil
}
