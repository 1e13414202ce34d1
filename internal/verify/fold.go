package verify

import (
	"sync"

	"dynamolake/transform"
)

// place in the order of a key's rows: by epoch, then by _seq in the stream, by _ts in exports.
type order struct {
	rank   int64 // the epoch, and the first two digits of _seq
	hi, lo uint64
}

func (o order) compare(p order) int {
	switch {
	case o.rank != p.rank:
		return sign(o.rank < p.rank)
	case o.hi != p.hi:
		return sign(o.hi < p.hi)
	case o.lo != p.lo:
		return sign(o.lo < p.lo)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// orderOf packs 40 digits into 2, 19 and 19: 19 always fit into 64 bits.
func orderOf(epoch int64, seq transform.Seq, ts int64) order {
	if seq.IsZero() {
		return order{rank: epoch * 100, lo: uint64(ts) ^ 1<<63}
	}
	return order{epoch*100 + int64(decimal(seq[:2])), decimal(seq[2:21]), decimal(seq[21:])}
}

func decimal(digits []byte) (n uint64) {
	for _, c := range digits {
		n = n*10 + uint64(c-'0')
	}
	return n
}

// entry is the newest row of a key.
type entry struct {
	order
	ts   int64 // _ts, microseconds; 0 if not told
	item digest
	age  uint16 // of the rules that it was written under, see [set]
	flag flag
}

type flag uint8

const (
	removed  flag = 1 << iota // the row is a REMOVE
	snapshot                  // the row is of a full export
	met                       // the other side has had the key
)

func (e entry) live() bool { return e.flag&removed == 0 }

// itemKey is a key in a dataset.
type itemKey struct {
	key digest
	set uint16 // index of the dataset
}

// entryBytes is what an entry takes in the map, with the room that the map keeps.
const entryBytes = 160

// part is the share of the keys whose digests end in these bits.
type part struct {
	bits uint
	want uint32
}

func (p part) has(key digest) bool { return key.low()&(1<<p.bits-1) == p.want }

// state is the fold of the lake, for a part of the keys. When they become too many the part is
// halved, and the other half is left for another pass.
type state struct {
	mu    sync.Mutex
	part  part
	limit int
	keys  map[itemKey]entry
	left  []part
}

func newState(p part, limit int) *state {
	return &state{part: p, limit: max(limit, 1), keys: map[itemKey]entry{}}
}

// has tells whether a key is of this part, as far as is known.
func (s *state) has(key digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.part.has(key)
}

// maxBits: the fold of so many parts is past all use.
const maxBits = 24

// put takes a row. The item's digest is asked for only if the row is the newest so
// far.
func (s *state) put(key itemKey, e entry, item func() digest) {
	s.mu.Lock()
	old, known := s.keys[key]
	wanted := s.part.has(key.key) && (!known || old.order.compare(e.order) < 0)
	s.mu.Unlock()
	if !wanted {
		return
	}
	if e.live() {
		e.item = item()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, known := s.keys[key]; !s.part.has(key.key) || known && old.order.compare(e.order) >= 0 {
		return
	}
	s.keys[key] = e
	for len(s.keys) > s.limit && s.part.bits < maxBits {
		s.halve()
	}
}

func (s *state) halve() {
	s.left = append(s.left, part{s.part.bits + 1, s.part.want | 1<<s.part.bits})
	s.part.bits++
	for key := range s.keys {
		if !s.part.has(key.key) {
			delete(s.keys, key)
		}
	}
}

// meet marks a key as one that the other side has. Not known: the lake never had it. Not
// ours: it is for another pass.
func (s *state) meet(key itemKey) (e entry, known, ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.part.has(key.key) {
		return entry{}, false, false
	}
	e, known = s.keys[key]
	if known {
		e.flag |= met
		s.keys[key] = e
	}
	return e, known, true
}
