package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/internal/fleet"
)

// leasing are the settings that the checkpoint commands have in common.
type leasing struct {
	table, app string
	json       bool
}

func (c *leasing) flags(s *settings) {
	s.table(&c.table, "name of the DynamoDB table")
	s.required("table")
	s.text(&c.app, "app", "", "name of the lease table, shared by the fleet; dynamolake-<table> when empty")
}

// jsonFlag declares --json.
func jsonFlag(s *settings, dst *bool) { s.boolean(dst, "json", "print JSON, on one line") }

func checkpointListCommand(s *settings) func(context.Context, streams) error {
	var c leasing
	c.flags(s)
	jsonFlag(s, &c.json)
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		return c.list(ctx, cfg, io.out)
	}
}

// list shows the lease rows as they are. It judges nothing: who lives is for status to say.
func (c leasing) list(ctx context.Context, cfg aws.Config, out io.Writer) error {
	app := leaseTable(c.app, c.table)
	table, err := fleet.Leases(ctx, dynamodb.NewFromConfig(cfg), app, c.table)
	if err != nil {
		return err
	}
	rows := make([]leaseRow, 0, len(table.Leases))
	for _, r := range table.Leases {
		rows = append(rows, leaseRowOf(r))
	}
	if c.json {
		return json.NewEncoder(out).Encode(struct {
			App    string     `json:"app"`
			Leases []leaseRow `json:"leases"`
		}{app, rows})
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "SHARD\tCHECKPOINT\tOWNER\tCOUNTER\tCURRENT TO\tEPOCH\tOLDER TO\tROWS IN\tPARENTS\tCHILDREN\tGAP\n")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Shard, r.Checkpoint, cmp.Or(r.Owner, "-"), r.Counter, formatTime(r.CurrentTo),
			number(r.Epoch), formatTime(r.OlderTo), number(r.RowsIn), listed(r.Parents), listed(r.Children), mark(r.Gap != "", "halted"))
	}
	return w.Flush()
}

// number is one that is 0 while it is not known.
func number(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func listed(names []string) string { return cmp.Or(strings.Join(names, ","), "-") }

func mark(is bool, word string) string {
	if is {
		return word
	}
	return "-"
}
