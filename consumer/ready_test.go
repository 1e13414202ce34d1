package consumer_test

import (
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
)

// dayLimits are those of a worker with real times.
func dayLimits() consumer.Limits {
	return consumer.Limits{
		Headroom: 2 * time.Hour, Stall: 5 * time.Minute, Idle: time.Minute,
		Lease: 10 * time.Second, Keeps: 24 * time.Hour, Repairs: true,
	}
}

func TestReady(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	// One shard, well, of a worker that is well.
	well := func() consumer.Facts {
		return consumer.Facts{Reading: true, Leases: checkpoint.Pulse{
			Now: now, Begun: true, Trusted: true,
			Held: []checkpoint.Held{{Shard: "a", CurrentTo: now.Add(-20 * time.Second), Still: 10 * time.Second}},
		}}
	}
	gap := func(state ledger.GapState, age time.Duration) []ledger.Gap {
		return []ledger.Gap{{Number: 3, State: state, Seen: now.Add(-age)}}
	}
	for _, c := range []struct {
		name   string
		facts  func(*consumer.Facts)
		limits func(*consumer.Limits)
		want   string // codes, in order
		says   string // part of the first reason
	}{
		{"a worker that keeps up", func(*consumer.Facts) {}, nil, "", ""},
		{"one that stands by", func(f *consumer.Facts) { f.Leases.Held = nil }, nil, "", ""},
		{"before it reads", func(f *consumer.Facts) { *f = consumer.Facts{} }, nil, "starting", "no stream"},
		{"before its first beat", func(f *consumer.Facts) { f.Leases.Begun, f.Leases.Trusted = false, false }, nil, "starting", "join"},
		{
			"a table that never answered is not a matter of waiting",
			func(f *consumer.Facts) { f.Leases.Begun, f.Leases.Failing = false, time.Minute },
			nil, "leases", "could not be read for 1m0s",
		},
		{"while it hands over", func(f *consumer.Facts) { f.Leases.Leaving = true }, nil, "leaving", ""},
		{"when no beat came through", func(f *consumer.Facts) { f.Leases.Trusted = false }, nil, "leases", "no beat"},
		{"a read that failed once", func(f *consumer.Facts) { f.Leases.Failing = 9 * time.Second }, nil, "", ""},
		{"when the ledger is away", func(f *consumer.Facts) { f.LedgerAge = 5 * time.Minute }, nil, "ledger", "for 5m0s"},
		{"when the loop stands still", func(f *consumer.Facts) { f.Silent = 2 * time.Minute }, nil, "stuck", "start the worker anew"},
		{
			"a shard that does not move",
			func(f *consumer.Facts) {
				f.Leases.Held[0].CurrentTo, f.Leases.Held[0].Still = now.Add(-7*time.Minute), 7*time.Minute
				f.Standing = map[string]string{"a": "the lake refused 9 writes in a row"}
			},
			nil, "stalled", "shard a is behind and has not moved for 7m0s: the lake refused 9 writes in a row",
		},
		{"one that is far behind, and moves", func(f *consumer.Facts) { f.Leases.Held[0].CurrentTo = now.Add(-7 * time.Hour) }, nil, "", ""},
		{"one that was taken a minute ago, far behind", func(f *consumer.Facts) {
			f.Leases.Held[0].CurrentTo, f.Leases.Held[0].Still = now.Add(-7*time.Hour), time.Minute
		}, nil, "", ""},
		{
			"the one that has not moved for longest is named",
			func(f *consumer.Facts) {
				f.Leases.Held = []checkpoint.Held{
					{Shard: "a", CurrentTo: now.Add(-time.Hour), Still: 10 * time.Minute},
					{Shard: "b", CurrentTo: now.Add(-time.Hour), Still: 30 * time.Minute},
					{Shard: "c", CurrentTo: now.Add(-time.Hour), Still: 20 * time.Minute},
				}
			},
			nil, "stalled", "shard b is behind and has not moved for 30m0s and 2 more: nothing is known",
		},
		{"little time left", func(f *consumer.Facts) { f.Leases.Held[0].CurrentTo = now.Add(-23 * time.Hour) }, nil, "headroom", "drops in 1h0m0s"},
		{"none left", func(f *consumer.Facts) { f.Leases.Held[0].CurrentTo = now.Add(-25 * time.Hour) }, nil, "headroom", "may have dropped"},
		{
			"little time left, where nobody shall be called for that",
			func(f *consumer.Facts) { f.Leases.Held[0].CurrentTo = now.Add(-23 * time.Hour) },
			func(l *consumer.Limits) { l.Headroom = 0 },
			"", "",
		},
		{
			"a shard that was never read is as far behind as it is old",
			func(f *consumer.Facts) {
				f.Leases.Held[0] = checkpoint.Held{Shard: "shardId-00000001795000000000-a", Still: time.Second}
			},
			nil, "headroom", "",
		},
		{
			"a halted shard is a gap, whatever else it is",
			func(f *consumer.Facts) {
				f.Leases.Held[0] = checkpoint.Held{Shard: "a", CurrentTo: now.Add(-30 * time.Hour), Still: time.Hour, Halted: true}
			},
			nil, "gap", "--on-gap=continue",
		},
		{"a gap that is repaired", func(f *consumer.Facts) { f.Gaps = gap(ledger.GapRepairing, time.Hour) }, nil, "", ""},
		{"one whose repair takes more than a day", func(f *consumer.Facts) { f.Gaps = gap(ledger.GapRepairing, 25*time.Hour) }, nil, "gap", "not closed within 24h"},
		{
			"one that nobody here repairs",
			func(f *consumer.Facts) { f.Gaps = gap(ledger.GapOpen, time.Minute) },
			func(l *consumer.Limits) { l.Repairs = false },
			"gap", "gap 3 is open and this worker repairs none",
		},
		{"one that nothing can repair", func(f *consumer.Facts) { f.Gaps = gap(ledger.GapLost, time.Minute) }, nil, "gap", "dynamolake bootstrap"},
		{
			"all that is wrong is said",
			func(f *consumer.Facts) {
				f.Leases.Failing, f.LedgerAge = time.Hour, time.Hour
				f.Leases.Held[0].CurrentTo, f.Leases.Held[0].Still = now.Add(-23*time.Hour), time.Hour
			},
			nil, "leases ledger stalled headroom", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, l := well(), dayLimits()
			c.facts(&f)
			if c.limits != nil {
				c.limits(&l)
			}
			reasons := consumer.Ready(f, l)
			if got := codesOf(reasons); got != c.want {
				t.Fatalf("reasons %q, want %q: %v", got, c.want, reasons)
			}
			if c.says != "" && !strings.Contains(reasons[0].Text, c.says) {
				t.Errorf("it says %q, want %q in it", reasons[0].Text, c.says)
			}
		})
	}
}

func codesOf(reasons []consumer.Reason) string {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return strings.Join(codes, " ")
}

// TestOnlyWhatAStartCuresEndsAWorker: everything else a new process would meet again.
func TestOnlyWhatAStartCuresEndsAWorker(t *testing.T) {
	f := consumer.Facts{Reading: true, LedgerAge: time.Hour, Leases: checkpoint.Pulse{Begun: true, Failing: time.Hour}}
	if r := consumer.Alive(f); r != nil {
		t.Errorf("%+v", r)
	}
	if f.Silent = time.Hour; consumer.Alive(f) == nil {
		t.Error("a worker whose loop stands still is taken to live")
	}
	if f.Reading = false; consumer.Alive(f) != nil {
		t.Error("between two streams there is no loop to stand still")
	}
}
