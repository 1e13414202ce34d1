package bootstrap

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLinesComeWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		var text strings.Builder
		for n := r.IntN(40); n > 0; n-- {
			size := r.IntN(100)
			if r.IntN(10) == 0 {
				size = r.IntN(3 << 20)
			}
			text.WriteString(strings.Repeat("x", size) + "\n")
		}
		if r.IntN(2) == 0 {
			text.WriteString("no end")
		}
		var in io.Reader = strings.NewReader(text.String())
		switch r.IntN(3) {
		case 0:
			in = iotest.HalfReader(in)
		case 1:
			in = iotest.DataErrReader(in)
		}
		var got bytes.Buffer
		calls, broken := 0, 0
		_, err := eachLines(in, nil, func(lines []byte) error {
			if calls++; !bytes.HasSuffix(lines, []byte("\n")) {
				broken++
			}
			got.Write(lines)
			return nil
		})
		if err != nil || got.String() != text.String() || broken > 1 || broken == 1 && !strings.HasSuffix(text.String(), "no end") {
			t.Fatalf("%v after %d calls, %d broken lines, %d bytes of %d", err, calls, broken, got.Len(), text.Len())
		}
	}
}

func TestLinesEndWithTheirError(t *testing.T) {
	calls := 0
	_, err := eachLines(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(io.ErrUnexpectedEOF)), nil, func([]byte) error { calls++; return nil })
	if err != io.ErrUnexpectedEOF || calls != 0 {
		t.Errorf("%v after %d calls", err, calls)
	}
	long := io.LimitReader(zeros{}, 2*maxLine)
	if _, err = eachLines(long, nil, func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "a line of more than") {
		t.Errorf("%v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
