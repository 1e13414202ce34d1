package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

const (
	demoItems  = 400              // different keys
	demoOutage = 8 * time.Second  // longer than the stream keeps its records
	demoRepair = 3 * time.Second  // what the repair is expected to take, for the progress
	demoSettle = 15 * time.Second // the most that anything may take that is waited for
)

// play is one run of the demo.
type play struct {
	demonstrating
	*screen
	network network
	scene   *scene.Scene
	author  *scene.Author
	life    context.Context // of the whole demo
	began   time.Time
	ticked  time.Time    // when progress was shown last
	written atomic.Int64 // requests
	durable atomic.Int64 // rows
	told    sync.Map     // what was said of the ledger
}

// act is something that happens to the fleet or the stream.
type act struct {
	at  float64 // of the length
	say string  // empty where it speaks for itself
	do  func() error
}

func (p *play) acts() []act {
	n := &p.network
	suffer := func(change func()) func() error {
		return func() error {
			n.mu.Lock()
			defer n.mu.Unlock()
			change()
			return nil
		}
	}
	return []act{
		{0.10, "a partition splits: one shard ends, two children begin", p.split},
		{0.20, "worker-1 is KILLED; its leases expire and are taken", suffer(func() { n.killed = "worker-1" })},
		{0.30, "", suffer(func() { n.frozen = "worker-2" })},
		{0.45, "every shard rolls, as they do every 4 h", func() error { return p.scene.Cloud.RollAll(scene.TableName) }},
		{0.60, "replies of S3 are LOST: files are there, and their writer does not know", suffer(func() { n.replies = demoReplies })},
		{0.75, "another split", p.split},
	}
}

// perform is the whole story. Somebody writes to the table all the time.
func (p *play) perform(ctx context.Context, f *crew) error {
	for range demoItems {
		if err := p.author.Step(ctx); err != nil {
			return err
		}
	}
	f.start(ctx)
	seeded := make(chan error, 1)
	go func() { seeded <- p.seed(ctx, f.log) }()
	if err := p.throughTheActs(ctx); err != nil {
		return err
	}
	f.bury()
	if err := <-seeded; err != nil {
		return err
	}
	p.say("all workers are STOPPED, for longer than the stream keeps its records: %v here, a day at AWS", demoTiming().Retention)
	stopped, down := make(chan struct{}), time.Now()
	go func() { defer close(stopped); f.stop() }()
	err := p.writeUntil(ctx, demoOutage+demoSettle, func(context.Context) (bool, error) { return time.Since(down) >= demoOutage, nil })
	<-stopped
	if err != nil {
		return err
	}
	p.say("%d new workers start", demoWorkers)
	f.start(ctx)
	return p.writeUntil(ctx, 2*demoSettle, p.isRepaired)
}

// seed makes the full export, as `bootstrap --enable` does.
func (p *play) seed(ctx context.Context, log *zap.Logger) error {
	o := p.exporter("bootstrap", log)
	var err error
	if o.Datasets, err = p.datasets(ctx, "bootstrap"); err == nil {
		_, err = bootstrap.Bootstrap(ctx, o, bootstrap.Seed{Enable: true})
	}
	return err
}

// throughTheActs writes while things happen, and until the zombie's late requests have
// come through.
func (p *play) throughTheActs(ctx context.Context) error {
	acts, thawed := p.acts(), false
	return p.writeUntil(ctx, p.length+demoSettle, func(context.Context) (bool, error) {
		for len(acts) > 0 && time.Since(p.began) >= time.Duration(acts[0].at*float64(p.length)) {
			if err := acts[0].do(); err != nil {
				return false, err
			}
			if acts[0].say != "" {
				p.say("%s", acts[0].say)
			}
			acts = acts[1:]
		}
		if !thawed && p.network.isThawed() {
			thawed = true
			p.say("worker-2 THAWS, a zombie: its late file arrives")
		}
		return thawed && time.Since(p.began) >= p.length, nil
	})
}

// writeUntil writes to the table until something is so, for so long at most.
func (p *play) writeUntil(ctx context.Context, limit time.Duration, done func(context.Context) (bool, error)) error {
	for deadline := time.Now().Add(limit); ; {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			if p.sabotage != "" {
				return nil // then the check tells
			}
			return fmt.Errorf("the demo is stuck: what it waits for has not come in %v", limit)
		}
		if err := p.author.Step(ctx); err != nil {
			return err
		}
		p.tick()
		// A pause keeps the table at a size that a laptop folds in a second.
		if p.written.Add(1)%2 == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
}

// isRepaired tells whether a gap was seen, and none is left.
func (p *play) isRepaired(ctx context.Context) (bool, error) {
	if p.written.Load()%50 != 0 {
		return false, nil // not at each write
	}
	l, err := p.scene.Ledger("observer").Read(ctx)
	p.tellOf(&l)
	return err == nil && len(l.Gaps) > 0 && len(l.Missing()) == 0 && l.Gaps[len(l.Gaps)-1].State == ledger.GapClosed, err
}

func (p *play) split() error {
	shards := p.scene.Cloud.Shards(scene.TableName)
	i := slices.IndexFunc(shards, func(s awssim.ShardInfo) bool { return s.Open })
	return p.scene.Cloud.Split(scene.TableName, shards[i].ID)
}

// tick shows progress: often where it redraws in place, else once a second.
func (p *play) tick() {
	every := time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(p.ticked) < every {
		return
	}
	p.ticked = time.Now()
	open := 0
	shards := p.scene.Cloud.Shards(scene.TableName)
	for _, s := range shards {
		if s.Open {
			open++
		}
	}
	whole := p.length + demoOutage + demoRepair
	p.progress(p.clock(), float64(time.Since(p.began))/float64(whole), fmt.Sprintf("%6d requests  %6d rows in the lake  %2d shards, %d open",
		p.written.Load(), p.durable.Load(), len(shards), open))
}

func (p *play) clock() string { return fmt.Sprintf("%5.1fs  ", time.Since(p.began).Seconds()) }

func (p *play) say(format string, args ...any) { p.line(p.clock() + fmt.Sprintf(format, args...)) }
