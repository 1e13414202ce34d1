package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// stream reads the table's stream again, as an application of its own, until it has all that there was when
// it began.
func (r *replay) stream(ctx context.Context) error {
	wanted, err := r.wanted()
	if err != nil {
		return err
	}
	if err := r.table.CheckStream(r.oldImage); err != nil {
		return err
	}
	app := leaseTableOf(r.app, r.table.Name, r.into)
	have, err := r.taken(ctx, wanted)
	if err != nil {
		return err
	}
	if have == nil {
		if err := r.startable(ctx, app, wanted); err != nil {
			return err
		}
	}
	if err := r.take(ctx, wanted); err != nil {
		return err
	}
	l, err := r.ledger.Read(ctx)
	if err != nil {
		return err
	}
	if len(l.Epochs) == 0 || l.Streaming() != nil {
		if err := r.read(ctx, app); err != nil {
			return err
		}
		if _, err := r.ledger.Update(ctx, func(l *ledger.Ledger) error {
			l.StopStream(r.claimed.Until, ledger.RealTiming())
			return nil
		}); err != nil {
			return err
		}
	}
	return checkpoint.Remove(ctx, r.db, app)
}

// wanted says where the replay begins.
func (r *replay) wanted() (claim, error) {
	w := claim{Of: ofStream, Until: time.Now().UTC()}
	if r.shards != "" {
		w.Shards = strings.Split(r.shards, ",")
		slices.Sort(w.Shards)
	}
	var err error
	if r.positions == "" {
		w.From, err = parseReplayFrom(r.from)
		return w, err
	}
	rows, err := readPositions(r.positions)
	if err != nil {
		return w, err
	}
	w.Checkpoints = map[string]string{}
	for i, row := range rows {
		if i == 0 || row.CurrentTo.IsZero() || !w.Through.IsZero() && row.CurrentTo.After(w.Through) {
			w.Through = row.CurrentTo
		}
		switch {
		case row.Checkpoint.Sentinel == checkpoint.ShardEnd:
			w.Done = append(w.Done, row.Key)
		case row.Checkpoint.Seq != "":
			w.Checkpoints[row.Key] = row.Checkpoint.Seq
		}
	}
	slices.Sort(w.Done)
	if w.Through.IsZero() {
		w.Through = w.Until
	}
	return w, nil
}

// startable looks before a first start whether the stream has what is wanted, and nobody else the lease table.
func (r *replay) startable(ctx context.Context, app string, wanted claim) error {
	if err := tooOld(wanted.From, time.Now()); err != nil {
		return err
	}
	there, err := checkpoint.Exists(ctx, r.db, app)
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("there is a table %s already, and it is not of this replay; give another --into", app)
	}
	listed, err := consumer.NewLineage(dynamodbstreams.NewFromConfig(r.cfg), r.table.StreamARN).Shards(ctx)
	if err != nil {
		return err
	}
	for _, id := range wanted.Shards {
		if !slices.ContainsFunc(listed, func(s checkpoint.Shard) bool { return s.ID == id }) {
			return fmt.Errorf("the stream has no shard %q; dynamolake checkpoint list shows those that the fleet knows", id)
		}
	}
	return nil
}

// options are the replay as a member of a fleet of its own, not yet running.
func (r *replay) options(ctx context.Context, app string) (consumer.Options, error) {
	o := consumer.Defaults()
	o.DynamoDB, o.Streams, o.Store, o.Table = r.db, dynamodbstreams.NewFromConfig(r.cfg), r.store, r.table
	o.App, o.Into, o.Worker, o.Ledger = app, r.into, r.worker, r.ledger
	o.Part = consumer.Part{Shards: r.claimed.Shards, Done: r.claimed.Done, After: r.claimed.Checkpoints, From: r.claimed.Through}
	if !r.claimed.From.IsZero() {
		o.Initial = checkpoint.Initial{Position: checkpoint.AtTimestamp, At: r.claimed.From}
	}
	// What is lost meanwhile is said at the end; nobody repairs it.
	o.OnGap = consumer.GapContinue
	o.OldImage, o.Memory, o.Renew = r.oldImage, r.memory, rowsEvery
	o.Log, o.Registerer = r.log.With(zap.String("table", r.table.Name), zap.String("worker", r.worker)), prometheus.NewRegistry()
	if err := consumer.Probe(ctx, o.Streams, r.table); err != nil {
		return o, err
	}
	var err error
	o.Datasets, err = r.schema.open(ctx, r.cfg, r.store, r.place, dataset.Options{
		Table: r.table.Name, Keys: r.table.Keys, OldImage: r.oldImage, Source: writer.SourceStream,
	})
	if err != nil {
		return o, err
	}
	o.Datasets.Added = r.learned
	o.MaxRejects, err = r.schema.tolerated(ctx, r.store, r.place)
	return o, err
}

// rowsEvery is how often lease rows tell how far their shards are, and how often they are looked at.
const rowsEvery = 2 * time.Second

// read runs until all shards are as far as the stream was when the replay was begun.
func (r *replay) read(ctx context.Context, app string) error {
	o, err := r.options(ctx, app)
	if err != nil {
		return err
	}
	listed, err := consumer.NewLineage(o.Streams, r.table.StreamARN).Shards(ctx)
	if err != nil {
		return err
	}
	w := waiting{leaves: consumer.Leaves(o.Part.Of(listed)), seen: map[string]bool{}, until: r.claimed.Until}
	work, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- consumer.Run(work, o) }()
	tick := time.NewTicker(rowsEvery)
	defer tick.Stop()
	for told := time.Now(); ; {
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("it was stopped before it was through; the same command goes on where it was")
			}
			return err
		case <-tick.C:
		}
		rows, err := checkpoint.ReadTable(ctx, r.db, app, "")
		if err != nil {
			continue // the tables are being made, or the next look will say
		}
		left := w.left(rows.Leases)
		if left == 0 {
			break
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			r.log.Info("replaying the stream", zap.Int("shards", len(rows.Leases)), zap.Int("left", left))
		}
	}
	stop()
	return <-ended
}

// waiting judges lease rows.
type waiting struct {
	leaves []string        // that the stream had at the beginning: a lease of each must have been seen
	seen   map[string]bool // of the leaves
	until  time.Time
}

// left is how many shards are not as far as they are to be.
func (w *waiting) left(rows []checkpoint.Row) (left int) {
	for _, row := range rows {
		w.seen[row.Key] = true
		if row.Checkpoint.Sentinel != checkpoint.ShardEnd && !row.CurrentTo.After(w.until) {
			left++
		}
	}
	for _, id := range w.leaves {
		if !w.seen[id] {
			left++
		}
	}
	return left
}
