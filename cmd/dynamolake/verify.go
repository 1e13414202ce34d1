package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint"
	"dynamolake/internal/fleet"
	"dynamolake/internal/verify"
	"dynamolake/writer"
)

// verifying are the settings of `dynamolake verify`.
type verifying struct {
	place
	depth, export, output string
	dataset, schema, salt string
	against, changesOnly  bool
	rcu, maxRejects       int
	settle                time.Duration
	memory                int64
}

func verifyCommand(s *settings) func(context.Context, streams) error {
	var c verifying
	d := verify.Defaults()
	t := verify.NewTable(nil, "", d.Keys)
	c.flags(s)
	intoFlag(s, &c.into)
	s.choice(&c.depth, "depth", string(d.Depth), "how closely files are looked at: listings and metadata, each file's footer and checksum, or each row",
		string(verify.DepthNames), string(verify.DepthFooters), string(verify.DepthRows))
	s.text(&c.dataset, "dataset", "", "look at this dataset only; all of the schema when empty")
	s.boolean(&c.against, "against-table", "also compare the lake with the table as it is, item by item; the table is scanned")
	s.parsed(&c.export, "against-export", "address", "", "also compare the lake with a full export: the address of its manifest-summary.json, s3://... or file:///...", checkManifest)
	s.count(&c.rcu, "rcu", int(t.RCU), 1, 1_000_000, "with --against-table: the most read units a second that the scan takes")
	s.text(&c.salt, "hash-salt", "", "the salt of the schema's hashes, as the commands that write have it; to compare datasets that have any")
	s.secret("hash-salt")
	s.text(&c.schema, "schema", "", "the schema file, as the commands that write have it; to compare datasets whose filters look things up in files beside it")
	s.duration(&c.settle, "settle", t.Settle, time.Second, time.Hour, "with --against-table: an item that differs is looked at again after so long, up to three times")
	s.size(&c.memory, "memory", d.Memory, 64<<20, 1<<40, "bound on the memory for comparing; a key takes about 200 bytes, and more keys take more passes over the lake and the table")
	s.boolean(&c.changesOnly, "changes-only", "a lake without a full export will do: prove its changes only")
	s.count(&c.maxRejects, "max-rejects", int(d.MaxRejects), -1, 1_000_000_000, "more records in rejects/ are a doubt; -1: any number will do")
	s.choice(&c.output, "output", "text", "how to print the result", "text", "json")
	s.check(func() error {
		if c.against && c.export != "" {
			return errors.New("--against-table (DYNAMOLAKE_AGAINST_TABLE) and --against-export (DYNAMOLAKE_AGAINST_EXPORT): give one of them")
		}
		return nil
	})
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		return c.run(ctx, cfg, io)
	}
}

// errNotProven ends a command that found doubts: they are printed already.
var errNotProven = errors.New("the lake is NOT proven")

func (c verifying) run(ctx context.Context, cfg aws.Config, io streams) error {
	o, err := c.options(ctx, cfg)
	if err != nil {
		return err
	}
	bar := &gauge{screen: newScreen(io.err)}
	o.Progress = bar.show
	r, err := verify.Run(ctx, o)
	bar.screen.done()
	if err != nil {
		return err
	}
	if c.output == "json" {
		err = json.NewEncoder(io.out).Encode(r)
	} else {
		err = printVerified(io.out, r)
	}
	if err == nil && !r.Proven {
		err = errNotProven
	}
	return err
}

// options puts a run together.
func (c verifying) options(ctx context.Context, cfg aws.Config) (verify.Options, error) {
	o := verify.Defaults()
	db := dynamodb.NewFromConfig(cfg)
	table, err := bootstrap.Describe(ctx, db, c.table)
	if err != nil {
		return o, err
	}
	store, err := openLake(c.lake, cfg)
	if err != nil {
		return o, err
	}
	o.Store, o.Prefix, o.Table, o.Keys = store, writer.PlacePrefix(table.Account, table.Region, table.Name, c.into), table.Name, table.Keys
	if o.Ledger, err = openLedger(ctx, c.state, c.lake, store, db, o.Prefix, table.ARN); err != nil {
		return o, err
	}
	o.Leases = func(ctx context.Context) ([]checkpoint.Row, error) {
		t, err := fleet.Leases(ctx, db, leaseTableOf(c.app, c.table, c.into), c.table)
		if errors.Is(err, fleet.ErrNone) {
			return nil, nil
		}
		return t.Leases, err
	}
	o.Depth, o.ChangesOnly, o.MaxRejects, o.Memory = verify.Depth(c.depth), c.changesOnly, int64(c.maxRejects), c.memory
	o.Dataset, o.Salt = c.dataset, []byte(c.salt)
	if o.Lookups, err = c.lookups(ctx, cfg); err != nil {
		return o, err
	}
	switch {
	case c.against:
		o.AgainstTable = verify.NewTable(db, table.Name, table.Keys)
		o.AgainstTable.RCU, o.AgainstTable.Settle = float64(c.rcu), c.settle
	case c.export != "":
		open, key := c.opener(cfg)
		o.AgainstExport, err = verify.OpenExport(ctx, open, key, c.export, table.Keys)
	}
	return o, err
}

// lookups are the files that a schema looks things up in. The schema itself is in the lake.
func (c verifying) lookups(ctx context.Context, cfg aws.Config) (map[string][]byte, error) {
	if c.schema == "" || c.schema == schemaInfer || c.schema == schemaNone {
		return nil, nil
	}
	f := schemaFlags{schema: c.schema}
	s, err := f.read(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return f.lookups(ctx, cfg, s)
}

// opener reads the objects of the export: of a bucket, or of a folder with a copy.
func (c verifying) opener(cfg aws.Config) (verify.Opener, string) {
	if path, ok := strings.CutPrefix(c.export, "file://"); ok {
		return func(_ context.Context, key string) (io.ReadCloser, error) { return os.Open(key) }, path
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(c.export, "s3://"), "/")
	store := writer.NewS3(newS3(cfg), bucket, "")
	return func(ctx context.Context, key string) (io.ReadCloser, error) {
		body, _, err := store.Open(ctx, key)
		return body, err
	}, key
}

// gauge shows how far a run is.
type gauge struct {
	screen *screen
	stage  string
	last   time.Time
}

// show is called by one goroutine at a time.
func (g *gauge) show(p verify.Progress) {
	every := 5 * time.Second
	if g.screen.terminal {
		every = 200 * time.Millisecond
	}
	if now := time.Now(); p.Stage != g.stage || now.Sub(g.last) >= every {
		g.stage, g.last = p.Stage, now
		done, of := 0.0, ""
		if p.Total > 0 {
			done, of = float64(p.Done)/float64(p.Total), fmt.Sprintf(" of %d", p.Total)
		}
		g.screen.progress("verifying  ", done, fmt.Sprintf("%s: %d%s", p.Stage, p.Done, of))
	}
}
