package rule

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// cAny are all types that an expression may give in a test.
var cAny = []*cel.Type{cel.BoolType, cel.IntType, cel.DoubleType, cel.StringType, cel.BytesType}

func allVariables() []cel.EnvOption {
	record := cel.MapType(cel.StringType, cel.DynType)
	return []cel.EnvOption{
		cel.Variable("item", record), cel.Variable("old", record), cel.Variable("keys", record),
		cel.Variable("op", cel.StringType), cel.Variable("ts", cel.TimestampType), cel.Variable("source", cel.StringType),
	}
}

func printed(v ref.Val) string {
	if v == types.NullValue {
		return "null"
	}
	return fmt.Sprint(v.Value())
}
