package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// replaying are the settings of `dynamolake replay`. All that it writes lies in a place of its own.
type replaying struct {
	exporting
	from, positions, shards string // of the stream
	span, export            string // of an export
	rejects                 bool
	output                  string
	logLevel, logFormat     string
}

func replayCommand(s *settings) func(context.Context, streams) error {
	var c replaying
	c.flags(s)
	placeFlag(s, &c.into)
	s.parsed(&c.from, "from", "position", "", "replay the stream from here to now: TRIM_HORIZON for all that it has, or a time like 2026-11-23T08:00:00Z",
		func(text string) error { _, err := parseReplayFrom(text); return err })
	s.text(&c.positions, "from-checkpoint", "", "replay the stream from the checkpoints in this file to now: what checkpoint list --json printed, or the backup of a rewind")
	s.text(&c.shards, "shard", "", "with --from or --from-checkpoint: ids of the only shards to replay, with commas between them")
	s.parsed(&c.span, "window", "times", "", "convert the raw export of this window again: <from>_<to>, as in the names of its folders or as times",
		func(text string) error { _, _, err := parseSpan(text); return err })
	s.text(&c.export, "export", "", "convert the raw export of this id again; the name of its record in _ledger/exports/")
	s.boolean(&c.rejects, "rejects", "take what is in rejects/ through the schema again, and make rows of what passes now")
	s.boolean(&c.oldImage, "old-image", "keep the old image of each change, in the column _old")
	s.size(&c.memory, "memory", 256<<20, 64<<20, 1<<40, "bound on the memory for pages, rows and files of the whole process")
	c.schema.flags(s)
	outputFlags(s, &c.output, &c.logLevel, &c.logFormat)
	s.check(c.check)
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

// check wants one thing to replay.
func (c *replaying) check() error {
	n := 0
	for _, given := range []bool{c.from != "", c.positions != "", c.span != "", c.export != "", c.rejects} {
		if given {
			n++
		}
	}
	switch {
	case n == 0:
		return errors.New("nothing to replay: give --from, --from-checkpoint, --window, --export or --rejects")
	case n > 1:
		return errors.New("--from, --from-checkpoint, --window, --export, --rejects: give one of them; each place is of one replay")
	case c.shards != "" && c.from == "" && c.positions == "":
		return errors.New("--shard (DYNAMOLAKE_SHARD) needs --from or --from-checkpoint")
	}
	return nil
}

// replay is what the parts of a run share.
type replay struct {
	replaying
	cfg     aws.Config
	db      *dynamodb.Client
	store   writer.Lake
	table   consumer.Table
	live    string        // prefix of the table's own part of the lake: it is only read
	place   string        // prefix of the place
	of      *ledger.Store // the table's ledger: it is only read
	ledger  *ledger.Store // the place's
	worker  string
	log     *zap.Logger
	screen  *screen
	report  replayed
	claimed claim
}

func (c replaying) run(ctx context.Context, io streams) error {
	c.raw.Bucket = "-" // nothing is exported
	r, err := c.begin(ctx, io)
	if err != nil {
		return err
	}
	switch {
	case c.rejects:
		err = r.restore(ctx)
	case c.from != "" || c.positions != "":
		err = r.stream(ctx)
	default:
		err = r.convert(ctx)
	}
	if err != nil {
		return err
	}
	return r.conclude(ctx, io.out)
}

// begin opens all that a run needs.
func (c replaying) begin(ctx context.Context, io streams) (*replay, error) {
	if c.into == "" {
		return nil, errors.New("it needs a place of its own")
	}
	screen := newScreen(io.err)
	log, err := newLog(screen, c.logLevel, c.logFormat)
	if err != nil {
		return nil, err
	}
	cfg, err := loadAWS(ctx)
	if err != nil {
		return nil, err
	}
	r := &replay{replaying: c, cfg: cfg, db: dynamodb.NewFromConfig(cfg), worker: workerName(), screen: screen, log: log.With(zap.String("into", c.into))}
	return r, r.open(ctx)
}

// open finds the table, its part of the lake, and the place.
func (r *replay) open(ctx context.Context) (err error) {
	if r.table, err = consumer.Describe(ctx, r.db, r.replaying.table); err != nil {
		return err
	}
	if r.store, err = openLake(r.lake, r.cfg); err != nil {
		return err
	}
	t := r.table
	r.live, r.place = writer.TablePrefix(t.Account, t.Region, t.Name), writer.PlacePrefix(t.Account, t.Region, t.Name, r.into)
	if r.of, err = openLedger(ctx, r.state, r.lake, r.store, r.db, r.live, t.ARN); err != nil {
		return err
	}
	if r.ledger, err = openLedger(ctx, r.state, r.lake, r.store, r.db, r.place, t.ARN); err != nil {
		return err
	}
	r.schema.of = r.live
	r.report = replayed{Table: t.Name, Place: r.place}
	return writer.Probe(ctx, r.store, r.worker)
}

// learned logs what the place's schema learned.
func (r *replay) learned(version int, what []schema.Difference) {
	r.log.Info("the place's schema has a new version", zap.Int("version", version), zap.Int("added", len(what)))
}

// parseReplayFrom reads --from; the zero time is the oldest record that there is.
func parseReplayFrom(text string) (time.Time, error) {
	if text == "TRIM_HORIZON" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return at, errors.New("want TRIM_HORIZON, or a time like 2026-11-23T08:00:00Z")
	case at.After(time.Now()):
		return at, errors.New("is in the future; want a time in the last 24 h")
	}
	return at.UTC(), nil
}

// tooOld says that the stream cannot have what a replay is to begin with.
func tooOld(at, now time.Time) error {
	if keeps := ledger.RealTiming().Retention; !at.IsZero() && now.Sub(at) > keeps {
		return fmt.Errorf("--from=%s: the stream keeps its records for %v only; give a later time, or TRIM_HORIZON for all that it has, or replay exports of that time with --window", at.Format(time.RFC3339), keeps)
	}
	return nil
}
