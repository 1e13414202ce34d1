package consumer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// described has the scene know the table's stream of now, as a worker does that starts.
func (f *fixture) described() {
	f.Helper()
	t, err := consumer.Describe(f.Context(), dynamodb.NewFromConfig(f.Cloud.AWSConfig("author")), scene.TableName)
	if err != nil {
		f.Fatal(err)
	}
	f.Table = t
}

// replaced checks that all that both streams had is in the lake, and that the ledger has a gap
// between them that covers what was written while there was none.
func (f *fixture) replaced(off, on time.Time, slack time.Duration, timing ledger.Timing) {
	f.Helper()
	l := f.ledger()
	if len(l.Gaps) != 1 || l.Streaming() == nil || l.Streaming().Number != 8 || l.Streaming().StreamARN == l.Epochs[0].StreamARN {
		f.Fatalf("ledger:\n%s", l.JSON())
	}
	g := l.Gaps[0]
	if g.From.After(off) || g.From.Before(off.Add(-slack)) || g.To.Before(on) || g.To.After(on.Add(timing.MinWindow+time.Minute)) || g.State != ledger.GapRepairing {
		f.Errorf("off from %s to %s; the gap is %s to %s", off, on, g.From, g.To)
	}
	r, err := f.Prove(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	if r.Lost+r.Doubled+r.OutOfOrder+r.Orphans+r.Unknown+r.WrongContent != 0 {
		f.Errorf("%s\n%s", r, strings.Join(r.Problems, "\n"))
	}
	if n := f.epochs("one-"); n[4] != 60 || len(n) != 1 {
		f.Errorf("of the old stream: rows by epoch %v", n)
	}
	if n := f.epochs("two-"); n[8] != 60 || len(n) != 1 {
		f.Errorf("of the new stream: rows by epoch %v", n)
	}
	table, err := f.Leases(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	if len(table.Leases) != 3 {
		f.Errorf("%d lease rows, want those of the new stream: %+v", len(table.Leases), table.Leases)
	}
	gaps, err := consumer.Gaps(f.Context(), f.Store("observer"), f.Prefix())
	if err != nil || len(gaps) != 0 {
		f.Errorf("shards were taken for gone: %+v, error %v", gaps, err)
	}
}

func TestAStreamTurnedOffAndOnWhileTheFleetRuns(t *testing.T) {
	for _, initial := range []func(*consumer.Options){nil, latest} {
		inBubble(t, awssim.Config{}, 3, func(f *fixture) {
			f.start("a", initial)
			f.start("b", initial)
			time.Sleep(20 * time.Second)
			f.put("one", 60)
			f.setStream(false)
			off := time.Now()
			time.Sleep(20 * time.Second)
			f.put("unseen", 5)
			time.Sleep(3 * time.Minute)
			f.setStream(true)
			on := time.Now()
			f.put("two", 60)
			time.Sleep(4 * time.Minute)
			slack := 3 * time.Minute
			if initial != nil {
				slack += time.Minute
			}
			f.replaced(off, on, slack, ledger.RealTiming())
		})
	}
}

// turnedOffWhileDown has a fleet that read half of what the stream has, and a stream that was turned off when nobody read it.
func (f *fixture) turnedOffWhileDown() (off time.Time) {
	f.Helper()
	m := f.start("a", nil)
	f.put("one", 30)
	f.await()
	f.terminate(m)
	time.Sleep(time.Minute)
	f.put("one-b", 30) // still to be drained
	f.setStream(false)
	return time.Now()
}

func TestAStreamTurnedOffAndOnWhileTheFleetIsDown(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		off := f.turnedOffWhileDown()
		f.put("unseen", 5)
		time.Sleep(10 * time.Hour)
		f.setStream(true)
		on := time.Now()
		f.put("two", 60)
		f.described()
		f.start("b", nil)
		f.start("c", nil)
		time.Sleep(5 * time.Minute)
		f.replaced(off, on, 4*time.Minute, ledger.RealTiming())
	})
}

// TestAFleetThatStartsWhileTheStreamIsOff reads what is left of it, and waits for another.
func TestAFleetThatStartsWhileTheStreamIsOff(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		off := f.turnedOffWhileDown()
		time.Sleep(time.Hour)
		f.described()
		if f.Table.View != "" {
			f.Fatalf("the stream is on: %+v", f.Table)
		}
		if err := consumer.CheckStart(f.Context(), f.Ledger("b"), f.Table, f.Worker("b", zap.NewNop()).App, false); err != nil {
			f.Fatal(err)
		}
		f.start("b", nil)
		time.Sleep(2 * time.Minute)
		if n := f.epochs("one-"); n[4] != 60 {
			f.Errorf("of a stream that is off, rows by epoch %v; want the 60 that it had", n)
		}
		f.setStream(true)
		on := time.Now()
		f.put("two", 60)
		time.Sleep(5 * time.Minute)
		f.replaced(off, on, 4*time.Minute, ledger.RealTiming())
	})
}

// TestANewStreamThatCannotFeedTheLakeIsNotBegun: the old one was read to its end before.
func TestANewStreamThatCannotFeedTheLakeIsNotBegun(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		m := f.start("a", nil)
		f.put("one", 10)
		f.await()
		f.setStream(false)
		time.Sleep(5 * time.Minute)
		f.terminate(m)
		f.setView(ddbtypes.StreamViewTypeKeysOnly)
		f.described()
		before := f.ledger().Revision
		ctx, cancel := context.WithTimeout(f.Context(), 5*time.Minute)
		defer cancel()
		err := consumer.Run(ctx, f.Worker("b", zap.NewNop()))
		if err == nil || !strings.Contains(err.Error(), "KEYS_ONLY, which does not carry what items became") {
			f.Errorf("error %v", err)
		}
		if l := f.ledger(); l.Revision != before {
			f.Errorf("the ledger was changed:\n%s", l.JSON())
		}
	})
}

func TestAStreamReplacedBeforeAnyoneReadIt(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		began := time.Now()
		if _, err := f.Ledger("bootstrap").Update(f.Context(), func(l *ledger.Ledger) error {
			l.StartStream(f.Table.StreamARN, began, time.Time{}, began, ledger.RealTiming())
			return nil
		}); err != nil {
			f.Fatal(err)
		}
		f.put("one", 60)
		f.setStream(false)
		off := time.Now()
		time.Sleep(time.Hour)
		f.setStream(true)
		on := time.Now()
		f.put("two", 60)
		f.described()
		f.start("a", nil)
		time.Sleep(5 * time.Minute)
		f.replaced(off, on, 3*time.Minute, ledger.RealTiming())
	})
}

func TestAnOldStreamThatIsGoneEndsInGaps(t *testing.T) {
	inBubble(t, awssim.Config{Retention: time.Hour}, 3, func(f *fixture) {
		m := f.start("a", goOnHourly)
		f.put("one", 60)
		f.await()
		f.terminate(m)
		down := time.Now()
		f.put("lost", 30)
		f.setStream(false)
		time.Sleep(3 * time.Hour) // the old stream is no longer to be had
		f.setStream(true)
		f.put("two", 60)
		f.described()
		f.start("b", goOnHourly)
		f.start("c", goOnHourly)
		time.Sleep(10 * time.Minute)
		l := f.ledger()
		s := l.Streaming()
		if s == nil || s.StreamARN != f.Table.StreamARN {
			f.Fatalf("the new stream is not read:\n%s", l.JSON())
		}
		if n := f.epochs("two-"); n[s.Number] != 60 || len(n) != 1 {
			f.Errorf("of the new stream: rows by epoch %v", n)
		}
		covered := down
		for _, g := range l.Gaps {
			if g.State == ledger.GapOpen {
				f.Errorf("gap %d is still open, and nobody is left to close it", g.Number)
			}
			if !g.From.After(covered) && g.To.After(covered) {
				covered = g.To
			}
		}
		if covered.Before(s.From.Add(-time.Minute)) {
			f.Errorf("gaps cover %s to %s only:\n%s", down, covered, l.JSON())
		}
		if r, err := f.Prove(f.Context()); err != nil || r.Lost != 30 {
			f.Errorf("%s, error %v; want what nobody had any more lost", r, err)
		}
	})
}

func TestAStreamThatCannotFeedTheLakeIsSaidOnce(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		core, logs := observer.New(zapcore.WarnLevel)
		f.start("a", func(o *consumer.Options) { o.Log = zap.New(core) })
		f.put("one", 60)
		f.await()
		f.setStream(false)
		off := time.Now()
		time.Sleep(5 * time.Minute)
		said := func(text string) int {
			return logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, text) }).Len()
		}
		if n := said("turned off"); n != 1 {
			f.Errorf("that the stream is off was said %d times", n)
		}
		f.setView(ddbtypes.StreamViewTypeKeysOnly)
		time.Sleep(10 * time.Minute)
		if n := said("cannot feed the lake"); n != 1 {
			f.Errorf("that the new stream is of no use was said %d times", n)
		}
		f.setStream(false)
		f.setStream(true)
		on := time.Now()
		f.put("two", 60)
		time.Sleep(4 * time.Minute)
		f.replaced(off, on, 3*time.Minute, ledger.RealTiming())
	})
}

// setView turns the stream on with a view.
func (f *fixture) setView(view ddbtypes.StreamViewType) {
	f.Helper()
	db := dynamodb.NewFromConfig(f.Cloud.AWSConfig("author"))
	if _, err := db.UpdateTable(f.Context(), &dynamodb.UpdateTableInput{
		TableName: aws.String(scene.TableName), StreamSpecification: &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view},
	}); err != nil {
		f.Fatal(err)
	}
}

// TestAWorkerThatDoesNotHearOfTheNewStreamHarmsNothing: it sees the ledger late, and rows that are not its stream's.
func TestAWorkerThatDoesNotHearOfTheNewStreamHarmsNothing(t *testing.T) {
	inBubble(t, awssim.Config{}, 3, func(f *fixture) {
		f.start("a", goOn)
		f.start("z", func(o *consumer.Options) { goOn(o); o.LedgerEvery = 5 * time.Minute })
		f.put("one", 60)
		f.await()
		f.setStream(false)
		off := time.Now()
		time.Sleep(2 * time.Minute)
		f.setStream(true)
		on := time.Now()
		f.put("two", 60)
		time.Sleep(15 * time.Minute)
		f.replaced(off, on, 3*time.Minute, ledger.RealTiming())
	})
}
