package transform

import (
	"fmt"
	"strings"
)

// Field ids of the columns, for readers that match columns by id. Ids below
// keyFieldID belong to the metadata columns, ids from 1001 to attribute columns.
const keyFieldID = 101

// Column is one typed column of a change row, named after an attribute.
//
// Only key attributes have columns so far. Typed attribute columns will join the
// same list behind the key columns: whoever lays out a row by ranging over
// Columns is ready for them.
type Column struct {
	Name    string // unique in the row, also when case is ignored
	Attr    string // the attribute as DynamoDB names it
	Type    KeyType
	FieldID int // Parquet field id
}

// Columns plans the key columns, the hash key first.
//
// A column has its attribute's name, whatever is in it, with three exceptions.
// Names that start with _ belong to the metadata columns: such an attribute, and
// one with an empty name, gets the prefix "attr". Bytes that are not UTF-8 become U+FFFD. And because
// most engines ignore case, a name that equals an earlier one but for case
// gets the suffix _2 (or _3, and so on).
func (k KeySchema) Columns() []Column {
	attrs := []KeyAttr{k.Hash}
	if k.HasRange() {
		attrs = append(attrs, k.Range)
	}
	columns := make([]Column, 0, len(attrs))
	taken := func(name string) bool {
		for _, c := range columns {
			if strings.EqualFold(c.Name, name) {
				return true
			}
		}
		return false
	}
	for i, a := range attrs {
		base := strings.ToValidUTF8(a.Name, "\uFFFD")
		if base == "" || base[0] == '_' {
			base = "attr" + base
		}
		name := base
		for n := 2; taken(name); n++ {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		columns = append(columns, Column{Name: name, Attr: a.Name, Type: a.Type, FieldID: keyFieldID + i})
	}
	return columns
}
