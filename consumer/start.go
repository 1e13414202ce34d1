package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
)

// start is which stream a worker reads now, and from where if nobody has begun.
type start struct {
	arn     string
	initial checkpoint.Initial
	scope   checkpoint.Scope
	ledger  ledger.Ledger
}

// errMoved: another worker was faster to begin a stream; look again.
var errMoved = errors.New("the ledger moved on")

// begin chooses the stream, and registers it before there is any lease row of it.
func begin(ctx context.Context, o Options) (start, error) {
	for {
		st, err := register(ctx, o)
		if !errors.Is(err, errMoved) {
			return st, err
		}
	}
}

// next is begin for a worker that has read another stream until now. It goes on trying: what
// it had is handed over already.
func next(ctx context.Context, o *Options) (start, error) {
	for try := 1; ; try++ {
		t, err := Describe(ctx, o.DynamoDB, o.Table.Name)
		if err == nil {
			o.Table = t
			var st start
			if st, err = begin(ctx, *o); err == nil {
				return st, nil
			}
		}
		if isForGood(err) {
			return start{}, err
		}
		if ctx.Err() == nil && try == 1 {
			o.Log.Warn("the new stream cannot be begun; trying on", zap.Error(err))
		}
		if sleep(ctx, jitter(pace{max: lookEvery}.backoff(try))) != nil {
			return start{}, fmt.Errorf("begin the new stream: %w", err)
		}
	}
}

func register(ctx context.Context, o Options) (start, error) {
	l, err := o.Ledger.Read(ctx)
	if err != nil {
		return start{}, err
	}
	if err := ours(&l, o.Table, o.App); err != nil {
		return start{}, err
	}
	leases, err := leaseRows(ctx, o)
	if err != nil {
		return start{}, err
	}
	rows, now := leases.Leases, leases.Read
	st := start{arn: o.Table.StreamARN, initial: o.Initial}
	if st.scope, err = scopeOf(o, leases); err != nil {
		return start{}, err
	}
	old := l.Streaming()
	if old != nil && old.StreamARN != st.arn {
		over := labelOf(old.StreamARN) < labelOf(st.arn)
		if over {
			lineage := NewLineage(o.Streams, old.StreamARN)
			lineage.replaced.Store(true)
			lineage.part = o.Part
			if over, err = drained(ctx, lineage, rows); err != nil {
				return start{}, err
			}
		}
		if !over {
			st.arn = old.StreamARN
		}
	}
	if old == nil || st.arn != old.StreamARN {
		if err := o.Table.CheckStream(o.OldImage); err != nil {
			return start{}, err
		}
	}
	if slices.ContainsFunc(l.Epochs, func(e ledger.Epoch) bool { return e.Source == ledger.Stream && e.StreamARN != st.arn }) {
		// What the old one did not have begins with the new one.
		st.initial = checkpoint.Initial{Position: checkpoint.TrimHorizon}
	}
	from := beginning(st.arn, st.initial, now, o.Timing)
	if !o.Part.From.IsZero() {
		from = later(from, o.Part.From.Add(o.Timing.Skew))
	}
	st.ledger, err = o.Ledger.Update(ctx, func(l *ledger.Ledger) error {
		s := l.Streaming()
		if s != nil && (old == nil || s.StreamARN != old.StreamARN) && s.StreamARN != st.arn {
			return errMoved
		}
		if l.LeaseTable == "" {
			l.LeaseTable = o.App
		}
		if l.TableID == "" {
			l.TableID = o.Table.ID
		}
		if err := ours(l, o.Table, o.App); err != nil {
			return err
		}
		return enter(l, st.arn, from, rows, now, o.Timing)
	})
	if err == nil && old != nil && old.StreamARN != st.arn {
		o.Log.Info("the stream was turned off and on; the old one is read to its end", zap.String("old", labelOf(old.StreamARN)), zap.String("new", labelOf(st.arn)))
	}
	return st, err
}

// enter writes into the ledger that a stream is read, from a time on if nobody began
// before. The lease rows tell how far the fleet is.
func enter(l *ledger.Ledger, arn string, from time.Time, rows []checkpoint.Row, now time.Time, t ledger.Timing) error {
	s := l.Streaming()
	if s != nil && s.StreamARN == arn {
		if fresh(rows, labelOf(arn)) && from.After(s.From.Add(t.Skew)) {
			// The beginning was recorded, and then for too long nobody came to read.
			_, _, err := l.OpenGap(ledger.Loss{Since: s.From, Seen: now, Resumed: from, Reason: "the stream was not read from where the lake begins"}, t)
			return err
		}
		return nil
	}
	since := time.Time{}
	if s != nil {
		// The last that is heard of the old stream: its rows go with it.
		for _, g := range l.Gaps {
			if g.State != ledger.GapOpen {
				continue
			}
			done, through := checkpoint.Adopted(rows, g.After)
			if !done {
				return fmt.Errorf("gap %d: shards of the old stream are not done: %w", g.Number, errMoved)
			}
			if err := l.FixGap(g.Number, through, t); err != nil {
				return err
			}
		}
		if since = reached(rows, labelOf(s.StreamARN)); since.IsZero() {
			since = s.From
		}
	}
	l.StartStream(arn, from, since, now, t)
	return nil
}

// beginning is from when on a fleet that begins now will have everything. The oldest that the
// stream has may be forgotten before it is read, that of children most of all.
func beginning(arn string, initial checkpoint.Initial, now time.Time, t ledger.Timing) time.Time {
	oldest := now.Add(t.MinWindow - t.Retention)
	from := now // if nothing tells when the stream began
	if at, ok := ledger.StreamBirth(arn); ok {
		from = at
	}
	switch initial.Position {
	case checkpoint.Latest:
		return now.Add(t.Skew)
	case checkpoint.AtTimestamp:
		from = later(from, initial.At.Add(t.Skew))
	}
	return later(from, oldest)
}
