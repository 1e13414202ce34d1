package checkpoint

import (
	"fmt"
	"testing"
	"time"
)

// writes is the number of writes to both tables since the counts were reset.
func (f *fleet) writes() (n int64) {
	for key, c := range f.cloud.Counts() {
		switch key.Operation {
		case "PutItem", "UpdateItem", "DeleteItem":
			n += c.Calls
		}
	}
	return n
}

// All times are virtual: what is asserted is the protocol, not this machine.
func TestFiveThousandShardsOnTwentyWorkers(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of a fleet of 20")
	}
	const shards, workers = 5000, 20
	inBubble(t, newStream(numbered(shards)...), func(t *testing.T, f *fleet) {
		f.quiet = true
		began := time.Now()
		var fleet []*worker
		for i := range workers {
			fleet = append(fleet, f.start(fmt.Sprintf("w%02d", i)))
		}
		took := f.even(60*time.Second, shards, workers)
		t.Logf("all read, evenly, %s after the start, with %d writes", took, f.writes())

		time.Sleep(5 * time.Second)
		f.cloud.ResetCounts()
		const watched = 25 * time.Second // each row is renewed once
		time.Sleep(watched)
		perSecond := float64(f.writes()) / watched.Seconds()
		t.Logf("%.0f writes/s, idle", perSecond)
		if perSecond >= 300 {
			t.Errorf("%.0f writes/s for %d idle shards, want less than 300", perSecond, shards)
		}

		f.kill(fleet[3])
		killed := f.until(15*time.Second, "all read again", func() bool { return total(f.reading()) == shards })
		t.Logf("all read again %s after a kill", killed)
		f.even(60*time.Second, shards, workers-1)

		drain := time.Now()
		if err := fleet[7].k.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		drained := time.Since(drain)
		again := f.until(3*time.Second, "all read again", func() bool { return total(f.reading()) == shards })
		t.Logf("%d shards handed over in %s, read again after %s", shards/(workers-1), drained, drained+again)
		if drained > 2*time.Second {
			t.Errorf("the hand-over took %s, want at most 2 s", drained)
		}
		f.even(60*time.Second, shards, workers-2)
		t.Logf("virtual time: %s", time.Since(began))
	})
}
