package verify

import (
	"fmt"
	"slices"

	"dynamolake/transform/schema"
)

// sums says where a record contradicts itself. It has an entry for each data file and
// dataset; the rejects of the first dataset have those of no dataset among them.
func (r Record) sums(c *catalog) []Doubt {
	var d found
	datasets := []schema.Dataset{{Name: allItems}}
	if r.Schema != 0 {
		s := c.version(r.Schema)
		if s == nil {
			d.add(Records, r.Key, "it is of schema version %d, and there is no %s; bring that back from a copy or an older version", r.Schema, schemaKey(r.Schema))
			return d
		}
		datasets = s.Datasets
	}
	var rows, rejects int64
	items := map[string]int64{}
	entries := map[string][]RecordFile{} // by data file
	var files []string
	for _, f := range r.Files {
		if f.Parquet == "" && f.Rows > 0 {
			d.add(Records, r.Key, "data file %s has %d rows and no Parquet file; report this", f.DataFile, f.Rows)
		}
		if entries[f.DataFile] == nil {
			files = append(files, f.DataFile)
		}
		entries[f.DataFile] = append(entries[f.DataFile], f)
		items[f.Dataset] += f.Items
		rows, rejects = rows+f.Rows, rejects+f.Rejects
	}
	for _, file := range files {
		if r.Restored {
			break // a dataset is not given what another one refused
		}
		if text := lostItems(entries[file], datasets); text != "" {
			d.add(Counts, r.Key, "data file %s %s: items are lost; convert the export again and report this", file, text)
		}
	}
	for _, one := range datasets {
		if n := items[one.Name]; n != r.Items || rows != r.Rows || rejects != r.Rejects {
			d.add(Counts, r.Key, "its files have %d items%s, %d rows and %d rejects, and it counts %d, %d and %d; bring the record back as it was written", n, in(one.Name), rows, rejects, r.Items, r.Rows, r.Rejects)
			break
		}
	}
	return d
}

// in names a dataset that is not all there is.
func in(dataset string) string {
	if dataset == allItems {
		return ""
	}
	return " in dataset " + dataset
}

// lostItems says where the entries of a data file do not account for its items; empty if
// they do.
func lostItems(entries []RecordFile, datasets []schema.Dataset) string {
	if len(entries) != len(datasets) {
		return fmt.Sprintf("has entries of %d datasets, and the schema has %d", len(entries), len(datasets))
	}
	none := int64(-1) // lines that make no sense
	var first int64   // those, and those that no dataset takes, and those that the first refused
	for i := range datasets {
		s := &datasets[i]
		at := slices.IndexFunc(entries, func(f RecordFile) bool { return f.Dataset == s.Name })
		if at < 0 {
			return "has no entry of dataset " + s.Name
		}
		f := entries[at]
		if f.Items != entries[0].Items {
			return fmt.Sprintf("has %d items%s, and %d%s", f.Items, in(f.Dataset), entries[0].Items, in(entries[0].Dataset))
		}
		if i == 0 {
			first = f.Rejects
		}
		left := f.Items - f.Rows - f.Rejects
		whole := s.Filter == nil && (!s.AppendOnly || s.Deletes != schema.Drop) // it has all that makes sense
		switch {
		case left < 0, i == 0 && whole && left > 0, i > 0 && whole && left > first, i > 0 && whole && none >= 0 && left != none:
			return fmt.Sprintf("has %d items, and %d rows and %d rejects were made of them%s", f.Items, f.Rows, f.Rejects, in(f.Dataset))
		case i > 0 && whole:
			none = left
		}
	}
	return ""
}
