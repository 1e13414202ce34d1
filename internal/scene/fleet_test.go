package scene_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
)

var (
	seeds   = flag.Int("fleet.seeds", 0, "how many histories TestFleet plays; 200, under -short 10")
	oneSeed = flag.Uint64("fleet.seed", 0, "play only this history, with the workers' logs")
)

// TestFleet plays random histories with the real Worker and the real SDKs in
// virtual time: kills, freezes, cuts, rolls, splits, throttles, lost and doubled
// replies, skewed clocks. Whatever happened, the lake must equal the table.
func TestFleet(t *testing.T) {
	// The race detector makes a history six times as expensive.
	n := cmp.Or(*seeds, 200)
	if *seeds == 0 && testing.Short() {
		n = 10
	}
	from, to := uint64(1), uint64(n)
	if *oneSeed != 0 {
		from, to = *oneSeed, *oneSeed
	}
	for seed := from; seed <= to; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			bubble.Run(t, func(t *testing.T) {
				report, stuck := playHistory(t, seed, "")
				if stuck != nil {
					t.Errorf("the fleet is stuck: %v", stuck)
				}
				if !report.OK() || report.Changes == 0 {
					t.Errorf("%s\n%s", report, strings.Join(report.Problems, "\n"))
				}
				if t.Failed() {
					t.Logf("again, with logs: go test ./internal/scene -run TestFleet -fleet.seed %d", seed)
				}
			})
		})
	}
}

// TestTheCheckCatchesSabotage breaks the promise on purpose. A check that finds
// nothing then proves nothing in TestFleet either.
func TestTheCheckCatchesSabotage(t *testing.T) {
	if testing.Short() {
		t.Skip("two dozen histories")
	}
	for _, how := range scene.Sabotages() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			// Not every history gives every sabotage its chance; two in a few must.
			caught, played := 0, uint64(0)
			for ; caught < 2 && played < 24; played++ {
				bubble.Run(t, func(t *testing.T) {
					if report, stuck := playHistory(t, 1000+played, how); !report.OK() || stuck != nil {
						caught++
					}
				})
			}
			t.Logf("caught in %d of %d histories", caught, played)
			if caught < 2 {
				t.Error("the check does not notice")
			}
		})
	}
}

// history is one random run.
type history struct {
	t        *testing.T
	sabotage string
	rng      *rand.Rand
	scene    *scene.Scene
	log      *zap.Logger

	*weather

	workers []*member
	next    int
	split   bool // into datasets
}

type member struct {
	name string
	stop context.CancelFunc
	done chan struct{}
	dead bool // cut off for good
	gone bool // that, or told to stop
}

func playHistory(t *testing.T, seed uint64, sabotage string) (report lakecheck.Report, stuck error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := &history{
		t: t, sabotage: sabotage, rng: rng, weather: newWeather(seed), log: zap.NewNop(),
	}
	if *oneSeed != 0 {
		h.log = zaptest.NewLogger(t)
	}
	cloud := awssim.New(awssim.Config{
		Seed: seed, EmptyPages: 2 + rng.IntN(20),
		IteratorLife: []time.Duration{15 * time.Minute, 20 * time.Second}[rng.IntN(2)],
		Latency:      h.latency,
	})
	cloud.Intercept(h.fault)
	h.calm = true
	s, err := scene.Open(t.Context(), cloud, 1+rng.IntN(5))
	if err != nil {
		t.Fatal(err)
	}
	h.scene, h.split = s, sabotage == "" && seed%3 == 0
	h.setCalm(false)
	for range 2 + rng.IntN(3) {
		h.join()
	}
	author := s.Author(seed, 20+rng.IntN(60))
	steps := 200 + rng.IntN(500)
	for range steps {
		if err := author.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(12) == 0 {
			time.Sleep(time.Duration(rng.IntN(4000)) * time.Millisecond)
		}
		if rng.IntN(25) == 0 {
			h.event()
		}
	}
	h.setCalm(true)
	h.join() // somebody must be alive to finish
	limit := 10 * time.Minute
	if sabotage != "" {
		limit = time.Minute // it may never be through
	}
	stuck = s.Await(t.Context(), limit)
	if sabotage == "" && stuck == nil {
		h.repaired()
	}
	for _, m := range h.workers {
		m.stop()
	}
	for _, m := range h.workers {
		<-m.done
	}
	for _, part := range h.parts() {
		one, err := part.Prove(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report = one; !one.OK() {
			break
		}
	}
	return report, stuck
}

// parts are what is proven, each by itself.
func (h *history) parts() []*scene.Scene {
	if !h.split {
		return []*scene.Scene{h.scene}
	}
	var all []*scene.Scene
	for _, p := range scene.Parts {
		all = append(all, h.scene.Of(p))
	}
	return all
}

// repaired proves the lake as it is when the gaps' windows are exported.
func (h *history) repaired() {
	for try := 0; ; try++ {
		open, err := h.scene.FixGaps(h.t.Context(), fleetTiming())
		if err != nil {
			h.t.Fatal(err)
		}
		if open == 0 {
			break
		}
		if try > 300 {
			h.t.Errorf("%d gaps stay open: a shard does not adopt its epoch", open)
			break
		}
		time.Sleep(time.Second)
	}
	for _, part := range h.parts() {
		problems, err := part.Repaired(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if len(problems) > 0 {
			h.t.Errorf("after the repair: %s", strings.Join(problems, "\n"))
		}
	}
}

// join starts a new worker with its own idea of the time and its own limits.
func (h *history) join() {
	h.next++
	name := fmt.Sprintf("worker-%d", h.next)
	o := h.scene.Worker(name, h.log.With(zap.String("worker", name)))
	o.Lease = 6 * time.Second // the fleet agrees on it, as containers of one image do
	o.Renew = time.Duration(2+h.rng.IntN(18)) * time.Second
	o.Settle = 5 * time.Second
	o.PollMax = time.Duration(1+h.rng.IntN(5)) * time.Second
	o.Limits.Rows = 1 + h.rng.IntN(300)
	o.Limits.Age = time.Duration(200+h.rng.IntN(5000)) * time.Millisecond
	o.Memory = int64(16+h.rng.IntN(64)) << 20
	o.Timing = fleetTiming()
	o.LedgerEvery = time.Duration(500+h.rng.IntN(8000)) * time.Millisecond
	skew := time.Duration(h.rng.IntN(7200)-3600) * time.Second
	o.Wall = func() time.Time { return time.Now().Add(skew) }
	o.OldImage = h.rng.IntN(2) == 0
	ctx, stop := context.WithCancel(context.Background())
	if h.sabotage != "" {
		o.Store = scene.Break(ctx, h.sabotage, o.Store)
	}
	m := &member{name: name, stop: stop, done: make(chan struct{})}
	h.workers = append(h.workers, m)
	go func() {
		defer close(m.done)
		for h.split && o.Datasets == nil && ctx.Err() == nil {
			var err error
			if o.Datasets, err = h.scene.Datasets(ctx, name, o.OldImage); err != nil {
				time.Sleep(time.Second) // as a container is started again
			}
		}
		if err := consumer.Run(ctx, o); err != nil {
			h.log.Info("worker ended", zap.String("worker", name), zap.Error(err))
		}
	}()
}

// event is one thing that can happen to a fleet or a stream.
func (h *history) event() {
	shards := h.scene.Cloud.Shards(scene.TableName)
	shard := shards[h.rng.IntN(len(shards))]
	m := h.workers[h.rng.IntN(len(h.workers))]
	must := func(err error) {
		if err != nil {
			h.t.Fatal(err)
		}
	}
	switch h.rng.IntN(14) {
	case 0: // killed: its requests never come through again
		h.set(h.cut, m.name, time.Time{})
		m.dead, m.gone = true, true
		h.join()
	case 1: // frozen, mostly for longer than the lease, with requests on the way
		h.set(h.frozen, m.name, time.Now().Add(time.Duration(1+h.rng.IntN(25))*time.Second))
	case 2: // frozen for longer than the lease, with a file on the way: the zombie that the chain is for
		for m.gone {
			m = h.workers[h.rng.IntN(len(h.workers))]
		}
		h.freezeAtPut(m.name, time.Duration(8+h.rng.IntN(12))*time.Second)
	case 3: // cut off for a while
		if !m.dead {
			h.set(h.cut, m.name, time.Now().Add(time.Duration(1+h.rng.IntN(12))*time.Second))
		}
	case 4: // SIGTERM, and a replacement
		m.gone = true
		m.stop()
		h.join()
	case 5, 6:
		if shard.Open {
			must(h.scene.Cloud.Roll(scene.TableName, shard.ID))
		}
	case 7:
		if shard.Open {
			must(h.scene.Cloud.Split(scene.TableName, shard.ID))
		}
	case 8:
		must(h.scene.Cloud.RollAll(scene.TableName))
	case 9, 10:
		service := []string{"dynamodb", "streams", "s3"}[h.rng.IntN(3)]
		h.set(h.down, service, time.Now().Add(time.Duration(1+h.rng.IntN(10))*time.Second))
	case 11:
		h.scene.Cloud.HideShardOnce(scene.TableName, shard.ID, 1+h.rng.IntN(3))
		if shard.Parent != "" {
			h.scene.Cloud.ShowOpenParent(scene.TableName, shard.Parent, 1+h.rng.IntN(3))
		}
	case 12: // something is lost elsewhere: all shards have to adopt another epoch
		_, err := h.scene.Ledger("observer").Update(h.t.Context(), func(l *ledger.Ledger) error {
			s := l.Streaming()
			if s == nil {
				return nil // nobody has begun yet
			}
			now := time.Now()
			_, _, err := l.OpenGap(ledger.Loss{Since: now.Add(-10 * time.Second), Seen: now, Resumed: now.Add(-5 * time.Second), Adopted: s.Number - 4}, fleetTiming())
			return err
		})
		must(err)
	case 13:
		_, err := h.scene.FixGaps(h.t.Context(), fleetTiming())
		must(err)
	}
}

// fleetTiming allows for little, so that a window that ends too early shows.
func fleetTiming() ledger.Timing {
	t := ledger.RealTiming()
	t.Skew, t.MinWindow = time.Second, time.Second
	return t
}
