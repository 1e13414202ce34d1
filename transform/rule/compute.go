package rule

import (
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Compute gives the last row of the run its computed columns. The change is the one that the row was
// made of, unmasked; a Remove has none of them. An error is a [Failure]: take the row
// back, the record is a reject.
func (d *Dataset) Compute(c *transform.Change, source string, run *schema.Run) error {
	if len(d.computed) == 0 || c.Op == transform.Remove {
		return nil
	}
	v := variables{change: c, item: object{raw: c.New}, old: object{raw: c.Old}, keys: d.keyObject(c), source: source}
	for i := range d.computed {
		one := &d.computed[i]
		out, err := one.eval(&v)
		if err != nil {
			return err
		}
		cell, null, why := cellOf(out, one.typ)
		if why != "" {
			return one.failure(why)
		}
		if !null {
			run.Set(one.column, cell)
		}
	}
	return nil
}

// cellOf makes a column's cell of what an expression gave.
func cellOf(v ref.Val, t schema.Type) (cell schema.Cell, null bool, why string) {
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return cell, true, ""
		}
		v = o.GetValue()
	}
	if v == types.NullValue {
		return cell, true, ""
	}
	switch t.Kind {
	case schema.Bool:
		if b, ok := v.(types.Bool); ok {
			if b {
				cell.Low = 1
			}
			return cell, false, ""
		}
	case schema.Binary:
		if b, ok := v.(types.Bytes); ok {
			return schema.Cell{Bytes: b}, false, ""
		}
	case schema.String:
		if s, ok := v.(types.String); ok {
			return schema.Cell{Bytes: []byte(strings.ToValidUTF8(string(s), "\uFFFD"))}, false, ""
		}
	case schema.Int64:
		if n, ok := v.(types.Int); ok {
			return schema.Cell{Low: int64(n)}, false, ""
		}
	case schema.Double:
		switch n := v.(type) {
		case types.Double:
			return schema.Cell{Low: int64(math.Float64bits(float64(n)))}, false, ""
		case types.Int:
			return schema.Cell{Low: int64(math.Float64bits(float64(n)))}, false, ""
		}
	case schema.Decimal:
		return decimalCell(v, t)
	case schema.Timestamp, schema.Date:
		if at, ok := v.(types.Timestamp); ok {
			micros := at.UnixMicro()
			if t.Kind == schema.Timestamp {
				return schema.Cell{Low: micros}, false, ""
			}
			const day = 86_400_000_000
			days := micros / day
			if micros%day < 0 {
				days--
			}
			return schema.Cell{Low: days}, false, ""
		}
	}
	return cell, false, "gives " + v.Type().TypeName() + ", which is no " + t.String()
}

// decimalCell makes a decimal of an int, or of a number's text, if all digits fit, and of a
// double, rounded to the column's scale.
func decimalCell(v ref.Val, t schema.Type) (cell schema.Cell, null bool, why string) {
	var text string
	switch n := v.(type) {
	case types.Int:
		text = strconv.FormatInt(int64(n), 10)
	case types.Double:
		text = strconv.FormatFloat(float64(n), 'f', t.Scale, 64)
	case types.String:
		text = string(n)
	default:
		return cell, false, "gives " + v.Type().TypeName() + ", which is no " + t.String()
	}
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		text = "0" // as -0.001 is with two digits behind the point
	}
	cell, misfit := t.Parse([]byte(text))
	if misfit != schema.Fits {
		return cell, false, "gives a number that does not fit " + t.String()
	}
	return cell, false, ""
}
