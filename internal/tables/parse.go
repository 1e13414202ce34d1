package tables

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Table is one of the list.
type Table struct {
	Name     string
	Schema   string // "" leaves it to the command's setting
	OldImage *bool  // nil as well
	Line     int
}

// Problem is one thing that is wrong with the file.
type Problem struct {
	Line int
	Text string
}

// Problems are all that is wrong, in the order of lines.
type Problems []Problem

// Error has one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = fmt.Sprintf("line %d: %s", one.Line, one.Text)
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(line int, format string, args ...any) {
	*p = append(*p, Problem{line, fmt.Sprintf(format, args...)})
}

// mostTables bounds what one process is asked to do.
const mostTables = 1000

// aName is what DynamoDB allows.
var aName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// CheckName says what is wrong with a table's name.
func CheckName(name string) error {
	if !aName.MatchString(name) {
		return fmt.Errorf("%q is no name of a table: want 3 to 255 of a-z, A-Z, 0-9, _, . and -", name)
	}
	return nil
}

// Parse reads the file. An error is [Problems].
func Parse(text []byte) ([]Table, error) {
	var p Problems
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc, more yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		p.add(1, "the file is empty, want tables: and a list")
		return nil, p
	case err != nil:
		p.add(lineOf(err), "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil, p
	}
	if !errors.Is(d.Decode(&more), io.EOF) {
		p.add(max(more.Line, 1), "a second document; want one")
	}
	if len(doc.Content) == 0 {
		p.add(1, "the file is empty, want tables: and a list")
		return nil, p
	}
	var list []Table
	p.mapping(doc.Content[0], "the file", map[string]func(*yaml.Node){
		"tables": func(n *yaml.Node) { list = p.tables(n) },
	})
	if len(p) == 0 && len(list) == 0 {
		p.add(doc.Content[0].Line, "there are no tables, want a list of {name: ...} under tables")
	}
	if len(p) > 0 {
		return nil, p
	}
	return list, nil
}

// lineOf finds the line in what the YAML reader says.
func lineOf(err error) (line int) {
	if _, after, ok := strings.Cut(err.Error(), "line "); ok {
		fmt.Sscanf(after, "%d", &line) //nolint:errcheck // 1 then
	}
	return max(line, 1)
}

func (p *Problems) tables(n *yaml.Node) (list []Table) {
	if n.Kind != yaml.SequenceNode {
		p.add(n.Line, "tables is no list")
		return nil
	}
	if len(n.Content) > mostTables {
		p.add(n.Line, "%d tables, over %d", len(n.Content), mostTables)
	}
	seen := map[string]int{}
	for _, one := range n.Content {
		t := Table{Line: one.Line}
		p.mapping(one, "a table", map[string]func(*yaml.Node){
			"name":   func(n *yaml.Node) { t.Name = p.text(n, "name") },
			"schema": func(n *yaml.Node) { t.Schema = p.text(n, "schema") },
			"old_image": func(n *yaml.Node) {
				var is bool
				if n.Tag != "!!bool" || n.Decode(&is) != nil {
					p.add(n.Line, "old_image is %q, want true or false", n.Value)
				}
				t.OldImage = &is
			},
		})
		switch {
		case t.Name == "" && one.Kind == yaml.MappingNode:
			p.add(one.Line, "a table without a name")
		case t.Name != "" && CheckName(t.Name) != nil:
			p.add(one.Line, "%s", CheckName(t.Name))
		case t.Name != "" && seen[t.Name] > 0:
			p.add(one.Line, "table %s is in line %d already", t.Name, seen[t.Name])
		}
		seen[t.Name] = one.Line
		list = append(list, t)
	}
	return list
}

// mapping visits the keys it knows, and refuses others, and those that come again.
func (p *Problems) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.add(n.Line, "%s is no mapping, want %s", what, example[what])
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		visit := keys[key.Value]
		switch {
		case visit == nil:
			p.add(key.Line, "%s has no key %q, want %s", what, key.Value, example[what])
		case seen[key.Value]:
			p.add(key.Line, "%s has %s twice", what, key.Value)
		default:
			visit(value)
		}
		seen[key.Value] = true
	}
}

var example = map[string]string{
	"the file": "tables: and a list",
	"a table":  "{name: orders, schema: s3://bucket/orders.yaml, old_image: true}",
}

// text reads a scalar that is meant as text, however it looks: a table may be called 2024.
func (p *Problems) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		p.add(n.Line, "%s is no text", what)
		return ""
	}
	return n.Value
}
