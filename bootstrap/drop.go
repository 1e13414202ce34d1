package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"path"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// drop deletes the objects of an export that the lake does not need any more. That it
// fails harms nothing, and the next start tries again.
func (w *workshop) drop(ctx context.Context, x ledger.Export, r *record) {
	if err := w.dropped(ctx, x, r); err != nil && ctx.Err() == nil {
		w.Log.Warn("the objects of a converted export stay in S3", append(named(r.Epoch, x), zap.Error(err))...)
	}
}

func (w *workshop) dropped(ctx context.Context, x ledger.Export, r *record) error {
	set, err := w.set(ctx, r.Schema, r.Source)
	if err != nil {
		return err
	}
	nobodys := map[string]int64{} // at most so many lines of a data file are of no dataset
	for _, f := range r.Files {
		if f.Parquet == "" {
			continue
		}
		rows, _, err := w.footer(ctx, f.Parquet)
		if err != nil {
			return err
		}
		least, first := f.Items, f.Dataset == set.Parts[0].Name
		if first {
			nobodys[f.DataFile] = f.Rejects
		} else {
			least -= nobodys[f.DataFile]
		}
		if !takesOf(set, f.Dataset).all {
			least = 0
		}
		if n := rows + f.Rejects; n < least || n > f.Items || rows != f.Rows {
			return fmt.Errorf("%s has %d rows and %d rejects, the manifest counts %d items and the record %d rows", f.Parquet, rows, f.Rejects, f.Items, f.Rows)
		}
	}
	place, summary := w.place(x)
	from := place(moved{})
	dir := path.Dir(summary)
	var keys []string
	for _, f := range r.Files {
		if f.Dataset == set.Parts[0].Name {
			keys = append(keys, f.DataFile)
		}
	}
	// The summary goes last: as long as it is there, something may be left.
	for _, name := range []string{"manifest-files.json", "manifest-files.md5", "manifest-summary.md5", "_started", summaryName} {
		keys = append(keys, path.Join(dir, name))
	}
	for _, key := range keys {
		if err := from.remove(ctx, key); err != nil {
			return err
		}
	}
	w.Log.Info("dropped the objects of a converted export", append(named(r.Epoch, x), zap.Int("objects", len(keys)))...)
	return nil
}

// swept is how many of the newest exports a start looks at for objects that were to be
// dropped.
const swept = 20

// sweep drops what an earlier process had no time to.
func (w *workshop) sweep(ctx context.Context) error {
	n := 0
	var all []*record
	err := records(ctx, w.Store, w.prefix(), func(r *record) bool {
		if r.Drop {
			all = append(all, r)
		}
		n++
		return n < swept
	})
	if err != nil {
		return err
	}
	l, err := w.read(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		if x := l.Find(r.Epoch, r.From); x != nil && x.Status != ledger.Converted {
			continue // the ledger does not say so yet
		}
		x := ledger.Export{From: r.From, To: r.To, ARN: r.ARN, Bucket: r.Bucket, Manifest: r.Manifest}
		place, summary := w.place(x)
		body, _, err := place(moved{}).open(ctx, summary, 0, "")
		if errors.Is(err, writer.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		body.Close()
		w.drop(ctx, x, r)
	}
	return nil
}
