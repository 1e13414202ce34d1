package checkpoint

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestAFleetThatStartsTogetherDividesAtOnce(t *testing.T) {
	inBubble(t, newStream(numbered(40)...), func(t *testing.T, f *fleet) {
		for i := range 4 {
			f.start(fmt.Sprintf("w%d", i))
		}
		took := f.even(15*time.Second, 40, 4)
		moves := f.total() - 40
		t.Logf("even after %s, %d sessions moved", took, moves)
		if moves > 4 {
			t.Errorf("%d leases moved before the fleet was even", moves)
		}
	})
}

func TestAWorkerThatJoinsGetsItsShare(t *testing.T) {
	inBubble(t, newStream(numbered(30)...), func(t *testing.T, f *fleet) {
		f.start("a")
		f.start("b")
		f.even(15*time.Second, 30, 2)
		f.start("c")
		t.Logf("even after %s", f.even(15*time.Second, 30, 3))
		moves := f.total() - 30
		if moves > 10+2 {
			t.Errorf("%d sessions moved to give 10 to the third", moves)
		}
	})
}

func TestAKilledWorkersShardsAreReadAgain(t *testing.T) {
	inBubble(t, newStream(numbered(30)...), func(t *testing.T, f *fleet) {
		a := f.start("a")
		f.start("b")
		f.start("c")
		f.even(15*time.Second, 30, 3)
		time.Sleep(7 * time.Second)
		f.kill(a)
		took := f.even(13*time.Second, 30, 2)
		t.Logf("retaken after %s", took)
		if took < 8*time.Second {
			t.Errorf("taken over after %s, before the dead worker's window had passed", took)
		}
	})
}

func TestAWorkerWithoutANetworkStopsByItself(t *testing.T) {
	s := newStream(numbered(10)...)
	inBubble(t, s, func(t *testing.T, f *fleet) {
		f.start("a")
		b := f.start("b")
		f.even(15*time.Second, 10, 2)
		var theirs []*Lease
		for _, l := range f.leases() {
			if l.k == b.k {
				theirs = append(theirs, l)
			}
		}
		f.setCut("b", true)
		gone := f.until(10*time.Second, "lost by b", func() bool { return f.reading()["b"] == 0 })
		t.Logf("b stopped after %s", gone)
		for _, l := range theirs {
			wantLost(t, l.Check())
			if l.Context().Err() == nil {
				t.Errorf("%s: the context of a lost lease goes on", l.Key())
			}
		}
		f.even(5*time.Second, 10, 1)
		f.setCut("b", false)
		for _, l := range theirs {
			wantLost(t, l.Commit(t.Context(), "1", time.Time{}))
		}
		f.even(20*time.Second, 10, 2)
	})
}

func TestASkewedClockChangesNothing(t *testing.T) {
	inBubble(t, newStream(numbered(12)...), func(t *testing.T, f *fleet) {
		for i, skew := range []time.Duration{-5 * time.Hour, 0, 30 * time.Hour} {
			f.start(fmt.Sprintf("w%d", i), func(o *Options) {
				o.Wall = func() time.Time { return time.Now().Add(skew) }
			})
		}
		f.even(15*time.Second, 12, 3)
		time.Sleep(5 * time.Minute)
		if n := f.total(); n != 12 {
			t.Errorf("%d sessions of 12 shards", n)
		}
	})
}

func TestADrainHandsEverythingOver(t *testing.T) {
	inBubble(t, newStream(numbered(60)...), func(t *testing.T, f *fleet) {
		a := f.start("a")
		f.start("b")
		f.start("c")
		f.even(15*time.Second, 60, 3)
		for _, l := range f.leases() {
			if err := l.Commit(t.Context(), "100", time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := a.k.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		drained := time.Since(began)
		f.until(2*time.Second, "all read again", func() bool { return total(f.reading()) == 60 })
		t.Logf("drained in %s, read again after %s", drained, time.Since(began))
		f.even(5*time.Second, 60, 2)
		if drained > time.Second {
			t.Errorf("the drain took %s", drained)
		}
		a.cancel()
		table, err := ReadTable(t.Context(), f.client("observer"), "app", "")
		if err != nil {
			t.Fatal(err)
		}
		if len(table.Workers) != 2 {
			t.Errorf("workers left: %+v", table.Workers)
		}
		for _, r := range table.Leases {
			if r.Checkpoint.Seq != "100" || r.Owner == "a" {
				t.Errorf("row %+v", r)
			}
		}
	})
}

func TestTheLastWorkerToDrainLeavesRowsUnowned(t *testing.T) {
	inBubble(t, newStream(numbered(5)...), func(t *testing.T, f *fleet) {
		a, b := f.start("a"), f.start("b")
		f.even(15*time.Second, 5, 2)
		done := make(chan error, 2)
		go func() { done <- a.k.Drain(t.Context()) }()
		go func() { done <- b.k.Drain(t.Context()) }()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		a.cancel()
		b.cancel()
		f.start("c")
		took := f.even(8*time.Second, 5, 1)
		t.Logf("read again after %s", took)
	})
}

func TestARestartUnderTheSameIDWaitsForTheOldProcess(t *testing.T) {
	inBubble(t, newStream(numbered(5)...), func(t *testing.T, f *fleet) {
		a := f.start("a")
		f.even(15*time.Second, 5, 1)
		f.start("a") // while the first still runs
		if err := <-a.err; err == nil {
			t.Error("the first process went on beside the second")
		}
		took := f.even(15*time.Second, 5, 1)
		t.Logf("read again after %s", took)
	})
}

func TestLeaseLimitIsKept(t *testing.T) {
	inBubble(t, newStream(numbered(10)...), func(t *testing.T, f *fleet) {
		f.start("a", func(o *Options) { o.MaxLeases = 3 })
		f.start("b")
		f.until(15*time.Second, "3 and 7", func() bool { r := f.reading(); return r["a"] == 3 && r["b"] == 7 })
		time.Sleep(time.Minute)
		if r := f.reading(); r["a"] != 3 || r["b"] != 7 {
			t.Errorf("later: %v", r)
		}
	})
}

func TestASessionThatEndsByItselfIsGrantedAgain(t *testing.T) {
	s := newStream(numbered(1)...)
	inBubble(t, s, func(t *testing.T, f *fleet) {
		f.start("a")
		f.even(15*time.Second, 1, 1)
		l := f.lease(numbered(1)[0].ID)
		if err := l.Commit(t.Context(), "5", time.Time{}); err != nil {
			t.Fatal(err)
		}
		f.fails[l.Key()] <- struct{}{}
		f.until(5*time.Second, "granted again", func() bool { return f.lease(l.Key()) != l })
		next := f.lease(l.Key())
		if next.Token() != l.Token() || next.Generation() <= l.Generation() || next.Checkpoint().Seq != "5" {
			t.Errorf("token %d then %d, generation %d then %d, at %+v", l.Token(), next.Token(), l.Generation(), next.Generation(), next.Checkpoint())
		}
		wantLost(t, l.Commit(t.Context(), "6", time.Time{}))
		if err := next.Commit(t.Context(), "7", time.Time{}); err != nil {
			t.Error(err)
		}
	})
}
