package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// lookEvery is how often a worker asks the table whether its stream is still the one.
const lookEvery = time.Minute

// follower keeps a worker's view of the ledger young, and notices when the stream that it
// reads is over and another has taken its place.
type follower struct {
	o       Options
	view    *view
	lineage *Lineage
	poked   chan struct{}
	said    string // the last thing that was said about the stream; once is enough
}

func newFollower(o Options, v *view, lineage *Lineage) *follower {
	countGaps(o.Registerer, v)
	return &follower{o: o, view: v, lineage: lineage, poked: make(chan struct{}, 1)}
}

// poke has the table looked at soon.
func (f *follower) poke() {
	select {
	case f.poked <- struct{}{}:
	default:
	}
}

// run returns errReplaced when the worker is to go on with another stream, nil when ctx ends.
func (f *follower) run(ctx context.Context) error {
	defer f.o.State.following(f.view)()
	tick := time.NewTicker(f.o.LedgerEvery)
	defer tick.Stop()
	look := time.Now().Add(jitter(lookEvery))
	failing := false
	for {
		select {
		case <-tick.C:
		case <-f.poked:
			look = time.Now()
		case <-ctx.Done():
			return nil
		}
		err := f.view.fresh(ctx)
		if err == nil {
			_, err = f.view.epoch()
		}
		if err == nil && !time.Now().Before(look) {
			look = time.Now().Add(jitter(lookEvery))
			err = f.look(ctx)
		}
		if errors.Is(err, errReplaced) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		if failing != (err != nil) {
			if failing = err != nil; failing {
				f.o.Log.Warn("the ledger or the table cannot be looked at; trying on", zap.Error(err))
			} else {
				f.o.Log.Info("the ledger and the table can be looked at again")
			}
		}
	}
}

// look asks the table for its stream.
func (f *follower) look(ctx context.Context) error {
	t, err := Describe(ctx, f.o.DynamoDB, f.o.Table.Name)
	if err != nil {
		return err
	}
	if t.StreamARN == f.view.arn || labelOf(t.StreamARN) < labelOf(f.view.arn) {
		if t.View == "" {
			f.say("the stream is turned off: changes made now are not in the lake before a full export; waiting for it to be turned on")
		} else {
			f.say("")
		}
		return nil
	}
	f.lineage.replaced.Store(true)
	leases, err := leaseRows(ctx, f.o)
	if err != nil {
		return err
	}
	if over, err := drained(ctx, f.lineage, leases.Leases); err != nil || !over {
		return err
	}
	if err := t.CheckStream(f.o.OldImage); err != nil {
		f.say("the stream was replaced by one that cannot feed the lake: " + err.Error())
		return nil
	}
	return errReplaced
}

func (f *follower) say(text string) {
	if text != f.said && text != "" {
		f.o.Log.Warn(text)
	}
	f.said = text
}
