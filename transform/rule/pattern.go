package rule

import (
	"fmt"
	"regexp"
	"regexp/syntax"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"dynamolake/transform/schema"
)

// mostSteps is how large the program of a pattern may be. Each character of a text may visit all of it, which takes 10 to 35 ns
// a step: on 400 KB about a second. CEL counts what that has cost when it is over.
const mostSteps = 100

// checkPatterns looks whether the patterns of matches are in the file, for one of an item's might take hours, and
// none takes long.
func (c *compiler) checkPatterns(checked *cel.Ast, e *schema.Expr, what string) {
	rep := checked.NativeRep()
	calls(rep.Expr(), "matches", func(call ast.CallExpr, id int64) {
		args := call.Args()
		arg := args[len(args)-1]
		at := rep.SourceInfo().GetStartLocation(id)
		if arg.Kind() != ast.LiteralKind {
			c.problem(e, at.Line(), at.Column(), what, "matches wants its pattern as it is, not computed")
			return
		}
		if pattern, ok := arg.AsLiteral().(types.String); ok {
			if n := steps(string(pattern)); n > mostSteps {
				c.problem(e, at.Line(), at.Column(), what, fmt.Sprintf("matches: the program of its pattern has %d steps, over %d, and takes seconds on a long text; "+
					"a repetition counts as often as it may happen: instead of {1,100} write +, and ask size()", n, mostSteps))
			}
		}
	})
}

// steps is how large a pattern's program is; 0 of one that is found without, or is none, which is told elsewhere.
func steps(pattern string) int {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) <= mostSteps {
		return 0
	}
	if re, err := regexp.Compile(pattern); err == nil {
		if _, all := re.LiteralPrefix(); all {
			return 0
		}
	}
	return len(program.Inst)
}
