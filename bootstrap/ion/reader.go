package ion

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/amazon-ion/ion-go/ion"
)

// maxLine is far more than two images of 400 KB with every byte escaped.
const maxLine = 16 << 20

// Reader reads lines of DynamoDB JSON. It is not safe for concurrent use.
type Reader struct {
	in   *bufio.Reader
	n    int    // lines read
	line []byte // the line, with its end
	done error  // what Read says when out is spent

	// What the ion module reads a line from; it keeps a bufio.Reader that it is given.
	text bytes.Reader
	buf  *bufio.Reader

	out  []byte // the line in JSON
	sent int    // how much of out has been read
}

// NewReader returns a reader of r, which gives text ION, decompressed.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10), buf: bufio.NewReader(nil)}
}

// Read reads DynamoDB JSON, a line for each item. An error is that of the reader
// below, or names the line that could not be turned into JSON; all lines before it
// have been read then.
func (r *Reader) Read(p []byte) (int, error) {
	for r.sent == len(r.out) {
		if r.done != nil {
			return 0, r.done
		}
		if len(p) == 0 {
			return 0, nil
		}
		r.out, r.sent = r.out[:0], 0
		if r.done = r.next(); r.done == nil {
			r.done = r.convert()
		}
	}
	n := copy(p, r.out[r.sent:])
	r.sent += n
	return n, nil
}

// next reads a line; io.EOF if there is none.
func (r *Reader) next() error {
	r.line = r.line[:0]
	for {
		piece, err := r.in.ReadSlice('\n')
		r.line = append(r.line, piece...)
		switch {
		case len(r.line) > maxLine:
			return fmt.Errorf("read ION: line %d has more than %d bytes", r.n+1, maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.line) > 0: // a last line without its end
		case err != nil:
			return err
		}
		r.n++
		return nil
	}
}

// convert turns the line into JSON. A line that it could not finish leaves nothing.
func (r *Reader) convert() error {
	err := r.values()
	if err != nil {
		r.out = r.out[:0]
		return fmt.Errorf("read ION: line %d: %w", r.n, err)
	}
	return nil
}

// values reads all that the line has: the version marker and an item, as a rule.
func (r *Reader) values() error {
	text, err := repair(r.line)
	if err != nil {
		return err
	}
	if len(text) >= 4 && text[0] == 0xE0 && text[3] == 0xEA {
		return errors.New("binary ION, not text")
	}
	r.text.Reset(text)
	r.buf.Reset(&r.text)
	in := ion.NewReader(r.buf)
	c := converter{in: in, out: r.out}
	for in.Next() {
		if err = c.top(); err != nil {
			break
		}
	}
	r.out = c.out
	if err == nil {
		err = blameless(in.Err())
	}
	return err
}

// blameless says what the ion module finds wrong without quoting the text, as its own
// errors do: items do not belong into logs.
func blameless(err error) error {
	var at uint64
	switch e := err.(type) {
	case nil:
		return nil
	case *ion.SyntaxError:
		at = e.Offset
	case *ion.UnexpectedEOFError:
		at = e.Offset
	case *ion.UnexpectedRuneError:
		at = e.Offset
	case *ion.UnexpectedTokenError:
		at = e.Offset
	default:
		return errors.New("malformed value")
	}
	return fmt.Errorf("malformed ION at about byte %d", at)
}
