package lakecheck

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// attribute is an attribute column, or a field of a struct, as the footer tells of it.
type attribute struct {
	Column string      // of a column
	Field  string      // of a field
	From   path        // where the item has it; empty: computed, and no part of it
	Type   string      // as in a schema file
	Fields []attribute // of the struct, or of the struct in a list

	kind   kind
	leaves []*leaf // of a column
}

// path is the names of an attribute and of what is inside it. A field has one, as text.
type path []string

func (p *path) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*p = path{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(p))
}

// kind is a type, taken apart.
type kind struct {
	name   string // string, int64, decimal, ...
	p, s   int    // precision and scale of a decimal
	form   string // of a timestamp or date
	digits int    // of a timestamp(iso)
	elem   *kind  // of a list or set
	fields []attribute
}

// parseKind reads a type. Fields are those of the struct in it.
func parseKind(text string, fields []attribute) (k kind, err error) {
	bad := fmt.Errorf("type %q", text)
	name, inner, ok := strings.Cut(text, "<")
	if k.name = name; ok {
		elem, err := parseKind(strings.TrimSuffix(inner, ">"), fields)
		if k.elem = &elem; err != nil || name != "list" && name != "set" || !strings.HasSuffix(inner, ">") {
			return k, bad
		}
		return k, nil
	}
	name, inner, _ = strings.Cut(strings.TrimSuffix(text, ")"), "(")
	args := strings.Split(inner, ",")
	switch k.name = name; name {
	case "string", "int64", "double", "bool", "binary", "json":
	case "decimal":
		if len(args) != 2 {
			return k, bad
		}
		if k.p, err = strconv.Atoi(args[0]); err == nil {
			k.s, err = strconv.Atoi(args[1])
		}
	case "timestamp", "date":
		if k.form = args[0]; len(args) == 2 {
			k.digits, err = strconv.Atoi(args[1])
		}
	case "struct":
		k.fields = fields
		for i := range fields {
			if len(fields[i].From) != 1 {
				return k, fmt.Errorf("field %q is of %q", fields[i].Field, fields[i].From)
			}
			if fields[i].kind, err = parseKind(fields[i].Type, fields[i].Fields); err != nil {
				return k, err
			}
		}
	default:
		err = bad
	}
	return k, err
}

// attributes reads which columns hold attributes, and finds their leaves by their paths.
func (f *parquetFile) attributes() (byPath map[string]*leaf, err error) {
	byPath = map[string]*leaf{}
	text, typed := f.footer["columns"]
	if version := f.footer["schema"]; typed != (version != "0") {
		return nil, fmt.Errorf("footer: schema version %q, and columns %.100q", version, text)
	}
	if !typed {
		return byPath, nil
	}
	if err := json.Unmarshal([]byte(text), &f.attrs); err != nil {
		return nil, fmt.Errorf("footer: columns: %w", err)
	}
	for i := range f.attrs {
		a := &f.attrs[i]
		if a.kind, err = parseKind(a.Type, a.Fields); err != nil {
			return nil, fmt.Errorf("footer: column %q: %w", a.Column, err)
		}
		a.kind.place(path{a.Column}, 1, 0, func(l *leaf) {
			a.leaves = append(a.leaves, l)
			byPath[strings.Join(l.path, "\x00")] = l
		})
	}
	return byPath, nil
}

// place says where the leaves of a type must be.
func (k *kind) place(at path, def, rep int16, add func(*leaf)) {
	below := func(names ...string) path { return append(at[:len(at):len(at)], names...) }
	switch {
	case k.elem != nil:
		k.elem.place(below("list", "element"), def+2, rep+1, add)
	case k.name == "struct":
		for i := range k.fields {
			k.fields[i].kind.place(below(k.fields[i].Field), def+1, rep, add)
		}
	default:
		add(&leaf{path: at, kind: k, def: def, rep: rep})
	}
}

// count is how many leaves there are.
func (k *kind) count() (n int) {
	k.place(nil, 0, 0, func(*leaf) { n++ })
	return n
}

// stored says whether a column is as the format has it for the type of a scalar.
func (k *kind) stored(c *schema.Column) bool {
	physical, logical := c.PhysicalType(), c.LogicalType()
	want, marked := parquet.Types.ByteArray, schema.LogicalType(schema.NoLogicalType{})
	switch k.name {
	case "string", "json":
		marked = schema.StringLogicalType{}
	case "int64":
		want, marked = parquet.Types.Int64, schema.NewIntLogicalType(64, true)
	case "decimal":
		marked = schema.NewDecimalLogicalType(int32(k.p), int32(k.s))
		switch {
		case k.p <= 9:
			want = parquet.Types.Int32
		case k.p <= 18:
			want = parquet.Types.Int64
		default:
			if want = parquet.Types.FixedLenByteArray; c.TypeLength() != 16 {
				return false
			}
		}
	case "double":
		want = parquet.Types.Double
	case "bool":
		want = parquet.Types.Boolean
	case "timestamp":
		want, marked = parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros)
	case "date":
		want, marked = parquet.Types.Int32, schema.DateLogicalType{}
	}
	return physical == want && (logical.Equals(marked) || logical.IsNone() && marked.IsNone())
}
