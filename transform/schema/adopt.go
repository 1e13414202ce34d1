package schema

import (
	"slices"
	"strings"
)

// Adopt returns the version that follows prev, which may be nil, when a person asks for this schema: with the
// columns that prev has beyond it, where the dataset wants columns for new attributes, and with
// prev's field ids. It says whether that is anything else than prev; if not, it is prev.
//
// So a column that attributes got by themselves outlives a change of the file, and so does one that
// is taken out of the file: what is written once is not taken back.
func (s *Schema) Adopt(prev *Schema) (next *Schema, changed bool) {
	next = s.clone()
	if prev == nil {
		next.Version = 1
		next.Number(nil)
		return next, true
	}
	next.Version = prev.Version + 1
	for i := range next.Datasets {
		d := &next.Datasets[i]
		if old := prev.Dataset(d.Name); old != nil && d.NewAttributes {
			d.keep(old)
		}
	}
	next.Number(prev)
	if len(Diff(prev, next)) == 0 {
		return prev, false
	}
	return next, true
}

// keep adds the columns that old has for attributes, and that this has not.
func (d *Dataset) keep(old *Dataset) {
	for i := range old.Columns {
		o := &old.Columns[i]
		if o.From == nil || d.column(o.Name) != nil || d.masksAway(o) {
			continue
		}
		clash := slices.ContainsFunc(d.Columns, func(c Column) bool {
			return c.From != nil && (slices.Equal(c.From, o.From) || c.From.within(o.From) || o.From.within(c.From))
		})
		if !clash {
			c := *o
			c.Type, c.Required = o.Type.clone(), false
			c.unnumber()
			d.Columns = append(d.Columns, c)
		}
	}
	for i := range d.Columns {
		if o := old.column(d.Columns[i].Name); o != nil && slices.Equal(o.From, d.Columns[i].From) {
			d.Columns[i].Type.keep(&o.Type)
		}
	}
}

// masksAway tells whether a column of the version before cannot go on: what it takes is dropped, or is the text
// now that redact and hash leave, and the column is none of text.
func (d *Dataset) masksAway(c *Column) bool {
	inside := func(p Path) bool { return c.From.within(p) }
	if slices.ContainsFunc(d.Drop, inside) {
		return true
	}
	return slices.ContainsFunc(slices.Concat(d.Redact, d.Hash), func(p Path) bool {
		return inside(p) && (len(c.From) != len(p) || c.Type.Kind != String)
	})
}

// unnumber takes the ids away: [Schema.Number] gives them back.
func (c *Column) unnumber() {
	c.ID = 0
	c.Type.eachID("", 0, func(id *int, _ string, _ int) { *id = 0 })
}

// keep adds the fields that structs of old have beyond these.
func (t *Type) keep(old *Type) {
	if !sameShape(t, old) {
		return
	}
	if t.Elem != nil {
		t.Elem.keep(old.Elem)
	}
	for i := range old.Fields {
		o := &old.Fields[i]
		j := slices.IndexFunc(t.Fields, func(f Field) bool { return f.From == o.From || strings.EqualFold(f.Name, o.Name) })
		if j < 0 {
			kept := Field{Name: o.Name, From: o.From, Type: o.Type.clone()}
			kept.Type.eachID("", 0, func(id *int, _ string, _ int) { *id = 0 })
			t.Fields = append(t.Fields, kept)
			continue
		}
		t.Fields[j].Type.keep(&o.Type)
	}
}
