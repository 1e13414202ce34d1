package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The limits of a schema file.
const (
	maxFile       = 4 << 20 // bytes
	maxFieldID    = 1<<31 - 1
	mostColumns   = 10_000 // leaf columns of a dataset
	usualColumns  = 500    // MaxColumns where the file does not say
	firstFieldID  = 1001
	usualDataset  = "all"
	columnWord    = "column"
	restWord      = "rest"
	changesMode   = "changes"
	appendingMode = "append_only"
	noMode        = "mode, which is none" // among [Dataset.Lines]
)

// Parse reads a schema file. An error is [Problems].
func Parse(text []byte) (*Schema, error) {
	s, problems := Read(text)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Read reads a schema file although it has problems, so that those which others find in it, in its expressions for one, can be told
// with them. A schema with problems is for nothing else; it is nil where nothing could be read.
func Read(text []byte) (*Schema, Problems) {
	var f file
	if len(text) > maxFile {
		f.Add(0, "the file has %d bytes, over %d", len(text), maxFile)
		return nil, f.Problems
	}
	doc := f.document(string(text))
	if doc == nil {
		return nil, f.Problems
	}
	s := &Schema{Unmatched: Reject}
	f.schema(doc, s)
	f.check(s)
	f.sort()
	return s, f.Problems
}

func (f *file) schema(n *yaml.Node, s *Schema) {
	whole := f.mapping(n, "the schema", map[string]func(*yaml.Node){
		"version":   func(n *yaml.Node) { s.Version = f.count(n, "version", maxFieldID) },
		"unmatched": func(n *yaml.Node) { s.Unmatched = f.policy(n, "unmatched", "reject", "drop") },
		"lookups": func(n *yaml.Node) {
			whole := f.pairs(n, "lookups", func(key, value *yaml.Node) {
				s.Lookups = append(s.Lookups, Lookup{key.Value, f.text(value, "the file of lookup "+key.Value), key.Line})
			})
			s.Unread = s.Unread || !whole
		},
		"datasets": func(n *yaml.Node) {
			f.sequence(n, "datasets", func(n *yaml.Node) {
				if n.Kind != yaml.MappingNode {
					f.Add(n.Line, "a dataset is %s, want a mapping", kindOf(n))
					return
				}
				s.Datasets = append(s.Datasets, Dataset{Line: n.Line, MaxColumns: usualColumns, Lines: map[string]int{}})
				f.dataset(n, &s.Datasets[len(s.Datasets)-1])
			})
		},
	})
	s.Unread = s.Unread || !whole
}

func (f *file) policy(n *yaml.Node, what string, allowed ...string) Policy {
	switch f.word(n, what, allowed...) {
	case "reject":
		return Reject
	case "drop":
		return Drop
	case "keep":
		return Keep
	}
	return 0
}

func (f *file) dataset(n *yaml.Node, d *Dataset) {
	whole := f.mapping(n, "a dataset", map[string]func(*yaml.Node){
		"name":   func(n *yaml.Node) { d.Name = f.text(n, "name of a dataset") },
		"filter": func(n *yaml.Node) { d.Filter = f.expr(n, "filter") },
		"mode": func(n *yaml.Node) {
			word := f.word(n, "mode", changesMode, appendingMode)
			d.AppendOnly = word == appendingMode
			if d.Lines["mode"] = n.Line; word == "" {
				d.Lines[noMode] = n.Line
			}
		},
		"deletes": func(n *yaml.Node) {
			d.Deletes = f.policy(n, "deletes", "keep", "drop")
			d.Lines["deletes"] = n.Line
		},
		"columns":        func(n *yaml.Node) { f.columns(n, d) },
		"drop":           func(n *yaml.Node) { d.Drop = f.paths(n, "drop", d.Lines) },
		"redact":         func(n *yaml.Node) { d.Redact = f.paths(n, "redact", d.Lines) },
		"hash":           func(n *yaml.Node) { d.Hash = f.paths(n, "hash", d.Lines) },
		"flatten":        func(n *yaml.Node) { d.Flatten = f.paths(n, "flatten", d.Lines) },
		"new_attributes": func(n *yaml.Node) { d.NewAttributes = f.word(n, "new_attributes", columnWord, restWord) == columnWord },
		"max_columns":    func(n *yaml.Node) { d.MaxColumns = f.count(n, "max_columns", mostColumns) },
		"last_id":        func(n *yaml.Node) { d.LastID = f.count(n, "last_id", maxFieldID) },
		"rename": func(n *yaml.Node) {
			f.pairs(n, "rename", func(key, value *yaml.Node) {
				d.Rename = append(d.Rename, Rename{key.Value, f.text(value, "the new name of "+key.Value)})
				d.Lines["rename "+key.Value] = key.Line
			})
		},
		"partition": func(n *yaml.Node) {
			f.sequence(n, "partition", func(n *yaml.Node) {
				p, err := parsePartition(f.text(n, "a partition"))
				if err != nil {
					if n.Kind == yaml.ScalarNode {
						f.Add(n.Line, "%s", err)
					}
					return
				}
				p.Line = n.Line
				d.Partition = append(d.Partition, p)
			})
		},
	})
	d.Unread = d.Unread || !whole
}

func (f *file) columns(n *yaml.Node, d *Dataset) {
	whole := f.sequence(n, "columns", func(n *yaml.Node) {
		c := Column{Line: n.Line}
		var shape shape
		keys := f.shape(&shape, "a column")
		keys["name"] = func(n *yaml.Node) { c.Name = f.text(n, "name of a column") }
		takes := false // it says what, readable or not
		keys["from"] = func(n *yaml.Node) { c.From, takes = f.path(n, "from"), true }
		keys["expr"] = func(n *yaml.Node) { c.Expr, takes = f.expr(n, "expr"), true }
		keys["required"] = func(n *yaml.Node) { c.Required = f.truth(n, "required") }
		before := len(f.Problems)
		whole := f.mapping(n, "a column", keys)
		c.ID = shape.id
		if c.From == nil && c.Expr == nil && (!whole || takes) {
			c.From = Path{}
		}
		switch {
		case c.Name == "":
			d.Unread = true
			if len(f.Problems) == before {
				f.Add(n.Line, "a column without a name")
			}
			return
		case c.From != nil && c.Expr != nil:
			f.Add(n.Line, "column %s has from and expr: it is an attribute's or computed", c.Name)
		}
		c.Type = f.shaped(&shape, "column "+c.Name, n.Line)
		d.Columns = append(d.Columns, c)
	})
	d.Unread = d.Unread || !whole
}

// shape is what a column and a field have in common, as the file has it.
type shape struct {
	text       string
	line       int
	fields     *yaml.Node
	id         int
	elementIDs []int
}

func (f *file) shape(s *shape, what string) map[string]func(*yaml.Node) {
	return map[string]func(*yaml.Node){
		"type":   func(n *yaml.Node) { s.text, s.line = f.text(n, "type of "+what), n.Line },
		"fields": func(n *yaml.Node) { s.fields = n },
		"id":     func(n *yaml.Node) { s.id = f.count(n, "id", maxFieldID) },
		"element_ids": func(n *yaml.Node) {
			f.sequence(n, "element_ids", func(n *yaml.Node) {
				s.elementIDs = append(s.elementIDs, f.count(n, "an element's id", maxFieldID))
			})
		},
	}
}

// shaped makes the type.
func (f *file) shaped(s *shape, what string, line int) Type {
	if s.line == 0 {
		f.Add(line, "%s has no type", what)
		return Type{}
	}
	t, err := ParseType(s.text)
	if err != nil {
		f.Add(s.line, "%s: %s", what, err)
		return Type{}
	}
	lists := 0
	for e := &t; e.Kind == List || e.Kind == Set; e = e.Elem {
		if lists < len(s.elementIDs) {
			e.ElemID = s.elementIDs[lists]
		}
		lists++
	}
	if len(s.elementIDs) > 0 && len(s.elementIDs) != lists {
		f.Add(line, "%s has %d element_ids, want one for each of %d lists or sets", what, len(s.elementIDs), lists)
	}
	switch r := t.record(); {
	case r == nil && s.fields != nil:
		f.Add(s.fields.Line, "%s has fields but is no struct", what)
	case r != nil && s.fields == nil:
		f.Add(s.line, "%s is a struct without fields", what)
	case r != nil:
		r.Fields = f.fields(s.fields, what)
	}
	return t
}

func (f *file) fields(n *yaml.Node, of string) []Field {
	var fields []Field
	f.sequence(n, "fields of "+of, func(n *yaml.Node) {
		var field Field
		var shape shape
		from := false
		keys := f.shape(&shape, "a field")
		keys["name"] = func(n *yaml.Node) { field.Name = f.text(n, "name of a field") }
		keys["from"] = func(n *yaml.Node) { field.From, from = f.text(n, "from of a field"), true }
		f.mapping(n, "a field", keys)
		if field.ID = shape.id; !from {
			field.From = field.Name
		}
		field.Type = f.shaped(&shape, "field "+field.Name+" of "+of, n.Line)
		fields = append(fields, field)
	})
	return fields
}

var partitionText = regexp.MustCompile(`^(?:(year|month|day|hour)\((.+)\)|(bucket|truncate)\(([0-9]{1,6}), ?(.+)\)|([^()]+))$`)

func parsePartition(text string) (Partition, error) {
	m := partitionText.FindStringSubmatch(strings.TrimSpace(text))
	switch {
	case m == nil:
	case m[1] != "":
		return Partition{Transform: m[1], Column: m[2]}, nil
	case m[3] != "":
		if n, _ := strconv.Atoi(m[4]); n > 0 {
			return Partition{Transform: m[3], N: n, Column: m[5]}, nil
		}
	default:
		return Partition{Transform: "identity", Column: m[6]}, nil
	}
	return Partition{}, fmt.Errorf("partition %q: want a column, or year, month, day or hour(column), or bucket or truncate(16, column)", text)
}

// String is the hint as a schema file writes it.
func (p Partition) String() string {
	switch p.Transform {
	case "identity":
		return p.Column
	case "bucket", "truncate":
		return fmt.Sprintf("%s(%d, %s)", p.Transform, p.N, p.Column)
	}
	return fmt.Sprintf("%s(%s)", p.Transform, p.Column)
}
