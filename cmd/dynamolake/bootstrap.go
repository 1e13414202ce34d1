package main

import (
	"context"
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"dynamolake/bootstrap"
)

// bootstrapping are the settings of `dynamolake bootstrap`.
type bootstrapping struct {
	exporting
	seed       bootstrap.Seed
	from       string
	same, hole bool
	output     string
	logLevel   string
	logFormat  string
}

func bootstrapCommand(s *settings) func(context.Context, streams) error {
	var c bootstrapping
	c.flags(s)
	s.boolean(&c.seed.Enable, "enable", "turn on what is needed and off: point-in-time recovery, and the stream with new and old images")
	s.boolean(&c.seed.NoStream, "no-stream", "the table's stream will not be read: windows of incremental exports follow the full one")
	s.boolean(&c.seed.Again, "again", "make another full export although the lake has one")
	s.parsed(&c.from, "from-export", "address", "", "import an export that is there already: the address of its manifest-summary.json, s3://... or file:///...", checkManifest)
	s.boolean(&c.same, "same-table", "with --from-export: take an export of another table, or of an earlier one of the name")
	s.boolean(&c.hole, "no-changes-between", "with --from-export: take a window that begins later than the lake ends; nothing was changed in between")
	c.rawFlags(s)
	c.convertFlags(s)
	c.schema.flags(s)
	outputFlags(s, &c.output, &c.logLevel, &c.logFormat)
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

var errNoManifest = errors.New("want the address of a manifest-summary.json: s3://bucket/.../manifest-summary.json or file:///.../manifest-summary.json")

func checkManifest(address string) error {
	if !strings.HasSuffix(address, "/manifest-summary.json") || !strings.HasPrefix(address, "s3://") && !strings.HasPrefix(address, "file:///") {
		return errNoManifest
	}
	return nil
}

func (c bootstrapping) run(ctx context.Context, io streams) error {
	if c.from != "" && c.raw.Bucket == "" && !strings.HasPrefix(c.lake, "s3://") {
		c.raw.Bucket = "-" // nothing is exported
	}
	o, bar, err := c.start(ctx, io, c.logLevel, c.logFormat, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	var r bootstrap.Result
	if c.from != "" {
		r, err = bootstrap.FromExport(ctx, o, bootstrap.Import{From: c.from, Same: c.same, Hole: c.hole, Again: c.seed.Again})
	} else {
		r, err = bootstrap.Bootstrap(ctx, o, c.seed)
	}
	bar.screen.done()
	if err != nil {
		return err
	}
	return seeded{c.table, r.Export, r.Epoch, r.From, r.To, r.Items, r.Rejects, r.Already, r.Streamed}.print(io.out, c.output == "json")
}
