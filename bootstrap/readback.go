package bootstrap

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"os"

	"dynamolake/transform"
	"dynamolake/writer"
)

// inMemory is how large a file is read back without a temporary one.
const inMemory = 32 << 20

// openRows opens a Parquet file of the lake. close is to be called.
func openRows(ctx context.Context, store writer.Lake, key string) (f *writer.RowFile, size int64, done func(), err error) {
	body, o, err := store.Open(ctx, key)
	if err != nil {
		return nil, 0, nil, err
	}
	defer body.Close()
	done = func() {}
	var at io.ReaderAt
	if o.Size <= inMemory {
		var text []byte
		text, err = io.ReadAll(body)
		at, size = bytes.NewReader(text), int64(len(text))
	} else {
		var temp *os.File
		if temp, err = os.CreateTemp("", "dynamolake-*.parquet"); err == nil {
			done = func() {
				temp.Close()
				os.Remove(temp.Name())
			}
			at = temp
			size, err = io.Copy(temp, body)
		}
	}
	if err == nil && size != o.Size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		f, err = writer.OpenRows(at, size)
	}
	if err != nil {
		done()
		return nil, 0, nil, fmt.Errorf("read back %s: %w", key, err)
	}
	return f, size, done, nil
}

// footer is what a Parquet file says of itself.
func (w *workshop) footer(ctx context.Context, key string) (rows, size int64, err error) {
	f, size, done, err := openRows(ctx, w.Store, key)
	if err != nil {
		return 0, 0, err
	}
	defer done()
	return f.Rows, size, nil
}

// remember adds what a file left to the digests.
func (w *workshop) remember(ctx context.Context, o *oldImages, key string) error {
	f, _, done, err := openRows(ctx, w.Store, key)
	if err != nil {
		return err
	}
	defer done()
	for row, err := range f.All(ctx, writer.FieldOp|writer.FieldKeys|writer.FieldRest|writer.FieldColumns) {
		if err != nil {
			return err
		}
		dg, ok := keyDigest(o.keys, row.Hash, row.Range)
		if !ok {
			continue
		}
		if row.Op == transform.Remove {
			o.left[dg] = digest{}
			continue
		}
		rest, err := f.Rebuild(row)
		if err != nil {
			return err
		}
		item, err := transform.RebuildItem(o.keys, row.Hash, row.Range, rest)
		if err != nil {
			return err
		}
		o.left[dg] = md5.Sum(item)
	}
	return nil
}
