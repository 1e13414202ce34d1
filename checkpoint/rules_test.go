package checkpoint

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// born is a shard id of that birth.
func born(d time.Duration, name string) string {
	return fmt.Sprintf("shardId-%020d-%s", at(d).UnixMilli(), name)
}

func rowsOf(rs ...Row) map[string]Row {
	m := map[string]Row{}
	for _, r := range rs {
		m[r.Key] = r
	}
	return m
}

func TestAWorkerIsDeadOnlyWhenAskedLateEnough(t *testing.T) {
	const d = 10 * time.Second
	seen := sighting[int]{}.see(7, at(0))
	for _, c := range []struct {
		name  string
		s     sighting[int]
		asked time.Duration
		still bool
	}{
		{"a first sight starts the count", seen, 9 * time.Second, false},
		{"the same value for the whole duration is still", seen.see(7, at(9*time.Second)), d, true},
		{"a new value starts it again", seen.see(8, at(5*time.Second)), 14 * time.Second, false},
		{"and ends it a duration later", seen.see(8, at(5*time.Second)), 15 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.s.still(at(c.asked), d); got != c.still {
				t.Errorf("still = %v, want %v", got, c.still)
			}
		})
	}
}

// The order of a beat: it leaves, lands, and is seen. Whatever the delays, the owner
// must have stopped before an observer may start.
func TestTheOwnerStopsBeforeAnObserverStarts(t *testing.T) {
	const d, margin = 10 * time.Second, time.Second
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10_000 {
		sent := time.Duration(rng.IntN(5000)) * time.Millisecond
		landed := sent + time.Duration(rng.IntN(8000))*time.Millisecond
		seen := landed + time.Duration(rng.IntN(8000))*time.Millisecond
		asked := seen + time.Duration(rng.IntN(20000))*time.Millisecond
		s := sighting[int]{}.see(1, at(0)).see(2, at(seen))
		if s.still(at(asked), d) && !deadline(at(sent), d, margin).Before(at(asked)) {
			t.Fatalf("sent %s, landed %s, seen %s: taken over at %s, owner trusted itself", sent, landed, seen, asked)
		}
	}
}

func TestJudge(t *testing.T) {
	moved := sighting[beatOf]{}.see(beatOf{"r", 1}, at(0)).see(beatOf{"r", 2}, at(time.Second))
	fresh := sighting[beatOf]{}.see(beatOf{"r", 2}, at(time.Second))
	for _, c := range []struct {
		name  string
		row   Worker
		beat  sighting[beatOf]
		asked time.Duration
		want  state
	}{
		{"a worker without a beat is Java's", Worker{}, fresh, time.Minute, foreign},
		{"a row that was not seen to move proves nothing", Worker{Beat: 2}, fresh, 2 * time.Second, unproven},
		{"nor does it when it was leaving", Worker{Beat: 2, Leaving: true}, fresh, 2 * time.Second, leaving},
		{"a moving beat is alive", Worker{Beat: 2}, moved, 2 * time.Second, alive},
		{"a beat that stands for the duration is dead", Worker{Beat: 2}, moved, 11 * time.Second, dead},
		{"who leaves and stands is dead", Worker{Beat: 2, Leaving: true}, moved, 11 * time.Second, dead},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.row, c.beat, at(c.asked), 10*time.Second); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestEligible(t *testing.T) {
	parent := func(c Checkpoint) Row { return Row{Key: "p", Checkpoint: c} }
	horizon := Checkpoint{Sentinel: TrimHorizon}
	child := Row{Key: "c", Parents: []string{"p"}, Checkpoint: horizon}
	with := func(r Row, f func(*Row)) Row { f(&r); return r }
	for _, c := range []struct {
		name string
		row  Row
		rows map[string]Row
		want bool
	}{
		{"a shard without a parent may be read", Row{Key: "c", Checkpoint: horizon}, nil, true},
		{"a finished shard may not", Row{Key: "c", Checkpoint: Checkpoint{Sentinel: ShardEnd}}, nil, false},
		{"a child waits for an unfinished parent", child, rowsOf(parent(Checkpoint{Seq: "9"})), false},
		{"a child waits for a parent without a row", child, nil, false},
		{"a child follows a finished parent", child, rowsOf(parent(Checkpoint{Sentinel: ShardEnd})), true},
		{"a child whose parent is gone waits for nothing", with(child, func(r *Row) { r.ParentGone = true }), nil, true},
		{"a child that was begun goes on", with(child, func(r *Row) { r.Checkpoint = Checkpoint{Seq: "5"} }), nil, true},
		{"a shard entered at LATEST waits for nothing", with(child, func(r *Row) { r.Checkpoint = Checkpoint{Sentinel: Latest} }), nil, true},
		{"a child entered at a time waits for its parent", with(child, func(r *Row) { r.Checkpoint = Checkpoint{Sentinel: AtTimestamp} }), rowsOf(parent(horizon)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := eligible(c.row, c.rows); got != c.want {
				t.Errorf("eligible = %v, want %v", got, c.want)
			}
		})
	}
}

func TestSequenceNumbersCompareAsIntegers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"9", "10", true},
		{"10", "9", false},
		{"10", "10", false},
		{"009", "10", true},
		{"010", "10", false},
		{"100000000000000000000000000000000000000", "99999999999999999999999999999999999999", false},
	} {
		if got := seqBefore(c.a, c.b); got != c.want {
			t.Errorf("seqBefore(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

func TestPlan(t *testing.T) {
	ms := func(ids ...string) (ms []Member) {
		for _, id := range ids {
			ms = append(ms, Member{ID: id})
		}
		return ms
	}
	for _, c := range []struct {
		name    string
		members []Member
		claims  []Claim
		want    []Move
	}{
		{"nobody takes nothing", nil, []Claim{{Key: "1"}}, nil},
		{"one worker takes all", ms("a"), []Claim{{Key: "1"}, {Key: "2"}}, []Move{{"1", "", "a"}, {"2", "", "a"}}},
		{"one more than even stays", ms("a", "b"), []Claim{{Key: "1", Owner: "a"}, {Key: "2", Owner: "a"}, {Key: "3", Owner: "b"}}, nil},
		{"surplus goes over, the youngest first", ms("a", "b"), []Claim{{Key: "1", Owner: "a"}, {Key: "2", Owner: "a"}}, []Move{{"2", "a", "b"}}},
		{"what is being handed over counts where it goes", ms("a", "b"), []Claim{{Key: "1", Owner: "a"}, {Key: "2", Owner: "b", Fixed: true}}, nil},
		{"and does not move again", ms("a", "b"), []Claim{{Key: "1", Owner: "b"}, {Key: "2", Owner: "b", Fixed: true}}, []Move{{"1", "b", "a"}}},
		{"who leaves hands over to who stays", ms("b"), []Claim{{Key: "1", Owner: "a"}}, []Move{{"1", "a", "b"}}},
		{"limits are kept, the rest waits", []Member{{ID: "a", Max: 1}}, []Claim{{Key: "1", Owner: "a"}, {Key: "2"}}, nil},
		{
			"a limit below even gives to the others",
			[]Member{{ID: "a", Max: 1}, {ID: "b"}},
			[]Claim{{Key: "1", Owner: "b"}, {Key: "2", Owner: "b"}, {Key: "3", Owner: "b"}, {Key: "4", Owner: "b"}},
			[]Move{{"4", "b", "a"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Plan(c.members, c.claims)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanOnAnyView(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var members []Member
		limited := false
		for i := range 1 + rng.IntN(12) {
			m := Member{ID: fmt.Sprintf("w%02d", i)}
			if rng.IntN(10) == 0 {
				m.Max, limited = 1+rng.IntN(10), true
			}
			members = append(members, m)
		}
		var claims []Claim
		for i := range rng.IntN(120) {
			c := Claim{Key: fmt.Sprintf("s%03d", i)}
			switch n := rng.IntN(len(members) + 3); {
			case n < len(members):
				c.Owner = members[min(n, rng.IntN(len(members)))].ID // skewed
			case n == len(members):
				c.Owner = "leaver"
			}
			claims = append(claims, c)
		}
		moves := Plan(members, claims)

		shuffled := slices.Clone(claims)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(moves, Plan(members, shuffled)); diff != "" {
			t.Fatalf("seed %d: the plan depends on the order of the view:\n%s", seed, diff)
		}
		owner, before := map[string]string{}, map[string]int{}
		for _, c := range claims {
			owner[c.Key] = c.Owner
			before[c.Owner]++
		}
		moved, seen := map[string]int{}, map[string]bool{}
		for _, m := range moves {
			if seen[m.Key] || owner[m.Key] != m.From || m.From == m.To {
				t.Fatalf("seed %d: move %+v of a lease that %q has, or moved twice", seed, m, owner[m.Key])
			}
			seen[m.Key] = true
			owner[m.Key] = m.To
			moved[m.From]++
		}
		after := map[string]int{}
		for key, o := range owner {
			after[o]++
			_ = key
		}
		low, high, room := 1<<30, 0, 0
		for _, m := range members {
			n := after[m.ID]
			if m.Max > 0 && n > m.Max {
				if n <= before[m.ID] && full(members, after) {
					continue // better read by one who has too much than by nobody
				}
				t.Fatalf("seed %d: %s holds %d, limit %d", seed, m.ID, n, m.Max)
			}
			if m.Max == 0 || n < m.Max {
				low, room = min(low, n), room+1
			}
			high = max(high, n)
			// Fewest moves: a member gives only what is above the even share of all.
			if gives := moved[m.ID]; gives > 0 && gives > before[m.ID]-n {
				t.Fatalf("seed %d: %s gives %d and gets some back", seed, m.ID, gives)
			}
		}
		if room > 0 && high-low > 1 {
			t.Fatalf("seed %d: spread from %d to %d", seed, low, high)
		}
		if !limited && after[""]+after["leaver"] > 0 {
			t.Fatalf("seed %d: %d leases left lying", seed, after[""]+after["leaver"])
		}
		for i, c := range claims {
			claims[i].Owner = owner[c.Key]
		}
		if again := Plan(members, claims); len(again) > 0 {
			t.Fatalf("seed %d: the plan of the planned moves %v", seed, again)
		}
	}
}

func full(members []Member, holds map[string]int) bool {
	return !slices.ContainsFunc(members, func(m Member) bool { return m.Max == 0 || holds[m.ID] < m.Max })
}

func TestRowsForAListing(t *testing.T) {
	var (
		p, c, d = born(-5*time.Hour, "p"), born(-1*time.Hour, "c"), born(-30*time.Minute, "d")
		late    = born(2*time.Hour, "n")
		horizon = Checkpoint{Sentinel: TrimHorizon}
		latest  = Checkpoint{Sentinel: Latest, Start: at(0)}
		since   = Checkpoint{Sentinel: AtTimestamp, Start: at(-2 * time.Hour)}
		end     = Checkpoint{Sentinel: ShardEnd}
	)
	closed := func(id, parent string) Shard { return Shard{ID: id, Parent: parent, Closed: true} }
	open := func(id, parent string) Shard { return Shard{ID: id, Parent: parent} }
	row := func(at Checkpoint, id string, parents ...string) Row {
		return Row{Key: id, Parents: parents, Checkpoint: at}
	}
	gone := func(r Row) Row { r.ParentGone = true; return r }
	for _, tc := range []struct {
		name    string
		initial Initial
		now     time.Duration
		listed  []Shard
		rows    map[string]Row
		gone    []string
		unknown []string
		create  []Row
		free    []string
	}{
		{
			name:   "TRIM_HORIZON begins every shard at its beginning, parents first",
			listed: []Shard{open(d, c), closed(c, p), closed(p, "")},
			create: []Row{row(horizon, p), row(horizon, c, p), row(horizon, d, c)},
		},
		{
			name:   "a parent that is neither listed nor known blocks its child",
			listed: []Shard{open(c, p)}, unknown: []string{p},
			create: []Row{row(horizon, c, p)},
		},
		{
			name:   "a parent that is gone does not",
			listed: []Shard{open(c, p)}, unknown: []string{p}, gone: []string{p},
			create: []Row{gone(row(horizon, c, p))},
		},
		{
			name:   "a row that waits for a parent found to be gone is told",
			listed: []Shard{open(c, p)}, rows: rowsOf(row(horizon, c, p)), unknown: []string{p}, gone: []string{p},
			free: []string{c},
		},
		{
			name:   "a parent that one listing missed gets its row from the next",
			listed: []Shard{closed(p, ""), open(c, p)}, rows: rowsOf(row(horizon, c, p)),
			create: []Row{row(horizon, p)},
		},
		{
			name:   "an open parent beside its child is read first",
			listed: []Shard{open(p, ""), open(c, p)},
			create: []Row{row(horizon, p), row(horizon, c, p)},
		},
		{
			name:   "a finished shard that reappears in a listing gets no row",
			listed: []Shard{closed(p, ""), open(c, p)}, rows: rowsOf(gone(row(horizon, c, p))),
		},
		{
			name:   "nor does the parent of a shard that was begun",
			listed: []Shard{closed(p, ""), closed(c, p), open(d, c)}, rows: rowsOf(row(Checkpoint{Seq: "7"}, d, c)),
		},
		{
			name:    "AT_TIMESTAMP begins every shard at the time",
			initial: Initial{AtTimestamp, at(-2 * time.Hour)},
			listed:  []Shard{closed(p, ""), open(c, p)},
			create:  []Row{row(since, p), row(since, c, p)},
		},
		{
			name:    "LATEST begins open shards now and skips what is closed",
			initial: Initial{Position: Latest},
			listed:  []Shard{closed(p, ""), closed(c, p), open(d, c)},
			create:  []Row{gone(row(latest, d, c))},
		},
		{
			name:    "LATEST takes a closed leaf for one whose child is not listed yet",
			initial: Initial{Position: Latest},
			listed:  []Shard{closed(p, ""), closed(c, p)},
			create:  []Row{gone(row(latest, c, p))},
		},
		{
			name:    "LATEST begins at the open parent when its child is listed too, and has the child whole",
			initial: Initial{Position: Latest},
			listed:  []Shard{open(p, ""), open(c, p)},
			create:  []Row{row(latest, p), row(horizon, c, p)},
		},
		{
			name:    "a child found later is read whole",
			initial: Initial{Position: Latest}, now: 3 * time.Hour,
			listed: []Shard{closed(c, p), open(late, c)}, rows: rowsOf(gone(row(latest, c, p))),
			create: []Row{row(horizon, late, c)},
		},
		{
			name:    "a shard that the first listing missed begins where LATEST meant then",
			initial: Initial{Position: Latest}, now: time.Hour,
			listed: []Shard{open(p, ""), open(c, "")}, rows: rowsOf(row(latest, p)),
			create: []Row{row(latest, c)},
		},
		{
			name:    "what LATEST skipped stays skipped",
			initial: Initial{Position: Latest}, now: time.Hour,
			listed: []Shard{closed(p, ""), closed(c, p), open(d, c)}, rows: rowsOf(gone(row(latest, d, c))),
		},
		{
			name:    "after an outage longer than a shard, closed shards born since then are read",
			initial: Initial{Position: Latest}, now: 48 * time.Hour,
			listed: []Shard{closed(late, ""), open(born(6*time.Hour, "m"), late)},
			rows:   rowsOf(row(latest, p)),
			create: []Row{row(latest, late), row(horizon, born(6*time.Hour, "m"), late)},
		},
		{
			name:    "beside the rows of a Java table without a start, nothing is skipped",
			initial: Initial{Position: Latest}, now: time.Hour,
			listed: []Shard{open(c, ""), open(d, "")}, rows: rowsOf(row(Checkpoint{Seq: "1"}, c)),
			create: []Row{row(horizon, d)},
		},
		{
			name:   "a shard missing from a listing keeps its row and its place",
			listed: []Shard{open(d, c)}, rows: rowsOf(row(end, c), row(horizon, d, c)),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.initial.Position == "" {
				tc.initial.Position = TrimHorizon
			}
			g := newLineage(tc.listed, tc.rows)
			if diff := cmp.Diff(tc.unknown, g.unknownParents()); diff != "" {
				t.Errorf("unknown parents:\n%s", diff)
			}
			isGone := map[string]bool{}
			for _, id := range tc.gone {
				isGone[id] = true
			}
			create, free := g.missing(tc.initial, at(tc.now), isGone)
			if diff := cmp.Diff(tc.create, create); diff != "" {
				t.Errorf("rows to create:\n%s", diff)
			}
			if diff := cmp.Diff(tc.free, free); diff != "" {
				t.Errorf("rows to unblock:\n%s", diff)
			}
			// Whatever is created settles it: the same listing again changes nothing.
			rows := maps.Clone(tc.rows)
			if rows == nil {
				rows = map[string]Row{}
			}
			for _, r := range create {
				rows[r.Key] = r
			}
			for _, id := range free {
				r := rows[id]
				r.ParentGone = true
				rows[id] = r
			}
			if c, f := newLineage(tc.listed, rows).missing(tc.initial, at(tc.now+time.Minute), isGone); len(c)+len(f) > 0 {
				t.Errorf("the second time: create %v, unblock %v", c, f)
			}
		})
	}
}

func TestRowsToRemove(t *testing.T) {
	end := Checkpoint{Sentinel: ShardEnd}
	p := Row{Key: "p", Checkpoint: end, Children: []string{"c"}}
	c := Row{Key: "c", Parents: []string{"p"}, Checkpoint: Checkpoint{Sentinel: TrimHorizon}}
	told := c
	told.ParentGone = true
	for _, tc := range []struct {
		name   string
		listed []Shard
		before map[string]bool
		rows   map[string]Row
		free   []string
		remove []Row
	}{
		{"a finished shard that is listed stays", []Shard{{ID: "p"}, {ID: "c"}}, nil, rowsOf(p, c), nil, nil},
		{"one that a listing missed stays", []Shard{{ID: "c"}}, map[string]bool{"p": true, "c": true}, rowsOf(p, c), nil, nil},
		{"one that two listings missed goes, its child told first", []Shard{{ID: "c"}}, map[string]bool{"c": true}, rowsOf(p, c), []string{"c"}, []Row{p}},
		{"a child that knows is not told again", []Shard{{ID: "c"}}, map[string]bool{"c": true}, rowsOf(p, told), nil, []Row{p}},
		{"one whose child has no row stays", []Shard{{ID: "c"}}, map[string]bool{"c": true}, rowsOf(p), nil, nil},
		{"one whose child is as gone goes", nil, map[string]bool{}, rowsOf(p), nil, []Row{p}},
		{"the last of a stream that was turned off stays", []Shard{{ID: "x", Closed: true}}, map[string]bool{}, rowsOf(Row{Key: "l", Checkpoint: end}), nil, nil},
		{"of one that goes on, a shard without children goes", []Shard{{ID: "x"}}, map[string]bool{}, rowsOf(Row{Key: "l", Checkpoint: end}), nil, []Row{{Key: "l", Checkpoint: end}}},
		{"an unfinished shard stays, gone as it may be", nil, map[string]bool{}, rowsOf(c), nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			free, remove := newLineage(tc.listed, tc.rows).finished(tc.before)
			if diff := cmp.Diff(tc.free, free); diff != "" {
				t.Errorf("rows to unblock:\n%s", diff)
			}
			if diff := cmp.Diff(tc.remove, remove); diff != "" {
				t.Errorf("rows to remove:\n%s", diff)
			}
		})
	}
}
