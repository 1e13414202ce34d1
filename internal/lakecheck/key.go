package lakecheck

import (
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"dynamolake/transform"
)

// keySchema reads which columns hold the primary key, from the footer, and
// checks that they have the types that the format gives them.
func (f *parquetFile) keySchema() (transform.KeySchema, error) {
	var list []struct{ Column, Attribute, Type string }
	if err := json.Unmarshal([]byte(f.footer["keys"]), &list); err != nil {
		return transform.KeySchema{}, fmt.Errorf("footer: keys: %w", err)
	}
	if len(list) < 1 || len(list) > 2 {
		return transform.KeySchema{}, fmt.Errorf("footer: keys names %d columns, want 1 or 2", len(list))
	}
	var keys transform.KeySchema
	for i, k := range list {
		c := f.columns[k.Column]
		switch {
		case c == nil:
			return transform.KeySchema{}, fmt.Errorf("there is no column %q, which the footer names a key column", k.Column)
		case !c.holds(k.Type):
			return transform.KeySchema{}, fmt.Errorf("column %q is %s (%s), which is no column for a key of type %q",
				k.Column, c.desc.PhysicalType(), c.desc.LogicalType(), k.Type)
		case i == 0:
			keys.Hash, f.hash = transform.KeyAttr{Name: k.Attribute, Type: transform.KeyType(k.Type[0])}, c
		default:
			keys.Range, f.rng = transform.KeyAttr{Name: k.Attribute, Type: transform.KeyType(k.Type[0])}, c
		}
	}
	return keys, nil
}

// holds tells whether the column is a key column for an attribute of that type.
func (c *column) holds(attributeType string) bool {
	physical, logical := c.desc.PhysicalType(), c.desc.LogicalType()
	switch attributeType {
	case "S":
		return physical == parquet.Types.ByteArray && logical.Equals(schema.StringLogicalType{})
	case "N":
		return physical == parquet.Types.FixedLenByteArray && c.desc.TypeLength() == 16 &&
			logical.Equals(schema.NewDecimalLogicalType(38, 9))
	case "B":
		return physical == parquet.Types.ByteArray && logical.IsNone()
	}
	return false
}

// key is the value of a key column as transform has it.
func (f *parquetFile) key(c *column, i int) transform.KeyValue {
	b := c.bytesAt(i)
	if b == nil {
		return transform.KeyValue{}
	}
	v := transform.KeyValue{Exact: true, Bytes: b}
	if c.desc.PhysicalType() == parquet.Types.FixedLenByteArray {
		v.Bytes = nil
		copy(v.Dec[:], b)
	}
	return v
}
