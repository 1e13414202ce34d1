package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/fleet"
	"dynamolake/transform"
)

// rewinding are the settings of `dynamolake checkpoint rewind`.
type rewinding struct {
	leasing
	lake, shard, to, backup string
	dryRun                  bool
}

func checkpointRewindCommand(s *settings) func(context.Context, streams) error {
	var c rewinding
	c.flags(s)
	s.parsed(&c.lake, "lake", "address", "", "where the lake lies: s3://bucket/prefix or file:///folder", checkLake)
	s.required("lake")
	s.parsed(&c.to, "to", "position", "", "at or before which the checkpoint is to be: TRIM_HORIZON, a sequence number (with --shard), or a time like 2026-11-23T08:00:00Z",
		func(text string) error { _, err := parseTarget(text); return err })
	s.required("to")
	s.text(&c.shard, "shard", "", "id of the shard; all shards when empty")
	s.boolean(&c.dryRun, "dry-run", "show what would change, and change nothing")
	s.text(&c.backup, "backup", "", "file for the rows as they were, which must not exist; named after the lease table and the time, in the current folder, when empty")
	jsonFlag(s, &c.json)
	s.check(func() error {
		if t, err := parseTarget(c.to); err == nil && t.Seq != "" && c.shard == "" {
			return errors.New("--to with a sequence number needs --shard: each shard counts for itself")
		}
		return nil
	})
	return func(ctx context.Context, io streams) error {
		cfg, err := loadAWS(ctx)
		if err != nil {
			return err
		}
		return c.rewind(ctx, cfg, io.out)
	}
}

// parseTarget reads --to.
func parseTarget(text string) (checkpoint.Target, error) {
	if text == checkpoint.TrimHorizon {
		return checkpoint.Target{}, nil
	}
	if seq, err := transform.ParseSeq(text); err == nil && !seq.IsZero() {
		return checkpoint.Target{Seq: seq.Digits()}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return checkpoint.Target{}, errors.New("want TRIM_HORIZON, a sequence number, or a time like 2026-11-23T08:00:00Z")
	case at.After(time.Now()):
		return checkpoint.Target{}, errors.New("is in the future; want a time that the files before the checkpoints reach back to")
	}
	return checkpoint.Target{At: at}, nil
}

// ownerPatience is longer than the beats of any lease duration are apart.
const ownerPatience = 12 * time.Second

// rewind plans for all rows before it writes the first: one that must not be moved stops them all.
func (c rewinding) rewind(ctx context.Context, cfg aws.Config, out io.Writer) error {
	db, app := dynamodb.NewFromConfig(cfg), leaseTable(c.app, c.table)
	if _, err := fleet.Leases(ctx, db, app, c.table); err != nil {
		return err
	}
	table, err := consumer.Describe(ctx, db, c.table)
	if err != nil {
		return err
	}
	lake, err := openChains(ctx, cfg, c.lake, table)
	if err != nil {
		return err
	}
	leases, live, err := checkpoint.Live(ctx, db, app, c.table, ownerPatience)
	if err != nil {
		return err
	}
	rows, err := chosen(leases.Leases, c.shard)
	if err != nil {
		return err
	}
	p := planner{lake: lake, streams: dynamodbstreams.NewFromConfig(cfg), table: table, rows: map[string]checkpoint.Row{}, live: live, now: leases.Read}
	if p.to, err = parseTarget(c.to); err != nil {
		return err
	}
	for _, r := range leases.Leases {
		p.rows[r.Key] = r
	}
	if err := c.isTheirs(ctx, lake, leases.Leases); err != nil {
		return fmt.Errorf("no lease was moved: %w", err)
	}
	var alive []string
	if c.dryRun { // which is for whoever decides whether to stop the fleet
		alive, p.live = holders(leases.Leases, live), nil
	}
	var plan []checkpoint.Rewound
	var refused []error
	for _, r := range rows {
		re, err := p.plan(ctx, r)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		plan = append(plan, re)
	}
	if len(refused) > 0 {
		return fmt.Errorf("no lease was moved: %w", errors.Join(refused...))
	}
	return c.carryOut(ctx, db, app, plan, alive, out)
}

// isTheirs refuses a lake in which the leases' table has nothing although some of it was read: there the files would seem to be missing.
func (c rewinding) isTheirs(ctx context.Context, lake chains, rows []checkpoint.Row) error {
	read := slices.ContainsFunc(rows, func(r checkpoint.Row) bool {
		return r.Checkpoint.Seq != "" || r.Checkpoint.Sentinel == checkpoint.ShardEnd
	})
	if !read {
		return nil
	}
	for _, err := range lake.store.List(ctx, lake.prefix) {
		return err
	}
	return fmt.Errorf("%s has nothing of table %s, neither a ledger nor files, and the leases are of a lake that has: give the --lake of the fleet, with its prefix", c.lake, c.table)
}

// holders are the workers that hold the leases which are live.
func holders(rows []checkpoint.Row, live map[string]bool) (names []string) {
	for _, r := range rows {
		if live[r.Key] {
			names = append(names, cmp.Or(r.Holder, r.Owner))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// areAlive says that workers must be stopped before the plan can be carried out.
func areAlive(workers []string) string {
	verb := "is"
	if len(workers) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("%s %s alive: stop the fleet before the real run", strings.Join(workers, ", "), verb)
}

// carryOut writes the backup, then the rows, and says what became of them.
func (c rewinding) carryOut(ctx context.Context, db *dynamodb.Client, app string, plan []checkpoint.Rewound, alive []string, out io.Writer) error {
	moving := 0
	for _, re := range plan {
		if re.Stays == "" {
			moving++
		}
	}
	done := rewindReport{App: app, DryRun: c.dryRun, Alive: alive, Rows: plan}
	if c.dryRun || moving == 0 {
		return done.print(out, c.json)
	}
	done.Backup = cmp.Or(c.backup, fmt.Sprintf("%s-%s.json", app, time.Now().UTC().Format("20060102T150405Z")))
	if err := newBackup(app, c.to, plan, time.Now()).write(done.Backup); err != nil {
		return err
	}
	for i, re := range plan {
		if err := checkpoint.Apply(ctx, db, app, re); err != nil {
			if done.Moved == 0 {
				return fmt.Errorf("no lease was moved: %w", err)
			}
			return fmt.Errorf("%d of %d leases were moved, and then: %w; dynamolake checkpoint restore --backup %s puts them back", done.Moved, moving, err, done.Backup)
		}
		if plan[i].Stays == "" {
			done.Moved++
		}
	}
	return done.print(out, c.json)
}

// planner decides over single rows with what it asks the lake and the stream.
type planner struct {
	lake    chains
	streams *dynamodbstreams.Client
	table   consumer.Table
	rows    map[string]checkpoint.Row
	live    map[string]bool
	to      checkpoint.Target
	now     time.Time
}

func (p planner) plan(ctx context.Context, r checkpoint.Row) (checkpoint.Rewound, error) {
	if p.live[r.Key] {
		return checkpoint.Rewound{}, fmt.Errorf("shard %s: worker %s holds the lease and is alive; stop the fleet first", r.Key, cmp.Or(r.Holder, r.Owner))
	}
	list, err := p.lake.of(ctx, r.Key)
	if err != nil {
		return checkpoint.Rewound{}, err
	}
	re, err := checkpoint.Rewind(r, p.rows, list, p.to, func(shard string) (bool, error) { return p.lake.written(ctx, shard) })
	if err != nil || !re.Rereads {
		return re, err
	}
	there, err := consumer.NewLineage(p.streams, p.arn(r)).Reaches(ctx, r.Key, re.From)
	if re.From == "" {
		// Of what it drops at a shard's beginning the stream tells nobody.
		there = there && p.now.Sub(re.Began()) <= ledger.RealTiming().Retention
	}
	if err == nil && !there {
		err = fmt.Errorf("shard %s: the stream no longer has what follows %s, so to go back there would be a gap; dynamolake bootstrap --again makes a new full export instead", r.Key, cmp.Or(re.From, checkpoint.TrimHorizon))
	}
	return re, err
}

// arn is that of the stream which a row's shard is of: the table's, or an earlier one.
func (p planner) arn(r checkpoint.Row) string {
	base, _, _ := strings.Cut(p.table.StreamARN, "/stream/")
	if r.Stream == "" {
		return p.table.StreamARN
	}
	return base + "/stream/" + r.Stream
}
