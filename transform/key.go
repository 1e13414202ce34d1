package transform

// KeyType is the scalar type of a key attribute: 'S', 'N' or 'B'.
type KeyType byte

// KeyAttr is one attribute of the primary key.
type KeyAttr struct {
	Name string
	Type KeyType
}

// KeySchema is the table's primary key. Range.Name is empty where there is none.
type KeySchema struct {
	Hash, Range KeyAttr
}

// HasRange tells whether the table has a sort key.
func (k KeySchema) HasRange() bool { return k.Range.Name != "" }

// KeyValue is a key attribute as its column holds it.
type KeyValue struct {
	// Bytes is the text of an S (UTF-8, unescaped) or the bytes of a B. For an
	// N it is the number's digits as the service wrote them.
	Bytes []byte
	// Dec is an N as decimal(38,9): big-endian two's complement. It is zero
	// unless Exact.
	Dec [16]byte
	// Exact is false when the column cannot hold the value exactly; it is then
	// null in the column, and the attribute stays in _rest. That is an N whose
	// canonical text differs from its digits or that does not fit, an S with a
	// lone surrogate (it stands in Bytes as its three-byte form, no valid UTF-8),
	// and a B whose base64 is not the one that an encoder would write.
	Exact bool
}
