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
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/fleet"
	"dynamolake/writer"
)

// moving are the settings of `dynamolake checkpoint move`.
type moving struct {
	place
	to           string
	dryRun, json bool
}

func checkpointMoveCommand(s *settings) func(context.Context, streams) error {
	var c moving
	c.flags(s)
	s.text(&c.to, "to", "", "name of the lease table that the positions go to, of a fleet that reads several tables; it is created where there is none")
	s.required("to")
	s.boolean(&c.dryRun, "dry-run", "show what would change, and change nothing")
	jsonFlag(s, &c.json)
	s.check(func() error {
		if c.table != "" && c.to == leaseTable(c.app, c.table) {
			return fmt.Errorf("--to %s is the lease table that the positions are in", c.to)
		}
		return nil
	})
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		return c.move(ctx, cfg, io.out)
	}
}

// move copies the positions before the ledger says whose they are. Whoever starts then finds the one or the other, and the
// rows that stay behind are nobody's: a worker of the old fleet ends at its start.
func (c moving) move(ctx context.Context, cfg aws.Config, out io.Writer) error {
	db, app := dynamodb.NewFromConfig(cfg), leaseTable(c.app, c.table)
	table, err := consumer.Describe(ctx, db, c.table)
	if err != nil {
		return err
	}
	if _, err := fleet.Leases(ctx, db, app, c.table); err != nil {
		return err
	}
	leases, live, err := checkpoint.Live(ctx, db, app, c.table, ownerPatience)
	if err != nil {
		return err
	}
	for _, r := range leases.Leases {
		if live[r.Key] && !c.dryRun {
			return fmt.Errorf("nothing was moved: worker %s holds shard %s and is alive; stop the fleet first", cmp.Or(r.Holder, r.Owner), r.Key)
		}
	}
	if len(leases.Leases) == 0 {
		return fmt.Errorf("lease table %s has no positions of table %q; there is nothing to move", app, c.table)
	}
	store, err := openLake(c.lake, cfg)
	if err != nil {
		return err
	}
	kept, err := openLedger(ctx, c.state, c.lake, store, db, writer.TablePrefix(table.Account, table.Region, table.Name), table.ARN)
	if err != nil {
		return err
	}
	l, err := kept.Read(ctx)
	if err != nil {
		return err
	}
	if err := c.from(&l, app); err != nil {
		return err
	}
	plan, err := checkpoint.PlanTransfer(ctx, db, leases.Leases, c.to, checkpoint.Scope{Region: table.Region, Account: table.Account, Table: table.Name}, table.Label())
	if err != nil {
		return fmt.Errorf("nothing was moved: %w", err)
	}
	if !c.dryRun {
		if err := plan.Carry(ctx, db); err != nil {
			return err
		}
		_, err := kept.Update(ctx, func(l *ledger.Ledger) error {
			if err := c.from(l, app); err != nil {
				return err
			}
			l.LeaseTable = c.to
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.print(out, app, plan, holders(leases.Leases, live))
}

// from tells whether the positions of the ledger's stream are in a lease table, or were moved by the same command before.
func (c moving) from(l *ledger.Ledger, app string) error {
	if l.LeaseTable != "" && l.LeaseTable != app && l.LeaseTable != c.to {
		return fmt.Errorf("nothing was moved: the positions of this lake are in lease table %s; give --app=%s", l.LeaseTable, l.LeaseTable)
	}
	return nil
}

func (c moving) print(out io.Writer, app string, plan checkpoint.Transfer, alive []string) error {
	rows := make([]leaseRow, 0, len(plan.Rows))
	for _, r := range plan.Rows {
		rows = append(rows, leaseRowOf(r))
	}
	if c.json {
		return json.NewEncoder(out).Encode(struct {
			App    string     `json:"app"`
			To     string     `json:"to"`
			DryRun bool       `json:"dry_run"`
			New    int        `json:"new"`
			Alive  []string   `json:"alive,omitempty"`
			Leases []leaseRow `json:"leases"`
		}{app, c.to, c.dryRun, len(plan.New), alive, rows})
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "SHARD\tCHECKPOINT\tCURRENT TO\n")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Shard, r.Checkpoint, formatTime(r.CurrentTo))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	said := "\n%d positions are in %s now, %d of them new. Start the fleet of several with --app=%s; a worker with --app=%s is refused.\nOnce it reads, the tables %s and its workers' can be deleted.\n"
	if c.dryRun {
		said = "\n%d positions would be in %s, %d of them new. Nothing was changed.\n"
		if len(alive) > 0 {
			said += areAlive(alive) + "\n"
		}
		_, err := fmt.Fprintf(out, said, len(rows), c.to, len(plan.New))
		return err
	}
	_, err := fmt.Fprintf(out, said, len(rows), c.to, len(plan.New), c.to, app, app)
	return err
}
