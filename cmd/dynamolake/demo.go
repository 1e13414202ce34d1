package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/internal/scene"
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
	s.choice(&c.sabotage, "break", "", "break the promise on purpose; the check at the end must catch it", sabotages()...)
	s.count(&c.seed, "seed", 1, 0, 1<<30, "what the writes are made from")
	s.duration(&c.length, "length", 10*time.Second, 10*time.Second, 10*time.Minute, "how long the table is written to")
	s.boolean(&c.verbose, "verbose", "show the workers' logs")
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

func (c demonstrating) run(ctx context.Context, io streams) error {
	log := zap.NewNop()
	if c.verbose {
		var err error
		if log, err = newLog(io.err, "info", "console"); err != nil {
			return err
		}
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	p := &play{demonstrating: c, life: ctx, began: time.Now(), screen: newScreen(io.out)}
	if c.output == "json" {
		p.screen = newScreen(io.err)
	}
	p.network.say, p.ticked = p.say, p.began
	cloud := awssim.New(demoCloud(uint64(c.seed)))
	cloud.Intercept(p.network.fault)
	var err error
	if p.scene, err = scene.Open(ctx, cloud, demoShards); err != nil {
		return err
	}
	p.author = p.scene.Author(uint64(c.seed), demoItems)
	p.say("a table with a stream of %d shards, a bucket, %d workers; everything is in this process", demoShards, demoWorkers)
	if c.sabotage != "" {
		p.say("SABOTAGE: %s; the check at the end must notice", c.sabotage)
	}
	told := make(chan struct{})
	telling, hush := context.WithCancel(ctx)
	go func() { defer close(told); p.tell(telling) }()
	f := &crew{p: p, log: log}
	err = p.perform(ctx, f)
	if err == nil {
		p.say("writing has stopped; waiting for the fleet to be through")
		// Under sabotage it may never be: then the check tells.
		if late := p.scene.Await(ctx, demoSettle); late != nil && c.sabotage == "" {
			err = late
		}
	}
	f.stop()
	hush()
	<-told
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing was proven")
	}
	if err != nil {
		return err
	}
	return p.prove(ctx, io.out)
}

// sabotages are the ways to break the promise: of the stream, and of a repair.
func sabotages() []string { return append(scene.Sabotages(), scene.WindowTooShort) }

// figures is the line that --output json ends with.
type figures struct {
	Items        int     `json:"items"`
	Changes      int     `json:"changes"`
	Lost         int     `json:"lost"`
	Doubled      int     `json:"doubled"`
	OutOfOrder   int     `json:"out_of_order"`
	Files        int     `json:"files"`
	GapsRepaired int     `json:"gaps_repaired"`
	Compacted    int     `json:"compacted"` // changes that are there only as what a window left of them
	Seconds      float64 `json:"seconds"`
}

// prove reads the lake back with another Parquet library and compares it change
// by change with what the stream carried, export by export with what they must hold, and item by item with
// the table.
func (p *play) prove(ctx context.Context, out io.Writer) error {
	p.say("reading the lake back and comparing it with the stream and the table")
	report, err := p.scene.ProveWithin(ctx, demoTiming())
	if err != nil {
		return err
	}
	repaired, err := p.repaired(ctx)
	if err != nil {
		return err
	}
	if report.OK() && (report.Changes == 0 || repaired == 0) {
		return errors.New("the lake is empty, or has no gap: nothing was proven")
	}
	const told = 5
	for _, problem := range report.Problems[:min(told, len(report.Problems))] {
		p.say("  %s", problem)
	}
	if more := len(report.Problems) - told; more > 0 {
		p.say("  and more")
	}
	f := figures{
		report.Items, report.Changes, report.Lost, report.Doubled, report.OutOfOrder, report.Files,
		repaired, report.Compacted,
		time.Since(p.began).Round(10 * time.Millisecond).Seconds(),
	}
	if p.output == "json" {
		err = json.NewEncoder(out).Encode(f)
	} else {
		err = f.print(out, report)
	}
	if err == nil && !report.OK() {
		err = fmt.Errorf("the lake is NOT the table: %s", report)
	}
	return err
}

func (f figures) print(out io.Writer, report lakecheck.Report) error {
	var b strings.Builder
	row := func(name, figure string) { fmt.Fprintf(&b, "  %-13s  %8s\n", name, figure) }
	b.WriteString("\n")
	row("items", fmt.Sprint(f.Items))
	row("changes", fmt.Sprint(f.Changes))
	row("lost", fmt.Sprint(f.Lost))
	row("doubled", fmt.Sprint(f.Doubled))
	row("out of order", fmt.Sprint(f.OutOfOrder))
	row("files", fmt.Sprint(f.Files))
	row("gaps repaired", fmt.Sprint(f.GapsRepaired))
	row("compacted", fmt.Sprint(f.Compacted))
	row("seconds", fmt.Sprintf("%.1f", f.Seconds))
	if report.OK() {
		b.WriteString("\nlake == table: every change once, in order, or in the window that repaired its loss; every item equal\n")
	} else {
		b.WriteString("\nlake != table\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
