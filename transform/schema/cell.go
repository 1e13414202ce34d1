package schema

import (
	"encoding/binary"
	"math"
)

// Cell is one value of a leaf column, or one null.
type Cell struct {
	// Bytes is a string (UTF-8), binary or JSON. It aliases the image or the run's
	// arena.
	Bytes []byte
	// Low is an int64, a bool (0 or 1), the bits of a double, a timestamp in
	// microseconds or a date in days since 1970, or the unscaled value of a
	// decimal, of which High has the upper half. High is the sign where Low is enough.
	Low, High int64
	// Rep and Def are the levels of Dremel and Parquet. The cell is null unless Def is
	// the leaf's MaxDef.
	Rep, Def uint8
}

// Decimal is the unscaled value as 16 bytes of big-endian two's complement.
func (c *Cell) Decimal() (dec [16]byte) {
	binary.BigEndian.PutUint64(dec[:8], uint64(c.High))
	binary.BigEndian.PutUint64(dec[8:], uint64(c.Low))
	return dec
}

// Double is the value of a double.
func (c *Cell) Double() float64 { return math.Float64frombits(uint64(c.Low)) }

// Bool is the value of a bool.
func (c *Cell) Bool() bool { return c.Low != 0 }

// Misfit is why a value is not in its column, or not only there.
type Misfit byte

// The misfits. Rounded alone leaves a value in the column, and the exact one in _rest.
const (
	Fits      Misfit = iota
	Rounded          // a double has fewer digits
	OtherType        // the value is of another type
	IsNull           // it is NULL
	TooLarge         // its digits, or its date, do not fit
	Spelling         // the column would give another text back: 1.0, 1E2, -0, odd base64, another form of time
	NotText          // a lone surrogate
	NotPlain         // a set, binary or a number that JSON cannot write
	Twice            // the attribute is in the item twice
	misfits
)

var misfitNames = [misfits]string{"fits", "rounded", "other type", "null", "too large", "spelling", "not text", "not plain JSON", "twice"}

func (m Misfit) String() string { return misfitNames[m] }
