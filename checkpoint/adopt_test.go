package checkpoint

import (
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

func TestAdopted(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 24, hour, 0, 0, 0, time.UTC) }
	seq, end, begin := Checkpoint{Seq: "77"}, Checkpoint{Sentinel: ShardEnd}, Checkpoint{Sentinel: TrimHorizon}
	for _, tc := range []struct {
		name    string
		rows    []Row
		done    bool
		through time.Time
	}{
		{"no shard holds anything back", nil, true, time.Time{}},
		{"one that adopted it tells its last older row", []Row{{Checkpoint: seq, Epoch: 8, OlderTo: at(5), CurrentTo: at(9)}}, true, at(5)},
		{"one that went on to a later epoch too", []Row{{Checkpoint: seq, Epoch: 12, OlderTo: at(6), CurrentTo: at(9)}}, true, at(6)},
		{"one under an older epoch is waited for", []Row{{Checkpoint: seq, Epoch: 4, CurrentTo: at(7)}, {Checkpoint: seq, Epoch: 8}}, false, at(7)},
		{"also before its first checkpoint", []Row{{Checkpoint: begin, Epoch: 4}}, false, time.Time{}},
		{"one that ended under an older epoch is not, but counts", []Row{{Checkpoint: end, Epoch: 4, OlderTo: at(2), CurrentTo: at(7)}}, true, at(7)},
		{"nor is one that halts", []Row{{Checkpoint: seq, Epoch: 4, CurrentTo: at(7), Gap: "{}"}}, true, at(7)},
		{"one never begun is not, and has nothing", []Row{{Checkpoint: begin, CurrentTo: at(7)}}, true, time.Time{}},
		{"a row of a version without epochs is waited for", []Row{{Checkpoint: seq, CurrentTo: at(7)}}, false, at(7)},
		{"unless it ended", []Row{{Checkpoint: end, CurrentTo: at(7)}}, true, at(7)},
		{"or halts", []Row{{Checkpoint: seq, CurrentTo: at(7), Gap: "{}"}}, true, at(7)},
		{"the latest of all counts", []Row{{Checkpoint: seq, Epoch: 8, OlderTo: at(5)}, {Checkpoint: end, Epoch: 4, CurrentTo: at(6)}, {Checkpoint: begin}}, true, at(6)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if done, through := Adopted(tc.rows, 8); done != tc.done || !through.Equal(tc.through) {
				t.Errorf("done %t through %s, want %t through %s", done, through, tc.done, tc.through)
			}
		})
	}
}

func TestRowsSurviveTheTable(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_123).UTC()
	for _, r := range []Row{
		{Key: "k", Checkpoint: Checkpoint{Seq: "5"}},
		{Key: "k", Checkpoint: Checkpoint{Seq: "5"}, Epoch: 8, OlderTo: at, Stream: "2026-11-24T12:42:38.123"},
		{Key: "k", Checkpoint: Checkpoint{Sentinel: ShardEnd}, Epoch: 4, CurrentTo: at},
	} {
		got, err := rowOf(r.item())
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Errorf("error %v\n%s", err, diff)
		}
	}
}

func TestAdoptionNeverGoesBack(t *testing.T) {
	single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
		at := f.begin.UTC().Truncate(time.Second)
		if l.Awaited() || l.Epoch() != 0 {
			t.Errorf("a shard that was never begun: awaited %t, epoch %d", l.Awaited(), l.Epoch())
		}
		for _, c := range []struct {
			epoch, want       int64
			olderTo, wantTime time.Time
		}{
			{4, 4, time.Time{}, time.Time{}},
			{8, 8, at, at},
			{4, 8, at.Add(-time.Hour), at},
			{8, 8, at.Add(1001 * time.Microsecond), at.Add(2 * time.Millisecond)}, // a bound is rounded up
			{12, 12, time.Time{}, at.Add(2 * time.Millisecond)},
		} {
			if err := l.Adopt(t.Context(), c.epoch, c.olderTo); err != nil {
				t.Fatal(err)
			}
			if r := f.row(l.Key()); r.Epoch != c.want || !r.OlderTo.Equal(c.wantTime) || l.Epoch() != c.want || !l.Awaited() {
				t.Errorf("after epoch %d, older to %s: %+v, lease %d", c.epoch, c.olderTo, r, l.Epoch())
			}
		}
		before := f.row(l.Key()).Counter
		if err := l.Adopt(t.Context(), 12, at); err != nil || f.row(l.Key()).Counter != before {
			t.Errorf("what the row says already was written again, error %v", err)
		}
		if err := l.Adopt(t.Context(), 0, at); err == nil {
			t.Error("epoch 0 was adopted")
		}
	})
}

func TestAnAdoptionSurvivesWhateverHappensToItsAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault awssim.Fault
		times int64
	}{
		{"the answer is lost", awssim.Fault{DropReply: true}, 1},
		{"the answer is lost on every attempt of the client", awssim.Fault{DropReply: true}, 5},
		{"the request is applied twice", awssim.Fault{Twice: true}, 1},
		{"the table throttles for a while", throttle(), 20},
		{"the request arrives when nobody waits for it any more", awssim.Fault{Delay: 7 * time.Second, Linger: true}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			single(t, func(t *testing.T, f *fleet, _ *worker, l *Lease) {
				var n atomic.Int64
				f.cloud.Intercept(func(call *awssim.Call) awssim.Fault {
					if leaseWrite(call, attrOlderTo) && n.Add(1) <= c.times {
						return c.fault
					}
					return awssim.Fault{}
				})
				to := f.begin.UTC().Truncate(time.Second)
				if err := l.Adopt(t.Context(), 8, to); err != nil {
					t.Fatal(err)
				}
				if r := f.row(l.Key()); r.Epoch != 8 || !r.OlderTo.Equal(to) || r.Owner != "a" {
					t.Errorf("row %+v", r)
				}
				if n.Load() == 0 {
					t.Error("no write was hit: the test shows nothing")
				}
				if err := l.Commit(t.Context(), "78", time.Time{}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAnEpochGoesWithTheLease(t *testing.T) {
	inBubble(t, newStream(numbered(2)...), func(t *testing.T, f *fleet) {
		a := f.start("a")
		f.even(15*time.Second, 2, 1)
		to := f.begin.UTC().Truncate(time.Second)
		for _, s := range numbered(2) {
			if err := f.lease(s.ID).Adopt(t.Context(), 8, to); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.lease(numbered(2)[1].ID).Halt(t.Context(), "{}"); err != nil {
			t.Fatal(err)
		}
		f.start("b")
		f.even(30*time.Second, 2, 2)
		if err := a.k.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.even(15*time.Second, 2, 1)
		for i, s := range numbered(2) {
			l := f.lease(s.ID)
			if l.k == a.k || l.Epoch() != 8 || l.Awaited() != (i == 0) {
				t.Errorf("shard %d: epoch %d, awaited %t", i, l.Epoch(), l.Awaited())
			}
		}
		// Whoever adopts goes on.
		halted := f.lease(numbered(2)[1].ID)
		if err := halted.Adopt(t.Context(), 8, to); err != nil || f.row(halted.Key()).Gap != "" || !halted.Awaited() {
			t.Errorf("after adopting: %+v, error %v", f.row(halted.Key()), err)
		}
	})
}

// Of a parent counts what it has rows in: nothing is written behind its end.
func TestAChildKnowsItsParentsEpoch(t *testing.T) {
	id := ids("", "p", "x")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.start("a")
		f.even(15*time.Second, 1, 1)
		l := f.lease(id[0])
		if err := l.Adopt(t.Context(), 8, time.Time{}); err != nil {
			t.Fatal(err)
		}
		l.RowsIn(8)
		if err := l.Adopt(t.Context(), 12, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got, whole := l.LineageEpoch(false), l.LineageEpoch(true); got != 12 || whole != 8 {
			t.Errorf("the parent may have rows in epoch %d, and when it is whole in %d; want 12 and 8", got, whole)
		}
		f.stream.split(id[0], id[1])
		if err := f.end(t, l); err != nil {
			t.Fatal(err)
		}
		f.until(5*time.Second, "the child read", func() bool { return f.sessions(id[1]) > 0 })
		child := f.lease(id[1])
		if child.Epoch() != 0 || child.LineageEpoch(false) != 8 {
			t.Errorf("epoch %d, of the lineage %d; want 0 and 8", child.Epoch(), child.LineageEpoch(false))
		}
	})
}

// TestRowsOfAnotherStreamAreLeftAlone lets two workers with different streams share a lease table.
func TestRowsOfAnotherStreamAreLeftAlone(t *testing.T) {
	one, two := "2026-11-24T10:00:00.000", "2026-11-24T11:00:00.000"
	id := ids("", "p", "x")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		label := func(label string, s *stream) func(*Options) {
			return func(o *Options) { o.Label, o.Stream = label, s }
		}
		next := newStream(Shard{ID: id[1]})
		behind := f.start("behind", label(one, f.stream))
		f.even(15*time.Second, 1, 1)
		if r := f.row(id[0]); r.Stream != one {
			t.Errorf("the row says stream %q", r.Stream)
		}
		f.start("ahead", label(two, next))
		f.until(15*time.Second, "the new stream read", func() bool { return f.sessions(id[1]) > 0 })
		f.until(2*time.Minute, "the old row removed", func() bool { return f.row(id[0]).Key == "" })
		time.Sleep(3 * time.Minute)
		if l := f.lease(id[1]); l.k == behind.k || l.Check() != nil || f.row(id[1]).Owner != "ahead" {
			t.Errorf("the new stream's row %+v; who is behind took it", f.row(id[1]))
		}
	})
}
