package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/internal/fleet"
	"dynamolake/transform"
)

// showing are the settings of `dynamolake checkpoint show`.
type showing struct {
	leasing
	lake, shard string
}

func checkpointShowCommand(s *settings) func(context.Context, streams) error {
	var c showing
	c.flags(s)
	s.parsed(&c.lake, "lake", "address", "", "where the lake lies, to show where the shard's files end; left out when empty", checkLake)
	s.text(&c.shard, "shard", "", "id of the shard")
	s.required("shard")
	jsonFlag(s, &c.json)
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		return c.show(ctx, cfg, io.out)
	}
}

// shownShard is a lease row beside what the lake has of its shard.
type shownShard struct {
	Lease  leaseRow     `json:"lease"`
	Chains []shownChain `json:"chains,omitempty"`
	// Behind says how the checkpoint and the files stand to each other; "" without --lake.
	Behind string `json:"behind,omitempty"`
}

type shownChain struct {
	Dataset string `json:"dataset"`
	Files   int    `json:"files"`
	End     string `json:"end"` // TRIM_HORIZON without files
	Ended   bool   `json:"ended"`
}

func (c showing) show(ctx context.Context, cfg aws.Config, out io.Writer) error {
	db := dynamodb.NewFromConfig(cfg)
	table, err := fleet.Leases(ctx, db, leaseTable(c.app, c.table), c.table)
	if err != nil {
		return err
	}
	rows, err := chosen(table.Leases, c.shard)
	if err != nil {
		return err
	}
	s := shownShard{Lease: leaseRowOf(rows[0])}
	if c.lake != "" {
		t, err := consumer.Describe(ctx, db, c.table)
		if err != nil {
			return err
		}
		lake, err := openChains(ctx, cfg, c.lake, t)
		if err != nil {
			return err
		}
		list, err := lake.of(ctx, c.shard)
		if err != nil {
			return err
		}
		s.compare(rows[0], list)
	}
	if c.json {
		return json.NewEncoder(out).Encode(s)
	}
	return s.print(out)
}

// compare adds where the chains end. Behind the checkpoint each is walked to its end; where the
// checkpoint leads, something is missing.
func (s *shownShard) compare(row checkpoint.Row, list []checkpoint.Chain) {
	cursor, err := transform.ParseSeq(row.Checkpoint.Seq)
	ended, behind, leads := len(list) > 0, 0, false
	for _, chain := range list {
		end, last := chain.Tip()
		s.Chains = append(s.Chains, shownChain{chain.Dataset, len(chain.Links), cmp.Or(end, checkpoint.TrimHorizon), last})
		ended = ended && last
		for _, l := range chain.Links {
			if after, _ := transform.ParseSeq(cmp.Or(l.After, "0")); after.Compare(cursor) >= 0 {
				behind++
			}
		}
		tip, _ := transform.ParseSeq(cmp.Or(end, "0"))
		leads = leads || err == nil && tip.Compare(cursor) < 0
	}
	switch {
	case row.Checkpoint.Sentinel == checkpoint.ShardEnd && ended:
		s.Behind = "all of the shard is in the lake"
	case row.Checkpoint.Sentinel == checkpoint.ShardEnd:
		s.Behind = "the checkpoint LEADS: it says that all of the shard is in the lake, and its last files are missing"
	case leads:
		s.Behind = "the checkpoint LEADS: files up to it are missing; see dynamolake checkpoint rewind"
	case behind > 0:
		s.Behind = fmt.Sprintf("%d files behind the checkpoint, which the next session walks past", behind)
	default:
		s.Behind = "the files end at the checkpoint"
	}
}

func (s shownShard) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	r := s.Lease
	for _, line := range [][2]string{
		{"shard", r.Shard},
		{"checkpoint", r.Checkpoint},
		{"owner", cmp.Or(r.Owner, "-")},
		{"holder", cmp.Or(r.Holder, "-")},
		{"counter", fmt.Sprint(r.Counter)},
		{"current to", formatTime(r.CurrentTo)},
		{"epoch", number(r.Epoch)},
		{"older to", formatTime(r.OlderTo)},
		{"rows in", number(r.RowsIn)},
		{"parents", listed(r.Parents)},
		{"children", listed(r.Children)},
		{"parent gone", mark(r.ParentGone, "yes")},
		{"start", formatTime(r.Start)},
		{"created", formatTime(r.Created)},
		{"stream", cmp.Or(r.Stream, "-")},
		{"switches", fmt.Sprint(r.Switches)},
		{"gap", mark(r.Gap != "", "halted; --json has it")},
	} {
		fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
	}
	if len(s.Chains) > 0 {
		fmt.Fprintf(w, "files\t%s\n", s.Behind)
		w.Flush() // each table has its own columns
		fmt.Fprintf(w, "\nDATASET\tFILES\tEND\tENDED\n")
	}
	for _, c := range s.Chains {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", c.Dataset, c.Files, c.End, mark(c.Ended, "yes"))
	}
	return w.Flush()
}

// chosen is the row of a shard, or all when none is named.
func chosen(rows []checkpoint.Row, shard string) ([]checkpoint.Row, error) {
	if shard == "" {
		return rows, nil
	}
	for _, r := range rows {
		if r.Key == shard {
			return []checkpoint.Row{r}, nil
		}
	}
	return nil, fmt.Errorf("there is no lease of shard %q; dynamolake checkpoint list shows those there are", shard)
}
