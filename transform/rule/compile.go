package rule

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Options are what a schema file only names.
type Options struct {
	Salt      []byte            // of hashes; a secret, so it stands in no schema file
	Lookups   map[string][]byte // the lookup files, by the lookups' names
	CostLimit uint64            // of one evaluation; 0 is DefaultCostLimit
}

// DefaultCostLimit bounds an evaluation to some milliseconds; a usual filter costs
// less than 100.
const DefaultCostLimit = 100_000

// Rules are a schema's expressions and masks, compiled. They never change, so any number of
// goroutines may share them.
type Rules struct {
	Datasets  []*Dataset // as the schema has them
	Unmatched schema.Policy
}

// Dataset is the rules of one dataset.
type Dataset struct {
	Name     string
	filter   *program
	computed []computed
	mask     *mask
	append   bool
	deletes  schema.Policy
	keys     []string
}

// program is a compiled expression.
type program struct {
	cel.Program
	what  string // for failures
	names map[string]*Names
}

type computed struct {
	*program
	column int
	typ    schema.Type
}

// Compile compiles the expressions of a schema. An error is schema.Problems, with the lines of
// the schema file.
func Compile(s *schema.Schema, keys transform.KeySchema, o Options) (*Rules, error) {
	var problems schema.Problems
	lookups := tables{}
	for _, l := range s.Lookups {
		lookups[l.Name] = nil // one that could not be read is not told of again
		file, ok := o.Lookups[l.Name]
		if !ok {
			problems.Add(l.Line, "lookup %s: %s was not given", l.Name, l.File)
			continue
		}
		if t := readTable(l, file, &problems); t != nil {
			lookups[l.Name] = t
		}
	}
	if o.CostLimit == 0 {
		o.CostLimit = DefaultCostLimit
	}
	c := compiler{problems: &problems, lookups: lookups, unread: s.Unread, limit: o.CostLimit}
	rules := &Rules{Unmatched: s.Unmatched}
	for i := range s.Datasets {
		rules.Datasets = append(rules.Datasets, c.dataset(&s.Datasets[i], keys, o.Salt))
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return rules, nil
}

type compiler struct {
	problems *schema.Problems
	lookups  tables
	unread   bool // there may be more lookups
	limit    uint64
}

func (c *compiler) dataset(d *schema.Dataset, keys transform.KeySchema, salt []byte) *Dataset {
	compiled := &Dataset{Name: d.Name, append: d.AppendOnly, deletes: d.Deletes, keys: []string{keys.Hash.Name}}
	if keys.HasRange() {
		compiled.keys = append(compiled.keys, keys.Range.Name)
	}
	record := cel.MapType(cel.StringType, cel.DynType)
	item := []cel.EnvOption{cel.Variable("item", record), cel.Variable("keys", record)}
	all := append(item[:2:2], cel.Variable("old", record), cel.Variable("op", cel.StringType), cel.Variable("ts", cel.TimestampType), cel.Variable("source", cel.StringType))
	if d.Filter != nil {
		p, _ := c.program(d.Filter, "filter of dataset "+d.Name, item, cel.BoolType)
		compiled.filter = p
	}
	for i := range d.Columns {
		if column := &d.Columns[i]; column.Expr != nil {
			p, ok := c.program(column.Expr, "column "+column.Name+" of dataset "+d.Name, all, results(column.Type)...)
			if ok {
				compiled.computed = append(compiled.computed, computed{p, i, column.Type})
			}
		}
	}
	if len(d.Hash) > 0 && len(salt) == 0 {
		c.problems.Add(d.At("hash"), "dataset %s hashes, but there is no salt", d.Name)
	}
	compiled.mask = newMask(d, salt)
	return compiled
}

// program compiles an expression that gives one of the types.
func (c *compiler) program(e *schema.Expr, what string, variables []cel.EnvOption, want ...*cel.Type) (*program, bool) {
	env, err := cel.NewEnv(slices.Concat([]cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true), cel.OptionalTypes(), ext.Strings(),
		cel.ParserExpressionSizeLimit(20_000), cel.ParserRecursionLimit(100),
		// The first is dyn, though only items, maps and lists will do: to see whether a
		// value is a map of a kind, CEL would walk over all of it.
		cel.Function("text",
			cel.MemberOverload("text_of_name", []*cel.Type{cel.DynType, cel.StringType}, cel.StringType, cel.BinaryBinding(textOf)),
			cel.MemberOverload("text_of_index", []*cel.Type{cel.DynType, cel.IntType}, cel.StringType, cel.BinaryBinding(textOf))),
		cel.Function("compare",
			cel.MemberOverload("compare_name", []*cel.Type{cel.DynType, cel.StringType, cel.StringType}, cel.IntType, cel.FunctionBinding(compareTo)),
			cel.MemberOverload("compare_index", []*cel.Type{cel.DynType, cel.IntType, cel.StringType}, cel.IntType, cel.FunctionBinding(compareTo))),
		cel.Function("lookup",
			cel.Overload("lookup_table", []*cel.Type{cel.StringType, cel.DynType, cel.StringType}, cel.DynType, cel.FunctionBinding(c.lookups.lookup))),
	}, boundText(c.limit), variables)...)
	if err != nil {
		c.problems.Add(e.Line, "%s: %s", what, err)
		return nil, false
	}
	checked, issues := env.Compile(e.Text)
	if issues.Err() != nil {
		for _, one := range issues.Errors() {
			c.problem(e, one.Location.Line(), one.Location.Column(), what, one.Message)
		}
		return nil, false
	}
	before := len(*c.problems)
	c.checkLookups(checked, e, what)
	c.checkPatterns(checked, e, what)
	gives := checked.OutputType()
	if inner := gives.Parameters(); gives.TypeName() == "optional_type" && len(inner) == 1 {
		gives = inner[0]
	}
	if len(want) > 0 && !slices.ContainsFunc(append(want, cel.DynType, cel.NullType), func(w *cel.Type) bool { return w.IsExactType(gives) }) {
		var names []string
		for _, w := range want {
			names = append(names, w.String())
		}
		c.problem(e, 1, 0, what, "gives "+gives.String()+", want "+strings.Join(names, " or "))
	}
	if len(*c.problems) > before {
		return nil, false
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if !bounded(env, checked, c.limit) {
		options = append(options, cel.CostLimit(c.limit))
	}
	p, err := env.Program(checked, options...)
	if err != nil {
		c.problem(e, 1, 0, what, err.Error())
		return nil, false
	}
	return &program{p, what, namesOf(checked.NativeRep().Expr())}, true
}

// problem notes one at a place of the expression, its line from 1, its column from 0.
func (c *compiler) problem(e *schema.Expr, line, column int, what, text string) {
	// CEL's words for a name that a filter does not have say nothing of the reason.
	if name, ok := strings.CutPrefix(text, "undeclared reference to '"); ok && strings.HasPrefix(what, "filter") {
		for _, v := range []string{"old", "op", "ts", "source"} {
			if strings.HasPrefix(name, v+"'") {
				text = "a filter sees item and keys alone, not " + v + ": whether an item belongs must not depend on how one heard of it"
			}
		}
	}
	text, _, _ = strings.Cut(text, "\n")
	if e.Col > 0 && line == 1 {
		c.problems.Add(e.Where(line), "%s: %s (column %d)", what, text, e.Col+column)
		return
	}
	c.problems.Add(e.Where(line), "%s: %s (at %d of it)", what, text, column+1)
}

// checkLookups looks whether the tables and columns that an expression names are there.
func (c *compiler) checkLookups(checked *cel.Ast, e *schema.Expr, what string) {
	rep := checked.NativeRep()
	calls(rep.Expr(), "lookup", func(call ast.CallExpr, id int64) {
		at := rep.SourceInfo().GetStartLocation(id)
		var names [2]string
		for i, arg := range []ast.Expr{call.Args()[0], call.Args()[2]} {
			if arg.Kind() == ast.LiteralKind {
				if s, ok := arg.AsLiteral().(types.String); ok {
					names[i] = string(s)
				}
			}
		}
		switch t, ok := c.lookups[names[0]]; {
		case names[0] == "" || names[1] == "":
			c.problem(e, at.Line(), at.Column(), what, "lookup wants the names of its table and column as they are, not computed")
		case !ok && !c.unread:
			c.problem(e, at.Line(), at.Column(), what, "lookup: there is no table "+names[0])
		case t == nil:
		case !slices.Contains(t.columns, names[1]):
			c.problem(e, at.Line(), at.Column(), what, "lookup: table "+names[0]+" has no column "+names[1])
		}
	})
}

// results are what a computed column of a type can be made of; none where the type is a problem already.
func results(t schema.Type) []*cel.Type {
	switch t.Kind {
	case schema.String:
		return []*cel.Type{cel.StringType}
	case schema.Int64:
		return []*cel.Type{cel.IntType}
	case schema.Double:
		return []*cel.Type{cel.DoubleType, cel.IntType}
	case schema.Decimal:
		return []*cel.Type{cel.IntType, cel.DoubleType, cel.StringType}
	case schema.Bool:
		return []*cel.Type{cel.BoolType}
	case schema.Binary:
		return []*cel.Type{cel.BytesType}
	case schema.Timestamp, schema.Date:
		return []*cel.Type{cel.TimestampType}
	}
	return nil
}
