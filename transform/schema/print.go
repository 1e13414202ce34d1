package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes the schema file that [Parse] reads back as it was. With ids it
// has all that the ledger keeps; without, it is what a person would write.
func (s *Schema) YAML(ids bool) []byte {
	p := printer{ids: ids}
	p.note(0, s.Note)
	if ids && s.Version > 0 {
		p.line(0, "version: %d", s.Version)
	}
	if s.Unmatched == Drop || len(s.Datasets) > 1 {
		p.line(0, "unmatched: %s", s.Unmatched)
	}
	if len(s.Lookups) > 0 {
		p.line(0, "lookups:")
		for _, l := range s.Lookups {
			p.line(2, "%s: %s", scalar(l.Name), scalar(l.File))
		}
	}
	p.line(0, "datasets:")
	for i := range s.Datasets {
		p.dataset(&s.Datasets[i])
	}
	return []byte(p.String())
}

type printer struct {
	strings.Builder
	ids bool
}

func (p *printer) line(indent int, format string, args ...any) {
	fmt.Fprintf(p, "%s"+format+"\n", append([]any{strings.Repeat(" ", indent)}, args...)...)
}

// note writes a comment.
func (p *printer) note(indent int, note string) {
	for line := range strings.Lines(note) {
		p.line(indent, "# %s", strings.TrimRight(line, "\n"))
	}
}

func (p *printer) dataset(d *Dataset) {
	p.line(2, "- name: %s", scalar(d.Name))
	if d.Filter != nil {
		p.line(4, "filter: %s", d.Filter.yaml(6))
	}
	if d.AppendOnly {
		p.line(4, "mode: %s", appendingMode)
		p.line(4, "deletes: %s", d.Deletes)
	}
	p.paths("drop", d.Drop)
	p.paths("redact", d.Redact)
	p.paths("hash", d.Hash)
	p.paths("flatten", d.Flatten)
	if len(d.Rename) > 0 {
		p.line(4, "rename:")
		for _, r := range d.Rename {
			p.line(6, "%s: %s", scalar(r.Attr), scalar(r.Column))
		}
	}
	if d.NewAttributes {
		p.line(4, "new_attributes: %s", columnWord)
	}
	if d.MaxColumns != usualColumns {
		p.line(4, "max_columns: %d", d.MaxColumns)
	}
	if p.ids && d.LastID > 0 {
		p.line(4, "last_id: %d", d.LastID)
	}
	if len(d.Partition) > 0 {
		p.line(4, "partition:")
		for _, part := range d.Partition {
			p.line(6, "- %s", scalar(part.String()))
		}
	}
	p.note(4, d.Note)
	if len(d.Columns) > 0 {
		p.line(4, "columns:")
	}
	for i := range d.Columns {
		p.column(&d.Columns[i])
	}
}

func (p *printer) paths(key string, paths []Path) {
	if len(paths) == 0 {
		return
	}
	p.line(4, "%s:", key)
	for _, path := range paths {
		p.line(6, "- %s", path.yaml())
	}
}

func (p *printer) column(c *Column) {
	p.note(6, c.Note)
	p.line(6, "- name: %s", scalar(c.Name))
	switch {
	case c.Expr != nil:
		p.line(8, "expr: %s", c.Expr.yaml(10))
	case !slices.Equal(c.From, Path{c.Name}) || strings.Contains(c.Name, "."):
		p.line(8, "from: %s", c.From.yaml())
	}
	p.shape(8, c.Type, c.ID, c.Required)
}

// shape writes what a column and a field have in common.
func (p *printer) shape(indent int, t Type, id int, required bool) {
	p.line(indent, "type: %s", scalar(t.String()))
	if required {
		p.line(indent, "required: true")
	}
	if p.ids && id > 0 {
		p.line(indent, "id: %d", id)
		var elements []string
		for e := &t; e.Elem != nil; e = e.Elem {
			elements = append(elements, fmt.Sprint(e.ElemID))
		}
		if len(elements) > 0 {
			p.line(indent, "element_ids: [%s]", strings.Join(elements, ", "))
		}
	}
	r := t.record()
	if r == nil {
		return
	}
	p.line(indent, "fields:")
	for _, f := range r.Fields {
		p.line(indent+2, "- name: %s", scalar(f.Name))
		if f.From != f.Name {
			p.line(indent+4, "from: %s", scalar(f.From))
		}
		p.shape(indent+4, f.Type, f.ID, false)
	}
}

// yaml is the path with dots between its names, or as a list if a name has one.
func (p Path) yaml() string {
	if !slices.ContainsFunc(p, func(name string) bool { return name == "" || strings.Contains(name, ".") }) {
		return scalar(p.String())
	}
	names := make([]string, len(p))
	for i, name := range p {
		names[i] = quoted(name)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// yaml is the expression, on lines of its own if it has several.
func (e *Expr) yaml(indent int) string {
	if !strings.Contains(e.Text, "\n") {
		return scalar(e.Text)
	}
	text, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Style: yaml.LiteralStyle, Value: e.Text})
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if err != nil || lines[0] != "|" && lines[0] != "|-" {
		return quoted(e.Text) // it begins or ends with white space that counts
	}
	for i := 1; i < len(lines); i++ {
		if lines[i] = strings.TrimPrefix(lines[i], "    "); lines[i] != "" {
			lines[i] = strings.Repeat(" ", indent) + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// scalar is text as YAML has it on one line, in quotes if it must.
func scalar(text string) string {
	out, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text})
	line := strings.TrimSuffix(string(out), "\n")
	if err != nil || strings.ContainsAny(line, "\n\r") {
		return quoted(text)
	}
	return line
}

// quoted is text in double quotes, whose escapes YAML has from where Go has them.
func quoted(text string) string { return strconv.Quote(text) }
