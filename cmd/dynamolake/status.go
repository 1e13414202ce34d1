package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/consumer"
	"dynamolake/internal/fleet"
	"dynamolake/writer"
)

// inspecting are the settings of `dynamolake status`.
type inspecting struct {
	table, lake, app, state, output string
	into                            string
	shards                          bool
}

// fleetOver is what there is of a replay that removed its lease table.
const fleetOver = "none: the replay is over"

func statusCommand(s *settings) func(context.Context, streams) error {
	var c inspecting
	s.table(&c.table, "name of the DynamoDB table")
	s.required("table")
	s.parsed(&c.lake, "lake", "address", "", "where the lake lies, to show what it covers; left out when empty", checkLake)
	s.text(&c.app, "app", "", "name of the lease table; dynamolake-<table> when empty")
	stateFlag(s, &c.state)
	intoFlag(s, &c.into)
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
	place := fleet.Place{DynamoDB: db, Table: table, App: leaseTableOf(c.app, c.table, c.into), Into: c.into}
	if c.lake != "" {
		store, err := openLake(c.lake, cfg)
		if err != nil {
			return err
		}
		place.Store = store
		prefix := writer.PlacePrefix(table.Account, table.Region, table.Name, c.into)
		if place.Ledger, err = openLedger(ctx, c.state, c.lake, store, db, prefix, table.ARN); err != nil {
			return err
		}
	}
	r, err := fleet.NewWatcher(place).Report(ctx)
	if err != nil {
		return err
	}
	if c.into != "" && len(r.Workers)+len(r.Shards) == 0 {
		r.Fleet = fleetOver
	}
	if c.output == "json" {
		return json.NewEncoder(out).Encode(r)
	}
	return printReport(out, r, c.shards)
}
