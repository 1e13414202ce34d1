package scene_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
)

const scaleShards, scaleWorkers = 5000, 20

// crowd is a fleet of many workers over a stream of many shards. All its times are
// virtual: what is asserted is the protocol, not this machine.
type crowd struct {
	*testing.T
	*scene.Scene
	shards  int
	members map[string]*member // those that are neither killed nor stopped

	mu   sync.Mutex
	cut  map[string]bool    // workers whose requests fail
	read map[string]reading // by shard: its last GetRecords
}

// reading is who asked for a shard's records, and when.
type reading struct {
	by string
	at time.Time
}

func newCrowd(t *testing.T, shards int) *crowd {
	c := &crowd{T: t, shards: shards, members: map[string]*member{}, cut: map[string]bool{}, read: map[string]reading{}}
	cloud := awssim.New(awssim.Config{Latency: func(call *awssim.Call) time.Duration {
		switch call.Client {
		case "observer":
			return 0 // what is measured must not wait for who measures it
		case "author":
			return time.Millisecond
		}
		return 5 * time.Millisecond
	}})
	cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case c.cut[call.Client]:
			return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
		case call.Operation == "GetRecords":
			c.read[call.Target] = reading{call.Client, time.Now()}
		}
		return awssim.Fault{}
	})
	s, err := scene.Open(t.Context(), cloud, shards)
	if err != nil {
		t.Fatal(err)
	}
	c.Scene = s
	return c
}

func (c *crowd) start(name string) {
	o := c.Worker(name, zap.NewNop())
	o.Limits.Age = 2 * time.Second
	ctx, stop := context.WithCancel(context.Background())
	m := &member{name: name, stop: stop, done: make(chan struct{})}
	c.members[name] = m
	go func() {
		defer close(m.done)
		if err := consumer.Run(ctx, o); err != nil {
			c.Logf("%s ended: %v", name, err)
		}
	}()
}

// kill cuts a worker off for good: harder than a death, for it goes on as a zombie.
func (c *crowd) kill(name string) *member {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut[name] = true
	m := c.members[name]
	delete(c.members, name)
	return m
}

// owned counts the leases of each worker that lives.
func (c *crowd) owned() (n map[string]int, all bool) {
	c.Helper()
	table, err := c.Leases(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	n = map[string]int{}
	all = len(table.Leases) == c.shards
	for _, l := range table.Leases {
		if c.members[l.Owner] == nil || l.Holder != "" || l.Checkpoint.Sentinel == checkpoint.ShardEnd {
			all = false
			continue
		}
		n[l.Owner]++
	}
	return n, all
}

// even tells whether all is owned, to within one of the same number.
func (c *crowd) even() bool {
	n, all := c.owned()
	least, most := c.shards, 0
	for name := range c.members {
		least, most = min(least, n[name]), max(most, n[name])
	}
	return all && most-least <= 1
}

// reading tells whether each shard was read since a time, by a worker that lives.
func (c *crowd) reading(since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.read {
		if c.members[r.by] != nil && !r.at.Before(since) {
			n++
		}
	}
	return n == c.shards
}

// readers are the shards that a worker was the last to read.
func (c *crowd) readers(name string) (shards []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for shard, r := range c.read {
		if r.by == name {
			shards = append(shards, shard)
		}
	}
	return shards
}

// takenOver tells whether others were the last to read all of the shards.
func (c *crowd) takenOver(shards []string, from string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(shards, func(shard string) bool { return c.read[shard].by == from })
}

// until waits for something, and fails the test when it takes longer than the limit.
func (c *crowd) until(limit, step time.Duration, what string, ok func() bool) time.Duration {
	c.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			c.Fatalf("after %s still not %s", limit, what)
		}
		time.Sleep(step)
	}
	return time.Since(began)
}

// writes is how many writes, and at what price, the fleet's tables have seen since
// the counts were reset.
func (c *crowd) writes() (calls, units int64) {
	workers := scene.App + "-WorkerMetricStats"
	for k, n := range c.Cloud.Counts() {
		switch k.Operation {
		case "PutItem", "UpdateItem", "DeleteItem":
			if k.Target == scene.App || k.Target == workers {
				calls += n.Calls
			}
		}
	}
	return calls, c.Cloud.WriteUnits(scene.App) + c.Cloud.WriteUnits(workers)
}

// TestAFleetAtScale holds the whole consumer to its promises about large streams:
// the KCL Worker, the SDKs and the leases of each worker are the real ones.
func TestAFleetAtScale(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of CPU time for a fleet of 20")
	}
	bubble.Run(t, func(t *testing.T) {
		c := newCrowd(t, scaleShards)
		began := time.Now()
		for i := range scaleWorkers {
			c.start(fmt.Sprintf("worker-%02d", i))
		}
		took := c.until(60*time.Second, 500*time.Millisecond, "all owned, evenly, and read", func() bool {
			return c.reading(began) && c.even()
		})
		t.Logf("%d shards on %d workers: all owned, evenly, and read %s after the start", scaleShards, scaleWorkers, took)

		author := c.Author(1, 2000)
		write := func(steps int) {
			for range steps {
				if err := author.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		write(500)
		time.Sleep(15 * time.Second) // the shards are idle
		c.Cloud.ResetCounts()
		const watched = 20 * time.Second // one renewal of each row
		time.Sleep(watched)
		calls, units := c.writes()
		perSecond := float64(calls) / watched.Seconds()
		t.Logf("in steady state %.0f lease writes/s, %.0f write units/s", perSecond, float64(units)/watched.Seconds())
		if perSecond >= 300 {
			t.Errorf("%.0f lease writes/s, want less than 300", perSecond)
		}

		const victim = "worker-03"
		shards := c.readers(victim)
		zombie := c.kill(victim)
		took = c.until(15*time.Second, 100*time.Millisecond, "read again after a kill", func() bool { return c.takenOver(shards, victim) })
		t.Logf("%d shards of a killed worker: all read again after %s", len(shards), took)
		c.until(60*time.Second, 500*time.Millisecond, "even again", c.even)

		const leaver = "worker-07"
		shards = c.readers(leaver)
		write(1000) // some of it is still held, to be written on the way out
		leaving := c.members[leaver]
		delete(c.members, leaver)
		began = time.Now()
		leaving.stop()
		took = c.until(2*time.Second, 50*time.Millisecond, "handed over after SIGTERM", func() bool { _, all := c.owned(); return all })
		t.Logf("%d shards of a worker on SIGTERM: all owned by others after %s", len(shards), took)
		c.until(5*time.Second, 50*time.Millisecond, "read again after SIGTERM", func() bool { return c.takenOver(shards, leaver) })
		t.Logf("all read again by others %s after SIGTERM", time.Since(began))
		<-leaving.done
		t.Logf("the process ended %s after SIGTERM", time.Since(began))
		c.until(60*time.Second, 500*time.Millisecond, "even again", c.even)

		if err := c.Await(t.Context(), time.Minute); err != nil {
			t.Error(err)
		}
		zombie.stop()
		for _, m := range c.members {
			m.stop()
		}
		<-zombie.done
		for _, m := range c.members {
			<-m.done
		}
		report, err := c.Prove(t.Context())
		if err != nil || !report.OK() || report.Changes == 0 {
			t.Errorf("%s (%v)\n%v", report, err, report.Problems)
		}
		t.Logf("CPU of the whole: %s", cpuTime().Round(time.Second))
	})
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
