package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/writer"
)

// inspecting are the settings of `dynamolake status`.
type inspecting struct {
	table, lake, app, state, output string
	shards                          bool
}

func statusCommand(s *settings) func(context.Context, streams) error {
	var c inspecting
	s.text(&c.table, "table", "", "name of the DynamoDB table")
	s.required("table")
	s.parsed(&c.lake, "lake", "address", "", "where the lake lies, to show what it covers; left out when empty", checkLake)
	s.text(&c.app, "app", "", "name of the lease table; dynamolake-<table> when empty")
	stateFlag(s, &c.state)
	s.boolean(&c.shards, "shards", "show every shard, not only the workers and what is wrong")
	s.choice(&c.output, "output", "text", "how to print", "text", "json")
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
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
	var gaps []consumer.Gap
	var book ledger.Ledger
	if c.lake != "" {
		store, err := openLake(c.lake, cfg)
		if err != nil {
			return err
		}
		prefix := writer.TablePrefix(table.Account, table.Region, table.Name)
		if gaps, err = consumer.Gaps(ctx, store, prefix); err != nil {
			return err
		}
		kept, err := openLedger(ctx, c.state, c.lake, store, db, prefix, table.ARN)
		if err != nil {
			return err
		}
		if book, err = kept.Read(ctx); err != nil {
			return err
		}
	}
	leases, alive, err := watch(ctx, db, leaseTable(c.app, c.table))
	// A lake of exports alone has no fleet.
	if errors.Is(err, errNoFleet) && len(book.Epochs) > 0 {
		err = nil
	}
	if err != nil {
		return err
	}
	r := newReport(table, leases, alive, gaps, time.Now())
	if c.lake != "" {
		r.cover(&book, leases.Leases)
	}
	if c.output == "json" {
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out, c.shards)
}

// How long a beat is watched for: a live worker beats once a second.
const (
	firstLook = 1500 * time.Millisecond
	patience  = 5 * time.Second
)

// watch reads the fleet's tables until every worker's beat has moved, or patience
// ends. It goes by the beats because clocks differ.
func watch(ctx context.Context, db *dynamodb.Client, app string) (checkpoint.Table, map[string]bool, error) {
	first, err := readLeases(ctx, db, app)
	alive := map[string]bool{}
	now := first
	for _, pause := range []time.Duration{firstLook, patience - firstLook} {
		if err != nil || len(alive) == len(now.Workers) {
			break
		}
		select {
		case <-ctx.Done():
			return checkpoint.Table{}, nil, errors.New("interrupted")
		case <-time.After(pause):
		}
		now, err = readLeases(ctx, db, app)
		clear(alive)
		for _, w := range now.Workers {
			alive[w.ID] = true
			for _, old := range first.Workers {
				if old.ID == w.ID && old.Run == w.Run && old.Beat == w.Beat {
					delete(alive, w.ID)
				}
			}
		}
	}
	return now, alive, err
}

var errNoFleet = errors.New("no worker was ever started on this table, or with another --app")

func readLeases(ctx context.Context, db *dynamodb.Client, app string) (checkpoint.Table, error) {
	table, err := checkpoint.ReadTable(ctx, db, app)
	if _, missing := errors.AsType[*ddbtypes.ResourceNotFoundException](err); missing {
		return table, fmt.Errorf("there is no lease table %q: %w", app, errNoFleet)
	}
	return table, err
}
