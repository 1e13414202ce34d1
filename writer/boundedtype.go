package writer

import (
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// boundedType cuts the bounds of strings and binary short, in the chunk's statistics and the
// page index alike: an attribute may have 400 KB, and the footer is read by everybody. The
// library knows no limit for the one, and its limit for the other is wrong for bytes of 0xFF.
type boundedType struct {
	parquet.Type
	cut func(b []byte, up bool) []byte
}

// cutAt is how long a bound may be, but for a byte or two of its last character.
const cutAt = 64

func (t boundedType) NewColumnBuffer(column, values int) parquet.ColumnBuffer {
	return &boundedBuffer{t.Type.NewColumnBuffer(column, values), t.cut}
}

func (t boundedType) NewDictionary(column, values int, data encoding.Values) parquet.Dictionary {
	return boundedDict{t.Type.NewDictionary(column, values, data), t.cut}
}

type boundedBuffer struct {
	parquet.ColumnBuffer
	cut func([]byte, bool) []byte
}

func (b *boundedBuffer) Page() parquet.Page { return boundedPage{b.ColumnBuffer.Page(), b.cut} }

type boundedPage struct {
	parquet.Page
	cut func([]byte, bool) []byte
}

func (p boundedPage) Bounds() (low, high parquet.Value, ok bool) {
	low, high, ok = p.Page.Bounds()
	if ok {
		low = parquet.ByteArrayValue(p.cut(low.ByteArray(), false))
		high = parquet.ByteArrayValue(p.cut(high.ByteArray(), true))
	}
	return low, high, ok
}

// shortBytes returns bytes that are short and not above b, or with up not below it. Where there
// are none it returns b.
func shortBytes(b []byte, up bool) []byte {
	if len(b) <= cutAt {
		return b
	}
	if !up {
		return b[:cutAt]
	}
	for i := cutAt - 1; i >= 0; i-- {
		if b[i] < 0xFF {
			return append(append([]byte(nil), b[:i]...), b[i]+1)
		}
	}
	return b
}

// shortText does so with UTF-8, and gives UTF-8. Its order is that of its characters.
func shortText(b []byte, up bool) []byte {
	if len(b) <= cutAt {
		return b
	}
	end := cutAt
	for end > 0 && !utf8.RuneStart(b[end]) {
		end--
	}
	if !up {
		return b[:end]
	}
	for end > 0 {
		r, n := utf8.DecodeLastRune(b[:end])
		end -= n
		if r == 0xD7FF {
			r = 0xDFFF // over the surrogates
		}
		if r < utf8.MaxRune {
			return utf8.AppendRune(append([]byte(nil), b[:end]...), r+1)
		}
	}
	return b
}
