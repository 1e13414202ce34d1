package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint"
	"dynamolake/consumer"
	"dynamolake/writer"
)

// consuming are the settings of `dynamolake consume`.
type consuming struct {
	exporting
	several
	turns                  bootstrap.Turns // of the tables that share the process's memory
	worker                 string
	initial, onGap, repair string
	flushRows              int
	flushBytes             int64
	flush, pollMax         time.Duration
	lease, renew           time.Duration
	logLevel, logFormat    string
	watching
}

func consumeCommand(s *settings) func(context.Context, streams) error {
	var c consuming
	d := consumer.Defaults()
	c.several.flags(s)
	c.lakeFlags(s, "name of the lease table, shared by the fleet; when empty dynamolake-<table>, or "+manyApp+" with several tables")
	c.schema.flags(s)
	s.text(&c.worker, "worker-id", "", "name of this worker, unique in the fleet; made from host and process when empty")
	s.parsed(&c.initial, "initial", "position", d.Initial.Position, "where a fleet without leases begins: TRIM_HORIZON, LATEST, or a time like 2026-11-23T08:00:00Z",
		func(text string) error { _, err := parseInitial(text, time.Now()); return err })
	s.choice(&c.onGap, "on-gap", onGapAuto, "what to do with a shard whose position the stream has lost: auto goes on where exports can repair it, and stops where they cannot", onGapAuto, string(consumer.GapStop), string(consumer.GapContinue))
	s.choice(&c.repair, "repair", repairAuto, "whether this worker takes part in repairing gaps by incremental exports: auto does where point-in-time recovery is on and there is a bucket", repairAuto, repairOn, repairOff)
	c.windowFlags(s)
	c.rawFlags(s)
	s.boolean(&c.oldImage, "old-image", "keep the old image of each change, in the column _old")
	s.duration(&c.flush, "flush-interval", d.Limits.Age, 100*time.Millisecond, time.Hour, "the most that a change waits in memory before it is written")
	s.count(&c.flushRows, "flush-rows", d.Limits.Rows, 1, 10_000_000, "a file is written when it has so many rows")
	s.size(&c.flushBytes, "flush-bytes", d.Limits.Bytes, 64<<10, 1<<30, "a file is written when its rows take so much memory")
	s.size(&c.memory, "memory", d.Memory, 16<<20, 1<<40, "bound on the memory for pages, rows and files of the whole process")
	s.duration(&c.pollMax, "poll-max", d.PollMax, 250*time.Millisecond, 5*time.Minute, "an idle shard is asked at least this often")
	s.duration(&c.lease, "lease-duration", d.Lease, time.Second, 10*time.Minute, "a worker that does not beat for so long is dead, and its shards are taken")
	s.duration(&c.renew, "lease-renew", d.Renew, time.Second, 10*time.Minute, "each lease row is renewed this often; below a third of failoverTimeMillis while Java workers share the table")
	c.watchFlags(s)
	logFlags(s, &c.logLevel, &c.logFormat)
	return func(ctx context.Context, io streams) error {
		log, err := newLog(io.err, c.logLevel, c.logFormat)
		if err != nil {
			return err
		}
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		store, err := openLake(c.lake, cfg)
		if err != nil {
			return err
		}
		return c.run(ctx, cfg, store, log)
	}
}

// run reads one table, or several side by side, until ctx ends.
func (c consuming) run(ctx context.Context, cfg aws.Config, store writer.Lake, log *zap.Logger) error {
	if c.worker == "" {
		c.worker = workerName()
	}
	list, err := c.split(ctx, cfg)
	if err != nil {
		return err
	}
	if c.many() {
		return sideBySide(ctx, list, cfg, store, log)
	}
	return list[0].alone(ctx, cfg, store, log)
}

// parseInitial reads --initial.
func parseInitial(text string, now time.Time) (checkpoint.Initial, error) {
	if text == "TRIM_HORIZON" || text == "LATEST" {
		return checkpoint.Initial{Position: text}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return checkpoint.Initial{}, errors.New("want TRIM_HORIZON, LATEST or a time like 2026-11-23T08:00:00Z")
	}
	if at.After(now) {
		return checkpoint.Initial{}, errors.New("is in the future; want a time in the last 24 h, or LATEST")
	}
	return checkpoint.Initial{Position: "AT_TIMESTAMP", At: at}, nil
}

func leaseTable(app, table string) string {
	if app != "" {
		return app
	}
	return "dynamolake-" + table
}

// workerName is unique per process: a restarted container must not take itself
// for its predecessor.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	var b [4]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}
