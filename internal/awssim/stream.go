package awssim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A sequence is a number of up to 40 digits: hi followed by 18 digits of lo.
type sequence struct{ hi, lo uint64 }

const sequenceLow = 1_000_000_000_000_000_000

// newSequence starts a little below 10^21, so that numbers soon grow by a digit.
func newSequence(rng *rand.Rand) sequence {
	return sequence{999, sequenceLow - 1 - rng.Uint64N(20_000_000_000)}
}

func (s sequence) String() string {
	return strconv.FormatUint(s.hi, 10) + strconv.FormatUint(sequenceLow+s.lo, 10)[1:]
}

func parseSequence(s string) (sequence, bool) {
	if len(s) < 19 || len(s) > 36 || !allDigits(s) {
		return sequence{}, false
	}
	var q sequence
	_, err := fmt.Sscanf(s[:len(s)-18]+" "+s[len(s)-18:], "%d %d", &q.hi, &q.lo)
	return q, err == nil
}

func (s sequence) less(t sequence) bool { return s.hi < t.hi || s.hi == t.hi && s.lo < t.lo }

func (c *Cloud) nextSeq() sequence {
	c.seq.lo += 1 + c.rng.Uint64N(1_000_000_000)
	if c.seq.lo >= sequenceLow {
		c.seq.lo -= sequenceLow
		c.seq.hi++
	}
	return c.seq
}

// A stream is one enabled spell of a table's stream. Its open shards divide the
// 64-bit hash range of the partition keys.
type stream struct {
	arn, label, table, view string
	hash, sort              keyAttr
	created                 time.Time
	disabled                time.Time // zero while enabled
	trim                    time.Time // by command; retention applies as well
	byID                    map[string]*shard
	order                   []*shard // by id; what DescribeStream pages through
	open                    []*shard // by hash range
	closed                  []*shard // by time of closing
	children                map[string][]*shard
	due                     rollQueue
	hidden                  map[string]int // listings yet to leave the shard out
	shownOpen               map[string]int // listings yet to show the closed shard open
}

type shard struct {
	id, parent string
	low, high  uint64 // of the hash range, both inclusive
	start, end sequence
	created    time.Time
	closed     time.Time // zero while open
	rollAt     time.Time
	records    []*record
}

// A record is one stream record; what readers see of it depends on the view.
type record struct {
	shard          string
	seq            sequence
	id             uint64
	event          string
	keys, old, new item
	created        time.Time
	micros         int64
	ttl, kept      bool
}

func (c *Cloud) enableStream(t *table, view string) {
	now := time.Now()
	label := now.UTC().Format("2006-01-02T15:04:05.000")
	for c.streams[t.arn+"/stream/"+label] != nil { // a spell that was shorter than a millisecond
		now = now.Add(time.Millisecond)
		label = now.UTC().Format("2006-01-02T15:04:05.000")
	}
	s := &stream{
		arn: t.arn + "/stream/" + label, label: label, table: t.name, view: view, hash: t.hash, sort: t.sort, created: time.Now(),
		byID: map[string]*shard{}, children: map[string][]*shard{}, hidden: map[string]int{}, shownOpen: map[string]int{},
	}
	n := c.cfg.Shards
	if set := c.shards[t.name]; set > 0 {
		n = set
	}
	width := ^uint64(0)/uint64(n) + 1 // 0 means everything, for one shard
	if n == 1 {
		width = 0
	}
	for i := range n {
		high := uint64(i+1)*width - 1
		if i == n-1 {
			high = ^uint64(0)
		}
		sh := c.newShard(s, "", uint64(i)*width, high, s.created)
		s.open = append(s.open, sh)
	}
	t.stream, t.latestStream, t.latestLabel = s, s.arn, label
	c.streams[s.arn] = s
}

func (c *Cloud) disableStream(t *table) {
	now := time.Now()
	s := t.stream
	c.advance(s, now)
	for _, sh := range s.open {
		c.closeShard(s, sh, now)
	}
	s.open, s.due = nil, nil
	s.disabled = now
	t.stream = nil
}

// newShard lists a shard that starts now; the caller puts it among the open ones.
func (c *Cloud) newShard(s *stream, parent string, low, high uint64, at time.Time) *shard {
	id := ""
	for id == "" || s.byID[id] != nil {
		id = fmt.Sprintf("shardId-%020d-%08x", at.UnixMilli(), c.rng.Uint32())
	}
	sh := &shard{id: id, parent: parent, low: low, high: high, start: c.nextSeq(), created: at}
	s.byID[id] = sh
	if parent != "" {
		s.children[parent] = append(s.children[parent], sh)
	}
	i, _ := slices.BinarySearchFunc(s.order, id, func(sh *shard, id string) int { return strings.Compare(sh.id, id) })
	s.order = slices.Insert(s.order, i, sh)
	if c.cfg.RollEvery > 0 {
		// Between 75 % and 125 % of RollEvery; the first generation at any time within it.
		part := float64(mix(c.cfg.Seed, uint64(at.UnixMilli())^hashKey(1, value{s: id}))>>11) / (1 << 53)
		life := 0.75 + part/2
		if parent == "" {
			life = part
		}
		sh.rollAt = at.Add(time.Duration(life * float64(c.cfg.RollEvery)))
		heap.Push(&s.due, sh)
	}
	return sh
}

func (c *Cloud) closeShard(s *stream, sh *shard, at time.Time) {
	sh.closed, sh.end = at, c.nextSeq()
	s.closed = append(s.closed, sh)
}

// divide closes an open shard and opens n children in its place.
func (c *Cloud) divide(s *stream, sh *shard, n int, at time.Time) {
	c.closeShard(s, sh, at)
	var kids []*shard
	if n == 1 {
		kids = append(kids, c.newShard(s, sh.id, sh.low, sh.high, at))
	} else {
		mid := sh.low + (sh.high-sh.low)/2
		kids = append(kids, c.newShard(s, sh.id, sh.low, mid, at), c.newShard(s, sh.id, mid+1, sh.high, at))
	}
	i := s.find(sh.low)
	s.open = slices.Replace(s.open, i, i+1, kids...)
}

func (s *stream) find(hash uint64) int {
	return sort.Search(len(s.open), func(i int) bool { return s.open[i].high >= hash })
}

func (s *stream) route(hash uint64) *shard { return s.open[s.find(hash)] }

// horizon is the time before which records may no longer be read.
func (c *Cloud) horizon(s *stream, now time.Time) time.Time {
	h := now.Add(-c.cfg.Retention)
	if every := c.cfg.TrimEvery; every > 0 {
		h = h.Truncate(every)
	}
	if s.trim.After(h) {
		return s.trim
	}
	return h
}

// advance brings about what time has brought: rolls, then the end of shards that
// closed before the horizon.
func (c *Cloud) advance(s *stream, now time.Time) {
	for len(s.due) > 0 && !s.due[0].rollAt.After(now) {
		sh := heap.Pop(&s.due).(*shard)
		if sh.closed.IsZero() {
			c.divide(s, sh, 1, sh.rollAt)
		}
	}
	h := c.horizon(s, now)
	n := 0
	for n < len(s.closed) && s.closed[n].closed.Before(h) {
		delete(s.byID, s.closed[n].id)
		n++
	}
	if n > 0 {
		s.closed = slices.Clone(s.closed[n:])
		s.order = slices.DeleteFunc(s.order, func(sh *shard) bool { return s.byID[sh.id] == nil })
	}
}

// firstKept is the index of the first record that may still be read.
func (sh *shard) firstKept(horizon time.Time) int {
	return sort.Search(len(sh.records), func(i int) bool { return !sh.records[i].created.Before(horizon) })
}

// rollQueue is the open shards by the time of their roll.
type rollQueue []*shard

func (q rollQueue) Len() int { return len(q) }
func (q rollQueue) Less(i, j int) bool {
	if !q[i].rollAt.Equal(q[j].rollAt) {
		return q[i].rollAt.Before(q[j].rollAt)
	}
	return q[i].id < q[j].id
}
func (q rollQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *rollQueue) Push(x any)   { *q = append(*q, x.(*shard)) }
func (q *rollQueue) Pop() any {
	old := *q
	sh := old[len(old)-1]
	*q = old[:len(old)-1]
	return sh
}
