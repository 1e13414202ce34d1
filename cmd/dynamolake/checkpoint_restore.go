package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/checkpoint"
	"dynamolake/internal/fleet"
)

// restoring are the settings of `dynamolake checkpoint restore`.
type restoring struct {
	backup       string
	dryRun, json bool
}

func checkpointRestoreCommand(s *settings) func(context.Context, streams) error {
	var c restoring
	s.text(&c.backup, "backup", "", "file that a rewind wrote; it names the lease table")
	s.required("backup")
	s.boolean(&c.dryRun, "dry-run", "show what would change, and change nothing")
	jsonFlag(s, &c.json)
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		return c.restore(ctx, cfg, io.out)
	}
}

// restoredRow is what became of a row.
type restoredRow struct {
	Shard      string `json:"shard"`
	Checkpoint string `json:"checkpoint"` // of the backup
	State      string `json:"state"`
}

// States of a restored row.
const (
	restoredBack  = "put back"
	restoredWould = "would be put back"
	restoredNever = "as it was: the rewind had not moved it"
	restoredLeft  = "left alone"
)

// restore puts back each row that is as the rewind left it. One that has moved on since is left
// alone, and fails the command; the others are put back nevertheless.
func (c restoring) restore(ctx context.Context, cfg aws.Config, out io.Writer) error {
	b, err := readBackup(c.backup)
	if err != nil {
		return err
	}
	db := dynamodb.NewFromConfig(cfg)
	table, err := fleet.Leases(ctx, db, b.App, "")
	if err != nil {
		return err
	}
	rows := map[string]checkpoint.Row{}
	for _, r := range table.Leases {
		rows[r.Of+r.Key] = r
	}
	done, left := []restoredRow{}, []error{}
	for _, r := range b.Rows {
		did := restoredRow{r.Before.Shard, r.Before.Checkpoint, restoredBack}
		now, there := rows[r.Before.Of+r.Before.Shard]
		var err error
		var moved bool
		switch before, after := r.Before.row(), r.After.row(); {
		case !there:
			err = fmt.Errorf("shard %s: its lease row is gone", r.Before.Shard)
		case c.dryRun:
			moved, err = checkpoint.Restorable(before, after, now)
			did.State = restoredWould
		default:
			moved, err = checkpoint.Restore(ctx, db, b.App, before, after, now)
		}
		switch {
		case err != nil:
			did.State = restoredLeft
			left = append(left, err)
		case !moved:
			did.State = restoredNever
		}
		done = append(done, did)
	}
	if err := printRestored(out, done, c.json); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d of %d leases were left alone: %w", len(left), len(b.Rows), errors.Join(left...))
	}
	return nil
}

func printRestored(out io.Writer, rows []restoredRow, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "SHARD\tCHECKPOINT\tSTATE\n")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Shard, r.Checkpoint, r.State)
	}
	return w.Flush()
}
