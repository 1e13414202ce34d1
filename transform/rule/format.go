package rule

import (
	"math"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

// formatOfCEL is CEL's own format, which it gives away with an environment only.
var formatOfCEL = sync.OnceValue(func() functions.FunctionOp {
	env, err := cel.NewEnv(ext.Strings())
	if err == nil {
		overloads, _ := env.Functions()["format"].Bindings()
		for _, o := range overloads {
			if o.Operator == "string_format" && o.Function != nil {
				return o.Function
			}
		}
	}
	panic("CEL has no format") // a version of it that every test would find
})

// longest is how many bytes a text may have that format makes, or somewhat more; it looks no further once that is over most.
func longest(text string, args traits.Lister, most int64) int64 {
	n, next := int64(len(text)), types.Int(0)
	for i := 0; i+1 < len(text) && n <= most; i++ {
		if text[i] != '%' {
			continue
		}
		if i++; text[i] == '%' {
			continue
		}
		if next >= args.Size().(types.Int) {
			break // format says so
		}
		long := formatted(args.Get(next), most-n)
		if next++; text[i] != 's' {
			long = 2*long + 100 // of text in hex, and of numbers in binary and with up to 100 digits
		}
		n += long
	}
	return n
}

// formatted is how long %s makes a value, or somewhat more.
func formatted(v ref.Val, most int64) (n int64) {
	switch x := v.(type) {
	case types.String:
		return int64(len(x))
	case types.Bytes:
		return int64(len(x))
	case types.Double:
		// All of its digits stand in front of the point, or behind it.
		_, exponent := math.Frexp(float64(x))
		return 30 + int64(max(exponent, -exponent)/3)
	case traits.Lister:
		for it := x.Iterator(); n <= most && it.HasNext() == types.True; {
			n += 2 + formatted(it.Next(), most-n)
		}
		return n + 2
	case traits.Mapper:
		for it := x.Iterator(); n <= most && it.HasNext() == types.True; {
			key := it.Next()
			n += 4 + formatted(key, most-n)
			if value, ok := x.Find(key); ok {
				n += formatted(value, most-n)
			}
		}
		return n + 2
	}
	return 40
}
