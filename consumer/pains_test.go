package consumer_test

import (
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// The tests of this file are named after what people suffer from elsewhere.

func TestAStaleCheckpointIsAGapAndNotASilentSkip(t *testing.T) {
	down30h := func(f *fixture) (shard string) {
		shard = f.Cloud.Shards(scene.TableName)[0].ID
		first := f.start("first", nil)
		f.put("before", 10)
		f.await()
		f.terminate(first)
		f.put("lost", 7)
		time.Sleep(5 * time.Hour)
		f.rollAll()
		time.Sleep(25 * time.Hour)
		f.put("after", 5)
		return shard
	}
	t.Run("by default the shard stops, loudly", func(t *testing.T) {
		inBubble(t, awssim.Config{}, 1, func(f *fixture) {
			shard := down30h(f)
			second := f.start("second", nil)
			time.Sleep(2 * time.Minute)
			if row := f.lease(shard); row.Gap == "" || row.Owner != "second" || row.Checkpoint.Sentinel == checkpoint.ShardEnd {
				t.Errorf("the shard is not halted: %+v", row)
			}
			gaps, err := consumer.Gaps(f.Context(), f.Store("observer"), f.Prefix())
			if err != nil || len(gaps) != 1 || gaps[0].Shard != shard {
				t.Errorf("recorded gaps %+v, error %v; want one of shard %s", gaps, err, shard)
			}
			if n := second.metric(t, "dynamolake_consumer_gaps_total"); n != 1 {
				t.Errorf("gaps counted: %v, want 1", n)
			}
			if rows := f.rows(); rows != 10 {
				t.Errorf("%d rows; nothing may be written past a gap", rows)
			}
			f.forgetCalls()
			time.Sleep(10 * time.Minute)
			if n := f.calls("GetRecords", scene.TableName) + f.calls("GetShardIterator", scene.TableName); n != 0 {
				t.Errorf("a halted shard was asked %d times", n)
			}
		})
	})
	t.Run("told to continue it goes on with what there is", func(t *testing.T) {
		inBubble(t, awssim.Config{}, 1, func(f *fixture) {
			shard := down30h(f)
			f.start("second", func(o *consumer.Options) { o.OnGap = consumer.GapContinue })
			time.Sleep(2 * time.Minute)
			f.prove(7)
			// Its row goes once it is over and the stream does not list it any more.
			if row, ok := f.row(shard); ok {
				t.Errorf("the lost shard is not over: %+v", row)
			}
			gaps, err := consumer.Gaps(f.Context(), f.Store("observer"), f.Prefix())
			if err != nil || len(gaps) != 1 {
				t.Errorf("recorded gaps %+v, error %v; want one", gaps, err)
			}
		})
	})
	t.Run("a halted shard goes on when restarted with continue", func(t *testing.T) {
		inBubble(t, awssim.Config{}, 1, func(f *fixture) {
			down30h(f)
			second := f.start("second", nil)
			time.Sleep(time.Minute)
			f.terminate(second)
			f.start("third", func(o *consumer.Options) { o.OnGap = consumer.GapContinue })
			time.Sleep(2 * time.Minute)
			f.prove(7)
		})
	})
}

func TestAShardTrimmedUnderASlowReaderIsAGap(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		m := f.start("w", func(o *consumer.Options) { o.OnGap = consumer.GapContinue })
		f.put("read", 10)
		f.await()
		f.kill(m)
		f.put("lost", 5)
		time.Sleep(time.Minute)
		if err := f.Cloud.TrimBefore(scene.TableName, time.Now()); err != nil {
			t.Fatal(err)
		}
		f.put("kept", 5)
		f.start("next", func(o *consumer.Options) { o.OnGap = consumer.GapContinue })
		f.await()
		f.prove(5)
	})
}

func TestALeaseThatWasNeverReadInADayIsAGap(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		// The fleet learns of the shard, reads nothing, and is gone for 30 h.
		m := f.start("w", nil)
		time.Sleep(20 * time.Second)
		f.terminate(m)
		f.put("lost", 5)
		time.Sleep(30 * time.Hour)
		f.put("kept", 5)
		f.start("next", nil)
		time.Sleep(time.Minute)
		if row := f.lease(f.Cloud.Shards(scene.TableName)[0].ID); row.Gap == "" {
			t.Errorf("the shard went on as if nothing was lost: %+v", row)
		}
	})
}

func TestTheLastPageOfAClosedShardIsNotLost(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.put("old", 1500) // two pages, the second with the nil iterator
		f.rollAll()
		f.put("new", 20)
		f.start("w", nil)
		f.await()
		f.prove(0)
	})
}

func TestClosedShardsAreNotReadAgain(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		var closed []string
		for _, s := range f.Cloud.Shards(scene.TableName) {
			closed = append(closed, s.ID)
		}
		m := f.start("w", nil)
		f.put("a", 50)
		f.rollAll()
		f.put("b", 50)
		f.await()
		time.Sleep(time.Minute)
		f.terminate(m)
		if f.calls("GetRecords", scene.TableName+"/"+closed[0]) == 0 {
			t.Fatal("the closed shard was never read: the test shows nothing")
		}
		f.forgetCalls()
		f.start("again", nil)
		time.Sleep(3 * time.Minute)
		for _, id := range closed {
			if n := f.calls("GetRecords", scene.TableName+"/"+id) + f.calls("GetShardIterator", scene.TableName+"/"+id); n != 0 {
				t.Errorf("closed shard %s was asked %d times after a restart", id, n)
			}
		}
		f.prove(0)
	})
}

func TestAChildIsNotReadBeforeItsParent(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.put("a", 50)
		parent := f.Cloud.Shards(scene.TableName)[0].ID
		if err := f.Cloud.Split(scene.TableName, parent); err != nil {
			t.Fatal(err)
		}
		f.put("b", 50)
		slow := true
		early := 0
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation != "GetRecords" {
				return awssim.Fault{}
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			switch {
			case slow && strings.HasSuffix(call.Target, parent):
				return awssim.Fault{Status: 400, Code: "LimitExceededException"}
			case slow:
				early++
			}
			return awssim.Fault{}
		})
		f.start("one", nil)
		f.start("two", nil)
		time.Sleep(2 * time.Minute)
		f.mu.Lock()
		slow = false
		f.mu.Unlock()
		f.await()
		f.prove(0)
		if early != 0 {
			t.Errorf("children were asked for records %d times before their parent was done", early)
		}
	})
}

func TestMoreThanAHundredShardsAreAllRead(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 250, func(f *fixture) {
		f.put("a", 400)
		f.start("w", nil)
		f.await()
		if r := f.prove(0); r.Changes != 400 {
			t.Errorf("%d changes, want 400", r.Changes)
		}
	})
}

func TestExpiredIteratorsAreRenewedWithoutALoop(t *testing.T) {
	inBubble(t, awssim.Config{IteratorLife: 5 * time.Second}, 1, func(f *fixture) {
		m := f.start("w", nil)
		f.put("a", 20)
		f.await()
		time.Sleep(time.Minute) // polls are 10 s apart now: each iterator has expired
		f.put("b", 20)
		f.await()
		f.forgetCalls()
		time.Sleep(10 * time.Minute)
		if n := f.calls("GetRecords", scene.TableName); n > 150 {
			t.Errorf("%d GetRecords in 10 idle minutes", n)
		}
		if n := m.metric(t, "dynamolake_consumer_expired_iterators_total"); n == 0 {
			t.Error("no iterator expired: the test shows nothing")
		}
		f.prove(0)
	})
}

func TestThrottlingSlowsDownAndEndsNothing(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		m := f.start("w", nil)
		f.put("a", 20)
		f.await()
		remove := f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetRecords" {
				return awssim.Fault{Status: 400, Code: "LimitExceededException"}
			}
			return awssim.Fault{}
		})
		time.Sleep(30 * time.Second)
		f.forgetCalls()
		time.Sleep(10 * time.Minute)
		// One try in 10 s, which the SDK makes three attempts of.
		if n := f.calls("GetRecords", scene.TableName); n > 250 {
			t.Errorf("%d GetRecords in 10 throttled minutes", n)
		}
		remove()
		f.put("b", 20)
		f.await()
		f.prove(0)
		if n := m.metric(t, "dynamolake_consumer_throttled_total"); n == 0 {
			t.Error("throttling was not counted")
		}
	})
}

func TestTheCheckpointNeverPassesWhatIsNotDurable(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		shard := f.Cloud.Shards(scene.TableName)[0].ID
		m := f.start("w", nil)
		f.put("a", 20)
		f.await()
		before := f.lease(shard).Checkpoint
		remove := f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "PutObject" && strings.Contains(call.Target, "/changes/") {
				return awssim.Fault{Status: 500, Code: "InternalError"}
			}
			return awssim.Fault{}
		})
		f.put("b", 20)
		time.Sleep(2 * time.Minute)
		if after := f.lease(shard).Checkpoint; after != before {
			t.Errorf("the checkpoint went from %v to %v while nothing could be written", before, after)
		}
		// And a crash in that state loses nothing.
		f.kill(m)
		remove()
		f.start("next", nil)
		f.await()
		f.prove(0)
	})
}

func TestTwoConsumersDoNotOverwriteEachOthersCheckpoints(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		shard := f.Cloud.Shards(scene.TableName)[0].ID
		f.start("old", nil)
		f.put("a", 20)
		f.await()
		// The owner freezes for a minute with its writes on the way; they come
		// through at the thaw.
		thaw := time.Now().Add(time.Minute)
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if wait := time.Until(thaw); call.Client == "old" && wait > 0 {
				return awssim.Fault{Delay: wait, Linger: true}
			}
			return awssim.Fault{}
		})
		f.put("b", 20)
		f.start("new", nil)
		f.await()
		var last checkpoint.Checkpoint
		for range 240 {
			f.put("c", 1)
			time.Sleep(500 * time.Millisecond)
			now := f.lease(shard).Checkpoint
			if now.Seq < last.Seq { // of equal length
				t.Fatalf("the checkpoint went back from %s to %s", last.Seq, now.Seq)
			}
			last = now
		}
		f.await()
		f.prove(0)
	})
}

func TestAnIdleShardIsAskedOnceInTenSeconds(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		f.start("w", nil)
		f.put("a", 20)
		f.await()
		time.Sleep(2 * time.Minute)
		f.forgetCalls()
		time.Sleep(10 * time.Minute)
		n := f.calls("GetRecords", scene.TableName)
		// 3 shards, 600 s: 180 calls at 10 s, up to a tenth more for the jitter.
		if n < 150 || n > 210 {
			t.Errorf("%d GetRecords for three idle shards in ten minutes, want about 180", n)
		}
	})
}

func TestABusyShardIsDrainedAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.put("a", 20_000)
		f.start("w", nil)
		began := time.Now()
		f.await()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("20 full pages took %v of virtual time", took)
		}
		f.prove(0)
	})
}

func TestACrashBetweenFileAndCheckpointLeavesNoDuplicates(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		m := f.start("w", nil)
		f.put("a", 20)
		f.await()
		// From here on files land, and no checkpoint does.
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client == "w" && call.Service == "dynamodb" {
				return awssim.Fault{Status: 500, Code: "InternalServerError"}
			}
			return awssim.Fault{}
		})
		f.put("b", 20)
		time.Sleep(3 * time.Second)
		if rows := f.rows(); rows != 40 {
			t.Fatalf("%d rows: the crash comes too early to show anything", rows)
		}
		f.kill(m)
		f.start("next", nil)
		f.await()
		f.put("c", 20)
		f.await()
		f.prove(0)
	})
}
