package transform

import "unsafe"

// Op is what happened to the item.
type Op byte

// The operations, named as DynamoDB Streams names them. Snapshot is ours: the
// item as a full export has it, whatever happened to it before.
const (
	Insert   Op = 'I'
	Modify   Op = 'M'
	Remove   Op = 'R'
	Snapshot Op = 'S'
)

// String is the eventName of DynamoDB Streams, or SNAPSHOT.
func (o Op) String() string {
	switch o {
	case Insert:
		return "INSERT"
	case Modify:
		return "MODIFY"
	case Remove:
		return "REMOVE"
	case Snapshot:
		return "SNAPSHOT"
	}
	return "?"
}

// Change is one stream record, or one line of an export. All byte slices alias
// the text that it was decoded from, or the decoder's arena of that page.
type Change struct {
	Seq     Seq    // zero from an export
	Created int64  // microseconds since 1970 UTC; a stream has whole seconds, a full export nothing; 0 when not told
	Size    int64  // SizeBytes of the record, as the service counts; 0 when not told
	EventID []byte // nil when not told
	Keys    []byte // DynamoDB JSON of the key, braces included; nil for Snapshot, whose New has it
	New     []byte // DynamoDB JSON of the new image, braces included; nil for Remove
	Old     []byte // the same of the old image; nil when absent
	Hash    KeyValue
	Range   KeyValue // zero when the table has no sort key
	Op      Op
	TTL     bool // removed by the table's time to live (userIdentity)

	rest rest
}

// Reject is a record, or a line of an export, that no rule could place.
type Reject struct {
	Seq    Seq    // zero when it cannot be told, and from an export
	Raw    []byte // as the service wrote it: a JSON value, or a line, which may be anything; aliases what was decoded
	Reason string // in words; holds no item content
}

// Page is one GetRecords answer, or some lines of an export, which leave Next,
// Last and LastCreated zero. A Page is reused: Decode and DecodeExport reset it,
// and with it every Change that it gave out before.
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

	// arena holds what could not alias the body: unescaped text and decoded
	// base64. It never grows in place, so slices of it stay valid.
	arena []byte
	spent int // bytes of arenas that were filled up on this page
}

// Bytes is the memory that the page itself holds, without the body.
func (p *Page) Bytes() int {
	return cap(p.Changes)*int(unsafe.Sizeof(Change{})) +
		cap(p.Rejects)*int(unsafe.Sizeof(Reject{})) +
		len(p.Next) + p.spent + cap(p.arena)
}

// add returns a new change at the end.
func (p *Page) add() *Change {
	p.Changes = append(p.Changes, Change{})
	return &p.Changes[len(p.Changes)-1]
}

// drop takes back what add gave last.
func (p *Page) drop() {
	last := len(p.Changes) - 1
	p.Changes[last] = Change{}
	p.Changes = p.Changes[:last]
}

// reset keeps the page's memory and lets go of the body that it aliased.
func (p *Page) reset() {
	clear(p.Changes)
	clear(p.Rejects)
	*p = Page{Changes: p.Changes[:0], Rejects: p.Rejects[:0], arena: p.arena[:0]}
}

// room gives the arena space for n more bytes and returns it.
func (p *Page) room(n int) []byte {
	if cap(p.arena)-len(p.arena) < n {
		p.spent += cap(p.arena)
		p.arena = make([]byte, 0, max(n, 2*cap(p.arena), 4096))
	}
	return p.arena
}
