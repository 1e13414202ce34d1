package schema

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file reads the nodes of a schema file and collects what is wrong with them.
type file struct{ Problems }

// document returns the file's one document, or nil.
func (f *file) document(text string) *yaml.Node {
	var doc, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			f.Add(0, "the file is empty")
			return nil
		}
		f.syntax(err)
		return nil
	}
	if err := d.Decode(&more); err == nil {
		f.Add(more.Line, "a second document: one file is one schema")
	} else if !errors.Is(err, io.EOF) {
		f.syntax(err)
	}
	if len(doc.Content) == 0 {
		f.Add(0, "the file is empty")
		return nil
	}
	return doc.Content[0]
}

// syntax notes an error of the YAML library, whose text begins with its line.
func (f *file) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, after, ok := strings.Cut(rest, ": "); ok {
			if line, _ = strconv.Atoi(n); line > 0 {
				text = after
			}
		}
	}
	f.Add(line, "not YAML: %s", text)
}

// mapping calls the function of each key, and tells whether there is nothing else.
func (f *file) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) (whole bool) {
	known := true
	whole = f.pairs(n, what, func(key, value *yaml.Node) {
		read, ok := keys[key.Value]
		switch {
		case !ok:
			known = false
			f.Add(key.Line, "unknown key %q of %s: there are %s", key.Value, what, strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
			known = false
			f.Add(key.Line, "%s of %s has no value", key.Value, what)
		default:
			read(value)
		}
	})
	return whole && known
}

// pairs visits the pairs of a mapping whose keys are text, each once, and tells whether these are all.
func (f *file) pairs(n *yaml.Node, what string, visit func(key, value *yaml.Node)) (whole bool) {
	if n.Kind != yaml.MappingNode {
		f.Add(n.Line, "%s is %s, want a mapping", what, kindOf(n))
		return false
	}
	whole = true
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			whole = false
			f.Add(key.Line, "a key of %s is %s, want text", what, kindOf(key))
		case seen[key.Value]:
			whole = false
			f.Add(key.Line, "%q of %s for the second time", key.Value, what)
		default:
			seen[key.Value] = true
			visit(key, n.Content[i+1])
		}
	}
	return whole
}

// sequence calls visit with each element, and tells whether it is a list.
func (f *file) sequence(n *yaml.Node, what string, visit func(*yaml.Node)) bool {
	if n.Kind != yaml.SequenceNode {
		f.Add(n.Line, "%s is %s, want a list", what, kindOf(n))
		return false
	}
	for _, e := range n.Content {
		visit(e)
	}
	return true
}

// text reads a scalar that is meant as text, however it looks.
func (f *file) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		f.Add(n.Line, "%s is %s, want text", what, kindOf(n))
		return ""
	}
	return n.Value
}

// word reads one of the words allowed.
func (f *file) word(n *yaml.Node, what string, allowed ...string) string {
	word := f.text(n, what)
	if n.Kind == yaml.ScalarNode && !slices.Contains(allowed, word) {
		f.Add(n.Line, "%s is %q, want %s", what, word, strings.Join(allowed, " or "))
		return ""
	}
	return word
}

// count reads a whole number from 0 to limit.
func (f *file) count(n *yaml.Node, what string, limit int) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 0 || v > limit {
		f.Add(n.Line, "%s is %s, want a whole number from 0 to %d", what, kindOf(n), limit)
		return 0
	}
	return v
}

func (f *file) truth(n *yaml.Node, what string) bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		f.Add(n.Line, "%s is %s, want true or false", what, kindOf(n))
		return false
	}
	return strings.EqualFold(n.Value, "true") // YAML has True and TRUE too
}

// path reads where an attribute is: names with dots between them, or a list of
// names, which may have dots.
func (f *file) path(n *yaml.Node, what string) Path {
	var path Path
	if n.Kind == yaml.SequenceNode {
		f.sequence(n, what, func(e *yaml.Node) { path = append(path, f.text(e, "a name of "+what)) })
	} else {
		text := f.text(n, what)
		if n.Kind != yaml.ScalarNode {
			return nil
		}
		if path = strings.Split(text, "."); len(path) > 1 && slices.Contains(path, "") {
			f.Add(n.Line, "%s %q has an empty name", what, text)
		}
	}
	if len(path) > maxTypeDepth {
		f.Add(n.Line, "%s goes deeper than %d maps", what, maxTypeDepth)
		return nil
	}
	if len(path) == 0 {
		f.Add(n.Line, "%s names nothing", what)
	}
	return path
}

// paths reads a list of paths, and notes where they are.
func (f *file) paths(n *yaml.Node, what string, lines map[string]int) []Path {
	var all []Path
	lines[what] = n.Line
	f.sequence(n, what, func(e *yaml.Node) {
		p := f.path(e, "an attribute of "+what)
		if p == nil {
			return
		}
		all = append(all, p)
		lines[what+" "+p.String()] = e.Line
	})
	return all
}

// expr reads an expression and keeps where it is.
func (f *file) expr(n *yaml.Node, what string) *Expr {
	text := f.text(n, what)
	if strings.TrimSpace(text) == "" {
		if n.Kind == yaml.ScalarNode {
			f.Add(n.Line, "%s is empty", what)
		}
		return nil
	}
	e := &Expr{Text: text, Line: n.Line, Col: n.Column}
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.LiteralStyle:
		// The node begins at the | in front of the text.
		e.Line, e.Col, e.Block = n.Line+1, 0, true
	case yaml.FoldedStyle:
		e.Line, e.Col = n.Line+1, 0
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		e.Col++
	}
	return e
}

// kindOf says what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which a schema file does not have"
	}
	if n.Tag == "!!merge" {
		return "a merge key, which a schema file does not have"
	}
	return strconv.Quote(n.Value)
}
