package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// part is a dataset of an export on its way to being rows.
type part struct {
	dataset.Part
	prefix string // of its Parquet files
	first  bool   // it also counts the rejects that are of no dataset
	takes
}

// takes says what of a table's changes is in a dataset.
type takes struct {
	all    bool // each change is a row, if nothing is wrong with it
	plain  bool // and its images are what they were
	append bool // it keeps no state: nothing is removed from it
}

// takesOf looks at the schema. Without one there is a dataset that has everything.
func takesOf(set *dataset.Set, name string) takes {
	if set.Schema == nil {
		return takes{all: true, plain: true}
	}
	d := set.Schema.Dataset(name)
	all := d.Filter == nil && !d.AppendOnly
	return takes{all: all, plain: all && len(d.Drop)+len(d.Redact)+len(d.Hash) == 0, append: d.AppendOnly}
}

// partsOf are the datasets of an export.
func (w *workshop) partsOf(set *dataset.Set, x ledger.Export) []part {
	parts := make([]part, len(set.Parts))
	for i, p := range set.Parts {
		prefix := writer.WindowPrefix(w.prefix(), p.Name, x.From, x.To)
		if x.From.IsZero() {
			prefix = writer.SnapshotPrefix(w.prefix(), p.Name, x.ID())
		}
		parts[i] = part{p, prefix, i == 0, takesOf(set, p.Name)}
	}
	return parts
}

// set is a version of the schema, as rows of a source need it. A person must see to it where this worker
// cannot use the version that an export is pinned to.
func (w *workshop) set(ctx context.Context, version int, source ledger.Source) (*dataset.Set, error) {
	set, err := w.Datasets.At(ctx, version, string(source))
	return set, w.unusable(fmt.Sprintf("schema version %d of table %s", version, w.Table.Name), err)
}

// unusable makes advice of what is wrong with a version of the schema.
func (w *workshop) unusable(what string, err error) error {
	fix := "give this worker the --schema and --hash-salt that the others of the table have"
	var problems schema.Problems
	switch {
	case errors.Is(err, writer.ErrNotFound):
		fix = "it is missing in " + w.prefix() + dataset.SchemasPrefix + "; bring it back from a copy or an older version of the object"
	case errors.Is(err, dataset.ErrFixed), errors.As(err, &problems):
	default:
		return err
	}
	return &Advice{what, fix, errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))}
}
