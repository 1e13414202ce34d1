package schema

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// check looks for what is wrong with a schema whose parts are well formed, and
// fills in what the file leaves open.
func (f *file) check(s *Schema) {
	if len(s.Datasets) == 0 && len(f.Problems) == 0 {
		f.Add(0, "no datasets")
	}
	for _, l := range s.Lookups {
		if l.Name == "" || l.File == "" {
			f.Add(l.Line, "a lookup wants a name and a file")
		}
	}
	names := map[string]int{}
	for i := range s.Datasets {
		d := &s.Datasets[i]
		if before, ok := names[d.Name]; ok && d.Name != "" {
			f.Add(d.Line, "dataset %s for the second time: the first is on line %d", d.Name, before)
		}
		names[d.Name] = d.Line
		f.checkDataset(d)
	}
}

// A dataset's name is part of object keys.
var datasetName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (f *file) checkDataset(d *Dataset) {
	switch {
	case d.Name == "":
		f.Add(d.Line, "a dataset without a name")
	case !datasetName.MatchString(d.Name):
		f.Add(d.Line, "dataset %q: a name has a to z, 0 to 9, _ and -, at most 63 of them", d.Name)
	}
	switch {
	case d.Lines[noMode] > 0:
	case d.Deletes != 0 && !d.AppendOnly:
		f.Add(d.At("deletes"), "dataset %s: deletes is of mode append_only; all other datasets keep them", d.Name)
	case d.Deletes == 0 && d.AppendOnly && d.Lines["deletes"] == 0:
		f.Add(d.At("mode"), "dataset %s: mode append_only wants deletes: keep or drop", d.Name)
	}
	for i := range d.Columns {
		c := &d.Columns[i]
		if c.From == nil && c.Expr == nil {
			c.From = Path{c.Name}
			for _, r := range d.Rename {
				if r.Column == c.Name {
					c.From = Path{r.Attr}
				}
			}
		}
		f.checkColumn(d, c, d.Columns[:i])
	}
	if n := d.leaves(); n > mostColumns {
		f.Add(d.Line, "dataset %s: %d columns, over %d", d.Name, n, mostColumns)
	}
	f.checkMasks(d)
	f.checkIDs(d)
}

func (f *file) checkColumn(d *Dataset, c *Column, before []Column) {
	if why := badName(c.Name); why != "" {
		f.Add(c.Line, "column %q: %s", c.Name, why)
	}
	if c.Expr != nil {
		if t := c.Type.Kind; t >= List {
			f.Add(c.Line, "column %s is computed: it can be no %s", c.Name, c.Type)
		}
	}
	for i := range before {
		b := &before[i]
		switch {
		case strings.EqualFold(b.Name, c.Name):
			f.Add(c.Line, "column %s for the second time: the first, %s, is on line %d; most engines ignore case", c.Name, b.Name, b.Line)
		case c.From != nil && b.From != nil && (c.From.within(b.From) || b.From.within(c.From)):
			f.Add(c.Line, "column %s takes %s, which column %s on line %d takes as %s: an attribute has one column", c.Name, c.From, b.Name, b.Line, b.From)
		}
	}
	f.checkFields(c.Line, "column "+c.Name, &c.Type)
	for _, p := range d.Drop {
		if c.From.within(p) {
			f.Add(c.Line, "column %s takes %s, which is dropped", c.Name, c.From)
		}
	}
	for _, p := range slices.Concat(d.Redact, d.Hash) {
		if c.From.within(p) && (len(c.From) != len(p) || c.Type.Kind != String && c.Type.Kind != 0) {
			f.Add(c.Line, "column %s takes %s, of which redact or hash makes a string: want type string", c.Name, c.From)
			break
		}
	}
}

func (f *file) checkFields(line int, of string, t *Type) {
	r := t.record()
	if r == nil {
		return
	}
	for i, field := range r.Fields {
		if field.Name == "" || !utf8.ValidString(field.Name) {
			f.Add(line, "%s: field without a name", of)
		}
		for _, b := range r.Fields[:i] {
			if strings.EqualFold(b.Name, field.Name) {
				f.Add(line, "%s: field %s for the second time", of, field.Name)
			} else if b.From == field.From {
				f.Add(line, "%s: fields %s and %s both take %s", of, b.Name, field.Name, b.From)
			}
		}
		f.checkFields(line, of, &r.Fields[i].Type)
	}
}

// badName says what is wrong with a column's name.
func badName(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.HasPrefix(name, "_"):
		return "names that begin with _ are dynamolake's own"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "has a control character"
	}
	return ""
}

// within tells whether p is q or inside it. A path without names is nowhere, and has nothing inside.
func (p Path) within(q Path) bool {
	return len(q) > 0 && len(p) >= len(q) && slices.Equal(p[:len(q)], q)
}

// masked is a path that is not to be seen, and where the file says so.
type masked struct {
	Path
	line int
}

func (d *Dataset) masks() (all []masked) {
	add := func(key string, paths []Path) {
		for _, p := range paths {
			all = append(all, masked{p, d.At(key + " " + p.String())})
		}
	}
	add("drop", d.Drop)
	add("redact", d.Redact)
	add("hash", d.Hash)
	return all
}

func (f *file) checkMasks(d *Dataset) {
	all := d.masks()
	for i, p := range all {
		for _, q := range all[:i] {
			if p.within(q.Path) || q.within(p.Path) {
				f.Add(p.line, "dataset %s: %s is dropped, redacted or hashed, and so is %s on line %d", d.Name, p, q, q.line)
			}
		}
	}
	for i, r := range d.Rename {
		if why := badName(r.Column); why != "" || r.Column == "" {
			f.Add(d.At("rename "+r.Attr), "dataset %s: rename %s to %q: no name for a column", d.Name, r.Attr, r.Column)
		}
		for _, q := range d.Rename[:i] {
			if strings.EqualFold(q.Column, r.Column) {
				f.Add(d.At("rename "+r.Attr), "dataset %s: %s and %s are both renamed to %s", d.Name, q.Attr, r.Attr, r.Column)
			}
		}
	}
}

func (f *file) checkIDs(d *Dataset) {
	seen := map[int]string{}
	d.eachID(func(id *int, of string, line int) {
		switch before, twice := seen[*id]; {
		case *id == 0:
			return
		case *id < firstFieldID:
			f.Add(line, "%s has id %d: attribute columns count from %d", of, *id, firstFieldID)
		case d.LastID > 0 && *id > d.LastID:
			f.Add(line, "%s has id %d, above last_id %d", of, *id, d.LastID)
		case twice:
			f.Add(line, "%s has id %d, which %s has", of, *id, before)
		}
		seen[*id] = of
	})
}
