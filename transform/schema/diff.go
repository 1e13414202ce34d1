package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is one of two schemas.
type Difference struct {
	// Mark is + for what is new, - for what is gone, ~ for what is another.
	Mark    byte
	Dataset string // empty: of the table
	Text    string
	// Additive tells whether files of both versions can be read as one table.
	Additive bool
}

func (d Difference) String() string {
	in := ""
	if d.Dataset != "" {
		in = d.Dataset + ": "
	}
	return fmt.Sprintf("%c %s%s", d.Mark, in, d.Text)
}

// Diff lists what one has to change to get the other, columns by their names.
func Diff(from, to *Schema) []Difference {
	var all differences
	all.changed("", "unmatched", from.Unmatched, to.Unmatched)
	all.changed("", "lookups", lookupsText(from), lookupsText(to))
	for i := range from.Datasets {
		d := &from.Datasets[i]
		if other := to.Dataset(d.Name); other != nil {
			all.dataset(d, other)
		} else {
			all.add('-', d.Name, false, "the dataset")
		}
	}
	for i := range to.Datasets {
		if d := &to.Datasets[i]; from.Dataset(d.Name) == nil {
			all.add('+', d.Name, true, "the dataset, of %s", count(int64(len(d.Columns)), "column"))
		}
	}
	return all
}

// RoutesAs tells whether the datasets of both take the same items.
func (s *Schema) RoutesAs(other *Schema) bool {
	return s.Unmatched == other.Unmatched && slices.Equal(lookupsText(s), lookupsText(other)) &&
		slices.EqualFunc(s.Datasets, other.Datasets, func(a, b Dataset) bool {
			return a.Name == b.Name && exprText(a.Filter) == exprText(b.Filter)
		})
}

type differences []Difference

func (d *differences) add(mark byte, dataset string, additive bool, format string, args ...any) {
	*d = append(*d, Difference{mark, dataset, fmt.Sprintf(format, args...), additive})
}

// changed notes a setting that is another. Files stay readable.
func (d *differences) changed(dataset, what string, a, b any) {
	if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
		none := func(s string) string {
			if s == "" || s == "[]" {
				return "none"
			}
			return s
		}
		d.add('~', dataset, true, "%s: %s -> %s", what, none(x), none(y))
	}
}

func (d *differences) dataset(a, b *Dataset) {
	d.changed(a.Name, "filter", exprText(a.Filter), exprText(b.Filter))
	d.changed(a.Name, "append_only", a.AppendOnly, b.AppendOnly)
	d.changed(a.Name, "deletes", a.Deletes, b.Deletes)
	d.changed(a.Name, "drop", a.Drop, b.Drop)
	d.changed(a.Name, "redact", a.Redact, b.Redact)
	d.changed(a.Name, "hash", a.Hash, b.Hash)
	d.changed(a.Name, "flatten", a.Flatten, b.Flatten)
	d.changed(a.Name, "rename", a.Rename, b.Rename)
	d.changed(a.Name, "partition", partitionsText(a), partitionsText(b))
	d.changed(a.Name, "new_attributes", a.NewAttributes, b.NewAttributes)
	d.changed(a.Name, "max_columns", a.MaxColumns, b.MaxColumns)
	for i := range a.Columns {
		x := &a.Columns[i]
		y := b.column(x.Name)
		if y == nil {
			d.add('-', a.Name, false, "column %s %s", x.Name, x.Type)
			continue
		}
		what := "column " + x.Name
		d.changed(a.Name, what+" from", x.From.yaml(), y.From.yaml())
		d.changed(a.Name, what+" expr", exprText(x.Expr), exprText(y.Expr))
		d.changed(a.Name, what+" required", x.Required, y.Required)
		d.types(a.Name, what, &x.Type, &y.Type)
		d.ids(a.Name, what, x.ID, y.ID)
	}
	for i := range b.Columns {
		if y := &b.Columns[i]; a.column(y.Name) == nil {
			d.add('+', a.Name, true, "column %s %s", y.Name, y.Type)
		}
	}
}

func (d *differences) ids(dataset, what string, a, b int) {
	if a != b && a != 0 && b != 0 {
		d.add('~', dataset, false, "%s id: %d -> %d", what, a, b)
	}
}

func (d *differences) types(dataset, what string, a, b *Type) {
	if !sameShape(a, b) {
		d.add('~', dataset, false, "%s type: %s -> %s", what, a, b)
		return
	}
	for a.Elem != nil {
		d.ids(dataset, what+" element", a.ElemID, b.ElemID)
		a, b = a.Elem, b.Elem
	}
	find := func(t *Type, name string) *Field {
		for i := range t.Fields {
			if strings.EqualFold(t.Fields[i].Name, name) {
				return &t.Fields[i]
			}
		}
		return nil
	}
	for i := range a.Fields {
		x := &a.Fields[i]
		y := find(b, x.Name)
		if y == nil {
			d.add('-', dataset, false, "%s field %s %s", what, x.Name, x.Type)
			continue
		}
		inner := what + " field " + x.Name
		d.changed(dataset, inner+" from", scalar(x.From), scalar(y.From))
		d.types(dataset, inner, &x.Type, &y.Type)
		d.ids(dataset, inner, x.ID, y.ID)
	}
	for i := range b.Fields {
		if y := &b.Fields[i]; find(a, y.Name) == nil {
			d.add('+', dataset, true, "%s field %s %s", what, y.Name, y.Type)
		}
	}
}

func exprText(e *Expr) string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.Text)
}

func lookupsText(s *Schema) (all []string) {
	for _, l := range s.Lookups {
		all = append(all, l.Name+"="+l.File)
	}
	return all
}

func partitionsText(d *Dataset) (all []string) {
	for _, p := range d.Partition {
		all = append(all, p.String())
	}
	return all
}
