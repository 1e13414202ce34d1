package writer

import (
	"bytes"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Bounds that are wrong lose rows in silence: an engine skips the page. The
// library's are wrong in two places, which this file corrects by types that
// stand in for the library's own.
//
//   - It orders the bytes of a decimal as unsigned, so that a negative number is
//     above all positive ones.
//   - Told to skip a column's bounds, it writes "" as the least and the greatest
//     value of every page instead.

// decimalNode is a decimal in 16 bytes, big-endian two's complement.
func decimalNode(precision, scale int) parquet.Node {
	return parquet.Decimal(scale, precision, decimalType{parquet.FixedLenByteArrayType(16)})
}

// decimalType orders as signed.
type decimalType struct{ parquet.Type }

func (t decimalType) Compare(a, b parquet.Value) int {
	return compareSigned(a.ByteArray(), b.ByteArray())
}

func (t decimalType) NewColumnIndexer(sizeLimit int) parquet.ColumnIndexer {
	return unordered{t.Type.NewColumnIndexer(sizeLimit)}
}

func (t decimalType) NewColumnBuffer(column, values int) parquet.ColumnBuffer {
	return &decimalBuffer{t.Type.NewColumnBuffer(column, values)}
}

// unordered makes no claim on the order of the pages' bounds.
type unordered struct{ parquet.ColumnIndexer }

func (x unordered) ColumnIndex() format.ColumnIndex {
	i := x.ColumnIndexer.ColumnIndex()
	i.BoundaryOrder = format.Unordered
	return i
}

type decimalBuffer struct{ parquet.ColumnBuffer }

func (b *decimalBuffer) Page() parquet.Page { return decimalPage{b.ColumnBuffer.Page()} }

type decimalPage struct{ parquet.Page }

func (p decimalPage) Bounds() (low, high parquet.Value, ok bool) {
	values := p.Data()
	data, width := values.FixedLenByteArray()
	if len(data) == 0 {
		return low, high, false
	}
	least, most := data[:width], data[:width]
	for i := width; i < len(data); i += width {
		v := data[i : i+width]
		if compareSigned(v, least) < 0 {
			least = v
		}
		if compareSigned(v, most) > 0 {
			most = v
		}
	}
	return parquet.FixedLenByteArrayValue(least), parquet.FixedLenByteArrayValue(most), true
}

// compareSigned compares two's complement numbers of the same width.
func compareSigned(a, b []byte) int {
	if a[0]^b[0] >= 0x80 { // signs differ: the one with the bit set is less
		return int(b[0]>>7) - int(a[0]>>7)
	}
	return bytes.Compare(a, b)
}

// jsonNode is a string column of JSON that begins with a byte from low to "{". It may be
// large and its order means nothing, so neither the chunk nor the page index tells real
// bounds. But a page index must hold bounds, and all such JSON lies between low and "|".
func jsonNode(low string) parquet.Node {
	return parquet.Leaf(jsonType{parquet.String().Type(), low})
}

type jsonType struct {
	parquet.Type
	low string
}

func (t jsonType) NewColumnIndexer(sizeLimit int) parquet.ColumnIndexer {
	return jsonIndexer{t.Type.NewColumnIndexer(sizeLimit), t.low}
}

type jsonIndexer struct {
	parquet.ColumnIndexer
	low string
}

func (x jsonIndexer) IndexPage(values, nulls int64, low, high parquet.Value) {
	if nulls < values {
		low, high = parquet.ByteArrayValue([]byte(x.low)), parquet.ByteArrayValue([]byte("|"))
	}
	x.ColumnIndexer.IndexPage(values, nulls, low, high)
}
