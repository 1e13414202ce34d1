package checkpoint

import (
	"strings"
	"testing"
	"time"

	"dynamolake/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

func ids(prefix string, names ...string) (out []string) {
	for i, n := range names {
		out = append(out, born(time.Duration(i)*time.Hour, prefix+n))
	}
	return out
}

// end does what a session does at the end of its shard.
func (f *fleet) end(t *testing.T, l *Lease) error {
	t.Helper()
	children, err := f.stream.Children(t.Context(), l.Key())
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.done[l.Key()] = true // from here on its children may begin
	fail := f.fails[l.Key()]
	f.mu.Unlock()
	err = l.End(t.Context(), children)
	if err == nil {
		select {
		case fail <- struct{}{}: // the consumer is through
		case <-l.Revoked():
		}
	}
	return err
}

func TestChildrenAreReadAtOnceWhenTheirParentEnds(t *testing.T) {
	id := ids("", "p", "x", "y")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.start("a")
		f.even(15*time.Second, 1, 1)
		f.stream.split(id[0], id[1], id[2])
		time.Sleep(3 * time.Minute) // listings come and go: the children must wait
		if n := f.sessions(id[1]) + f.sessions(id[2]); n != 0 {
			t.Fatalf("%d children begun before their parent ended", n)
		}
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		took := f.until(500*time.Millisecond, "both children read", func() bool { return f.reading()["a"] == 2 })
		t.Logf("children read after %s", took)
		parent := f.row(id[0])
		if parent.Checkpoint.Sentinel != ShardEnd || parent.Owner != "" {
			t.Errorf("parent %+v", parent)
		}
		if diff := cmp.Diff(id[1:], parent.Children); diff != "" {
			t.Error(diff)
		}
	})
}

func TestChildrenThatNoListingShowedComeFromTheEndOfTheirParent(t *testing.T) {
	id := ids("", "p", "x", "y")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.opts = func(o *Options) { o.ListEvery = time.Hour }
		f.start("a")
		f.start("b")
		f.even(15*time.Second, 1, 1)
		f.stream.split(id[0], id[1], id[2])
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		f.until(2*time.Second, "both children read", func() bool { return total(f.reading()) == 2 })
		f.even(time.Minute, 2, 2)
	})
}

// The owner dies after the children's rows and before the parent's end.
func TestACrashAtTheEndOfAShardLosesNoChild(t *testing.T) {
	id := ids("", "p", "x", "y")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.opts = func(o *Options) { o.ListEvery = time.Hour }
		a := f.start("a")
		f.even(15*time.Second, 1, 1)
		f.start("b")
		f.stream.split(id[0], id[1], id[2])
		l := f.lease(id[0])
		f.cloud.Intercept(func(c *awssim.Call) awssim.Fault {
			if c.Client == "a" && c.Operation == "UpdateItem" && strings.Contains(string(c.Body), ShardEnd) {
				return awssim.Fault{Delay: time.Hour}
			}
			return awssim.Fault{}
		})
		go func() {
			time.Sleep(2 * time.Second)
			f.kill(a)
		}()
		children, _ := f.stream.Children(t.Context(), id[0])
		wantLost(t, l.End(t.Context(), children))
		if r := f.row(id[1]); r.Owner != "a" || eligible(r, rowsOf(r, f.row(id[0]))) {
			t.Errorf("after the crash: child %+v", r)
		}
		f.until(15*time.Second, "the parent read by b", func() bool { return f.lease(id[0]).k.o.Worker == "b" })
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		f.until(5*time.Second, "both children read", func() bool { return f.reading()["b"] == 2 })
	})
}

func TestAParentThatOneListingMissesDoesNotLetItsChildBegin(t *testing.T) {
	id := ids("", "p", "x")
	s := newStream(Shard{ID: id[0], Closed: true}, Shard{ID: id[1], Parent: id[0]})
	s.hidden[id[0]] = true
	inBubble(t, s, func(t *testing.T, f *fleet) {
		f.start("a")
		time.Sleep(5 * time.Second) // the first listing was at 3 s
		if f.row(id[1]).Key == "" {
			t.Fatal("the child has no row yet")
		}
		s.mu.Lock()
		delete(s.hidden, id[0])
		s.mu.Unlock()
		f.until(20*time.Second, "the parent read", func() bool { return f.sessions(id[0]) == 1 })
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		f.until(2*time.Second, "the child read", func() bool { return f.sessions(id[1]) == 1 })
	})
}

func TestAParentThatIsNeverListedIsReadAsLongAsItIsThere(t *testing.T) {
	id := ids("", "p", "x")
	s := newStream(Shard{ID: id[0], Closed: true}, Shard{ID: id[1], Parent: id[0]})
	s.hidden[id[0]] = true
	inBubble(t, s, func(t *testing.T, f *fleet) {
		born, _ := birth(id[0])
		time.Sleep(time.Until(born.Add(21 * time.Hour))) // it is about to be trimmed
		f.start("a")
		f.until(30*time.Second, "the parent read", func() bool { return f.sessions(id[0]) == 1 })
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		f.until(2*time.Second, "the child read", func() bool { return f.sessions(id[1]) == 1 })
	})
}

func TestAYoungParentThatIsNotListedIsWaitedFor(t *testing.T) {
	id := ids("", "p", "x")
	s := newStream(Shard{ID: id[0], Closed: true}, Shard{ID: id[1], Parent: id[0]})
	s.hidden[id[0]] = true
	inBubble(t, s, func(t *testing.T, f *fleet) {
		f.start("a")
		time.Sleep(time.Minute)
		if n := f.sessions(id[0]) + f.sessions(id[1]); n != 0 {
			t.Fatalf("%d of two shards are read, and what comes before them is not known", n)
		}
	})
}

func TestATrimmedParentIsNotWaitedFor(t *testing.T) {
	id := ids("", "p", "x")
	inBubble(t, newStream(Shard{ID: id[1], Parent: id[0]}), func(t *testing.T, f *fleet) {
		f.done[id[0]] = true
		f.start("a")
		f.until(10*time.Second, "the child read", func() bool { return f.sessions(id[1]) == 1 })
	})
}

func TestRowsOfTrimmedShardsAreRemovedAndNothingElse(t *testing.T) {
	id := ids("", "p", "x", "y")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.start("a")
		f.even(15*time.Second, 1, 1)
		f.stream.split(id[0], id[1], id[2])
		if err := f.end(t, f.lease(id[0])); err != nil {
			t.Fatal(err)
		}
		f.even(5*time.Second, 2, 1)
		f.stream.trim(id[0], id[1]) // x is gone too, but it was not read to its end
		time.Sleep(5 * time.Minute)
		if r := f.row(id[0]); r.Key != "" {
			t.Errorf("the finished row is still there: %+v", r)
		}
		for _, child := range id[1:] {
			if r := f.row(child); r.Key == "" || !r.ParentGone || r.Owner != "a" {
				t.Errorf("child %s: %+v", child, r)
			}
		}
	})
}

func TestLatestIsResolvedOnceAndByTheServicesClock(t *testing.T) {
	inBubble(t, newStream(numbered(3)...), func(t *testing.T, f *fleet) {
		f.opts = func(o *Options) {
			o.Initial.Position = Latest
			o.Wall = func() time.Time { return time.Now().Add(7 * time.Hour) }
		}
		a := f.start("a")
		f.even(15*time.Second, 3, 1)
		first := f.lease(numbered(1)[0].ID).Checkpoint()
		if off := time.Until(first.Start).Abs(); first.Sentinel != Latest || off > 10*time.Second {
			t.Errorf("LATEST is %+v, off by %s", first, off)
		}
		f.kill(a)
		time.Sleep(time.Hour)
		f.start("b")
		f.even(30*time.Second, 3, 1)
		if diff := cmp.Diff(first, f.lease(numbered(1)[0].ID).Checkpoint()); diff != "" {
			t.Errorf("after a crash before the first checkpoint:\n%s", diff)
		}
	})
}

func TestADrainAtTheEndOfAShardGivesTheChildrenAway(t *testing.T) {
	id := ids("", "p", "x", "y")
	inBubble(t, newStream(Shard{ID: id[0]}), func(t *testing.T, f *fleet) {
		f.flush = 30 * time.Second // the session does not stop by itself
		a := f.start("a")
		f.even(15*time.Second, 1, 1)
		f.start("b")
		time.Sleep(5 * time.Second)
		f.stream.split(id[0], id[1], id[2])
		done := make(chan error, 1)
		go func() { done <- a.k.Drain(t.Context()) }()
		time.Sleep(100 * time.Millisecond)
		l := f.lease(id[0])
		children, _ := f.stream.Children(t.Context(), id[0])
		f.mu.Lock()
		f.done[id[0]] = true
		f.mu.Unlock()
		if err := l.End(t.Context(), children); err != nil {
			t.Fatal(err)
		}
		a.d.RemoveLeaseOwner(id[0])
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		f.until(3*time.Second, "both children read by b", func() bool { return f.reading()["b"] == 2 })
		time.Sleep(time.Minute) // the consumer that was ended twice finds nothing to end
	})
}
