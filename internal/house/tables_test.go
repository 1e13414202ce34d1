package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table is one table of a document: the cells of its rows, trimmed.
type table [][]string

// tableOf is the table below a heading whose first column has that name.
func tableOf(t *testing.T, document, heading, firstColumn string) table {
	t.Helper()
	var found table
	at, in := "", false
	for line := range strings.Lines(read(t, document)) {
		line = strings.TrimSpace(line)
		if title := strings.TrimLeft(line, "#"); title != line {
			at = strings.TrimSpace(title)
		}
		cells, row := cellsOf(line)
		switch {
		case !row:
			in = false
		case at == heading && cells[0] == firstColumn:
			in = true
		case in && strings.Trim(cells[0], "-") != "":
			found = append(found, cells)
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no table of %q below %q", document, firstColumn, heading)
	}
	return found
}

func cellsOf(line string) (cells []string, ok bool) {
	if !strings.HasPrefix(line, "|") {
		return nil, false
	}
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	return cells, true
}

// names are the code spans of the first column, in order, one or more a row, of
// the rows that keep says yes to.
func (tab table) names(keep func(cells []string) bool) []string {
	var names []string
	for _, cells := range tab {
		if keep != nil && !keep(cells) {
			continue
		}
		for _, s := range span.FindAllString(cells[0], -1) {
			names = append(names, strings.Trim(s, "`"))
		}
	}
	return names
}

// sameNames compares without regard to order.
func sameNames(t *testing.T, what string, documented, real []string) {
	t.Helper()
	for _, name := range documented {
		if !slices.Contains(real, name) {
			t.Errorf("%s: %q is documented and does not exist", what, name)
		}
	}
	for _, name := range real {
		if !slices.Contains(documented, name) {
			t.Errorf("%s: %q is not documented", what, name)
		}
	}
}

func syntaxOf(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root(t), file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// attributes are the texts of a file's attr... constants, and of its function
// attrPending if it has one.
func attributes(t *testing.T, file string) []string {
	var texts []string
	literals := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
			return true
		})
	}
	for _, d := range syntaxOf(t, file).Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "attrPending" {
				literals(d.Body)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST && strings.HasPrefix(v.Names[0].Name, "attr") {
					literals(v)
				}
			}
		}
	}
	return texts
}

// jsonFields are the names that a struct's fields have in JSON, in order.
func jsonFields(t *testing.T, file, structName string) []string {
	var names []string
	ast.Inspect(syntaxOf(t, file), func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != structName {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			tag, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			names = append(names, name)
		}
		return false
	})
	if len(names) == 0 {
		t.Fatalf("%s has no struct %s", file, structName)
	}
	return names
}
