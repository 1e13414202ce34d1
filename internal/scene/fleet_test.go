package scene_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
)

var (
	seeds   = flag.Int("fleet.seeds", fleetSeeds, "how many histories TestFleet plays")
	oneSeed = flag.Uint64("fleet.seed", 0, "play only this history, with the workers' logs")
)

// TestFleet plays random histories with the real Worker and the real SDKs in
// virtual time: kills, freezes, cuts, rolls, splits, throttles, lost and doubled
// replies, skewed clocks. Whatever happened, the lake must equal the table.
func TestFleet(t *testing.T) {
	if err := lakecheck.Warm(); err != nil {
		t.Fatal(err)
	}
	from, to := uint64(1), uint64(*seeds)
	if *oneSeed != 0 {
		from, to = *oneSeed, *oneSeed
	}
	for seed := from; seed <= to; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
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
	if err := lakecheck.Warm(); err != nil {
		t.Fatal(err)
	}
	for _, how := range scene.Sabotages() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			// Not every history gives every sabotage its chance; two in a few must.
			caught, played := 0, uint64(0)
			for ; caught < 2 && played < 24; played++ {
				synctest.Test(t, func(t *testing.T) {
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

	mu      sync.Mutex
	weather *rand.Rand // for faults; the calls' order decides, virtual time makes it repeatable enough to find bugs
	calm    bool
	cut     map[string]time.Time     // until when a worker's requests fail; zero is for ever
	frozen  map[string]time.Time     // until when they wait
	atPut   map[string]time.Duration // for how long a worker freezes at its next file
	down    map[string]time.Time     // until when a service throttles or fails for everyone

	workers []*member
	next    int
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
		t: t, sabotage: sabotage, rng: rng, weather: rand.New(rand.NewPCG(seed, 2)), log: zap.NewNop(),
		cut: map[string]time.Time{}, frozen: map[string]time.Time{}, atPut: map[string]time.Duration{},
		down: map[string]time.Time{},
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
	h.scene = s
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
	for _, m := range h.workers {
		m.stop()
	}
	for _, m := range h.workers {
		<-m.done
	}
	if report, err = s.Prove(t.Context()); err != nil {
		t.Fatal(err)
	}
	return report, stuck
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
	switch h.rng.IntN(12) {
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
		h.mu.Lock()
		h.atPut[m.name] = time.Duration(8+h.rng.IntN(12)) * time.Second
		h.mu.Unlock()
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
	}
}

func (h *history) set(m map[string]time.Time, name string, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m[name] = until
}

func (h *history) setCalm(calm bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calm = calm
}

func (h *history) latency(call *awssim.Call) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if call.Client == "author" || call.Client == "observer" {
		return time.Millisecond
	}
	return time.Duration(2+h.weather.IntN(60)) * time.Millisecond
}

// fault is the weather between the workers and AWS.
func (h *history) fault(call *awssim.Call) awssim.Fault {
	if call.Client == "author" || call.Client == "observer" {
		return awssim.Fault{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if until, ok := h.cut[call.Client]; ok && (until.IsZero() || time.Now().Before(until)) {
		return awssim.Fault{Status: 503, Code: "ServiceUnavailable", Message: "cut off"}
	}
	if d, ok := h.atPut[call.Client]; ok && call.Operation == "PutObject" && strings.Contains(call.Target, "/changes/") {
		delete(h.atPut, call.Client)
		h.frozen[call.Client] = time.Now().Add(d)
	}
	if wait := time.Until(h.frozen[call.Client]); wait > 0 {
		return awssim.Fault{Delay: wait, Linger: true}
	}
	if h.calm {
		return awssim.Fault{}
	}
	if time.Now().Before(h.down[call.Service]) {
		if call.Service == "s3" {
			return awssim.Fault{Status: 503, Code: "SlowDown"}
		}
		return awssim.Fault{Status: 400, Code: "ThrottlingException"}
	}
	n := h.weather.IntN(1000)
	switch {
	case n < 10:
		return awssim.Fault{DropReply: true}
	case n < 20:
		return awssim.Fault{Status: 500, Code: "InternalServerError"}
	case n < 25:
		return awssim.Fault{Twice: true}
	case n < 30:
		return awssim.Fault{Delay: time.Duration(h.weather.IntN(4000)) * time.Millisecond, Linger: true}
	case n < 50 && call.Service == "s3" && call.Operation == "PutObject":
		return awssim.Fault{Status: 409, Code: "ConditionalRequestConflict"}
	case n < 60 && call.Service == "s3":
		return awssim.Fault{Status: 503, Code: "SlowDown"}
	case n < 60 && call.Service == "streams":
		return awssim.Fault{Status: 400, Code: "LimitExceededException"}
	case n < 60 && call.Service == "dynamodb":
		return awssim.Fault{Status: 400, Code: "ThrottlingException"}
	}
	return awssim.Fault{}
}
