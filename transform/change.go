package transform

// Op is what happened to the item.
type Op byte

// The operations, named as DynamoDB Streams names them.
const (
	Insert Op = 'I'
	Modify Op = 'M'
	Remove Op = 'R'
)

// String is the eventName of DynamoDB Streams.
func (o Op) String() string {
	switch o {
	case Insert:
		return "INSERT"
	case Modify:
		return "MODIFY"
	case Remove:
		return "REMOVE"
	}
	return "?"
}

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
	// Dec is an N as decimal(38,9): big-endian two's complement.
	Dec [16]byte
	// Exact is false when the column cannot hold the value exactly; it is then
	// null in the column, and the attribute stays in _rest.
	Exact bool
}

// Change is one stream record. All byte slices alias the page body that it was
// decoded from, or the decoder's arena of that page.
type Change struct {
	Seq     Seq
	Created int64 // microseconds since 1970 UTC; the service's resolution is a second
	Size    int64 // SizeBytes of the record, as the service counts
	EventID []byte
	Keys    []byte // DynamoDB JSON of the key, braces included
	New     []byte // DynamoDB JSON of the new image, braces included; nil when absent
	Old     []byte // the same of the old image
	Hash    KeyValue
	Range   KeyValue
	Op      Op
	TTL     bool // removed by the table's time to live (userIdentity)

	rest rest // where the key attributes stand in New
}

// Reject is a record that no rule could place.
type Reject struct {
	Seq    Seq    // zero when it cannot be told
	Raw    []byte // the record as the service wrote it, a JSON value
	Reason string
}

// Page is one GetRecords answer. A Page is reused: Decode resets it.
type Page struct {
	Changes []Change
	Rejects []Reject
	// Next is the iterator of the next page; empty means that the shard is
	// closed and this page is its last.
	Next string
	// Last is the highest sequence number on the page, rejects included; zero
	// when the page is empty. LastCreated belongs to it, in microseconds.
	Last        Seq
	LastCreated int64
}

// rest is what AppendRest needs to know of the image; the decoder fills it in.
type rest struct{}
