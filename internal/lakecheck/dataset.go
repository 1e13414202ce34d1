package lakecheck

import (
	"slices"
	"strings"

	"dynamolake/transform"
)

// datasetOf is the dataset in an object's key, below a table's prefix.
func datasetOf(tablePrefix, key string) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(key, tablePrefix), "/")
	dataset, _, _ := strings.Cut(rest, "/")
	return dataset
}

// Datasets are the names of those that there are files of.
func (l *Lake) Datasets() (names []string) {
	for _, objects := range [][]*Object{l.Objects, l.Exported} {
		for _, o := range objects {
			if !slices.Contains(names, o.Dataset) {
				names = append(names, o.Dataset)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Dataset is the lake of one dataset. A table that is split has a change in each dataset that takes it,
// so each is checked by itself, against [Truth.In].
func (l *Lake) Dataset(name string) *Lake {
	of := func(objects []*Object) (ours []*Object) {
		for _, o := range objects {
			if o.Dataset == name {
				ours = append(ours, o)
			}
		}
		return ours
	}
	one := &Lake{Orphans: of(l.Orphans), Objects: of(l.Objects), Exported: of(l.Exported)}
	for _, c := range l.Chains {
		if c.Dataset == name {
			one.Chains = append(one.Chains, c)
		}
	}
	for _, x := range l.Exports {
		own := *x
		own.Objects, own.Overlap = of(x.Objects), nil
		if o := of(x.overlaps); len(o) > 0 {
			own.Overlap = o[0]
		}
		one.Exports = append(one.Exports, &own)
	}
	return one
}

// In is the truth of a dataset: has says what it holds of an image, if it holds it. It is that of a lake
// that knows old images: without them a dataset also has removals of what it never had.
func (t Truth) In(has func(image string) (string, bool)) Truth {
	part := t
	part.Journal, part.Items, part.part = nil, nil, true
	held := func(image string) string {
		if image != "" {
			if text, ok := has(image); ok {
				return text
			}
		}
		return ""
	}
	for _, r := range t.Journal {
		r.OldJSON, r.NewJSON = held(r.OldJSON), held(r.NewJSON)
		switch {
		case r.OldJSON == "" && r.NewJSON == "":
			continue
		case r.OldJSON == "":
			r.Op = transform.Insert.String()
		case r.NewJSON == "":
			r.Op = transform.Remove.String()
		}
		part.Journal = append(part.Journal, r)
	}
	if t.Items != nil {
		part.Items = map[string]string{}
	}
	for key, image := range t.Items {
		if text := held(image); text != "" {
			part.Items[key] = text
		}
	}
	return part
}
