package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// oneTable is one table, ready to be read.
type oneTable struct {
	consumer.Options
	repairer *bootstrap.Repairer // nil where nothing repairs
	limits   consumer.Limits
}

// open puts together what reading a table needs.
func (c consuming) open(ctx context.Context, cfg aws.Config, store writer.Lake, reg prometheus.Registerer, log *zap.Logger) (oneTable, error) {
	db := dynamodb.NewFromConfig(cfg)
	table, err := consumer.Describe(ctx, db, c.table)
	if err != nil {
		return oneTable{}, err
	}
	o := consumer.Defaults()
	o.DynamoDB, o.Streams, o.Store, o.Table = db, dynamodbstreams.NewFromConfig(cfg), store, table
	if err := consumer.Probe(ctx, o.Streams, table); err != nil {
		return oneTable{}, err
	}
	o.App, o.Worker = leaseTable(c.app, c.table), c.worker
	if err := writer.Probe(ctx, store, o.Worker); err != nil {
		return oneTable{}, err
	}
	if o.Initial, err = parseInitial(c.initial, time.Now()); err != nil {
		return oneTable{}, err
	}
	prefix := writer.TablePrefix(table.Account, table.Region, table.Name)
	if o.Ledger, err = openLedger(ctx, c.state, c.lake, store, db, prefix, table.ARN); err != nil {
		return oneTable{}, err
	}
	if err := consumer.CheckStart(ctx, o.Ledger, table, o.App, c.oldImage); err != nil {
		return oneTable{}, err
	}
	o.Log = log.With(zap.String("table", table.Name), zap.String("worker", o.Worker))
	o.Datasets, err = c.schema.open(ctx, cfg, store, prefix, dataset.Options{
		Table: table.Name, Keys: table.Keys, OldImage: c.oldImage, Source: writer.SourceStream,
	})
	if err != nil {
		return oneTable{}, err
	}
	o.Datasets.Added = logColumns(o.Log)
	if o.MaxRejects, err = c.schema.tolerated(ctx, store, prefix); err != nil {
		return oneTable{}, consumer.ForGood(err)
	}
	o.OldImage = c.oldImage
	o.Limits = writer.Limits{Rows: c.flushRows, Bytes: c.flushBytes, Age: c.flush}
	o.Memory, o.PollMax, o.Lease, o.Renew = c.memory, c.pollMax, c.lease, c.renew
	o.Registerer, o.State = reg, &consumer.State{}
	repairer, err := c.repairer(ctx, cfg, store, o)
	if err != nil {
		return oneTable{}, err
	}
	o.OnGap = gapPolicy(c.onGap, repairer != nil)
	limits := c.limits(o, repairer != nil)
	o.State.Register(reg, limits, pollDollars())
	return oneTable{o, repairer, limits}, nil
}

// read reads the table, and repairs its gaps, until ctx ends.
func (t oneTable) read(ctx context.Context) error {
	if t.repairer == nil {
		return consumer.Run(ctx, t.Options)
	}
	work, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		err := t.repairer.Run(work)
		if err != nil {
			stop() // there are too many rejects
		}
		ended <- err
	}()
	err := consumer.Run(work, t.Options)
	stop() // what it was at, anyone goes on with
	return errors.Join(err, consumer.ForGood(<-ended))
}

// alone reads a table that is the process's only one: its error ends the process.
func (c consuming) alone(ctx context.Context, cfg aws.Config, store writer.Lake, log *zap.Logger) error {
	registry := prometheus.NewRegistry()
	t, err := c.open(ctx, cfg, store, labelled(registry, c.table), log)
	if err != nil {
		return err
	}
	if c.listen != "" {
		seen, end := context.WithCancel(ctx)
		defer end()
		stop, err := serve(c.listen, c.site(seen, registry, t))
		if err != nil {
			return err
		}
		defer stop()
	}
	return t.read(ctx)
}

// sideBySide reads several tables: one lease table, one bound on memory, and none that waits for
// another.
func sideBySide(ctx context.Context, list []consuming, cfg aws.Config, store writer.Lake, log *zap.Logger) error {
	c := list[0] // what they have in common
	if err := writer.Probe(ctx, store, c.worker); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	byName, budgets := map[string]consuming{}, map[string]*writer.Budget{}
	names := make([]string, len(list))
	for i, b := range writer.Budgets(c.memory/2, len(list)) {
		names[i] = list[i].table
		byName[names[i]], budgets[names[i]] = list[i], b
	}
	process := checkpoint.NewProcess()
	all := consumer.NewTables(names, func(table string) prometheus.Registerer { return labelled(registry, table) }, log.With(zap.String("worker", c.worker)))
	sites := newSites(c.worker, all)
	if c.listen != "" {
		stop, err := serve(c.listen, c.siteOfMany(registry, sites))
		if err != nil {
			return err
		}
		defer stop()
	}
	return all.Run(ctx, func(ctx context.Context, a consumer.Attempt) error {
		t, err := byName[a.Table].open(ctx, cfg, store, a.Registerer, log)
		if err != nil {
			return err
		}
		t.Many, t.Process, t.Budget, t.Begun = true, process, budgets[a.Table], a.Begun
		seen, end := context.WithCancel(ctx)
		defer end()
		defer sites.add(seen, t, registry)()
		return t.read(ctx)
	})
}

// labelled registers metrics of a table.
func labelled(registry prometheus.Registerer, table string) prometheus.Registerer {
	return prometheus.WrapRegistererWith(prometheus.Labels{"table": table}, registry)
}
