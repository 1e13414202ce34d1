package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/bootstrap"
	"dynamolake/internal/verify"
	"dynamolake/transform"
	"dynamolake/writer"
)

// itemSource is where a command on schemas has its items from.
type itemSource struct {
	export string // address of a manifest-summary.json
	items  int    // the most that are looked at
	rcu    int
}

// taken is what was looked at.
type taken struct {
	items int64
	from  string // in words
}

// takeItem is shown an item as a row of a full export has it. It may not keep the change.
type takeItem func(*transform.Change) error

// fromExport looks into an export.
func (c *itemSource) fromExport(ctx context.Context, o *opened, take takeItem) (taken, error) {
	if err := o.aws(ctx, c.export); err != nil {
		return taken{}, err
	}
	var client *s3.Client
	if o.cfg.Region != "" {
		client = newS3(o.cfg)
	}
	var t taken
	p, err := bootstrap.Peek(ctx, client, o.table.Keys, c.export, int64(c.items), func(changes []transform.Change) error {
		for i := range changes {
			if changes[i].New == nil {
				continue
			}
			t.items++
			if err := take(&changes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && p.Rejects > 0 && p.Rejects == p.Seen {
		err = fmt.Errorf("none of %d lines of %s makes sense for the key %s; is it an export of this table?", p.Seen, c.export, keyText(o.table.Keys))
	}
	t.from = fmt.Sprintf("the export %s of %d items", c.export, p.Items)
	return t, err
}

// fromTable scans some of the table.
func (c *itemSource) fromTable(ctx context.Context, o *opened, take takeItem) (taken, error) {
	table := verify.NewTable(o.db, o.table.Name, o.table.Keys)
	table.RCU = float64(c.rcu)
	decode := newItemDecoder(o.table.Keys)
	t := taken{from: "table " + o.table.Name}
	err := table.Some(ctx, c.items, func(item []byte) error {
		change, err := decode(item)
		if err != nil {
			return err
		}
		t.items++
		return take(change)
	})
	return t, err
}

// fromLake reads the newest files of all datasets.
func (c *itemSource) fromLake(ctx context.Context, o *opened, take takeItem) (taken, error) {
	names := []string{"all"}
	switch s, err := o.version(ctx, 0); {
	case err == nil:
		names = names[:0]
		for i := range s.Datasets {
			names = append(names, s.Datasets[i].Name)
		}
	case !errors.Is(err, errNoSchema):
		return taken{}, err
	}
	t, files := taken{}, 0
	decode := newItemDecoder(o.table.Keys)
	for i, name := range names {
		quota := c.items*(i+1)/len(names) - c.items*i/len(names)
		n, err := o.newestRows(ctx, name, quota, func(f *writer.RowFile, r *writer.Row, rest []byte) error {
			item, err := transform.RebuildItem(f.Keys, r.Hash, r.Range, rest)
			if err != nil {
				return err
			}
			change, err := decode(item)
			if err != nil {
				return err
			}
			t.items++
			return take(change)
		})
		if err != nil {
			return t, err
		}
		files += n
	}
	t.from = fmt.Sprintf("%d of the newest files of the lake", files)
	return t, nil
}

// newItemDecoder makes of an item what a full export would give of it. The change is good until the next one.
func newItemDecoder(keys transform.KeySchema) func(item []byte) (*transform.Change, error) {
	decoder, page := transform.NewDecoder(keys), &transform.Page{}
	var line []byte
	return func(item []byte) (*transform.Change, error) {
		line = append(append(append(line[:0], `{"Item":`...), item...), '}')
		if err := decoder.DecodeExport(line, transform.ViewFull, page); err != nil {
			return nil, err
		}
		if len(page.Changes) != 1 {
			return nil, fmt.Errorf("an item that makes no sense for the key %s", keyText(keys))
		}
		return &page.Changes[0], nil
	}
}

// mostFiles is into how many of a dataset's files newestRows looks at once.
const mostFiles = 200

// newestRows gives rows with an item, with what its columns and _rest make together, from the newest files of a
// dataset: some of each, so that one large file is not all that is seen. It tells how many files it read.
func (o *opened) newestRows(ctx context.Context, name string, most int, take func(*writer.RowFile, *writer.Row, []byte) error) (files int, err error) {
	var newest []writer.Object
	byAge := func(a, b writer.Object) int {
		return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(a.Key, b.Key))
	}
	for _, folder := range []string{"changes/", "snapshot/"} {
		for f, err := range o.store.List(ctx, o.prefix+folder+name+"/") {
			if err != nil {
				return 0, err
			}
			if newest = append(newest, f); len(newest) == 2*mostFiles {
				slices.SortFunc(newest, byAge)
				newest = newest[:mostFiles]
			}
		}
	}
	slices.SortFunc(newest, byAge)
	newest = newest[:min(len(newest), mostFiles)]
	share := (most + 7) / 8
	for _, f := range newest {
		if most <= 0 {
			break
		}
		n, err := o.someRows(ctx, f.Key, min(share, most), take)
		if errors.Is(err, writer.ErrNotFound) {
			continue
		}
		if err != nil {
			return files, fmt.Errorf("read %s: %w", f.Key, err)
		}
		if most -= n; n > 0 {
			files++
		}
	}
	return files, nil
}

func (o *opened) someRows(ctx context.Context, key string, most int, take func(*writer.RowFile, *writer.Row, []byte) error) (n int, err error) {
	body, _, err := o.store.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	f, err := writer.OpenRows(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return 0, err
	}
	for r, err := range f.All(ctx, writer.FieldOp|writer.FieldKeys|writer.FieldRest|writer.FieldColumns) {
		if err != nil {
			return n, err
		}
		if r.Op == transform.Remove {
			continue
		}
		rest, err := f.Rebuild(r)
		if err != nil {
			return n, err
		}
		if err := take(f, r, rest); err != nil {
			return n, err
		}
		if n++; n == most {
			break
		}
	}
	return n, nil
}

func keyText(keys transform.KeySchema) string {
	text := fmt.Sprintf("%s:%c", keys.Hash.Name, keys.Hash.Type)
	if keys.HasRange() {
		text += fmt.Sprintf(",%s:%c", keys.Range.Name, keys.Range.Type)
	}
	return text
}
