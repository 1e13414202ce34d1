package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
	"dynamolake/writer"
)

// demonstrating are the settings of `dynamolake demo`.
type demonstrating struct {
	output, sabotage string
	seed             int
	length           time.Duration
	verbose          bool
}

func demoCommand(s *settings) func(context.Context, streams) error {
	var c demonstrating
	s.choice(&c.output, "output", "text", "how to print the result; json ends with one line of figures", "text", "json")
	s.add("break", strings.Join(scene.Sabotages(), "|"), "", "break the promise on purpose; the check at the end must catch it", func(t string) error {
		for _, name := range scene.Sabotages() {
			if t == name {
				c.sabotage = t
				return nil
			}
		}
		return fmt.Errorf("want one of %s", strings.Join(scene.Sabotages(), ", "))
	})
	s.count(&c.seed, "seed", 1, 0, 1<<30, "what the writes are made from")
	s.duration(&c.length, "length", 10*time.Second, 5*time.Second, 10*time.Minute, "how long the table is written to")
	s.boolean(&c.verbose, "verbose", "show the workers' logs")
	return c.run
}

// The demo's fleet is impatient, so that half a minute shows what hours would.
const (
	demoShards  = 4
	demoWorkers = 3
	demoLease   = 2 * time.Second
	demoFlush   = 500 * time.Millisecond
	demoSettle  = 15 * time.Second // the most that the fleet may need after the last write
)

// play is one run of the demo.
type play struct {
	demonstrating
	scene   *scene.Scene
	out     io.Writer
	began   time.Time
	written atomic.Int64
	durable atomic.Int64
	cut     sync.Map // worker name to *outage
	length  time.Duration
}

// outage is when a worker's requests come through again; for ever when until is zero.
type outage struct{ until time.Time }

func (c *demonstrating) run(ctx context.Context, io streams) error {
	log := zap.NewNop()
	if c.verbose {
		var err error
		if log, err = newLog(io.err, "info", "console"); err != nil {
			return err
		}
	}
	cloud := awssim.New(awssim.Config{Seed: uint64(c.seed), EmptyPages: 20})
	p := &play{demonstrating: *c, out: io.out, began: time.Now(), length: c.length}
	if c.output == "json" {
		p.out = io.err
	}
	cloud.Intercept(p.network)
	var err error
	if p.scene, err = scene.Open(ctx, cloud, demoShards); err != nil {
		return err
	}
	p.say("a table with a stream of %d shards, a bucket, %d workers; everything is in this process", demoShards, demoWorkers)
	if c.sabotage != "" {
		p.say("SABOTAGE: %s; the check at the end must notice", c.sabotage)
	}
	stopFleet := p.fleet(ctx, log)
	err = p.perform(ctx)
	if err == nil {
		p.say("writing has stopped; waiting for the fleet to be through")
		// Under sabotage it may never be: then the check tells.
		if late := p.scene.Await(ctx, demoSettle); late != nil && c.sabotage == "" {
			err = late
		}
	}
	stopFleet()
	if err != nil {
		return err
	}
	return p.prove(ctx, io.out)
}

// network is what is between the workers and AWS. A worker that is cut off for
// good is as good as killed, and harder: it goes on as a zombie. A frozen one's requests
// wait, and come through late.
func (p *play) network(call *awssim.Call) awssim.Fault {
	v, ok := p.cut.Load(call.Client)
	if !ok {
		return awssim.Fault{}
	}
	until := v.(*outage).until
	if until.IsZero() {
		return awssim.Fault{Status: 503, Code: "ServiceUnavailable", Message: "killed"}
	}
	if wait := time.Until(until); wait > 0 {
		return awssim.Fault{Delay: wait, Linger: true}
	}
	return awssim.Fault{}
}

// fleet starts the workers; the returned func stops those that still live, and
// lets them hand over.
func (p *play) fleet(ctx context.Context, log *zap.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for n := range demoWorkers {
		name := fmt.Sprintf("worker-%d", n+1)
		o := p.scene.Worker(name, log.With(zap.String("worker", name)))
		o.Lease, o.Renew, o.Settle, o.PollMax = demoLease, demoLease, demoLease, time.Second
		o.Limits.Age = demoFlush
		if p.sabotage != "" {
			o.Store = scene.Break(p.sabotage, o.Store)
		}
		o.Store = &counting{Store: o.Store, rows: &p.durable}
		running.Go(func() {
			// A worker that was cut off cannot hand over, and says so; the proof
			// does not depend on it.
			if err := consumer.Run(ctx, o); err != nil {
				log.Info("worker stopped", zap.String("worker", name), zap.Error(err))
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// perform writes to the table while things happen to the fleet and the stream.
func (p *play) perform(ctx context.Context) error {
	acts := []struct {
		at  float64 // of the length
		do  func() error
		say string
	}{
		{0.20, p.split, "a partition splits: one shard ends, two children begin"},
		{0.30, func() error { p.cut.Store("worker-1", &outage{}); return nil }, "worker-1 is KILLED; its leases expire and are taken"},
		{0.45, func() error { return p.scene.Cloud.RollAll(scene.TableName) }, "every shard rolls, as they do every 4 h"},
		{0.55, func() error {
			p.cut.Store("worker-2", &outage{until: time.Now().Add(2 * demoLease)})
			return nil
		}, "worker-2 is FROZEN for twice its lease, with writes on the way"},
		{0.85, p.split, "another split"},
	}
	author := p.scene.Author(uint64(p.seed), 400)
	tick := time.Now()
	for time.Since(p.began) < p.length {
		if err := author.Step(ctx); err != nil {
			return err
		}
		p.written.Add(1)
		for len(acts) > 0 && time.Since(p.began) >= time.Duration(acts[0].at*float64(p.length)) {
			if err := acts[0].do(); err != nil {
				return err
			}
			p.say("%s", acts[0].say)
			acts = acts[1:]
		}
		if time.Since(tick) >= time.Second {
			tick = time.Now()
			p.progress()
		}
		// A pause keeps the table at a size that a laptop folds in a second.
		if p.written.Load()%4 == 0 {
			select {
			case <-ctx.Done():
				return errors.New("interrupted")
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
	return nil
}

func (p *play) split() error {
	for _, s := range p.scene.Cloud.Shards(scene.TableName) {
		if s.Open {
			return p.scene.Cloud.Split(scene.TableName, s.ID)
		}
	}
	return nil
}

func (p *play) progress() {
	done := min(1, float64(time.Since(p.began))/float64(p.length))
	const width = 24
	bar := strings.Repeat("█", int(done*width)) + strings.Repeat("░", width-int(done*width))
	open := 0
	shards := p.scene.Cloud.Shards(scene.TableName)
	for _, s := range shards {
		if s.Open {
			open++
		}
	}
	p.say("%s %6d requests  %6d rows in the lake  %d shards, %d open", bar, p.written.Load(), p.durable.Load(), len(shards), open)
}

func (p *play) say(format string, args ...any) {
	fmt.Fprintf(p.out, "%5.1fs  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// figures is the line that --output json ends with.
type figures struct {
	Items      int     `json:"items"`
	Changes    int     `json:"changes"`
	Lost       int     `json:"lost"`
	Doubled    int     `json:"doubled"`
	OutOfOrder int     `json:"out_of_order"`
	Files      int     `json:"files"`
	Seconds    float64 `json:"seconds"`
}

// prove reads the lake back with another Parquet library and compares it change
// by change with what the stream carried, and item by item with the table.
func (p *play) prove(ctx context.Context, out io.Writer) error {
	report, err := p.scene.Prove(ctx)
	if err != nil {
		return err
	}
	f := figures{report.Items, report.Changes, report.Lost, report.Doubled, report.OutOfOrder, report.Files, time.Since(p.began).Seconds()}
	for _, problem := range report.Problems {
		p.say("  %s", problem)
	}
	if report.OK() && report.Changes == 0 {
		return errors.New("the lake is empty: nothing was proven")
	}
	if p.output == "json" {
		if err := json.NewEncoder(out).Encode(f); err != nil {
			return err
		}
	} else {
		p.result(report, f)
	}
	if !report.OK() {
		return fmt.Errorf("the lake is NOT the table: %s", report)
	}
	return nil
}

func (p *play) result(report lakecheck.Report, f figures) {
	verdict := "lake == table: every change once, in order, every item equal"
	if !report.OK() {
		verdict = "lake != table"
	}
	fmt.Fprintf(p.out, "\n  %-14s %d\n  %-14s %d\n  %-14s %d\n  %-14s %d\n  %-14s %d\n  %-14s %d\n  %-14s %.1f\n\n%s\n",
		"items", f.Items, "changes", f.Changes, "lost", f.Lost, "doubled", f.Doubled, "out of order", f.OutOfOrder, "files", f.Files, "seconds", f.Seconds, verdict)
}

// counting counts the rows that became durable, for the progress line.
type counting struct {
	writer.Store
	rows *atomic.Int64
}

func (c *counting) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	err := c.Store.PutNew(ctx, key, body, meta)
	if err == nil {
		var n int64
		if _, scanErr := fmt.Sscan(meta["rows"], &n); scanErr == nil {
			c.rows.Add(n)
		}
	}
	return err
}
