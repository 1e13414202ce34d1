package checkpoint

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The rules: who is alive, what may be read, who gets what, which rows there
// must be. Nothing here does I/O or reads a clock.

// sighting is the value of a counter and since when, on the monotonic clock of
// the observer, it has not moved.
type sighting[V comparable] struct {
	value V
	since time.Time
	moved bool // it was seen to change, so somebody moves it
}

// see takes in a value that was read. got is when the answer had come: the
// writer of a new value stamped its trust window before that.
func (s sighting[V]) see(value V, got time.Time) sighting[V] {
	if s.since.IsZero() {
		return sighting[V]{value: value, since: got}
	}
	if s.value != value {
		return sighting[V]{value: value, since: got, moved: true}
	}
	return s
}

// still tells whether the counter stood for d. asked is when the question left
// that was answered by the old value; the time now would not do, for an
// observer that slept has seen nothing.
func (s sighting[V]) still(asked time.Time, d time.Duration) bool {
	return asked.Sub(s.since) >= d
}

// deadline is the end of the owner's trust window after a beat that left at sent.
func deadline(sent time.Time, duration, margin time.Duration) time.Time {
	return sent.Add(duration - margin)
}

// seqBefore compares sequence numbers of one shard as the integers they are.
func seqBefore(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func isSeq(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// ended: all of the shard is done.
func (r Row) ended() bool { return r.Checkpoint.Sentinel == ShardEnd }

// entered: reading began here, or is to begin here whatever came before, so no
// parent is waited for.
func (r Row) entered() bool {
	return r.Checkpoint.Seq != "" || r.ended() || r.ParentGone || r.Checkpoint.Sentinel == Latest
}

// ours parts the rows of the stream of a label from stray ones, of streams before
// it. Those of other tables are neither. Those of a later one are neither: who sees them does not know yet that its
// own was replaced.
func ours(rows []Row, scope Scope, label string) (mine, stray []Row) {
	for _, r := range rows {
		switch {
		case !scope.has(r):
		case r.Stream == "" || label == "" || r.Stream == label:
			mine = append(mine, r)
		case r.Stream < label:
			stray = append(stray, r)
		}
	}
	return mine, stray
}

// eligible tells whether a shard may be read: it is not done, and each parent is.
// A parent without a row blocks: one listing may have missed it.
func eligible(r Row, rows map[string]Row) bool {
	if r.ended() {
		return false
	}
	if r.entered() {
		return true
	}
	for _, p := range r.Parents {
		if parent, ok := rows[p]; !ok || !parent.ended() {
			return false
		}
	}
	return true
}

// Member is a worker that may be given leases.
type Member struct {
	ID   string
	Max  int    // most leases it takes; 0 means no limit
	Rank uint64 // who comes first; then the id decides
}

func (m Member) compare(other Member) int {
	return cmp.Or(cmp.Compare(m.Rank, other.Rank), cmp.Compare(m.ID, other.ID))
}

// Claim is one lease that may be read now and can be assigned.
type Claim struct {
	Key   string
	Owner string // the worker that has it, or to which it is being handed; "" if nobody
	Fixed bool   // it is being handed to Owner now: it counts, and does not move again
}

// Move gives a lease to a worker: To takes it if From is "", else From hands it over.
type Move struct{ Key, From, To string }

// Plan says which leases move so that the members hold them to within one of
// even, below their limits, with as few moves as can be. Claims of an
// owner that is no member are moved to members. It depends on nothing but its
// arguments, and not on their order; where two workers' views differ in a few
// claims their plans differ in a few moves.
func Plan(members []Member, claims []Claim) []Move {
	if len(members) == 0 {
		return nil
	}
	members = slices.SortedFunc(slices.Values(members), Member.compare)
	claims = slices.SortedFunc(slices.Values(claims), func(a, b Claim) int { return cmp.Compare(a.Key, b.Key) })
	index := make(map[string]int, len(members))
	for i, m := range members {
		index[m.ID] = i
	}
	have := make([]int, len(members))
	for _, c := range claims {
		if i, ok := index[c.Owner]; ok {
			have[i]++
		}
	}
	want := quotas(members, have, len(claims))

	// What nobody of us has, and what is too much, goes to who has too little. The
	// surplus is taken from the end: the youngest shards, with the least behind them.
	var pool []Claim
	for _, c := range slices.Backward(claims) {
		i, ok := index[c.Owner]
		switch {
		case !ok:
			pool = append(pool, c)
		case have[i] > want[i] && !c.Fixed:
			have[i]--
			pool = append(pool, c)
		}
	}
	hashes := make([]uint64, len(members))
	for i, m := range members {
		hashes[i] = hash(m.ID)
	}
	var moves []Move
	for _, c := range slices.Backward(pool) {
		// The member with room that ranks highest for this key, so that a
		// claim more or less in the view does not shift all the others.
		best, rank, h := -1, uint64(0), hash(c.Key)
		for i := range members {
			if have[i] < want[i] {
				if r := mix(h ^ hashes[i]); best < 0 || r > rank {
					best, rank = i, r
				}
			}
		}
		if best < 0 {
			continue // all are at their limits
		}
		have[best]++
		moves = append(moves, Move{Key: c.Key, From: c.Owner, To: members[best].ID})
	}
	return moves
}

// quotas is how many of n leases each member is to hold. The odd ones stay with
// those that have most, which saves moves.
func quotas(members []Member, have []int, n int) []int {
	limit := func(i int) int {
		if members[i].Max > 0 {
			return members[i].Max
		}
		return n
	}
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(limit(a), limit(b)), cmp.Compare(a, b))
	})
	want := make([]int, len(members))
	for len(order) > 0 && limit(order[0]) <= n/len(order) {
		want[order[0]] = limit(order[0])
		n -= want[order[0]]
		order = order[1:]
	}
	if len(order) == 0 {
		return want
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(have[b], have[a]), cmp.Compare(a, b))
	})
	each, odd := n/len(order), n%len(order)
	for rank, i := range order {
		want[i] = each
		if rank < odd {
			want[i]++
		}
	}
	return want
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// jitter is a part of d in [0, d) that depends on a key and a number, so that
// writes spread and a seeded run repeats.
func jitter(d time.Duration, key string, n int64) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(mix(hash(key)+uint64(n)) % uint64(d))
}

// birth reads the creation time that a shard id carries.
func birth(id string) (time.Time, bool) {
	ms, ok := strings.CutPrefix(id, "shardId-")
	if !ok || len(ms) < 21 || ms[20] != '-' {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(ms[:20], 10, 64)
	return time.UnixMilli(n), err == nil
}

// birthSlack covers the distance between a shard's end and its child's birth.
const birthSlack = time.Minute

// trimming tells whether a shard may be about to leave the stream, which keeps records
// for 24 h. An id without a birth counts as old.
func trimming(id string, now time.Time) bool {
	born, ok := birth(id)
	return !ok || now.Sub(born) > 20*time.Hour
}

// lineage is a listing and the rows, joined by parenthood.
type lineage struct {
	shards   map[string]Shard // listed
	rows     map[string]Row
	children map[string][]string
	order    []string // listed ids, parents first
}

func newLineage(listed []Shard, rows map[string]Row) lineage {
	g := lineage{shards: make(map[string]Shard, len(listed)), rows: rows, children: map[string][]string{}}
	for _, s := range listed {
		g.shards[s.ID] = s
		if s.Parent != "" {
			g.children[s.Parent] = append(g.children[s.Parent], s.ID)
		}
	}
	for key, r := range rows {
		if _, ok := g.shards[key]; !ok {
			for _, p := range r.Parents {
				g.children[p] = append(g.children[p], key)
			}
		}
	}
	done := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		s, ok := g.shards[id]
		if !ok || done[id] {
			return
		}
		done[id] = true
		visit(s.Parent)
		g.order = append(g.order, id)
	}
	for _, id := range slices.Sorted(maps.Keys(g.shards)) {
		visit(id)
	}
	return g
}

// unknownParents are those that somebody waits for, or would wait for, while they
// are neither listed nor have a row.
func (g lineage) unknownParents() []string {
	var unknown []string
	for _, p := range slices.Sorted(maps.Keys(g.children)) {
		_, listed := g.shards[p]
		_, known := g.rows[p]
		if listed || known {
			continue
		}
		if slices.ContainsFunc(g.children[p], func(c string) bool {
			r, ok := g.rows[c]
			return !ok || !r.entered()
		}) {
			unknown = append(unknown, p)
		}
	}
	return unknown
}

// missing returns the rows to create, parents first, and the keys of rows that
// need no longer wait for their parent. gone are parents known not to exist;
// now is what Latest means if this is the first listing.
//
// A shard gets no row when a descendant was entered: it was done before, or lies
// before the beginning. With Latest, the beginning is the instant of the first
// listing, kept in the rows: shards found later but closed before it get none.
func (g lineage) missing(initial Initial, now time.Time, gone map[string]bool) (create []Row, free []string) {
	start, known := now, len(g.rows) == 0
	for _, r := range g.rows {
		if t := r.Checkpoint.Start; !t.IsZero() && (!known || t.Before(start)) {
			start, known = t, true
		}
	}
	passed := map[string]bool{} // a descendant was entered
	for _, id := range slices.Backward(g.order) {
		for _, c := range g.children[id] {
			if r, ok := g.rows[c]; ok && r.entered() || !ok && passed[c] {
				passed[id] = true
			}
		}
	}
	// position says where a shard without a row begins, if it gets one. covered:
	// an ancestor has a row.
	position := func(s Shard, covered bool) (Checkpoint, bool) {
		switch {
		case passed[s.ID]:
			return Checkpoint{}, false
		case initial.Position == AtTimestamp:
			return Checkpoint{Sentinel: AtTimestamp, Start: initial.At}, true
		case initial.Position != Latest || covered || !known:
			return Checkpoint{Sentinel: TrimHorizon}, true
		case !s.Closed || len(g.children[s.ID]) == 0:
			return Checkpoint{Sentinel: Latest, Start: start}, true
		}
		for _, c := range g.children[s.ID] {
			if born, ok := birth(c); ok && born.After(start.Add(-birthSlack)) && len(g.rows) > 0 {
				return Checkpoint{Sentinel: Latest, Start: start}, true
			}
		}
		return Checkpoint{}, false
	}
	has := func(id string) bool { _, ok := g.rows[id]; return ok }
	created, covered := map[string]bool{}, map[string]bool{}
	for _, id := range g.order {
		s := g.shards[id]
		covered[id] = s.Parent != "" && (has(s.Parent) || created[s.Parent] || covered[s.Parent])
		if has(id) {
			continue
		}
		at, ok := position(s, covered[id])
		if !ok {
			continue
		}
		r := Row{Key: id, Checkpoint: at}
		if s.Parent != "" {
			r.Parents = []string{s.Parent}
			_, listed := g.shards[s.Parent]
			r.ParentGone = !has(s.Parent) && !created[s.Parent] && (listed || gone[s.Parent])
		}
		created[id] = true
		create = append(create, r)
	}
	for _, key := range slices.Sorted(maps.Keys(g.rows)) {
		r := g.rows[key]
		if r.entered() || len(r.Parents) == 0 {
			continue
		}
		absent := false
		blocked := slices.ContainsFunc(r.Parents, func(p string) bool {
			if has(p) {
				return !g.rows[p].ended()
			}
			absent = true
			_, listed := g.shards[p]
			return created[p] || !listed && !gone[p]
		})
		if absent && !blocked {
			free = append(free, key)
		}
	}
	return create, free
}

// finished returns the rows to remove: done, and absent from two listings, with
// no child that could get lost; and before that, the keys of rows that
// must be told not to wait for them. The last shards of a stream that was turned
// off stay: their rows say up to when the lake has it.
func (g lineage) finished(before map[string]bool) (free []string, remove []Row) {
	absent := func(id string) bool {
		_, listed := g.shards[id]
		return !listed && !before[id]
	}
	off := true
	for _, s := range g.shards {
		off = off && s.Closed
	}
	for _, key := range slices.Sorted(maps.Keys(g.rows)) {
		r := g.rows[key]
		if !r.ended() || !absent(key) || off && len(r.Children)+len(g.children[key]) == 0 {
			continue
		}
		if slices.ContainsFunc(r.Children, func(c string) bool {
			_, ok := g.rows[c]
			return !ok && !absent(c)
		}) {
			continue
		}
		waiting := slices.Concat(r.Children, g.children[key])
		slices.Sort(waiting)
		for _, c := range slices.Compact(waiting) {
			if child, ok := g.rows[c]; ok && !child.ended() && !child.ParentGone {
				free = append(free, c)
			}
		}
		remove = append(remove, r)
	}
	return free, remove
}
