package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"dynamolake/bootstrap"
	"dynamolake/consumer"
)

// restore takes the table's rejects through the place's schema.
func (r *replay) restore(ctx context.Context) error {
	if err := r.take(ctx, claim{Of: ofRejects}); err != nil {
		return err
	}
	o, err := r.exporting.open(ctx, r.cfg, r.log, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	o.Datasets.Added = r.learned
	of, err := r.of.Read(ctx)
	if err != nil {
		return err
	}
	streamed, err := consumer.Restore(ctx, consumer.Restoring{
		Store: r.store, Table: r.table, Prefix: r.live, Place: r.place, Worker: r.worker,
		Datasets: o.Datasets, Of: &of, Ledger: r.ledger,
	})
	if err != nil {
		return err
	}
	exported, err := bootstrap.Restore(ctx, o, r.live, &of)
	r.report.Read = streamed + exported
	return err
}

// refused counts the rejects of the place by their reasons.
func (r *replay) refused(ctx context.Context) (map[string]int64, error) {
	var mu sync.Mutex
	reasons := map[string]int64{}
	group, get := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for o, err := range r.store.List(ctx, r.place+"rejects/") {
		if err != nil {
			group.Wait() //nolint:errcheck // the listing's error comes first
			return nil, err
		}
		group.Go(func() error {
			var why struct {
				Reason string `json:"reason"`
			}
			body, _, err := r.store.Get(get, o.Key)
			if err == nil {
				err = json.Unmarshal(body, &why)
			}
			if err != nil {
				return fmt.Errorf("read reject %s: %w", o.Key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			reasons[why.Reason]++
			return nil
		})
	}
	return reasons, group.Wait()
}
