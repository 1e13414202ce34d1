package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dynamolake/transform"
)

// Limits are what inference goes by.
type Limits struct {
	// Sure is how many values must all be int64, or of one form of time, before the
	// column is that and no decimal or string; and how many lists of maps must be alike before
	// they are structs and no json.
	Sure int64
	// Fields is how many fields a map has at most to be a struct.
	Fields int
	// Depth is how deep structs and lists nest at most.
	Depth int
	// MaxColumns bounds the leaf columns of a dataset that Infer makes.
	MaxColumns int
}

// DefaultLimits are the limits to use.
var DefaultLimits = Limits{Sure: 20, Fields: 32, Depth: 4, MaxColumns: usualColumns}

// Infer makes a schema of one dataset from a sample, with the type that
// each attribute has most often, and notes on each column. Attributes of the table's key
// have columns already.
func Infer(sample *Sample, keys transform.KeySchema, limits Limits) *Schema {
	d := Dataset{Name: usualDataset, NewAttributes: true, MaxColumns: limits.MaxColumns}
	s := &Schema{Unmatched: Reject, Datasets: []Dataset{d}}
	s.Note = fmt.Sprintf("Inferred from %s.", count(sample.Items, "item"))
	next, _ := s.Evolve(usualDataset, sample, keys, limits)
	d2 := &next.Datasets[0]
	var without []string
	for _, name := range inOrder(sample.attrs) {
		f := sample.attrs[name]
		column := slices.IndexFunc(d2.Columns, func(c Column) bool { return c.From[0] == name })
		switch {
		case column >= 0:
			d2.Columns[column].Note = f.comment(sample.Items, &d2.Columns[column].Type)
		case name != keys.Hash.Name && (!keys.HasRange() || name != keys.Range.Name):
			without = append(without, fmt.Sprintf("  %s: %s, %s", scalar(name), share(f.count, sample.Items), f.whyNot(limits)))
		}
	}
	if len(without) > 0 {
		d2.Note = "Without a column, whole in _rest:\n" + strings.Join(without, "\n")
	}
	next.Version = 0
	return next
}

// typ is the type that fits the values best; not ok if there is none.
func (f *facts) typ(l Limits, depth int) (t Type, ok bool) {
	switch f.tag() {
	case 'S':
		return f.stringType(l), true
	case 'N':
		return f.numberType(l), true
	case 'B':
		return Type{Kind: Binary}, true
	case tagBOOL:
		return Type{Kind: Bool}, true
	case tagSS, tagNS, tagBS:
		members := f.members[f.tag()]
		if members == nil {
			return t, false
		}
		elem, _ := members.typ(l, depth+1)
		return Type{Kind: Set, Elem: &elem}, true
	case 'L':
		if f.elems == nil {
			return t, false
		}
		if elem, ok := f.elems.elemType(l, depth+1); ok {
			return Type{Kind: List, Elem: &elem}, true
		}
		return Type{Kind: JSON}, f.plain == f.count
	case 'M':
		if t, ok := f.structType(l, depth); ok {
			return t, true
		}
		return Type{Kind: JSON}, f.plain == f.count && (len(f.fields) > 0 || f.more)
	}
	return t, false
}

// tag is the one that most values have; 0 if all are NULL.
func (f *facts) tag() tag {
	best := tag(0)
	for _, t := range []tag{'S', 'N', tagBOOL, 'B', 'M', 'L', tagSS, tagNS, tagBS} {
		if f.tags[t] > f.tags[best] {
			best = t
		}
	}
	return best
}

func (f *facts) stringType(l Limits) Type {
	n := f.tags['S']
	if n >= l.Sure {
		for _, digits := range []int{0, 3, 6} {
			if f.iso[digits] == n {
				return Type{Kind: Timestamp, Form: ISO, Digits: digits}
			}
		}
		if f.day == n {
			return Type{Kind: Date, Form: ISO}
		}
	}
	return Type{Kind: String}
}

func (f *facts) numberType(l Limits) Type {
	if n := f.tags['N']; n >= l.Sure && f.int64s == n {
		return Type{Kind: Int64}
	}
	t := Type{Kind: Decimal, Precision: 38, Scale: 9}
	if f.fraction > t.Scale && f.fraction+f.whole <= t.Precision {
		t.Scale = f.fraction
	}
	return t
}

// structType makes a struct of maps. One with a great many names is no struct: its names are data.
func (f *facts) structType(l Limits, depth int) (Type, bool) {
	t := Type{Kind: Struct}
	if f.more || len(f.fields) > l.Fields || depth > l.Depth {
		return t, false
	}
	for _, name := range inOrder(f.fields) {
		t.addField(name, f.fields[name], l, depth)
	}
	return t, len(t.Fields) > 0
}

// addField adds the field if it has a type, and tells whether it does.
func (t *Type) addField(name string, f *facts, l Limits, depth int) bool {
	inner, ok := f.typ(l, depth+1)
	if ok {
		taken := func(s string) bool {
			return slices.ContainsFunc(t.Fields, func(f Field) bool { return strings.EqualFold(f.Name, s) })
		}
		t.Fields = append(t.Fields, Field{Name: nameFor(name, taken), From: name, Type: inner})
	}
	return ok
}

// elemType is the type of elements, which must all fit, because a list is in its column whole
// or not at all.
func (f *facts) elemType(l Limits, depth int) (Type, bool) {
	t, ok := f.typ(l, depth)
	if !ok || f.tags[f.tag()] != f.count || depth > l.Depth {
		return t, false
	}
	switch t.Kind {
	case String:
		return t, f.odd == 0
	case Decimal:
		return t, f.odd == 0 && f.whole+t.Scale <= t.Precision && f.fraction <= t.Scale
	case List:
		return t, f.elems.fits(l, depth+1)
	case Set:
		return t, f.members[f.tag()].fits(l, depth+1)
	case Struct:
		if f.count < l.Sure {
			return t, false
		}
		for _, inner := range f.fields {
			if !inner.fits(l, depth+1) {
				return t, false
			}
		}
	}
	return t, true
}

func (f *facts) fits(l Limits, depth int) bool {
	_, ok := f.elemType(l, depth)
	return ok
}

// nameFor makes an attribute's name a column's that is not taken: as
// transform.KeySchema.Columns does, and without control characters.
func nameFor(attr string, taken func(string) bool) string {
	base := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7F && r < 0xA0 {
			return '\uFFFD'
		}
		return r
	}, attr)
	if base == "" || base[0] == '_' {
		base = "attr" + base
	}
	name := base
	for n := 2; taken(name); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// comment is the comment on a column.
func (f *facts) comment(items int64, t *Type) string {
	note := share(f.count, items) + " of items"
	var others []tag
	for other, n := range f.tags {
		if other != f.tag() && n > 0 && t.Kind != JSON {
			others = append(others, other)
		}
	}
	slices.SortFunc(others, func(a, b tag) int { return cmp.Or(-cmp.Compare(f.tags[a], f.tags[b]), cmp.Compare(a, b)) })
	for _, other := range others {
		note += fmt.Sprintf(", %s of them %s, which stays in _rest", share(f.tags[other], f.count), tagName(other))
	}
	switch n := f.tags['N']; {
	case t.Kind != Int64:
	case f.seconds == n:
		note += "\nall could be seconds since 1970, 2001 to 2096: timestamp(seconds)?"
	case f.millis == n:
		note += "\nall could be milliseconds since 1970, 2001 to 2096: timestamp(millis)?"
	}
	return note
}

// whyNot says why an attribute has no column.
func (f *facts) whyNot(l Limits) string {
	switch t := f.tag(); {
	case t == 0:
		return "only NULL"
	case t == 'L' && f.elems == nil:
		return "only empty lists"
	case (t == tagSS || t == tagNS || t == tagBS) && f.members[t] == nil:
		return "only empty sets"
	case t == 'M' && len(f.fields) == 0 && !f.more:
		return "only empty maps"
	}
	if _, ok := f.typ(l, 1); ok {
		return "over max_columns"
	}
	return "no type fits all that is in it"
}

func tagName(t tag) string {
	switch t {
	case tagSS, tagNS, tagBS:
		return string(rune(t&^0x20)) + "S"
	case tagBOOL:
		return "BOOL"
	case tagNULL:
		return "NULL"
	case tagNotNULL:
		return "NULL false"
	}
	return string(rune(t))
}

// share is a part in percent, never 100 % or 0 % unless it is.
func share(n, of int64) string {
	p := float64(n) * 100 / float64(max(of, 1))
	switch {
	case n == of:
		return "100 %"
	case p < 0.1:
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", min(p, 99.9))
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
