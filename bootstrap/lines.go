package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// lineBytes is how much text is decoded in one go; more only where one line
	// needs it.
	lineBytes = 1 << 20
	// maxLine is far beyond two images of 400 KB, whatever their escapes.
	maxLine = 32 << 20
)

// eachLines reads r to its end and calls f with whole lines, some at a time; only the
// last may lack its end. f may not keep them. buf is what it works in, and is
// returned as it has grown.
func eachLines(r io.Reader, buf []byte, f func(lines []byte) error) ([]byte, error) {
	if cap(buf) < lineBytes {
		buf = make([]byte, 0, lineBytes)
	}
	buf = buf[:0]
	for {
		n, err := io.ReadAtLeast(r, buf[len(buf):cap(buf)], 1)
		for err == nil && len(buf)+n < cap(buf) {
			var m int
			m, err = r.Read(buf[len(buf)+n : cap(buf)])
			n += m
		}
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			if len(buf) == 0 {
				return buf, nil
			}
			return buf, f(buf)
		}
		if err != nil {
			return buf, err
		}
		end := bytes.LastIndexByte(buf, '\n') + 1
		if end == 0 {
			if cap(buf) >= maxLine {
				return buf, fmt.Errorf("a line of more than %d bytes", maxLine)
			}
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
			continue
		}
		if err := f(buf[:end]); err != nil {
			return buf, err
		}
		buf = buf[:copy(buf, buf[end:])]
	}
}
