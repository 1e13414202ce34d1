package consumer_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// held are the things of which a worker that runs for long could gather more and more.
type held struct{ goroutines, series, leases int }

// count takes stock after a rest, when everything has been read.
func (f *fixture) count(m *member) (h held) {
	f.Helper()
	time.Sleep(2 * time.Minute)
	families, err := m.registry.Gather()
	if err != nil {
		f.Fatal(err)
	}
	for _, family := range families {
		h.series += len(family.GetMetric())
	}
	table, err := f.Leases(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	h.goroutines, h.leases = runtime.NumGoroutine(), len(table.Leases)
	return h
}

// TestALongRunGathersNothing lets shards turn over two hundred times while members come and go. What
// is held afterwards must be what was held at the beginning. The same with real processes, memory
// and ten minutes is BenchmarkSoak of cmd/dynamolake.
func TestALongRunGathersNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector")
	}
	const shards, rounds = 4, 50
	const retention, trim, list, round = 20 * time.Minute, time.Minute, time.Minute, time.Minute
	// A row goes when its shard is missing from two listings; who takes over the listing begins to count anew.
	most := shards * int((retention+trim+4*list)/round+1)
	inBubble(t, awssim.Config{Retention: retention, TrimEvery: trim}, shards, func(f *fixture) {
		stays := f.start("stays", nil)
		comes := f.start("comes-0", nil)
		turn := func(i int) {
			f.put("r"+strconv.Itoa(i), 20)
			time.Sleep(2 * time.Second)
			f.rollAll()
			if i%5 == 4 {
				f.terminate(comes)
				comes = f.start("comes-"+strconv.Itoa(i), nil)
			}
			time.Sleep(round)
		}
		// Past the stream's memory, so that rows of shards are removed as fast as they are made.
		for i := range 30 {
			turn(i)
		}
		before := f.count(stays)
		for i := range rounds {
			turn(100 + i)
		}
		after := f.count(stays)
		if before.leases > most || after.leases > most || before.goroutines != after.goroutines || before.series != after.series {
			t.Errorf("at first %+v, and after %d shards %+v; the stream had at most %d shards at a time", before, rounds*shards, after, most)
		}
		if n := len(f.Cloud.Journal(scene.TableName)); n != (30+rounds)*20 {
			t.Errorf("%d changes, want %d", n, (30+rounds)*20)
		}
		f.prove(0)
	})
}
