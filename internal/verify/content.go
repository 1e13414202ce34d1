package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"dynamolake/writer"
)

// content is an object, fetched whole: in memory if it is small, else on disk.
type content struct {
	io.ReaderAt
	size   int64
	sha256 string
	meta   map[string]string // of the object; in a folder there is none
	file   *os.File
}

// inMemory is how large an object may be to be kept there.
const inMemory = 8 << 20

// fetchTries is how often an object is read, that breaks off on the way.
const fetchTries = 4

func (v *run) fetch(ctx context.Context, key string) (*content, error) {
	for try := 1; ; try++ {
		c, err := v.fetchOnce(ctx, key)
		var final *writer.StoreError
		if err == nil || ctx.Err() != nil || errors.Is(err, writer.ErrNotFound) || errors.As(err, &final) || try == fetchTries {
			return c, err
		}
		if err := pause(ctx, time.Second<<(try-1)); err != nil {
			return nil, err
		}
	}
}

func (v *run) fetchOnce(ctx context.Context, key string) (_ *content, err error) {
	body, o, err := v.Store.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	c := &content{meta: o.Meta}
	sum := sha256.New()
	in := io.TeeReader(body, sum)
	if o.Size <= inMemory {
		text, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		c.ReaderAt, c.size = bytes.NewReader(text), int64(len(text))
	} else {
		if c.file, err = os.CreateTemp("", "dynamolake-verify-"); err != nil {
			return nil, fmt.Errorf("keep %s on disk; set TMPDIR to a folder with room: %w", key, err)
		}
		os.Remove(c.file.Name()) // it lives as long as it is open
		if c.size, err = io.Copy(c.file, in); err != nil {
			c.close()
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		c.ReaderAt = c.file
	}
	c.sha256 = hex.EncodeToString(sum.Sum(nil))
	return c, nil
}

func (c *content) close() {
	if c.file != nil {
		c.file.Close()
	}
}

// rows opens the object as a Parquet file of ours. What is wrong with it is a [damage].
func (c *content) rows() (f *writer.RowFile, err error) {
	err = sane(func() error {
		f, err = writer.OpenRows(c, c.size)
		return damaged(err)
	})
	return f, err
}

// each reads rows. Errors of take come back as they are.
func each(ctx context.Context, f *writer.RowFile, fields writer.Fields, take func(*writer.Row) error) error {
	return sane(func() error {
		for r, err := range f.All(ctx, fields) {
			if err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return damaged(err)
			}
			if err := take(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// damage is that an object is no Parquet file of ours, or is damaged.
type damage struct{ err error }

func (d *damage) Error() string { return d.err.Error() }
func (d *damage) Unwrap() error { return d.err }

func damaged(err error) error {
	if err == nil {
		return nil
	}
	return &damage{err}
}

// sane turns the panics that damage may cause in a decoder into damage.
func sane(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &damage{fmt.Errorf("read Parquet: %v", p)}
		}
	}()
	return read()
}
