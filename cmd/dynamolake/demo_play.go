package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

// The demo's fleet is impatient, so that a quarter of a minute shows what hours
// would.
const (
	demoShards  = 4
	demoWorkers = 3
	demoLease   = 2 * time.Second
	demoFlush   = 500 * time.Millisecond
	demoFreeze  = 3 * demoLease    // others have taken over and written by then
	demoSettle  = 15 * time.Second // the most that the fleet may need after the last write
	demoReplies = 5                // so many replies to PUTs are lost
)

// play is one run of the demo.
type play struct {
	demonstrating
	*screen
	scene   *scene.Scene
	began   time.Time
	written atomic.Int64 // requests
	durable atomic.Int64 // rows

	mu      sync.Mutex // guards what goes wrong:
	killed  string     // nothing of this worker's comes through, for ever
	frozen  string     // what this worker sends comes through after the thaw
	thaw    time.Time  // zero while it waits for a PUT, to be frozen with it on the way
	replies int        // replies to PUTs that will be lost
}

// network is what is between the workers and AWS. A worker that is cut off for
// good is as good as killed, and harder: it goes on as a zombie. The frozen one's
// requests are on the wire: they have their effect at the thaw.
func (p *play) network(call *awssim.Call) awssim.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	put := call.Operation == "PutObject" && strings.Contains(call.Target, "/changes/")
	switch {
	case call.Client == "" || call.Client == "author" || call.Client == "observer":
		return awssim.Fault{}
	case call.Client == p.killed:
		return awssim.Fault{Status: 503, Code: "ServiceUnavailable", Message: "killed"}
	case call.Client == p.frozen:
		if p.thaw.IsZero() && put {
			p.thaw = time.Now().Add(demoFreeze)
			p.say("%s is FROZEN for three times its lease, with a file on the way", p.frozen)
		}
		if wait := time.Until(p.thaw); wait > 0 {
			return awssim.Fault{Delay: wait, Linger: true}
		}
	case put && p.replies > 0:
		p.replies--
		return awssim.Fault{DropReply: true}
	}
	return awssim.Fault{}
}

// demoLatency is that of a service near by, for the workers; the author is in a hurry.
func demoLatency(call *awssim.Call) time.Duration {
	if strings.HasPrefix(call.Client, "worker-") {
		return 3 * time.Millisecond
	}
	return 0
}

// fleet is the running workers.
type fleet struct {
	cancel  []context.CancelFunc // by worker
	running sync.WaitGroup
}

// bury ends worker-1, which has been cut off: nobody waits for it later.
func (f *fleet) bury() { f.cancel[0]() }

// stop ends those that still live, and lets them hand over.
func (f *fleet) stop() {
	for _, cancel := range f.cancel {
		cancel()
	}
	f.running.Wait()
}

func (p *play) fleet(ctx context.Context, log *zap.Logger) *fleet {
	f := new(fleet)
	for n := range demoWorkers {
		name := "worker-" + strconv.Itoa(n+1)
		o := p.scene.Worker(name, log.With(zap.String("worker", name)))
		o.Lease, o.Renew, o.Settle, o.PollMax = demoLease, demoLease, demoLease, time.Second
		o.Limits.Age = demoFlush
		if p.sabotage != "" {
			o.Store = scene.Break(ctx, p.sabotage, o.Store)
		}
		o.Store = &counting{Store: o.Store, rows: &p.durable}
		ctx, cancel := context.WithCancel(ctx)
		f.cancel = append(f.cancel, cancel)
		f.running.Go(func() {
			// A worker that was cut off cannot hand over, and says so; the proof
			// does not depend on it.
			if err := consumer.Run(ctx, o); err != nil {
				log.Info("worker stopped", zap.String("worker", name), zap.Error(err))
			}
		})
	}
	return f
}

// act is something that happens to the fleet or the stream.
type act struct {
	at  float64 // of the length
	say string  // empty where it speaks for itself
	do  func() error
}

func (p *play) acts() []act {
	suffer := func(change func()) func() error {
		return func() error {
			p.mu.Lock()
			defer p.mu.Unlock()
			change()
			return nil
		}
	}
	return []act{
		{0.10, "a partition splits: one shard ends, two children begin", p.split},
		{0.20, "worker-1 is KILLED; its leases expire and are taken", suffer(func() { p.killed = "worker-1" })},
		{0.30, "", suffer(func() { p.frozen = "worker-2" })},
		{0.45, "every shard rolls, as they do every 4 h", func() error { return p.scene.Cloud.RollAll(scene.TableName) }},
		{0.60, "replies of S3 are LOST: files are there, and their writer does not know", suffer(func() { p.replies = demoReplies })},
		{0.75, "another split", p.split},
	}
}

// perform writes to the table while things happen, and until the zombie's late
// requests have come through.
func (p *play) perform(ctx context.Context) error {
	acts := p.acts()
	author := p.scene.Author(uint64(p.seed), 400)
	thawed := false
	tick := p.began
	for time.Since(p.began) < p.length || !thawed {
		if err := author.Step(ctx); err != nil {
			return err
		}
		written := p.written.Add(1)
		for len(acts) > 0 && time.Since(p.began) >= time.Duration(acts[0].at*float64(p.length)) {
			if err := acts[0].do(); err != nil {
				return err
			}
			if acts[0].say != "" {
				p.say("%s", acts[0].say)
			}
			acts = acts[1:]
		}
		if !thawed && p.isThawed() {
			thawed = true
			p.say("worker-2 THAWS, a zombie: its late file arrives")
		}
		if p.tick(tick) {
			tick = time.Now()
		}
		if time.Since(p.began) > p.length+demoSettle {
			return fmt.Errorf("worker-2 has written nothing for %v", demoSettle)
		}
		// A pause keeps the table at a size that a laptop folds in a second.
		if written%2 == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
	return nil
}

func (p *play) isThawed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.thaw.IsZero() && time.Since(p.thaw) > 0
}

func (p *play) split() error {
	shards := p.scene.Cloud.Shards(scene.TableName)
	i := slices.IndexFunc(shards, func(s awssim.ShardInfo) bool { return s.Open })
	return p.scene.Cloud.Split(scene.TableName, shards[i].ID)
}

// tick shows progress: often where it redraws in place, else once a second.
func (p *play) tick(last time.Time) bool {
	every := time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(last) < every {
		return false
	}
	open := 0
	shards := p.scene.Cloud.Shards(scene.TableName)
	for _, s := range shards {
		if s.Open {
			open++
		}
	}
	p.progress(p.clock(), float64(time.Since(p.began))/float64(p.length), fmt.Sprintf("%6d requests  %6d rows in the lake  %2d shards, %d open",
		p.written.Load(), p.durable.Load(), len(shards), open))
	return true
}

func (p *play) clock() string { return fmt.Sprintf("%5.1fs  ", time.Since(p.began).Seconds()) }

func (p *play) say(format string, args ...any) { p.line(p.clock() + fmt.Sprintf(format, args...)) }

// counting counts the rows that became durable, for the progress line.
type counting struct {
	writer.Store
	rows *atomic.Int64
}

func (c *counting) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	err := c.Store.PutNew(ctx, key, body, meta)
	if err == nil {
		if n, err := strconv.ParseInt(meta["rows"], 10, 64); err == nil {
			c.rows.Add(n)
		}
	}
	return err
}
