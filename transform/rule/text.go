package rule

import (
	"errors"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// errGrows is a result that would be too long.
var errGrows = errors.New("costs more than its limit")

// boundText replaces those of CEL's functions of text that could take hours and all memory, for CEL counts what a
// call has cost when it has its result, and that of format not at all. Of replace, join and format that may be longer than all that they are given, two
// attributes of 400 KB making 160 GB, so they look at its length before; a step is for ten bytes, so a longer one would
// be over the limit anyway. And indexOf walked over the one text for each place in the other.
func boundText(limit uint64) []cel.EnvOption {
	most := int64(10 * limit)
	replace := func(args ...ref.Val) ref.Val {
		text, old, put := string(args[0].(types.String)), string(args[1].(types.String)), string(args[2].(types.String))
		n := int64(-1)
		if len(args) == 4 {
			n = int64(args[3].(types.Int))
		}
		times := int64(strings.Count(text, old))
		if n >= 0 {
			times = min(times, n)
		}
		if int64(len(text))+times*int64(len(put)-len(old)) > most {
			return types.WrapErr(errGrows)
		}
		return types.String(strings.Replace(text, old, put, int(times)))
	}
	join := func(args ...ref.Val) ref.Val {
		all, between := args[0].(traits.Lister), ""
		if len(args) == 2 {
			between = string(args[1].(types.String))
		}
		var parts []string
		long := int64(0)
		for i := all.Iterator(); i.HasNext() == types.True; {
			part, ok := i.Next().(types.String)
			if !ok {
				return types.NewErr("no such overload")
			}
			parts = append(parts, string(part))
			if long += int64(len(part)) + int64(len(between)); long > most {
				return types.WrapErr(errGrows)
			}
		}
		return types.String(strings.Join(parts, between))
	}
	indexOf := func(args ...ref.Val) ref.Val {
		text, part, from := string(args[0].(types.String)), string(args[1].(types.String)), 0
		if len(args) == 3 {
			offset := int64(args[2].(types.Int))
			if offset < 0 {
				return types.NewErr("index out of bounds")
			}
			from = bytesOf(text, offset)
		}
		at := strings.Index(text[from:], part)
		if at < 0 || from == len(text) && part != "" {
			return types.Int(-1)
		}
		return types.Int(utf8.RuneCountInString(text[:from+at]))
	}
	lastIndexOf := func(args ...ref.Val) ref.Val {
		text, part := string(args[0].(types.String)), string(args[1].(types.String))
		if len(args) == 3 {
			offset := int64(args[2].(types.Int))
			end := bytesOf(text, offset)
			switch {
			case offset < 0:
				return types.NewErr("index out of bounds")
			case part != "" && end == len(text):
				return types.Int(-1)
			}
			text = text[:min(len(text), end+len(part))]
		}
		at := strings.LastIndex(text, part)
		if at < 0 {
			return types.Int(-1)
		}
		return types.Int(utf8.RuneCountInString(text[:at]))
	}
	theirs := formatOfCEL()
	format := func(args ...ref.Val) ref.Val {
		if longest(string(args[0].(types.String)), args[1].(traits.Lister), most) > most {
			return types.WrapErr(errGrows)
		}
		return theirs(args...)
	}
	s, i, l := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	return []cel.EnvOption{
		cel.Function("format",
			cel.MemberOverload("string_format", []*cel.Type{s, cel.ListType(cel.DynType)}, s, cel.FunctionBinding(format))),
		cel.Function("replace",
			cel.MemberOverload("string_replace_string_string", []*cel.Type{s, s, s}, s, cel.FunctionBinding(replace)),
			cel.MemberOverload("string_replace_string_string_int", []*cel.Type{s, s, s, i}, s, cel.FunctionBinding(replace))),
		cel.Function("join",
			cel.MemberOverload("list_join", []*cel.Type{l}, s, cel.UnaryBinding(func(of ref.Val) ref.Val { return join(of) })),
			cel.MemberOverload("list_join_string", []*cel.Type{l, s}, s, cel.BinaryBinding(func(of, between ref.Val) ref.Val { return join(of, between) }))),
		cel.Function("indexOf",
			cel.MemberOverload("string_index_of_string", []*cel.Type{s, s}, i, cel.BinaryBinding(func(of, part ref.Val) ref.Val { return indexOf(of, part) })),
			cel.MemberOverload("string_index_of_string_int", []*cel.Type{s, s, i}, i, cel.FunctionBinding(indexOf))),
		cel.Function("lastIndexOf",
			cel.MemberOverload("string_last_index_of_string", []*cel.Type{s, s}, i, cel.BinaryBinding(func(of, part ref.Val) ref.Val { return lastIndexOf(of, part) })),
			cel.MemberOverload("string_last_index_of_string_int", []*cel.Type{s, s, i}, i, cel.FunctionBinding(lastIndexOf))),
	}
}

// bytesOf is how many bytes the first runes of a text have, all of it if it has fewer.
func bytesOf(text string, runes int64) int {
	for at := range text {
		if runes <= 0 {
			return at
		}
		runes--
	}
	return len(text)
}
