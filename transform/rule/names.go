package rule

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Names are the attributes that an expression names of a variable. All tells that it may
// look at any: it passes the variable on, or asks for a name that it computes.
type Names struct {
	All   bool
	Attrs []string
}

func (n *Names) add(name string) {
	if !slices.Contains(n.Attrs, name) {
		n.Attrs = append(n.Attrs, name)
	}
}

// within tells whether the expression can do with those attributes.
func (n *Names) within(attrs []string) bool {
	return !n.All && !slices.ContainsFunc(n.Attrs, func(a string) bool { return !slices.Contains(attrs, a) })
}

// namesOf collects what an expression names of item, old and keys. A variable of a
// comprehension that has one of these names counts as the item's: more is named
// then, never less.
func namesOf(e ast.Expr) map[string]*Names {
	names := map[string]*Names{"item": {}, "old": {}, "keys": {}}
	walk(e, names)
	return names
}

func walk(e ast.Expr, names map[string]*Names) {
	// of returns the variable's names if the operand is one of the three.
	of := func(operand ast.Expr) *Names {
		if operand.Kind() == ast.IdentKind {
			return names[operand.AsIdent()]
		}
		return nil
	}
	literal := func(e ast.Expr) (string, bool) {
		if e.Kind() != ast.LiteralKind {
			return "", false
		}
		s, ok := e.AsLiteral().(types.String)
		return string(s), ok
	}
	switch e.Kind() {
	case ast.IdentKind:
		if n := of(e); n != nil {
			n.All = true
		}
	case ast.SelectKind:
		s := e.AsSelect()
		if n := of(s.Operand()); n != nil {
			n.add(s.FieldName())
			return
		}
		walk(s.Operand(), names)
	case ast.CallKind:
		c := e.AsCall()
		args := c.Args()
		operand, key := ast.Expr(nil), ast.Expr(nil)
		switch c.FunctionName() {
		case operators.Index, operators.OptIndex, operators.OptSelect:
			operand, key = args[0], args[1]
		case "text", "compare":
			operand, key = c.Target(), args[0]
		case operators.In:
			operand, key = args[1], args[0]
		}
		if operand != nil {
			if n := of(operand); n != nil {
				if name, ok := literal(key); ok {
					n.add(name)
					for _, a := range args {
						if a != operand {
							walk(a, names)
						}
					}
					return
				}
			}
		}
		if c.IsMemberFunction() {
			walk(c.Target(), names)
		}
		for _, a := range args {
			walk(a, names)
		}
	case ast.ListKind:
		for _, element := range e.AsList().Elements() {
			walk(element, names)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			walk(entry.AsMapEntry().Key(), names)
			walk(entry.AsMapEntry().Value(), names)
		}
	case ast.StructKind:
		for _, f := range e.AsStruct().Fields() {
			walk(f.AsStructField().Value(), names)
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		for _, part := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			walk(part, names)
		}
	}
}

// calls visits the calls of a function.
func calls(e ast.Expr, function string, visit func(ast.CallExpr, int64)) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == function {
			visit(e.AsCall(), e.ID())
		}
	}))
}
