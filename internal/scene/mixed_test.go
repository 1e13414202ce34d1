package scene_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/bubble"
	"dynamolake/internal/lakecheck"
)

var (
	mixedSeeds = flag.Int("mixed.seeds", 0, "how many histories TestMixed plays; 100, under -short 3")
	mixedFrom  = flag.Uint64("mixed.from", 1, "the first of them")
	mixedSeed  = flag.Uint64("mixed.seed", 0, "play only this history, with everybody's logs")
)

// together so many histories are in a bubble: virtual time passes when all wait.
const together = 4

// TestMixed plays random histories of a table that comes into the lake by all three sources:
// full exports, the stream, and incremental exports that repair what the stream lost, or follow a table
// without one. All that can happen to them happens: outages longer than the stream's
// retention, kills and restarts, point-in-time recovery and streams that are turned off and
// on, trims, failed exports, clocks that differ. At the end the lake must equal the table, each export
// what the journal says of its time, and the ledger what the files hold.
func TestMixed(t *testing.T) {
	from, n := *mixedFrom, cmp.Or(*mixedSeeds, 100)
	if *mixedSeeds == 0 && testing.Short() {
		n = 3
	}
	if *mixedSeed != 0 {
		from, n = *mixedSeed, 1
	}
	var sum *totals
	if procs := runtime.GOMAXPROCS(0); n >= 4*together && procs > 1 {
		sum = playApart(t, from, n, procs)
	} else {
		sum = playHere(t, from, n)
	}
	t.Log(sum.String())
	if n >= 100 && (sum.Repaired < n/2 || sum.Reseeded < n/20 || sum.Replaced < n/10 || sum.Following < n/20 || sum.Overlap == 0) {
		t.Error("the histories are not what they are for")
	}
}

// playHere plays histories in this process.
func playHere(t *testing.T, from uint64, n int) *totals {
	sum := new(totals)
	for to := from + uint64(n); from < to; from += together {
		some := seedsOf(from, min(to, from+together))
		t.Run(fmt.Sprint("seeds ", some), func(t *testing.T) { playTogether(t, some, sum) })
	}
	text, err := json.Marshal(sum)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s%s\n", totalsMark, text)
	return sum
}

const totalsMark = "totals of the histories: "

// playApart plays histories in processes of their own, one for each processor: within one, a
// bubble runs at a time, and little of it at once.
func playApart(t *testing.T, from uint64, n, procs int) *totals {
	sum := new(totals)
	outs := make([][]byte, procs)
	var all sync.WaitGroup
	for i := range procs {
		first, last := from+uint64(i*n/procs), from+uint64((i+1)*n/procs)
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMixed$", "-test.timeout=1h",
				fmt.Sprintf("-mixed.from=%d", first), fmt.Sprintf("-mixed.seeds=%d", last-first))
			cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
			var err error
			if outs[i], err = cmd.CombinedOutput(); err != nil {
				t.Errorf("seeds %d to %d: %v\n%s", first, last-1, err, outs[i])
			}
		})
	}
	all.Wait()
	for _, out := range outs {
		_, text, _ := strings.Cut(string(out), totalsMark)
		text, _, _ = strings.Cut(text, "\n")
		var some totals
		if err := json.Unmarshal([]byte(text), &some); err != nil && !t.Failed() {
			t.Errorf("%v:\n%s", err, out)
		}
		sum.plus(&some)
	}
	return sum
}

func seedsOf(from, to uint64) (seeds []uint64) {
	for ; from < to; from++ {
		seeds = append(seeds, from)
	}
	return seeds
}

// playTogether plays histories in one bubble.
func playTogether(t *testing.T, seeds []uint64, sum *totals) {
	bubble.Run(t, func(t *testing.T) {
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
	mu                                                  sync.Mutex
	Histories, Repaired, Reseeded, Replaced, Following  int
	Fulls, Windows, Overlap, Changes, Compacted, Seeded int
}

func (s *totals) plus(o *totals) {
	for _, f := range []struct {
		to *int
		n  int
	}{
		{&s.Histories, o.Histories},
		{&s.Repaired, o.Repaired},
		{&s.Reseeded, o.Reseeded},
		{&s.Replaced, o.Replaced},
		{&s.Following, o.Following},
		{&s.Fulls, o.Fulls},
		{&s.Windows, o.Windows},
		{&s.Overlap, o.Overlap},
		{&s.Changes, o.Changes},
		{&s.Compacted, o.Compacted},
		{&s.Seeded, o.Seeded},
	} {
		*f.to += f.n
	}
}

func (s *totals) add(o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plus(&totals{Histories: 1, Overlap: o.overlap, Changes: o.report.Changes, Compacted: o.report.Compacted, Seeded: o.report.Seeded})
	for _, g := range o.ledger.Gaps {
		switch g.State {
		case ledger.GapClosed:
			s.Repaired++
		case ledger.GapReseeded:
			s.Reseeded++
		}
	}
	arn := ""
	for _, e := range o.ledger.Epochs {
		s.Windows += e.Windows
		switch e.Source {
		case ledger.Full:
			s.Fulls++
		case ledger.Incremental:
			if e.Until.IsZero() {
				s.Following++
			}
		case ledger.Stream:
			if arn != "" && arn != e.StreamARN {
				s.Replaced++
			}
			arn = e.StreamARN
		}
	}
}

func (s *totals) String() string {
	return fmt.Sprintf("%d histories: %d gaps repaired, %d reseeded, %d streams replaced, %d tables followed by windows; %d full exports, %d windows, %d items deleted unseen; %d changes, %d compacted and %d seeded",
		s.Histories, s.Repaired, s.Reseeded, s.Replaced, s.Following, s.Fulls, s.Windows, s.Overlap, s.Changes, s.Compacted, s.Seeded)
}
