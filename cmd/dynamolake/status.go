package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/writer"
)

// inspecting are the settings of `dynamolake status`.
type inspecting struct {
	table, lake, app, output string
	shards                   bool
}

func statusCommand(s *settings) func(context.Context, streams) error {
	var c inspecting
	s.required(&c.table, "table", "name of the DynamoDB table")
	s.text(&c.lake, "lake", "", "where the lake lies, to show recorded gaps; left out when empty")
	s.text(&c.app, "app", "", "name of the lease table; dynamolake-<table> when empty")
	s.boolean(&c.shards, "shards", "show every shard, not only the workers and what is wrong")
	s.choice(&c.output, "output", "text", "how to print", "text", "json")
	s.check(func() error {
		if c.lake == "" {
			return nil
		}
		return checkLake(c.lake)
	})
	return func(ctx context.Context, io streams) error {
		cfg, err := awsconfig.LoadDefaultConfig(ctx)
		if err != nil {
			return fmt.Errorf("AWS settings: %w", err)
		}
		if cfg.Region == "" {
			return errors.New("no AWS region; set AWS_REGION or a profile with one")
		}
		return c.run(ctx, cfg, io.out)
	}
}

func (c inspecting) run(ctx context.Context, cfg aws.Config, out io.Writer) error {
	db := dynamodb.NewFromConfig(cfg)
	table, err := consumer.Describe(ctx, db, c.table)
	if err != nil {
		return err
	}
	leases, err := checkpoint.ReadTable(ctx, db, leaseTable(c.app, c.table))
	if err != nil {
		return err
	}
	var gaps []consumer.Gap
	if c.lake != "" {
		store, err := openLake(c.lake, cfg)
		if err != nil {
			return err
		}
		if gaps, err = consumer.Gaps(ctx, store, writer.TablePrefix(table.Account, table.Region, table.Name)); err != nil {
			return err
		}
	}
	r := newReport(table, leases, gaps, time.Now())
	if c.output == "json" {
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out, c.shards)
}

// report is what status prints. Spans are in seconds; -1 means unknown.
type report struct {
	Table    string         `json:"table"`
	Stream   string         `json:"stream"`
	Workers  []workerReport `json:"workers"`
	Shards   []shardReport  `json:"shards"`
	Reading  int            `json:"reading"` // shards that have an owner
	Free     int            `json:"free"`    // that could be read and have none
	Waiting  int            `json:"waiting"` // for their parent
	Ended    int            `json:"ended"`
	Halted   int            `json:"halted"`
	Lag      float64        `json:"lag_seconds"`
	Headroom float64        `json:"headroom_seconds"`
	Gaps     []consumer.Gap `json:"gaps"`
}

type workerReport struct {
	ID     string    `json:"id"`
	Shards int       `json:"shards"`
	Lag    float64   `json:"lag_seconds"`
	Beat   time.Time `json:"beat"` // by the worker's own clock
	State  string    `json:"state"`
}

type shardReport struct {
	ID         string  `json:"id"`
	Owner      string  `json:"owner,omitempty"`
	Checkpoint string  `json:"checkpoint"`
	Lag        float64 `json:"lag_seconds"`
	State      string  `json:"state"`
}

// newReport is a pure view of the tables at a moment.
func newReport(t consumer.Table, table checkpoint.Table, gaps []consumer.Gap, now time.Time) report {
	r := report{Table: t.Name, Stream: t.StreamARN, Lag: 0, Gaps: gaps}
	if gaps == nil {
		r.Gaps = []consumer.Gap{}
	}
	ended := map[string]bool{}
	known := map[string]bool{}
	for _, l := range table.Leases {
		known[l.Key] = true
		ended[l.Key] = l.Checkpoint.Sentinel == checkpoint.ShardEnd
	}
	workers := map[string]*workerReport{}
	for _, w := range table.Workers {
		state := "reading"
		if w.Leaving {
			state = "leaving"
		}
		workers[w.ID] = &workerReport{ID: w.ID, Beat: w.Updated, State: state}
	}
	for _, l := range table.Leases {
		s := shardReport{ID: l.Key, Owner: l.Owner, Checkpoint: cmp.Or(l.Checkpoint.Seq, l.Checkpoint.Sentinel), Lag: -1}
		waits := slices.ContainsFunc(l.Parents, func(p string) bool { return !ended[p] && (known[p] || !l.ParentGone) })
		switch {
		case ended[l.Key]:
			s.State, s.Lag = "ended", 0
			r.Ended++
		case l.Gap != "":
			s.State = "halted at a gap"
			r.Halted++
		case waits:
			s.State = "waits for its parent"
			r.Waiting++
		case l.Owner == "":
			s.State = "free"
			r.Free++
		default:
			s.State = "reading"
			r.Reading++
		}
		if !ended[l.Key] && !l.CurrentTo.IsZero() {
			s.Lag = max(0, now.Sub(l.CurrentTo).Seconds())
			r.Lag = max(r.Lag, s.Lag)
		}
		if l.Owner != "" && !ended[l.Key] {
			w := workers[l.Owner]
			if w == nil {
				w = &workerReport{ID: l.Owner, State: "no beat"}
				workers[l.Owner] = w
			}
			w.Shards++
			w.Lag = max(w.Lag, s.Lag)
		}
		r.Shards = append(r.Shards, s)
	}
	for _, w := range workers {
		r.Workers = append(r.Workers, *w)
	}
	slices.SortFunc(r.Workers, func(a, b workerReport) int { return cmp.Compare(a.ID, b.ID) })
	r.Headroom = (24 * time.Hour).Seconds() - r.Lag
	return r
}

func (r report) print(out io.Writer, all bool) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "table\t%s\n", r.Table)
	fmt.Fprintf(w, "stream\t%s\n", cmp.Or(r.Stream, "off"))
	fmt.Fprintf(w, "shards\t%d reading, %d free, %d waiting for their parent, %d halted, %d ended\n", r.Reading, r.Free, r.Waiting, r.Halted, r.Ended)
	fmt.Fprintf(w, "lag\t%s\n", span(r.Lag))
	fmt.Fprintf(w, "headroom\t%s until the stream forgets what is not in the lake\n", span(r.Headroom))
	fmt.Fprintf(w, "gaps\t%d recorded\n", len(r.Gaps))
	fmt.Fprintf(w, "\nWORKER\tSTATE\tSHARDS\tLAG\tLAST BEAT\n")
	for _, x := range r.Workers {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", x.ID, x.State, x.Shards, span(x.Lag), stamp(x.Beat))
	}
	shown := slices.Clone(r.Shards)
	if !all {
		shown = slices.DeleteFunc(shown, func(s shardReport) bool {
			return s.State == "reading" || s.State == "ended" || s.State == "waits for its parent"
		})
	}
	if len(shown) > 0 {
		fmt.Fprintf(w, "\nSHARD\tSTATE\tOWNER\tLAG\tCHECKPOINT\n")
	}
	for _, s := range shown {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.State, cmp.Or(s.Owner, "-"), span(s.Lag), s.Checkpoint)
	}
	if len(r.Gaps) > 0 {
		fmt.Fprintf(w, "\nGAP IN SHARD\tAFTER\tSEEN\tPOLICY\tREASON\n")
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", g.Shard, g.After, stamp(g.Seen), g.Policy, g.Reason)
	}
	return w.Flush()
}

func span(seconds float64) string {
	if seconds < 0 {
		return "unknown"
	}
	return formatSpan(time.Duration(seconds * float64(time.Second)))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}
