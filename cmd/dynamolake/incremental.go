package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
)

// windowing are the settings of `dynamolake incremental`.
type windowing struct {
	exporting
	follow, trust bool
	checkRows     int
	listen        string
	output        string
	logLevel      string
	logFormat     string
}

func incrementalCommand(s *settings) func(context.Context, streams) error {
	var c windowing
	c.flags(s)
	c.windowFlags(s)
	s.boolean(&c.follow, "follow", "go on for good: each window as soon as it may be exported, each gap as soon as it is known")
	s.count(&c.checkRows, "check-rows", int(bootstrap.Defaults().CheckRows), 0, 1_000_000_000, "up to how many rows of the export before a window are remembered to check its old images; 70 bytes a row")
	s.boolean(&c.trust, "trust-order", "go on where old images are not what the lake holds: they are counted and logged")
	c.rawFlags(s)
	c.convertFlags(s)
	c.schema.flags(s)
	s.listen(&c.listen, "", "serve /metrics and /healthz on this address, like :9090; off when empty")
	outputFlags(s, &c.output, &c.logLevel, &c.logFormat)
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

func (c windowing) run(ctx context.Context, io streams) error {
	registry := prometheus.NewRegistry()
	o, bar, err := c.start(ctx, io, c.logLevel, c.logFormat, labelled(registry, c.table))
	if err != nil {
		return err
	}
	// Windows follow the newest export where no stream is read; where one is, only its gaps
	// are left to do.
	o.Follow, o.Trust, o.CheckRows = true, c.trust, int64(c.checkRows)
	if c.listen != "" {
		stop, err := serve(c.listen, bare(registry))
		if err != nil {
			return err
		}
		defer stop()
	}
	r, err := bootstrap.NewRepairer(o)
	if err != nil {
		return err
	}
	if c.follow {
		o.Log.Info("following the table", zap.Duration("window", c.window))
		return r.Run(ctx)
	}
	before, err := o.Ledger.Read(ctx)
	if err != nil {
		return err
	}
	next, err := r.CatchUp(ctx)
	bar.screen.done()
	if err != nil {
		return err
	}
	after, err := o.Ledger.Read(ctx)
	if err != nil {
		return err
	}
	return c.report(io, &before, &after, next)
}

// caughtUp is what incremental ends with.
type caughtUp struct {
	Table   string    `json:"table"`
	Windows int       `json:"windows"` // converted meanwhile
	Items   int64     `json:"items"`
	Rejects int64     `json:"rejects"`
	Gaps    int       `json:"gaps"`          // closed meanwhile
	Open    int       `json:"gaps_open"`     // still
	To      time.Time `json:"to,omitzero"`   // the lake reaches to here without a gap, by exports
	Next    time.Time `json:"next,omitzero"` // when the next window may be exported
}

func (c windowing) report(io streams, before, after *ledger.Ledger, next time.Time) error {
	r := caughtUp{Table: c.table, Open: len(after.Missing()), Next: next, To: after.Reach(time.Time{})}
	for _, e := range after.Epochs {
		r.Windows, r.Items, r.Rejects = r.Windows+e.Windows, r.Items+e.Items*windowed(e), r.Rejects+e.Rejects*windowed(e)
	}
	for _, e := range before.Epochs {
		r.Windows, r.Items, r.Rejects = r.Windows-e.Windows, r.Items-e.Items*windowed(e), r.Rejects-e.Rejects*windowed(e)
	}
	r.Gaps = closed(after) - closed(before)
	if c.output == "json" {
		return json.NewEncoder(io.out).Encode(r)
	}
	text := fmt.Sprintf("%s: %d windows converted, %d items, %d rejects; %d gaps closed, %d open", r.Table, r.Windows, r.Items, r.Rejects, r.Gaps, r.Open)
	if !r.To.IsZero() {
		text += "; the lake reaches to " + formatTime(r.To)
	}
	if !r.Next.IsZero() {
		text += "; the next window may be exported at " + formatTime(r.Next)
	}
	_, err := fmt.Fprintln(io.out, text)
	return err
}

func windowed(e ledger.Epoch) int64 {
	if e.Source == ledger.Incremental {
		return 1
	}
	return 0
}

func closed(l *ledger.Ledger) (n int) {
	for _, g := range l.Gaps {
		if g.State == ledger.GapClosed {
			n++
		}
	}
	return n
}
