package rule

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
)

// What DynamoDB allows: an item has 400 KB, a key attribute 2 KB.
const (
	largestItem = 400 << 10
	largestKey  = 2 << 10
)

// sizes tells CEL how large things can be before there are any.
type sizes struct{}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	s := cost.SizeEstimate{Max: largestItem}
	if path := n.Path(); len(path) > 0 {
		switch path[0] {
		case "keys":
			s.Max = largestKey
		case "op", "source":
			s.Max = 32
		}
	} else if n.ComputedSize() != nil {
		return nil
	}
	return &s
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// bounded tells whether an expression cannot cost more than the limit, whatever the item. Then
// nobody need count while it runs, which takes about half of the time. An expression with
// a loop is always counted.
func bounded(env *cel.Env, checked *cel.Ast, limit uint64) bool {
	loops := false
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		loops = loops || e.Kind() == ast.ComprehensionKind
	}))
	if loops {
		return false
	}
	estimate, err := env.EstimateCost(checked, sizes{})
	return err == nil && estimate.Max <= limit
}
