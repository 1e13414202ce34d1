package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// allItems is the dataset of a table without a schema.
const allItems = dataset.All

// schemaKey is where a version of the schema lies, under a table's prefix.
func schemaKey(version int) string { return dataset.NewCatalog(nil, "").Key(version) }

// catalog is the versions of the table's schema. Without one there is the dataset of all
// items.
type catalog struct {
	mu       sync.Mutex
	versions map[int]*schema.Schema // nil: known not to be readable, or not to be there
	latest   int                    // 0: no schema
}

// current are the datasets of the latest version, in its order.
func (c *catalog) current() []string {
	if c.latest == 0 {
		return []string{allItems}
	}
	var names []string
	if s := c.version(c.latest); s != nil {
		for _, d := range s.Datasets {
			names = append(names, d.Name)
		}
	}
	return names
}

func (c *catalog) version(n int) *schema.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.versions[n]
}

// dataset is a dataset as a version has it; nil if it has none of that name, and for
// version 0, which is before the first.
func (c *catalog) dataset(version int, name string) *schema.Dataset {
	if s := c.version(version); s != nil {
		return s.Dataset(name)
	}
	return nil
}

// has tells whether there was a dataset under a version.
func (c *catalog) has(version int, name string) bool {
	if version == 0 {
		return name == allItems
	}
	return c.dataset(version, name) != nil
}

// due is the position from which on a dataset must have a chain in a shard, for another dataset has
// a file there that was written under a schema with both. A dataset begins where
// the checkpoint is, which no chain is behind.
func (c *catalog) due(id chainID, all shards) (since transform.Seq, due bool) {
	for _, s := range all[id.shard] {
		for version, after := range s.versions {
			if s.dataset != id.dataset && c.has(version, id.dataset) && (!due || after.Compare(since) < 0) {
				since, due = after, true
			}
		}
	}
	return since, due
}

// add takes in a version of the schema.
func (c *catalog) add(version int, body []byte) []Doubt {
	var d found
	s, err := schema.Parse(body)
	switch {
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		d.add(SchemaKind, schemaKey(version), "it is no schema: %s; bring it back from a copy or an older version", first)
	case s.Version != version:
		d.add(SchemaKind, schemaKey(version), "it says that it is version %d; bring it back from a copy or an older version", s.Version)
		s = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions[version] = s
	return d
}

// dense says which versions are missing.
func (c *catalog) dense() []Doubt {
	var d found
	for n := range c.latest {
		if _, ok := c.versions[n+1]; !ok {
			d.add(SchemaKind, schemaKey(n+1), "it is missing, and there is version %d; bring it back from a copy or an older version", c.latest)
		}
	}
	return d
}

// readVersion reads a version that came after the catalog was listed. It returns nil where there is
// none.
func (v *run) readVersion(ctx context.Context, version int) (*schema.Schema, error) {
	if s := v.catalog.version(version); s != nil || version <= v.catalog.latest {
		return s, nil
	}
	body, _, err := v.Store.Get(ctx, v.Prefix+schemaKey(version))
	if errors.Is(err, writer.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v.catalog.add(version, body)
	return v.catalog.version(version), nil
}

// schemaOf holds what a file's footer says of its schema against the catalog.
func (v *run) schemaOf(ctx context.Context, key, name string, f *writer.RowFile) ([]Doubt, error) {
	var d found
	version, err := strconv.Atoi(f.Meta["schema"])
	if err != nil || version < 0 {
		d.add(Footer, key, "its footer has no usable schema; bring the file back from a copy or an older version")
		return d, nil
	}
	if version == 0 {
		if f.Plan != nil {
			d.add(Footer, key, "its footer tells of columns and of no schema; bring the file back from a copy or an older version")
		}
		return d, nil
	}
	if f.Plan == nil {
		d.add(Footer, key, "its footer is of schema version %d and does not tell of its columns, so that its items cannot be rebuilt; bring the file back from a copy or an older version", version)
		return d, nil
	}
	s, err := v.readVersion(ctx, version)
	if err != nil {
		return nil, err
	}
	switch {
	case s == nil:
		d.add(SchemaKind, key, "it is of schema version %d, and there is no %s; bring that back from a copy or an older version", version, schemaKey(version))
	case s.Dataset(name) == nil:
		d.add(SchemaKind, key, "it is of schema version %d, which has no dataset %s; report this", version, name)
	default:
		if text := otherColumn(f.Plan.Columns, s.Dataset(name).Columns); text != "" {
			d.add(SchemaKind, key, "%s; bring the file back from a copy or an older version, and report this if that has the same", text)
		}
	}
	return d, nil
}

// otherColumn says where a file's columns are not those of its schema; empty if they are.
func otherColumn(file, schema []schema.Column) string {
	for i := range max(len(file), len(schema)) {
		switch {
		case i >= len(file):
			return fmt.Sprintf("its schema has a column %s, and its footer has none", schema[i].Name)
		case i >= len(schema):
			return fmt.Sprintf("its footer has a column %s, and its schema has none", file[i].Name)
		}
		a, b := &file[i], &schema[i]
		if a.Name != b.Name || !slices.Equal(a.From, b.From) || !sameType(&a.Type, &b.Type) {
			return fmt.Sprintf("its column %s is not that of its schema", a.Name)
		}
	}
	return ""
}

func sameType(a, b *schema.Type) bool {
	if a.String() != b.String() {
		return false
	}
	for a.Elem != nil {
		a, b = a.Elem, b.Elem
	}
	return slices.EqualFunc(a.Fields, b.Fields, func(x, y schema.Field) bool {
		return x.Name == y.Name && x.From == y.From && sameType(&x.Type, &y.Type)
	})
}
