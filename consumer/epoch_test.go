package consumer_test

import (
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

func TestAFleetRegistersItsStreamFirst(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		born := time.Now()
		time.Sleep(3 * time.Hour)
		registered := false
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			f.mu.Lock()
			defer f.mu.Unlock()
			registered = registered || call.Operation == "PutObject" && strings.HasSuffix(call.Target, ledger.Key)
			if call.Operation == "PutItem" && call.Target == scene.App && !registered {
				t.Error("a lease row was made before the ledger knew the stream")
			}
			return awssim.Fault{}
		})
		f.start("one", nil)
		f.start("two", nil)
		f.put("a", 40)
		f.await()
		l := f.ledger()
		if len(l.Epochs) != 1 || l.Epochs[0].Number != 4 || l.Epochs[0].StreamARN != f.Table.StreamARN {
			t.Fatalf("ledger:\n%s", l.JSON())
		}
		if d := l.Epochs[0].From.Sub(born); d < 0 || d > time.Second {
			t.Errorf("the epoch begins %v after the stream", d)
		}
		if n := f.epochs("a-"); n[4] != 40 || len(n) != 1 {
			t.Errorf("rows by epoch: %v", n)
		}
		for _, s := range f.Cloud.Shards(scene.TableName) {
			if r := f.lease(s.ID); r.Epoch != 4 || !r.OlderTo.IsZero() || r.Stream == "" {
				t.Errorf("row %+v", r)
			}
		}
		f.prove(0)
		f.repaired(ledger.RealTiming())
	})
}

func TestAfterAnOutageOfTheFleetItGoesOnBehindOneGap(t *testing.T) {
	inBubble(t, awssim.Config{RollEvery: 4 * time.Hour}, 4, func(f *fixture) {
		one, two := f.start("one", goOn), f.start("two", goOn)
		f.change(60)
		f.put("before", 40)
		f.await()
		f.terminate(one)
		f.terminate(two)
		down := time.Now()
		f.change(60)
		f.put("lost", 20)
		time.Sleep(4 * time.Hour)
		f.change(60)
		time.Sleep(20 * time.Hour)
		f.change(60)
		f.put("kept", 20)
		time.Sleep(6 * time.Hour)
		up := time.Now()
		f.start("three", goOn)
		f.start("four", goOn)
		time.Sleep(3 * time.Minute)
		f.change(60)
		f.put("after", 40)
		time.Sleep(time.Minute)
		f.rollAll()
		f.put("children", 40)
		time.Sleep(time.Minute)

		l := f.ledger()
		if len(l.Gaps) != 1 || l.Streaming().Number != 8 {
			t.Fatalf("the losses of all shards did not join:\n%s", l.JSON())
		}
		g := l.Gaps[0]
		if g.From.After(down) || g.From.Before(down.Add(-10*time.Minute)) || g.Resumed.Before(up.Add(-24*time.Hour)) {
			t.Errorf("down from %s to %s, the gap is from %s, resumed %s", down, up, g.From, g.Resumed)
		}
		if n := f.epochs("before-"); n[4] != 40 || len(n) != 1 {
			t.Errorf("before: rows by epoch %v", n)
		}
		for _, prefix := range []string{"after-", "children-"} {
			if n := f.epochs(prefix); n[8] != 40 || len(n) != 1 {
				t.Errorf("%s rows by epoch %v", prefix, n)
			}
		}
		gaps, err := consumer.Gaps(f.Context(), f.Store("observer"), f.Prefix())
		if err != nil || len(gaps) == 0 {
			t.Fatalf("gaps %v, error %v", gaps, err)
		}
		for _, g := range gaps {
			if g.Number != 1 || g.Epoch != 8 {
				t.Errorf("a shard's gap says %d, epoch %d", g.Number, g.Epoch)
			}
		}
		f.repaired(ledger.RealTiming())
	})
}

func TestAShardTrimmedUnderASlowReaderWhileOthersAreAtTheTip(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{Retention: time.Hour}, 3, func(f *fixture) {
		f.start("one", goOnHourly)
		f.start("two", goOnHourly)
		f.change(60)
		f.await()
		slow := f.Cloud.Shards(scene.TableName)[0].ID
		unblock := f.block(slow)
		for range 26 {
			f.change(20)
			time.Sleep(3 * time.Minute)
		}
		unblock()
		f.change(60)
		time.Sleep(2 * time.Minute)
		f.change(60)
		time.Sleep(time.Minute)
		l := f.ledger()
		if len(l.Gaps) != 1 || l.Streaming().Number != 8 {
			t.Fatalf("ledger:\n%s", l.JSON())
		}
		f.repaired(hourly())
		if g := f.ledger().Gaps[0]; time.Since(g.To) > 5*time.Minute {
			t.Errorf("the window ends at %s, but shards at the tip changed over later", g.To)
		}
		if n := f.epochs("same-"); n[4] == 0 || n[8] == 0 || len(n) != 2 {
			t.Errorf("rows by epoch %v", n)
		}
	})
}

// TestALossWithoutRecordsBehindItIsOneGap: nothing moves the checkpoint past the loss, so each
// new owner meets it again.
func TestALossWithoutRecordsBehindItIsOneGap(t *testing.T) {
	inBubble(t, awssim.Config{Retention: time.Hour}, 2, func(f *fixture) {
		m := f.start("w", goOnHourly)
		f.change(40)
		f.await()
		f.terminate(m)
		f.change(40)
		time.Sleep(3 * time.Hour)
		for i := range 4 {
			m := f.start("again"+strings.Repeat("x", i), goOnHourly)
			time.Sleep(2 * time.Minute)
			f.fix(hourly())
			f.terminate(m)
		}
		if l := f.ledger(); len(l.Gaps) != 1 {
			t.Errorf("one loss made %d gaps:\n%s", len(l.Gaps), l.JSON())
		}
		f.repaired(hourly())
	})
}

func TestAHaltedShardIsNotWaitedFor(t *testing.T) {
	inBubble(t, awssim.Config{Retention: time.Hour}, 2, func(f *fixture) {
		stop := func(o *consumer.Options) { o.Timing = hourly() }
		m := f.start("w", stop)
		f.change(40)
		f.await()
		f.terminate(m)
		f.change(40)
		time.Sleep(3 * time.Hour)
		m = f.start("halts", stop)
		time.Sleep(2 * time.Minute)
		if l := f.ledger(); len(l.Gaps) != 0 || l.Streaming().Number != 4 {
			t.Errorf("a shard that halts changed the ledger:\n%s", l.JSON())
		}
		// Somebody else's loss is fixed although these shards stand still.
		_, err := f.Ledger("other").Update(f.Context(), func(l *ledger.Ledger) error {
			_, _, err := l.OpenGap(ledger.Loss{Since: time.Now().Add(-time.Hour), Seen: time.Now(), Adopted: 4}, hourly())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		f.fix(hourly())
		for _, s := range f.Cloud.Shards(scene.TableName) {
			if r := f.lease(s.ID); r.Epoch != 4 || r.Gap == "" {
				t.Errorf("row %+v", r)
			}
		}
		f.terminate(m)
		f.start("goes on", goOnHourly)
		time.Sleep(2 * time.Minute)
		f.change(40)
		time.Sleep(time.Minute)
		if n := f.epochs("same-"); n[12] == 0 || n[8] != 0 {
			t.Errorf("rows by epoch %v; want the loss behind a gap of its own", n)
		}
		f.repaired(hourly())
		gaps, err := consumer.Gaps(f.Context(), f.Store("observer"), f.Prefix())
		if err != nil || len(gaps) != 2 || gaps[0].Number == 0 || gaps[0].Policy != consumer.GapContinue {
			t.Errorf("gaps %+v, error %v; want the two that were continued", gaps, err)
		}
	})
}

func TestALateFileOfAZombieIsCovered(t *testing.T) {
	timing := hourly()
	timing.Skew = time.Second
	inBubble(t, awssim.Config{Latency: func(c *awssim.Call) time.Duration {
		if c.Client == "author" {
			return 20 * time.Millisecond
		}
		return 2 * time.Millisecond
	}}, 1, func(f *fixture) {
		shard := f.Cloud.Shards(scene.TableName)[0].ID
		f.start("old", func(o *consumer.Options) { goOn(o); o.Timing, o.Limits.Age = timing, 30*time.Second })
		f.change(20)
		f.await()
		// The owner freezes, with a file on the way.
		var thaw time.Time
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			f.mu.Lock()
			defer f.mu.Unlock()
			if call.Client != "old" {
				return awssim.Fault{}
			}
			if thaw.IsZero() && call.Operation == "PutObject" && strings.Contains(call.Target, shard) {
				thaw = time.Now().Add(2 * time.Minute)
			}
			if wait := time.Until(thaw); wait > 0 {
				return awssim.Fault{Delay: wait, Linger: true}
			}
			return awssim.Fault{}
		})
		f.change(1200) // two pages
		time.Sleep(25 * time.Second)
		f.mu.Lock()
		frozen := !thaw.IsZero()
		f.mu.Unlock()
		if !frozen {
			t.Fatal("no file was on the way: the test shows nothing")
		}
		// Meanwhile another loss raises the epoch; the next owner adopts it after its first page.
		if _, err := f.Ledger("other").Update(f.Context(), func(l *ledger.Ledger) error {
			_, _, err := l.OpenGap(ledger.Loss{Since: time.Now().Add(-time.Hour), Seen: time.Now().Add(-time.Hour), Adopted: 4}, timing)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		f.start("new", func(o *consumer.Options) { goOn(o); o.Timing, o.Limits.Age = timing, 10*time.Minute })
		for deadline := time.Now().Add(time.Minute); f.lease(shard).Epoch != 8; time.Sleep(time.Second) {
			if time.Now().After(deadline) {
				t.Fatalf("the epoch was not adopted: %+v", f.lease(shard))
			}
		}
		f.fix(timing)
		before := f.ledger()
		time.Sleep(4 * time.Minute)
		f.change(20)
		time.Sleep(11 * time.Minute)
		n := f.epochs("same-")
		if n[4] < 1000 {
			t.Fatalf("rows by epoch %v: the zombie's file did not win, the test shows nothing", n)
		}
		l := f.ledger()
		if len(l.Gaps) != 2 || l.Streaming().Number != 12 || n[8] != 0 || n[12] == 0 {
			t.Errorf("rows by epoch %v; the ledger before:\n%s\nand after:\n%s", n, before.JSON(), l.JSON())
		}
		if r := f.lease(shard); r.Epoch != 12 {
			t.Errorf("row %+v", r)
		}
		f.repaired(timing)
		f.prove(0)
	})
}

func TestAFleetThatBeginsLongAfterItsBeginningWasRecorded(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		at := time.Now()
		if _, err := f.Ledger("bootstrap").Update(f.Context(), func(l *ledger.Ledger) error {
			l.StartStream(f.Table.StreamARN, at, time.Time{}, at, ledger.RealTiming())
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		f.change(40)
		time.Sleep(30 * time.Hour)
		f.change(10)
		began := time.Now()
		f.start("one", nil)
		f.start("two", nil)
		time.Sleep(2 * time.Minute)
		l := f.ledger()
		if len(l.Gaps) != 1 || l.Streaming().Number != 8 {
			t.Fatalf("ledger:\n%s", l.JSON())
		}
		if g := l.Gaps[0]; g.From.After(at) || g.Resumed.Before(began.Add(-24*time.Hour-time.Second)) {
			t.Errorf("the gap is from %s, resumed %s", g.From, g.Resumed)
		}
		f.repaired(ledger.RealTiming())
	})
}

// TestAShardThatBeginsReadsTheLedgerFirst: nobody waits for a shard that was never begun, so it
// must not go by what its worker heard of the ledger some time ago.
func TestAShardThatBeginsReadsTheLedgerFirst(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		f.start("w", func(o *consumer.Options) { o.LedgerEvery = time.Hour })
		f.put("parent", 40)
		f.await()
		if _, err := f.Ledger("other").Update(f.Context(), func(l *ledger.Ledger) error {
			_, _, err := l.OpenGap(ledger.Loss{Since: time.Now().Add(-time.Minute), Seen: time.Now(), Adopted: 4}, ledger.RealTiming())
			return err
		}); err != nil {
			f.Fatal(err)
		}
		time.Sleep(time.Minute)
		if open, err := f.FixGaps(f.Context(), ledger.RealTiming()); err != nil || open != 1 {
			f.Errorf("%d gaps open, error %v: the worker has heard of the epoch, the test shows nothing", open, err)
		}
		f.rollAll()
		f.put("child", 40)
		f.await()
		if n := f.epochs("child-"); n[8] != 40 || len(n) != 1 {
			f.Errorf("children: rows by epoch %v, want all in 8", n)
		}
		f.repaired(ledger.RealTiming())
	})
}
