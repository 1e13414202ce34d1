package consumer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// A shard that was read to its end, and whose worker died before it had asked for the
// children: they come and go with nobody to read them.
func TestAnEndedShardWhoseChildrenAreGoneIsAGap(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		one := f.start("one", goOn)
		f.put("read", 20)
		f.await()
		open := f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "DescribeStream" {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		f.rollAll()
		time.Sleep(time.Minute)
		f.terminate(one)
		ended := time.Now()
		f.put("unread", 20)
		time.Sleep(time.Hour)
		f.rollAll()
		time.Sleep(30 * time.Hour)
		f.put("kept", 20)
		open()
		f.start("two", goOn)
		time.Sleep(20 * time.Minute)
		f.put("after", 20)
		time.Sleep(time.Minute)
		l := f.ledger()
		g := l.Gaps[0] // its grandchild may have met it before
		if len(l.Gaps) != 1 || g.From.After(ended) || g.Resumed.Before(ended.Add(time.Hour)) {
			f.Fatalf("ledger:\n%s", l.JSON())
		}
		f.prove(20)
		f.repaired(ledger.RealTiming())
	})
}

// Lease rows were made in time, but nothing was read until the stream had lost the oldest.
func TestARowThatWasNotReadInTimeIsAGap(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		begun := time.Now()
		if _, err := f.Ledger("observer").Update(f.Context(), func(l *ledger.Ledger) error {
			l.StartStream(f.Table.StreamARN, begun, time.Time{}, begun, ledger.RealTiming())
			return nil
		}); err != nil {
			f.Fatal(err)
		}
		f.put("lost", 20)
		time.Sleep(20 * time.Hour)
		unread := f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetRecords" {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		one := f.start("one", goOn)
		time.Sleep(time.Minute)
		f.terminate(one)
		unread()
		time.Sleep(10 * time.Hour)
		f.put("kept", 20)
		f.start("two", goOn)
		time.Sleep(time.Minute)
		f.await()
		l := f.ledger()
		if len(l.Gaps) != 1 || l.Gaps[0].From.After(begun) {
			f.Fatalf("ledger:\n%s", l.JSON())
		}
		f.prove(20)
		f.repaired(ledger.RealTiming())
	})
}

// What the stream forgets while a fleet begins to read at its oldest record was never promised.
func TestAFleetThatBeginsAtTheHorizonPromisesWhatItCanRead(t *testing.T) {
	inBubble(t, awssim.Config{RollEvery: 4 * time.Hour}, 2, func(f *fixture) {
		for range 13 {
			f.put("old", 5)
			time.Sleep(2 * time.Hour)
		}
		f.start("one", goOn)
		time.Sleep(10 * time.Minute)
		l := f.ledger()
		if len(l.Gaps) != 0 {
			f.Fatalf("ledger:\n%s", l.JSON())
		}
		if from := l.Streaming().From; time.Since(from) > 24*time.Hour {
			f.Errorf("the epoch begins %v ago", time.Since(from))
		}
		shards := f.Cloud.Shards(scene.TableName)
		if len(shards) < 6 {
			f.Errorf("%d shards", len(shards))
		}
	})
}

// The loss is known, but for a while the stream does not answer, and forgets more.
func TestAGapWidensUntilReadingGoesOn(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		one := f.start("one", goOn)
		f.put("read", 20)
		f.await()
		f.terminate(one)
		time.Sleep(time.Hour)
		f.put("lost", 20)
		time.Sleep(10 * time.Minute)
		f.put("lost late", 20)
		time.Sleep(24*time.Hour - 5*time.Minute)
		f.put("kept", 20)
		until := time.Now().Add(20 * time.Minute)
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetShardIterator" && strings.Contains(string(call.Body), "TRIM_HORIZON") && time.Now().Before(until) {
				return awssim.Fault{Status: 400, Code: "ThrottlingException"}
			}
			return awssim.Fault{}
		})
		f.start("two", goOn)
		time.Sleep(30 * time.Minute)
		f.await()
		l := f.ledger()
		if len(l.Gaps) != 1 || l.Gaps[0].Resumed.Before(until.Add(-24*time.Hour)) {
			f.Fatalf("ledger:\n%s", l.JSON())
		}
		f.prove(40)
		f.repaired(ledger.RealTiming())
	})
}

// One loss after the other, from parents to children, in shards that nobody had begun: the
// windows of the first hold what all lost.
func TestGenerationsThatAreGoneAreOneGap(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		one := f.start("one", goOn)
		f.put("read", 20)
		f.await()
		idle := f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetRecords" {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		for range 3 {
			f.put("lost", 10)
			time.Sleep(10 * time.Minute) // rows are made of what is listed
			f.rollAll()
		}
		f.put("kept", 10)
		f.terminate(one)
		time.Sleep(26 * time.Hour)
		f.put("kept", 20)
		idle()
		f.start("two", goOn)
		time.Sleep(5 * time.Minute)
		f.fix(ledger.RealTiming())
		f.put("after", 20)
		time.Sleep(5 * time.Minute)
		if l := f.ledger(); len(l.Gaps) != 1 {
			f.Errorf("%d gaps; want one:\n%s", len(l.Gaps), l.JSON())
		}
		f.repaired(ledger.RealTiming())
	})
}

// An empty page says that nothing new was found, not that there is nothing: what is claimed
// must be older than what another page could still bring.
func TestAnEmptyPageBeforeAnOutageHidesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		var empty atomic.Bool
		f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetRecords" && empty.Load() {
				return awssim.Fault{RewriteReply: func([]byte) []byte {
					var in struct{ ShardIterator string }
					if err := json.Unmarshal(call.Body, &in); err != nil {
						f.Error(err)
					}
					return fmt.Appendf(nil, `{"Records":[],"NextShardIterator":%q}`, in.ShardIterator)
				}}
			}
			return awssim.Fault{}
		})
		one := f.start("one", func(o *consumer.Options) { goOn(o); o.PollMax = 5 * time.Minute })
		f.put("read", 20)
		f.await()
		time.Sleep(30 * time.Minute) // until it is asked seldom
		f.forgetCalls()
		for f.calls("GetRecords", "") == 0 {
			time.Sleep(time.Second)
		}
		f.put("lost", 20)
		empty.Store(true)
		f.forgetCalls()
		for f.calls("GetRecords", "") == 0 {
			time.Sleep(time.Second)
		}
		time.Sleep(30 * time.Second)
		f.terminate(one)
		empty.Store(false)
		time.Sleep(30 * time.Hour)
		f.put("kept", 20)
		f.start("two", goOn)
		time.Sleep(20 * time.Minute)
		f.prove(20)
		f.repaired(ledger.RealTiming())
	})
}
