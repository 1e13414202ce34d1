package dataset

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// SchemasPrefix is where the versions of a table's schema lie, under the table's prefix.
const SchemasPrefix = "_ledger/schemas/"

// Catalog is the versions of one table's schema.
type Catalog struct {
	store  writer.Store
	prefix string
}

// NewCatalog returns that of a table under its [writer.TablePrefix].
func NewCatalog(store writer.Store, tablePrefix string) *Catalog {
	return &Catalog{store, tablePrefix + SchemasPrefix}
}

// Key is the object of a version, relative to the lake.
func (c *Catalog) Key(version int) string { return fmt.Sprintf("%s%06d.yaml", c.prefix, version) }

// VersionOf reads the name of a version's object.
func VersionOf(key string) (version int, ok bool) {
	digits, ok := strings.CutSuffix(path.Base(key), ".yaml")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && fmt.Sprintf("%06d", n) == digits
}

// Latest returns the newest version; nil where there is none.
func (c *Catalog) Latest(ctx context.Context) (*schema.Schema, error) {
	newest := 0
	for o, err := range c.store.List(ctx, c.prefix) {
		if err != nil {
			return nil, fmt.Errorf("list schema versions: %w", err)
		}
		if n, ok := VersionOf(o.Key); ok {
			newest = max(newest, n)
		}
	}
	if newest == 0 {
		return nil, nil
	}
	return c.Version(ctx, newest)
}

// Version returns one; an error that is [writer.ErrNotFound] where it is not there.
func (c *Catalog) Version(ctx context.Context, version int) (*schema.Schema, error) {
	key := c.Key(version)
	text, _, err := c.store.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read schema version %d: %w", version, err)
	}
	s, err := schema.Parse(text)
	if err == nil && s.Version != version {
		err = fmt.Errorf("it says that it is version %d", s.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("schema version %d (%s) cannot be used; bring it back as it was written: %w", version, key, err)
	}
	return s, nil
}

// Returning are the problems of datasets that are asked for, that the latest version, which may be nil, does not have, and that one
// before it had: their files stop where they were taken out, and a chain that went on behind would have a hole for good.
func (c *Catalog) Returning(ctx context.Context, asked, latest *schema.Schema) (problems schema.Problems, err error) {
	if latest == nil {
		return nil, nil
	}
	missing := map[string]int{} // name to line
	for i := range asked.Datasets {
		if d := &asked.Datasets[i]; d.Name != "" && latest.Dataset(d.Name) == nil {
			missing[d.Name] = d.Line
		}
	}
	for version := latest.Version - 1; version > 0 && len(missing) > 0; version-- {
		older, err := c.Version(ctx, version)
		if err != nil {
			return nil, err
		}
		for _, name := range names(older) {
			if line, ok := missing[name]; ok {
				problems.Add(line, "dataset %s was in the schema up to version %d, and is not in version %d, the newest: it would lack what came meanwhile. "+
					"Give it another name; dynamolake replay makes rows of the time that it lacks, in a place of their own", name, version, latest.Version)
				delete(missing, name)
			}
		}
	}
	return problems, nil
}

// Add writes a version. Where another has its number already the error is
// [writer.ErrExists], unless that is the same schema. One that could not be read again would stop the table for
// good, and is not written.
func (c *Catalog) Add(ctx context.Context, s *schema.Schema) error {
	text := s.YAML(true)
	if _, err := schema.Parse(text); err != nil {
		// Not wrapped: its lines are not those of a person's file.
		return fmt.Errorf("schema version %d, the columns that came by themselves included, is none: %s", s.Version, err)
	}
	key := c.Key(s.Version)
	err := c.store.PutNew(ctx, key, text, nil)
	if err == nil {
		return nil
	}
	// A reply that was lost looks like another's version.
	if there, _, getErr := c.store.Get(ctx, key); getErr == nil {
		if string(there) == string(text) {
			return nil
		}
		return fmt.Errorf("write schema version %d: %w", s.Version, writer.ErrExists)
	} else if !errors.Is(getErr, writer.ErrNotFound) {
		return fmt.Errorf("write schema version %d: %w", s.Version, getErr)
	}
	return fmt.Errorf("write schema version %d: %w", s.Version, err)
}
