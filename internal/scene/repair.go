package scene

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/lakecheck"
)

// FixGaps does what a repairer does first: where all shards have adopted the epoch behind a
// gap, its end is fixed. open is how many gaps are left.
func (s *Scene) FixGaps(ctx context.Context, t ledger.Timing) (open int, err error) {
	store := s.Ledger("observer")
	l, err := store.Read(ctx)
	if err != nil {
		return 0, err
	}
	opens := func(g ledger.Gap) bool { return g.State == ledger.GapOpen }
	if !slices.ContainsFunc(l.Gaps, opens) {
		return 0, nil
	}
	table, err := s.Leases(ctx) // after the ledger
	var young *types.ResourceNotFoundException
	if errors.As(err, &young) {
		return 1, nil // the fleet makes its tables now
	}
	if err != nil {
		return 0, err
	}
	for _, g := range l.Gaps {
		if !opens(g) {
			continue
		}
		done, through := checkpoint.Adopted(table.Leases, g.After)
		if !done {
			open++
			continue
		}
		if _, err := store.Update(ctx, func(l *ledger.Ledger) error { return l.FixGap(g.Number, through, t) }); err != nil {
			return 0, err
		}
	}
	return open, nil
}

// version is one state of an item, and its place in the order that a reader goes by.
type version struct {
	epoch int64
	order string // _seq in an epoch of the stream, time in one of windows
	image string // empty: removed
}

// Repaired plays the exports of all gaps' windows from the journal, and folds them and the
// lake's rows as a reader does. A window that is too short, or a row under the wrong epoch, shows
// as an item that is not what the table has; those are the problems.
func (s *Scene) Repaired(ctx context.Context) (problems []string, err error) {
	lake, err := s.lake(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.Ledger("observer").Read(ctx)
	if err != nil {
		return nil, err
	}
	newest := map[string]version{}
	take := func(key string, v version) {
		old, ok := newest[key]
		if !ok || cmp.Or(cmp.Compare(old.epoch, v.epoch), cmp.Compare(old.order, v.order)) <= 0 {
			newest[key] = v
		}
	}
	for _, o := range lake.Objects {
		if o.Err != nil {
			problems = append(problems, o.Err.Error())
		}
		for _, r := range o.Rows {
			take(r.Key, version{r.Epoch, r.Seq.String(), r.Image})
		}
	}
	written := s.Cloud.Journal(TableName)
	for i := range written {
		written[i].Kept = true // as if point-in-time recovery had been on
	}
	truth := s.of(lakecheck.Truth{Journal: journal(written), Items: s.Cloud.Items(TableName)})
	for _, g := range l.Gaps {
		for i, r := range truth.Journal {
			if at := time.UnixMicro(r.Micros); !at.Before(g.From) && at.Before(g.To) {
				take(r.KeyJSON, version{g.Epoch, fmt.Sprintf("%09d", i), r.NewJSON})
			}
		}
	}
	for key, item := range truth.Items {
		if newest[key].image != item {
			problems = append(problems, fmt.Sprintf("item %s is %+v, want %s", key, newest[key], item))
		}
		delete(newest, key)
	}
	for key, v := range newest {
		if v.image != "" {
			problems = append(problems, fmt.Sprintf("item %s is %+v, and is not in the table", key, v))
		}
	}
	if len(problems) > 0 {
		problems = append(problems, string(l.JSON()))
	}
	return problems, nil
}
