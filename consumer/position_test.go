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

// loss checks that exactly the writes before the start are not in the lake.
func (f *fixture) loss(want int) {
	f.Helper()
	if r := f.prove(want); r.Changes == 0 {
		f.Error("nothing was read at all")
	}
}

func latest(o *consumer.Options) { o.Initial = checkpoint.Initial{Position: checkpoint.Latest} }

func TestLatestBeginsWithTheFleet(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		f.put("before", 30)
		time.Sleep(time.Minute)
		f.start("w", latest)
		time.Sleep(20 * time.Second)
		f.put("after", 30)
		time.Sleep(30 * time.Second)
		f.loss(30)
	})
}

func TestLatestReadsDescendantsFromTheirBeginning(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.put("before", 30)
		time.Sleep(time.Minute)
		f.start("w", latest)
		time.Sleep(20 * time.Second)
		// Closed shards, children and grandchildren, all before the next poll of the first.
		for _, prefix := range []string{"a", "b", "c"} {
			f.put(prefix, 10)
			time.Sleep(time.Second)
			f.rollAll()
		}
		f.put("d", 10)
		time.Sleep(2 * time.Minute)
		f.loss(30)
	})
}

func TestACrashBeforeTheFirstCheckpointLosesNothingAtLatest(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.put("before", 30)
		time.Sleep(time.Minute)
		m := f.start("w", func(o *consumer.Options) { latest(o); o.Limits.Age = time.Hour })
		time.Sleep(20 * time.Second)
		f.put("held", 30) // read, and in no file yet
		time.Sleep(20 * time.Second)
		f.kill(m)
		time.Sleep(time.Minute)
		f.start("next", latest)
		time.Sleep(time.Minute)
		f.loss(30)
	})
}

func TestATimestampBeginsThere(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		f.put("before", 30)
		time.Sleep(time.Hour)
		f.rollAll()
		at := time.Now()
		f.put("after", 30)
		f.rollAll()
		f.put("later", 30)
		f.start("w", func(o *consumer.Options) {
			o.Initial = checkpoint.Initial{Position: checkpoint.AtTimestamp, At: at}
		})
		time.Sleep(time.Minute)
		f.loss(30)
	})
}

func TestADisabledStreamIsReadToItsEnd(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		f.put("a", 60)
		f.start("w", nil)
		f.setStream(false)
		time.Sleep(3 * time.Minute)
		table, err := f.Leases(f.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range table.Leases {
			if r.Checkpoint.Sentinel != checkpoint.ShardEnd {
				t.Errorf("shard %s of a stream that was turned off is at %+v", r.Key, r.Checkpoint)
			}
		}
		f.prove(0)
	})
}

func TestSigtermHandsShardsOverWithoutWaitingForTheLease(t *testing.T) {
	inBubble(t, awssim.Config{}, 6, func(f *fixture) {
		f.put("a", 60)
		one := f.start("one", nil)
		f.start("two", nil)
		f.await()
		began := time.Now()
		f.terminate(one)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the hand-over took %v", took)
		}
		table, err := f.Leases(f.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range table.Leases {
			if r.Owner != "two" {
				t.Errorf("shard %s belongs to %q after the hand-over", r.Key, r.Owner)
			}
		}
		f.put("b", 60)
		f.await()
		f.prove(0)
	})
}

func TestANewcomerGetsItsShareWhileRecordsFlow(t *testing.T) {
	inBubble(t, awssim.Config{}, 7, func(f *fixture) {
		f.start("one", nil)
		for i := range 30 {
			f.put(strings.Repeat("x", i+1), 20)
			time.Sleep(time.Second)
			if i == 10 {
				f.start("two", nil)
			}
		}
		f.await()
		share := map[string]int{}
		table, err := f.Leases(f.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range table.Leases {
			share[r.Owner]++
		}
		if d := share["one"] - share["two"]; d < -1 || d > 1 || share["one"]+share["two"] != 7 {
			t.Errorf("shares %v, want 7 shards to within one of even", share)
		}
		f.prove(0)
	})
}

func TestAWorkerStopsWritingAtItsOwnDeadline(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		f.put("a", 10)
		f.start("w", nil)
		f.await()
		// Only its lease is out of reach: streams and bucket still answer.
		cutAt := time.Now()
		var lastPut time.Time
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client != "w" {
				return awssim.Fault{}
			}
			if call.Operation == "PutObject" {
				f.mu.Lock()
				lastPut = time.Now()
				f.mu.Unlock()
			}
			if call.Service == "dynamodb" {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		for range 60 {
			f.put("b", 1)
			time.Sleep(time.Second)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if after := lastPut.Sub(cutAt); after > 10*time.Second {
			t.Errorf("the worker wrote %v after its last beat could have come through; its lease is 10 s", after)
		}
		if !lastPut.After(cutAt) {
			t.Error("the worker wrote nothing at all after the cut: the test shows nothing")
		}
	})
}

func TestEveryListingMayMissAShard(t *testing.T) {
	inBubble(t, awssim.Config{}, 4, func(f *fixture) {
		f.put("a", 40)
		f.rollAll()
		f.put("b", 40)
		for i, s := range f.Cloud.Shards(scene.TableName) {
			if err := f.Cloud.HideShardOnce(scene.TableName, s.ID, 1+i%2); err != nil {
				t.Fatal(err)
			}
			if s.Parent != "" {
				if err := f.Cloud.ShowOpenParent(scene.TableName, s.Parent, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		f.start("one", nil)
		f.start("two", nil)
		f.await()
		f.prove(0)
	})
}
