package scene_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/lakecheck"
)

var (
	mixedSeeds = flag.Int("mixed.seeds", mixedDefault, "how many histories TestMixed plays")
	mixedFrom  = flag.Uint64("mixed.from", 1, "the first of them")
	mixedSeed  = flag.Uint64("mixed.seed", 0, "play only this history, with everybody's logs")
)

// at once in a bubble: virtual time passes when all wait.
const together = 4

// TestMixed plays random histories of a table that comes into the lake by all three sources:
// full exports, the stream, and incremental exports that repair what the stream lost, or follow a table
// without one. All that can happen to them happens: outages longer than the stream's
// retention, kills and restarts, point-in-time recovery and streams that are turned off and
// on, trims, failed exports, clocks that differ. At the end the lake must equal the table, each export
// what the journal says of its time, and the ledger what the files hold.
func TestMixed(t *testing.T) {
	if err := lakecheck.Warm(); err != nil {
		t.Fatal(err)
	}
	from, to := *mixedFrom, *mixedFrom+uint64(*mixedSeeds)
	if *mixedSeed != 0 {
		from, to = *mixedSeed, *mixedSeed+1
	}
	var sum totals
	for ; from < to; from += together {
		some := seedsOf(from, min(to, from+together))
		t.Run(fmt.Sprint("seeds ", some), func(t *testing.T) { playTogether(t, some, &sum) })
	}
	t.Log(sum.String())
	if n := *mixedSeeds; *mixedSeed == 0 && n >= 100 && (sum.repaired < n/2 || sum.reseeded < n/20 || sum.replaced < n/10 || sum.following < n/20 || sum.overlap == 0) {
		t.Error("the histories are not what they are for")
	}
}

func seedsOf(from, to uint64) (seeds []uint64) {
	for ; from < to; from++ {
		seeds = append(seeds, from)
	}
	return seeds
}

// playTogether plays histories in one bubble. The decompressors of the Parquet reader wait in a
// pool of the process, and must not be used in the next bubble: two collections empty it.
func playTogether(t *testing.T, seeds []uint64, sum *totals) {
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		for _, seed := range seeds {
			all.Go(func() {
				log := zap.NewNop()
				if *mixedSeed != 0 {
					log = zaptest.NewLogger(t)
				}
				began := time.Now()
				out := newMixed(t.Context(), seed, log).play()
				sum.add(out)
				if problem := out.wrong(); problem != "" {
					t.Errorf("seed %d, after %v: %s\nagain, with logs: go test ./internal/scene -run TestMixed -mixed.seed %d", seed, time.Since(began), problem, seed)
				}
			})
		}
		all.Wait()
	})
}

// outcome is how a history ended.
type outcome struct {
	failed    string // it could not be played to its end
	unsettled string // the lake did not become whole
	report    lakecheck.Report
	doubts    []string // of verify
	ledger    ledger.Ledger
	overlap   int // items that were deleted unseen
}

func (o *outcome) wrong() string {
	var b strings.Builder
	for _, text := range append([]string{o.failed, o.unsettled}, o.doubts...) {
		if text != "" {
			fmt.Fprintf(&b, "%s\n", text)
		}
	}
	if !o.report.OK() {
		fmt.Fprintf(&b, "%s\n%s\n", o.report, strings.Join(o.report.Problems, "\n"))
	}
	if b.Len() > 0 {
		fmt.Fprintf(&b, "the ledger: %s", o.ledger.JSON())
	}
	return b.String()
}

// totals say what the histories had in them.
type totals struct {
	mu                                                 sync.Mutex
	histories, repaired, reseeded, replaced, following int
	fulls, windows, overlap, changes, compacted        int
}

func (s *totals) add(o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.histories++
	s.overlap += o.overlap
	s.changes += o.report.Changes
	s.compacted += o.report.Compacted
	for _, g := range o.ledger.Gaps {
		switch g.State {
		case ledger.GapClosed:
			s.repaired++
		case ledger.GapReseeded:
			s.reseeded++
		}
	}
	arn := ""
	for _, e := range o.ledger.Epochs {
		s.windows += e.Windows
		switch e.Source {
		case ledger.Full:
			s.fulls++
		case ledger.Incremental:
			if e.Until.IsZero() {
				s.following++
			}
		case ledger.Stream:
			if arn != "" && arn != e.StreamARN {
				s.replaced++
			}
			arn = e.StreamARN
		}
	}
}

func (s *totals) String() string {
	return fmt.Sprintf("%d histories: %d gaps repaired, %d reseeded, %d streams replaced, %d tables followed by windows; %d full exports, %d windows, %d items deleted unseen; %d changes and %d compacted",
		s.histories, s.repaired, s.reseeded, s.replaced, s.following, s.fulls, s.windows, s.overlap, s.changes, s.compacted)
}
