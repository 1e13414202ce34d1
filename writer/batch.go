package writer

import (
	"math"
	"slices"
	"sort"
	"time"

	"dynamolake/transform"
)

const dayMicros = 24 * 60 * 60 * 1_000_000

// Limits say when a batch is due and how large a slice may be. A zero Rows or
// Bytes sets no limit.
type Limits struct {
	Rows  int
	Bytes int64         // of DynamoDB JSON; the change that crosses it is included
	Age   time.Duration // the most that a change waits, from the moment its page was added
}

// Batch holds the pages of one shard that are not yet durable, in order. One
// goroutine owns it; it does no I/O and reads no clock.
//
// The cycle is Add a page, Cut what is due, write it, Advance to where the chain
// now ends: the end of the slice, or of the link that won in its place, which may
// lie anywhere, also beyond what the batch holds.
type Batch struct {
	// Free, when set before the first Add, gets each body and page back as soon
	// as nothing aliases them.
	Free func(body []byte, p *transform.Page)

	cursor transform.Seq // durable up to here
	tail   transform.Seq // held up to here; never before cursor
	pages  []heldPage
	held   int64
	rows   int
	bytes  int64
	closed bool // the last page of the shard has been added
}

type heldPage struct {
	body  []byte
	page  *transform.Page
	left  []transform.Change // of page.Changes, those not yet durable
	last  transform.Seq      // everything up to here is decided by this page
	added time.Time
	cost  int64
	bytes int64 // of left
	// The UTC days of page.Changes lie between these; first is beyond last while
	// no change has told its time.
	firstDay, lastDay int64
}

// NewBatch returns an empty batch for a shard that is durable up to after.
func NewBatch(after transform.Seq) *Batch { return &Batch{cursor: after, tail: after} }

// Cost is what a batch holds, in bytes, for a page and its body until it is durable.
func Cost(body []byte, p *transform.Page) int64 {
	return int64(cap(body)) + int64(p.Bytes())
}

// Add takes ownership of a page and the body that its changes alias. Changes at
// or before the cursor, or that the batch holds already, are ignored. It returns
// the bytes now held for the page: [Cost], or 0 when there was nothing to keep and
// both have been freed.
func (b *Batch) Add(body []byte, p *transform.Page, now time.Time) int64 {
	b.closed = b.closed || p.Next == ""
	if !slices.IsSortedFunc(p.Changes, bySeq) {
		slices.SortStableFunc(p.Changes, bySeq)
	}
	left := p.Changes[seen(p.Changes, b.tail):]
	last := p.Last
	if n := len(left); n > 0 && left[n-1].Seq.Compare(last) > 0 {
		last = left[n-1].Seq
	}
	if last.Compare(b.tail) <= 0 {
		b.free(body, p)
		return 0
	}
	h := heldPage{body: body, page: p, left: left, last: last, added: now, cost: Cost(body, p), firstDay: math.MaxInt64, lastDay: math.MinInt64}
	for i := range left {
		h.bytes += size(&left[i])
		if left[i].Created != 0 {
			day := floorDay(left[i].Created)
			h.firstDay, h.lastDay = min(h.firstDay, day), max(h.lastDay, day)
		}
	}
	b.pages = append(b.pages, h)
	b.tail = last
	b.held += h.cost
	b.rows += len(left)
	b.bytes += h.bytes
	return h.cost
}

// Cut returns the next slice if one is due: by rows, by bytes, by the age of the
// oldest change, because the UTC day changes within what is held, or because the
// shard has ended. With force, everything is due. It changes nothing. A batch
// with more than one slice due gives them one by one, each after the other's
// Advance.
//
// After the shard's last page Cut goes on returning a slice, without rows if
// need be, until the caller has seen a [Link] with ShardEnd.
func (b *Batch) Cut(now time.Time, l Limits, force bool) (Slice, bool) {
	s := Slice{After: b.cursor, End: b.cursor}
	if len(b.pages) == 0 {
		s.ShardEnd = b.closed
		return s, b.closed
	}
	due := force || b.closed ||
		l.Rows > 0 && b.rows >= l.Rows ||
		l.Bytes > 0 && b.bytes >= l.Bytes ||
		now.Sub(b.pages[0].added) >= l.Age
	if !due && b.oneDay() {
		return Slice{}, false // the usual answer, without looking at the changes
	}
	day := int64(math.MinInt64)
	full := func() bool { return l.Rows > 0 && s.Rows >= l.Rows || l.Bytes > 0 && s.Bytes >= l.Bytes }
	for _, h := range b.pages {
		n := 0
		for ; n < len(h.left) && !full(); n++ {
			c := &h.left[n]
			switch d := floorDay(c.Created); {
			case c.Created == 0 || d == day: // no time told: it goes with its neighbours
			case day == math.MinInt64:
				day = d
			default:
				return s.upTo(h.left[:n]), true
			}
			s.Rows++
			s.Bytes += size(c)
		}
		s = s.upTo(h.left[:n])
		if n < len(h.left) {
			return s, due
		}
		s.End = h.last
	}
	s.ShardEnd = b.closed
	return s, due
}

// Advance tells that the chain is durable up to end. It drops what that covers
// and returns the bytes freed. An end at or before the cursor changes nothing.
func (b *Batch) Advance(end transform.Seq) (freed int64) {
	if end.Compare(b.cursor) <= 0 {
		return 0
	}
	b.cursor = end
	if end.Compare(b.tail) > 0 {
		b.tail = end
	}
	whole := 0
	for whole < len(b.pages) && b.pages[whole].last.Compare(end) <= 0 {
		h := b.pages[whole]
		freed += h.cost
		b.rows -= len(h.left)
		b.bytes -= h.bytes
		b.free(h.body, h.page)
		whole++
	}
	b.pages = slices.Delete(b.pages, 0, whole)
	b.held -= freed
	if len(b.pages) > 0 {
		h := &b.pages[0]
		n := seen(h.left, end)
		for i := range h.left[:n] {
			h.bytes -= size(&h.left[i])
			b.bytes -= size(&h.left[i])
		}
		h.left = h.left[n:]
		b.rows -= n
	}
	return freed
}

// Held is the number of bytes held.
func (b *Batch) Held() int64 { return b.held }

// Rows is the number of changes held.
func (b *Batch) Rows() int { return b.rows }

// Oldest is when the oldest page that is not durable was added; false when
// nothing is held.
func (b *Batch) Oldest() (time.Time, bool) {
	if len(b.pages) == 0 {
		return time.Time{}, false
	}
	return b.pages[0].added, true
}

// Cursor is the position up to which the chain is durable.
func (b *Batch) Cursor() transform.Seq { return b.cursor }

// Tail is the position to read on from: the end of what is held.
func (b *Batch) Tail() transform.Seq { return b.tail }

// Closed tells that the shard's last page has been added.
func (b *Batch) Closed() bool { return b.closed }

// oneDay tells that all changes are of one UTC day. It may miss that after an
// Advance into a page.
func (b *Batch) oneDay() bool {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range b.pages {
		first, last = min(first, b.pages[i].firstDay), max(last, b.pages[i].lastDay)
	}
	return first >= last
}

func (b *Batch) free(body []byte, p *transform.Page) {
	if b.Free != nil {
		b.Free(body, p)
	}
}

// seen counts the changes at or before a position.
func seen(changes []transform.Change, pos transform.Seq) int {
	return sort.Search(len(changes), func(i int) bool { return changes[i].Seq.Compare(pos) > 0 })
}

func bySeq(a, b transform.Change) int { return a.Seq.Compare(b.Seq) }

func size(c *transform.Change) int64 { return int64(len(c.Keys) + len(c.New) + len(c.Old)) }

// floorDay is the day number of a time in microseconds, also before 1970.
func floorDay(micros int64) int64 {
	d := micros / dayMicros
	if micros < d*dayMicros {
		d--
	}
	return d
}
