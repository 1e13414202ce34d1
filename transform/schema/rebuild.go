package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Rebuild puts an item together again from a row: cells by leaf, as [Run.Row] gives
// them or as they were read from a file, and _rest, nil where that is null. What comes
// out is DynamoDB JSON without the key attributes that key columns hold, as
// transform.RebuildItem wants for its _rest. Numbers have their exact text;
// the order of attributes is any.
//
// It is for readers, checkers and tests: slow, and without a line of the way there.
// Computed columns are no part of the item. A value that is both in its column and
// in _rest is an error, unless a double may have rounded it.
func (p *Plan) Rebuild(cells [][]Cell, rest []byte) ([]byte, error) {
	if len(cells) != len(p.Leaves) {
		return nil, fmt.Errorf("rebuild an item: cells of %d leaves, want %d", len(cells), len(p.Leaves))
	}
	item := members{}
	if len(rest) > 0 {
		var err error
		if item, err = readMembers(rest); err != nil {
			return nil, fmt.Errorf("rebuild an item: _rest: %w", err)
		}
	}
	from := 0
	for i := range p.Columns {
		c := &p.Columns[i]
		to := from + c.Type.leaves()
		v := written{leaves: p.Leaves[from:to], cells: cells[from:to]}
		if c.From != nil {
			value, ok, err := v.value(&c.Type, 1, 0)
			if err == nil && ok {
				err = item.put(c.From, value, &c.Type)
			}
			if err != nil {
				return nil, fmt.Errorf("rebuild an item: column %s: %w", c.Name, err)
			}
		}
		from = to
	}
	return item.appendTo(nil), nil
}

// members are those of an object, in their order.
type members []member

type member struct {
	name  string // unescaped
	quote []byte // as it was
	value []byte
}

func readMembers(object []byte) (members, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("no object of attributes")
	}
	m := members{}
	for d.More() {
		from := d.InputOffset()
		if _, err := d.Token(); err != nil {
			return nil, err
		}
		quote := bytes.TrimLeft(object[from:d.InputOffset()], ", \t\r\n")
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := unescape(nil, quote[1:len(quote)-1])
		m = append(m, member{string(name), quote, value})
	}
	_, err := d.Token()
	return m, err
}

func (m members) appendTo(dst []byte) []byte {
	dst = append(dst, '{')
	for i, one := range m {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, one.quote...), ':'), one.value...)
	}
	return append(dst, '}')
}

// find returns the last member of that name.
func (m members) find(name string) *member {
	for i := len(m) - 1; i >= 0; i-- {
		if m[i].name == name {
			return &m[i]
		}
	}
	return nil
}

func (m *members) add(name string, value []byte) *member {
	*m = append(*m, member{name, []byte(quote(name)), value})
	return &(*m)[len(*m)-1]
}

// put sets the typed value at a path, in maps that are there or that it makes.
func (m *members) put(path Path, value []byte, t *Type) error {
	at := m.find(path[0])
	if len(path) > 1 {
		if at == nil {
			at = m.add(path[0], []byte(`{"M":{}}`))
		}
		inside, err := mapOf(at.value)
		if err != nil {
			return err
		}
		if err := inside.put(path[1:], value, t); err != nil {
			return err
		}
		at.value = mapValue(inside)
		return nil
	}
	if at == nil {
		m.add(path[0], value)
		return nil
	}
	merged, err := merge(at.value, value, t)
	at.value = merged
	return err
}

// merge joins what _rest has of a value with what the column has of it.
func merge(rest, column []byte, t *Type) ([]byte, error) {
	if t.Kind != Struct {
		if !t.rounds() {
			return rest, fmt.Errorf("the value is in _rest too")
		}
		return rest, nil
	}
	all, err := mapOf(rest)
	if err != nil {
		return rest, err
	}
	fields, err := mapOf(column)
	if err != nil {
		return rest, err
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if v := fields.find(f.From); v != nil {
			if err := all.put(Path{f.From}, v.value, &f.Type); err != nil {
				return rest, fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
	}
	return mapValue(all), nil
}

// rounds tells whether there is a double in the type.
func (t *Type) rounds() bool {
	for t.Elem != nil {
		t = t.Elem
	}
	for i := range t.Fields {
		if t.Fields[i].Type.rounds() {
			return true
		}
	}
	return t.Kind == Double
}

// mapOf takes an M apart.
func mapOf(value []byte) (members, error) {
	v, err := readMembers(value)
	if err != nil || len(v) != 1 || v[0].name != "M" {
		return nil, fmt.Errorf("_rest has no map where columns have values of one")
	}
	return readMembers(v[0].value)
}

func mapValue(m members) []byte { return append(m.appendTo([]byte(`{"M":`)), '}') }

// quote is text as a JSON string.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
