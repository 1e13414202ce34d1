package writer

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
)

// chunkReader gives one column's values of a row group.
type chunkReader struct {
	pages  parquet.Pages
	page   parquet.Page // what the values in buf point into
	values parquet.ValueReader
	buf    [64]parquet.Value
	at, n  int
	set    func(*Row, parquet.Value) error
}

func (c *chunkReader) next(row *Row) error {
	v, err := c.value()
	if err != nil || v.IsNull() {
		return err
	}
	return c.set(row, v)
}

func (c *chunkReader) value() (v parquet.Value, err error) {
	if c.at == c.n {
		if err := undamaged(c.fill); err != nil {
			return v, err
		}
	}
	c.at++
	return c.buf[c.at-1], nil
}

// repeats tells whether the next value is of the same row as the last one. A row is
// in one page.
func (c *chunkReader) repeats() (more bool, err error) {
	if c.at == c.n && c.values != nil {
		if err := undamaged(c.readOn); err != nil {
			return false, err
		}
	}
	return c.at < c.n && c.buf[c.at].RepetitionLevel() > 0, nil
}

func (c *chunkReader) fill() (err error) {
	for c.at, c.n = 0, 0; c.n == 0; {
		if c.values == nil {
			parquet.Release(c.page)
			if c.page, err = c.pages.ReadPage(); err != nil {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return err
			}
			c.values = c.page.Values()
		}
		if err := c.readOn(); err != nil {
			return err
		}
	}
	return nil
}

// readOn reads on in the page.
func (c *chunkReader) readOn() (err error) {
	c.at = 0
	c.n, err = c.values.ReadValues(c.buf[:])
	if errors.Is(err, io.EOF) {
		c.values, err = nil, nil
	}
	return err
}

func (c *chunkReader) close() {
	parquet.Release(c.page)
	c.pages.Close() // reads nothing, so there is nothing to fail
}
