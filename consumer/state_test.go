package consumer_test

import (
	"strings"
	"testing"
	"time"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// watched is a worker with a state.
type watched struct {
	*member
	f      *fixture
	state  *consumer.State
	limits consumer.Limits
}

func (f *fixture) watch(name string, change func(*consumer.Options)) *watched {
	return f.watchWithin(name, dayLimits(), change)
}

func (f *fixture) watchWithin(name string, limits consumer.Limits, change func(*consumer.Options)) *watched {
	w := &watched{f: f, state: &consumer.State{}, limits: limits}
	w.member = f.start(name, func(o *consumer.Options) {
		o.State = w.state
		if change != nil {
			change(o)
		}
	})
	w.state.Register(w.registry, w.limits, 0.2e-6)
	return w
}

// says fails unless the worker gives just these reasons, in its state and as metrics, and returns
// the last.
func (w *watched) says(when, codes string) string {
	w.f.Helper()
	reasons := consumer.Ready(w.state.Facts(), w.limits)
	if got := codesOf(reasons); got != codes {
		w.f.Errorf("%s: reasons %q, want %q: %v", when, got, codes, reasons)
	}
	if got := w.metric(w.f.T, "dynamolake_consumer_unready"); got != float64(len(strings.Fields(codes))) {
		w.f.Errorf("%s: %v reasons in the metric, want %q", when, got, codes)
	}
	if len(reasons) == 0 {
		return ""
	}
	return reasons[len(reasons)-1].Text
}

func (w *watched) mentions(text, want string) {
	w.f.Helper()
	if !strings.Contains(text, want) {
		w.f.Errorf("it says %q, want %q in it", text, want)
	}
}

func TestAWorkerIsReadyOnceItReads(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		w := f.watch("w", nil)
		w.says("before anything", "starting")
		f.put("a", 20)
		time.Sleep(20 * time.Second)
		w.says("reading", "")
		time.Sleep(time.Hour)
		w.says("with nothing to read", "")
		f.rollAll()
		f.put("b", 20)
		time.Sleep(time.Hour)
		w.says("after a roll", "")
		if lag, ok := w.state.Reach(); !ok || lag <= 0 || lag > 2*time.Minute {
			t.Errorf("the fleet is %v behind, known: %v", lag, ok)
		}
		w.stop()
		<-w.done
		w.says("at the end", "starting")
	})
}

func TestAWorkerThatHandsOverIsNotReady(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		w := f.watch("w", nil)
		time.Sleep(20 * time.Second)
		remove := f.refuse("PutObject", "")
		f.put("held", 5)
		for w.metric(t, "dynamolake_consumer_held_bytes") == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		w.stop()
		time.Sleep(2 * time.Second)
		w.says("while it hands over", "leaving")
		remove()
		<-w.done
	})
}

// refuse has calls of an operation refused whose target has a part, until the returned func is called.
func (f *fixture) refuse(operation, part string) (remove func()) {
	return f.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		if (operation == "" || call.Operation == operation) && strings.Contains(call.Target, part) && call.Client != "author" {
			return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
		}
		return awssim.Fault{}
	})
}

func TestAShardThatDoesNotMoveIsSeen(t *testing.T) {
	for _, c := range []struct{ name, operation, why string }{
		{"the stream refuses reads", "GetRecords", "reads in a row failed"},
		{"the lake refuses files", "PutObject", "the lake refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, awssim.Config{}, 2, func(f *fixture) {
				w := f.watch("w", nil)
				f.put("a", 20)
				f.await()
				remove := f.refuse(c.operation, "")
				f.put("b", 20)
				time.Sleep(4 * time.Minute)
				w.says("for four minutes", "")
				time.Sleep(4 * time.Minute)
				text := w.says("for eight minutes", "stalled")
				w.mentions(text, c.why)
				w.mentions(text, "and 1 more")
				remove()
				f.put("c", 5)
				time.Sleep(time.Minute)
				w.says("when it is let again", "")
				f.prove(0)
			})
		})
	}
}

// TestAShardThatCannotBeOpenedIsBehind: alerts go by lag and headroom, which must not look well where nothing is read.
func TestAShardThatCannotBeOpenedIsBehind(t *testing.T) {
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		first := f.start("first", nil)
		f.put("a", 5)
		f.await()
		f.terminate(first)
		f.put("b", 5)
		remove := f.refuse("HeadObject", "")
		w := f.watch("w", nil)
		time.Sleep(2 * time.Hour)
		w.mentions(w.says("while the lake refuses to tell what it has", "stalled"), "reads in a row failed")
		if lag := w.metric(t, "dynamolake_consumer_lag_seconds"); lag < 2*3600 || lag > 3*3600 {
			t.Errorf("after two hours the lag is %v seconds", lag)
		}
		if left := w.metric(t, "dynamolake_consumer_headroom_seconds"); left > 22*3600 {
			t.Errorf("after two hours the headroom is %v seconds", left)
		}
		if n := w.metric(t, "dynamolake_consumer_read_failures_total"); n < 10 {
			t.Errorf("%v failures are counted", n)
		}
		f.start("other", nil) // it is given one of the two, unopened
		time.Sleep(time.Minute)
		remove()
		f.await()
		time.Sleep(10 * time.Minute)
		if lag, held := w.metric(t, "dynamolake_consumer_lag_seconds"), w.metric(t, "dynamolake_leases_held"); lag > 60 || held != 1 {
			t.Errorf("after all was read the lag is %v seconds, with %v shards", lag, held)
		}
	})
}

func TestAChangeThatIsNotWrittenIsTimed(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		w := f.watch("w", nil)
		f.put("a", 20)
		f.await()
		if age := w.metric(t, "dynamolake_consumer_oldest_unwritten_seconds"); age != 0 {
			t.Errorf("all is written, and the oldest that is not is %v s old", age)
		}
		remove := f.refuse("PutObject", "")
		f.put("b", 20)
		time.Sleep(3 * time.Minute)
		if age := w.metric(t, "dynamolake_consumer_oldest_unwritten_seconds"); age < 160 || age > 181 {
			t.Errorf("the oldest change is held for three minutes, and for %v s by the metric", age)
		}
		remove()
		f.await()
		time.Sleep(time.Minute)
		if age := w.metric(t, "dynamolake_consumer_oldest_unwritten_seconds"); age != 0 {
			t.Errorf("all is written again, and the oldest that is not is %v s old", age)
		}
	})
}

func TestALeaseTableOutOfReachIsSeen(t *testing.T) {
	for _, c := range []struct{ name, operation, target string }{
		{"altogether", "", scene.App},
		{"no beat comes through", "UpdateItem", scene.App + "-WorkerMetricStats"},
		{"who lives cannot be read", "Scan", scene.App + "-WorkerMetricStats"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, awssim.Config{}, 1, func(f *fixture) {
				w := f.watch("w", nil)
				time.Sleep(20 * time.Second)
				w.says("at first", "")
				remove := f.refuse(c.operation, c.target)
				time.Sleep(30 * time.Second)
				w.says("half a minute later", "leases")
				remove()
				time.Sleep(30 * time.Second)
				w.says("when it is back", "")
			})
		})
	}
}

func TestALedgerOutOfReachIsSeen(t *testing.T) {
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		w := f.watch("w", nil)
		time.Sleep(20 * time.Second)
		remove := f.refuse("GetObject", "_ledger/ledger.json")
		time.Sleep(4 * time.Minute)
		w.says("for four minutes", "")
		time.Sleep(2 * time.Minute)
		w.says("for six minutes", "ledger")
		remove()
		time.Sleep(time.Minute)
		w.says("when it is back", "")
	})
}

func TestLittleHeadroomIsSeen(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 1, func(f *fixture) {
		early := dayLimits()
		early.Headroom = 21 * time.Hour
		w := f.watchWithin("w", early, nil)
		f.put("a", 5)
		f.await()
		remove := f.refuse("GetRecords", "")
		time.Sleep(2 * time.Hour)
		w.says("with 22 hours left", "stalled")
		time.Sleep(2 * time.Hour)
		w.mentions(w.says("with 20 hours left", "stalled headroom"), "the stream drops in 19h5")
		remove()
		time.Sleep(2 * time.Minute)
		w.says("when it is read again", "")
	})
}

func TestAGapWithoutRepairIsSeen(t *testing.T) {
	lose := func(f *fixture) {
		first := f.start("first", nil)
		f.put("before", 10)
		f.await()
		f.terminate(first)
		f.put("lost", 7)
		time.Sleep(30 * time.Hour)
		f.put("after", 5)
	}
	t.Run("a shard is halted, until the fleet goes on", func(t *testing.T) {
		inBubble(t, awssim.Config{}, 1, func(f *fixture) {
			lose(f)
			w := f.watch("second", nil)
			time.Sleep(2 * time.Minute)
			w.mentions(w.says("halted", "gap"), "--on-gap=continue")
			f.terminate(w.member)
			w = f.watch("third", goOn)
			time.Sleep(2 * time.Minute)
			w.says("going on, to be repaired", "")
			if n := w.metric(t, "dynamolake_ledger_gaps"); n != 1 {
				t.Errorf("%v gaps in the metric", n)
			}
		})
	})
	t.Run("nobody repairs it", func(t *testing.T) {
		inBubble(t, awssim.Config{}, 1, func(f *fixture) {
			lose(f)
			w := f.watch("second", goOn)
			w.limits.Repairs = false
			time.Sleep(2 * time.Minute)
			if reasons := consumer.Ready(w.state.Facts(), w.limits); codesOf(reasons) != "gap" {
				t.Errorf("%v", reasons)
			}
		})
	})
}

func TestTheMetricsOfAWorkerAddUp(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector; make test runs it without")
	}
	inBubble(t, awssim.Config{}, 2, func(f *fixture) {
		w := f.watch("w", nil)
		f.put("a", 100)
		f.await()
		f.rollAll()
		f.put("b", 100)
		f.await()
		time.Sleep(90 * time.Minute)
		calls := f.calls("GetRecords", "")
		if polls := w.metric(t, "dynamolake_consumer_polls_total"); polls != float64(calls) {
			t.Errorf("%v polls in the metric, %d calls", polls, calls)
		}
		// Two idle shards are asked once in ten seconds, give or take.
		if cost := w.metric(t, "dynamolake_consumer_polling_dollars_per_hour"); cost < 0.2e-6*600 || cost > 0.2e-6*900 {
			t.Errorf("polling costs %v dollars an hour, which is %.0f calls", cost, cost/0.2e-6)
		}
		for name, want := range map[string]float64{
			"dynamolake_leases_taken_total": 4, "dynamolake_leases_lost_total": 0, "dynamolake_leases_held": 2,
			"dynamolake_leases_fenced_total": 0, "dynamolake_consumer_rows_total": 200, "dynamolake_consumer_records_total": 200,
		} {
			if got := w.metric(t, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		files := w.metric(t, "dynamolake_consumer_files_total")
		for _, name := range []string{"dynamolake_consumer_file_rows", "dynamolake_consumer_file_bytes", "dynamolake_consumer_put_seconds"} {
			if n, _ := w.observed(t, name); n != files {
				t.Errorf("%s has %v observations of %v files", name, n, files)
			}
		}
		if _, rows := w.observed(t, "dynamolake_consumer_file_rows"); rows != 200 {
			t.Errorf("the files have %v rows by the histogram", rows)
		}
		other := f.start("other", nil)
		time.Sleep(time.Minute)
		if got := w.metric(t, "dynamolake_leases_handed_over_total"); got != 1 {
			t.Errorf("%v leases were handed over, want one of two", got)
		}
		f.terminate(w.member)
		time.Sleep(5 * time.Second)
		if got := other.metric(t, "dynamolake_leases_taken_total"); got != 2 {
			t.Errorf("the other took %v leases, want both", got)
		}
	})
}

// observed is the count and the sum of a histogram.
func (m *member) observed(t *testing.T, name string) (n, sum float64) {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, x := range f.GetMetric() {
				n += float64(x.GetHistogram().GetSampleCount())
				sum += x.GetHistogram().GetSampleSum()
			}
		}
	}
	return n, sum
}
