package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is what a type is, without its parameters.
type Kind byte

// The kinds. Those before List are scalars, and so is JSON: one leaf each.
const (
	String Kind = iota + 1
	Int64
	Double
	Decimal
	Bool
	Binary
	Timestamp
	Date
	List
	Set
	Struct
	JSON
)

var kindNames = [...]string{
	String: "string", Int64: "int64", Double: "double", Decimal: "decimal", Bool: "bool", Binary: "binary",
	Timestamp: "timestamp", Date: "date", List: "list", Set: "set", Struct: "struct", JSON: "json",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return "?"
}

// Form is how an attribute writes a timestamp or a date.
type Form byte

// The forms. The first three are numbers since 1970, ISO is a string in UTC.
const (
	Seconds Form = iota + 1
	Millis
	Micros
	ISO
)

var formNames = [...]string{Seconds: "seconds", Millis: "millis", Micros: "micros", ISO: "iso"}

func (f Form) String() string { return formNames[f] }

// Type is the type of a column, a field or an element.
type Type struct {
	Kind      Kind
	Precision int     // of a decimal, 1 to 38
	Scale     int     // of a decimal, 0 to Precision
	Form      Form    // of a timestamp or date
	Digits    int     // of a timestamp(iso): behind the point; 0, 3 or 6
	Elem      *Type   // of a list or set
	ElemID    int     // field id of the element; 0 until numbered
	Fields    []Field // of a struct
}

// Field is a field of a struct.
type Field struct {
	Name string // of the field, unique in its struct, also when case is ignored
	From string // of the attribute in the map
	Type Type
	ID   int
}

// String is the type as a schema file writes it. Fields of a struct are not in it.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Timestamp, Date:
		if t.Digits > 0 {
			return fmt.Sprintf("%s(%s,%d)", t.Kind, t.Form, t.Digits)
		}
		return fmt.Sprintf("%s(%s)", t.Kind, t.Form)
	case List, Set:
		return fmt.Sprintf("%s<%s>", t.Kind, t.Elem)
	}
	return t.Kind.String()
}

// record is the struct inside a list of lists of structs; nil if there is none.
func (t *Type) record() *Type {
	for t.Kind == List || t.Kind == Set {
		t = t.Elem
	}
	if t.Kind == Struct {
		return t
	}
	return nil
}

// leaves is how many leaf columns the type takes.
func (t *Type) leaves() int {
	switch t.Kind {
	case List, Set:
		return t.Elem.leaves()
	case Struct:
		n := 0
		for i := range t.Fields {
			n += t.Fields[i].Type.leaves()
		}
		return n
	}
	return 1
}

// maxTypeDepth is how deep types may nest, lists and structs together.
const maxTypeDepth = 16

// ParseType reads a type as a schema file writes it; a struct comes without fields.
func ParseType(text string) (Type, error) {
	return parseType(strings.Join(strings.Fields(text), ""), 1)
}

func parseType(text string, depth int) (Type, error) {
	if depth > maxTypeDepth {
		return Type{}, fmt.Errorf("types nest deeper than %d", maxTypeDepth)
	}
	if name, inner, ok := strings.Cut(text, "<"); ok && strings.HasSuffix(inner, ">") {
		return containerType(name, inner[:len(inner)-1], depth)
	}
	name, inner, ok := strings.Cut(text, "(")
	var args []string
	if ok {
		if !strings.HasSuffix(inner, ")") {
			return Type{}, fmt.Errorf("type %q lacks its closing bracket", text)
		}
		args = strings.Split(inner[:len(inner)-1], ",")
	}
	switch {
	case name == "decimal":
		return decimalType(args)
	case name == "timestamp" || name == "date":
		return timeType(name, args)
	case ok:
		return Type{}, fmt.Errorf("type %q takes no brackets", name)
	}
	switch name {
	case "list", "set":
		return Type{}, fmt.Errorf("type %s wants its element, as %s<string>", name, name)
	case "struct", "string", "int64", "double", "bool", "binary", "json":
		for k, n := range kindNames {
			if n == name {
				return Type{Kind: Kind(k)}, nil
			}
		}
	}
	return Type{}, fmt.Errorf("unknown type %q", text)
}

func containerType(name, inner string, depth int) (Type, error) {
	elem, err := parseType(inner, depth+1)
	if err != nil {
		return Type{}, err
	}
	switch name {
	case "list":
		return Type{Kind: List, Elem: &elem}, nil
	case "set":
		switch elem.Kind {
		case String, Int64, Double, Decimal, Binary, Timestamp, Date:
			return Type{Kind: Set, Elem: &elem}, nil
		}
		return Type{}, fmt.Errorf("a set has strings, numbers or binary, no %s", elem)
	}
	return Type{}, fmt.Errorf("unknown type %q", name+"<"+inner+">")
}

func decimalType(args []string) (Type, error) {
	t := Type{Kind: Decimal}
	bad := fmt.Errorf("a decimal wants its precision and scale, as decimal(38,9), with 1 to 38 digits and a scale that is no greater")
	if len(args) != 2 {
		return t, bad
	}
	var err1, err2 error
	t.Precision, err1 = strconv.Atoi(args[0])
	t.Scale, err2 = strconv.Atoi(args[1])
	if err1 != nil || err2 != nil || t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
		return t, bad
	}
	return t, nil
}

func timeType(name string, args []string) (Type, error) {
	t := Type{Kind: Timestamp}
	bad := fmt.Errorf("a timestamp wants its form: timestamp(seconds), (millis), (micros), (iso), (iso,3) or (iso,6)")
	if name == "date" {
		t.Kind = Date
		bad = fmt.Errorf("a date wants its form: date(seconds), (millis) or (iso)")
	}
	if len(args) == 0 || len(args) > 2 {
		return t, bad
	}
	for f, n := range formNames {
		if n == args[0] && n != "" {
			t.Form = Form(f)
		}
	}
	if len(args) == 2 {
		t.Digits, _ = strconv.Atoi(args[1])
		if t.Form != ISO || name == "date" || t.Digits != 3 && t.Digits != 6 {
			return t, bad
		}
	}
	if t.Form == 0 || name == "date" && t.Form == Micros {
		return t, bad
	}
	return t, nil
}
