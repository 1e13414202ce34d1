package bootstrap

import (
	"context"
	"errors"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

func (w *workshop) remember(ctx context.Context, o *oldImages, key string) error { return nil }

func (w *workshop) footer(ctx context.Context, key string) (rows, size int64, err error) {
	return 0, 0, nil
}

func (w *workshop) tail(ctx context.Context, e ledger.Epoch, r *record) (*recordedFile, error) {
	return nil, nil
}

func (c *conversion) there(ctx context.Context, done *recordedFile) (bool, error) {
	o, err := c.w.Store.Head(ctx, done.Parquet)
	if errors.Is(err, writer.ErrNotFound) {
		return false, nil
	}
	done.Rows, done.Size = done.Items, o.Size
	return err == nil, err
}

// canRead will go: the writer cannot read rows back yet.
const canRead = false
