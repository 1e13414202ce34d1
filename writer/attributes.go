package writer

import (
	"encoding/json"
	"fmt"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// attrColumn is an attribute column as the footer tells of it, so that a file can be
// rebuilt into items by itself.
type attrColumn struct {
	Column string      `json:"column"`
	From   []string    `json:"from,omitempty"` // the attribute, and the names inside it; none: computed
	Type   string      `json:"type"`           // as in a schema file
	Fields []attrField `json:"fields,omitempty"`
}

// attrField is a field of a struct, or of the structs in a list.
type attrField struct {
	Field  string      `json:"field"`
	From   string      `json:"from"`
	Type   string      `json:"type"`
	Fields []attrField `json:"fields,omitempty"`
}

// attributesText is the footer's list of a plan's columns; empty without a plan.
func attributesText(p *schema.Plan) string {
	if p == nil {
		return ""
	}
	list := make([]attrColumn, 0, len(p.Columns))
	for i := range p.Columns {
		c := &p.Columns[i]
		list = append(list, attrColumn{c.Name, c.From, c.Type.String(), fieldsOf(&c.Type)})
	}
	text, _ := json.Marshal(list) // strings only: cannot fail
	return string(text)
}

func fieldsOf(t *schema.Type) []attrField {
	var list []attrField
	if r := structIn(t); r != nil {
		for i := range r.Fields {
			f := &r.Fields[i]
			list = append(list, attrField{f.Name, f.From, f.Type.String(), fieldsOf(&f.Type)})
		}
	}
	return list
}

// structIn is the struct inside lists; nil if there is none.
func structIn(t *schema.Type) *schema.Type {
	for t.Elem != nil {
		t = t.Elem
	}
	if t.Kind != schema.Struct {
		return nil
	}
	return t
}

// parseAttributes makes a plan of the footer's list.
func parseAttributes(text string, keys transform.KeySchema) (*schema.Plan, error) {
	var list []attrColumn
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("columns in the footer: %w", err)
	}
	d := schema.Dataset{Name: "file"}
	for _, c := range list {
		t, err := parseType(c.Type, c.Fields)
		if err != nil {
			return nil, fmt.Errorf("column %q in the footer: %w", c.Column, err)
		}
		d.Columns = append(d.Columns, schema.Column{Name: c.Column, From: c.From, Type: t})
	}
	p, err := d.Plan(keys)
	if err != nil {
		return nil, fmt.Errorf("columns in the footer: %w", err)
	}
	return p, nil
}

func parseType(text string, fields []attrField) (schema.Type, error) {
	t, err := schema.ParseType(text)
	if err != nil {
		return t, err
	}
	r := structIn(&t)
	if (r != nil) != (len(fields) > 0) {
		return t, fmt.Errorf("type %s with %d fields", text, len(fields))
	}
	for _, f := range fields {
		inside, err := parseType(f.Type, f.Fields)
		if err != nil {
			return t, fmt.Errorf("field %q: %w", f.Field, err)
		}
		r.Fields = append(r.Fields, schema.Field{Name: f.Field, From: f.From, Type: inside})
	}
	return t, nil
}
