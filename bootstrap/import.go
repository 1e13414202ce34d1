package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
)

// Import is an export that somebody else made.
type Import struct {
	// From is the address of its manifest-summary.json: s3://bucket/key, or
	// file:///path of a copy, which keeps the paths from AWSDynamoDB/ on.
	From string
	// Same takes an export of another table, or of an earlier one of the name: the
	// caller's word that it is the same to him.
	Same bool
	// Hole takes a window although it begins later than the lake ends: the caller's word that nothing
	// was changed in between. It stands in the ledger as a gap that was closed.
	Hole bool
	// Again is as in [Seed].
	Again bool
	// Alone takes a window although there is nothing that it follows: into the place of a replay.
	Alone bool
}

// FromExport brings an export into the lake that is there already. A full one becomes
// the base; a window must begin where the lake ends, or where a gap
// begins that windows repair, and end no later than that. Called again, it goes on where it was.
func FromExport(ctx context.Context, o Options, i Import) (Result, error) {
	if err := o.check(false); err != nil {
		return Result{}, err
	}
	w := newWorkshop(o)
	x := ledger.Export{Status: ledger.Exported, Foreign: true, Asked: time.Now().UTC()}
	scheme, path, _ := strings.Cut(i.From, "://")
	switch bucket, key, _ := strings.Cut(path, "/"); {
	case scheme == "s3" && bucket != "" && key != "" && o.S3 != nil:
		x.Bucket, x.Manifest = bucket, key
	case scheme == "file" && strings.HasPrefix(path, "/"):
		x.Manifest = i.From
	default:
		return Result{}, &Advice{What: fmt.Sprintf("import %q", i.From), Fix: "give the address of a manifest-summary.json: s3://bucket/.../manifest-summary.json or file:///.../manifest-summary.json"}
	}
	place, path := w.place(x)
	m, files, err := readManifest(ctx, place, path)
	if err != nil {
		return Result{}, err
	}
	if err := m.of(w.Table); err != nil && !i.Same {
		return Result{}, err
	}
	x.ARN, x.Items, x.Files = m.ExportARN, m.Items, len(m.Files)
	x.From, x.To = m.times(w.Timing)
	if r, err := readRecord(ctx, w.Store, recordKey(w.prefix(), x.ID())); err != nil || r != nil && w.recorded(ctx, r) {
		if err != nil {
			return Result{}, err
		}
		return Result{Epoch: r.Epoch, Export: r.Export, From: r.From, To: r.To, Items: r.Items, Rejects: r.Rejects, Already: true}, nil
	}
	if err := w.unfiltered(ctx, m, !i.Alone); err != nil { // what is replayed was in the lake
		return Result{}, err
	}
	if x.Schema, err = w.learn(ctx, m, files); err != nil {
		return Result{}, err
	}
	var epoch int64
	_, err = w.update(ctx, func(l *ledger.Ledger) error {
		epoch = 0
		for _, e := range l.Epochs { // begun before
			for _, have := range e.Exports {
				if have.ARN == x.ARN {
					epoch = e.Number
					return nil
				}
			}
		}
		var err error
		if m.full() {
			epoch, err = w.importFull(l, x, i)
		} else {
			epoch, err = w.importWindow(l, x, i)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	w.Log.Info("importing an export", append(named(epoch, x), zap.String("at", i.From), zap.Int64("items", x.Items))...)
	return w.finish(ctx, epoch, x.From)
}

// unfiltered refuses an export that has a part of the table only. Where its manifest does not say so, AWS is asked, who
// knows it for 90 days, and tells none but those who may ask: others go by the manifest.
func (w *workshop) unfiltered(ctx context.Context, m *manifest, ask bool) error {
	if m.Filtered != "" {
		return filtered(m.ExportARN, "its summary has "+m.Filtered)
	}
	if w.DynamoDB == nil || !ask {
		return nil
	}
	d, err := w.describe(ctx, m.ExportARN)
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		w.Log.Info("AWS does not tell whether the export is a filtered one; its summary has no filter", zap.String("export", m.ExportARN), zap.Error(err))
	case d.FilterSpecification != nil:
		return filtered(m.ExportARN, "as AWS says")
	}
	return nil
}

// recorded tells whether the ledger has nothing left to do for an export that has a record.
func (w *workshop) recorded(ctx context.Context, r *record) bool {
	l, err := w.read(ctx)
	if err != nil {
		return false
	}
	x := l.Find(r.Epoch, r.From)
	return x == nil || x.Status == ledger.Converted
}

func (w *workshop) importFull(l *ledger.Ledger, x ledger.Export, i Import) (int64, error) {
	what := "import the full export of " + x.To.Format(time.RFC3339)
	if i.Alone && len(l.Epochs) > 0 {
		return 0, &Advice{What: what, Fix: "replay it into another place (--into), or before the windows that follow it", Err: ledger.ErrApart}
	}
	epoch, err := l.StartFull(x, i.Again)
	switch {
	case errors.Is(err, ledger.ErrSeeding):
		return 0, &Advice{What: what, Fix: "let the other finish first, with: dynamolake bootstrap --table " + w.Table.Name, Err: err}
	case errors.Is(err, ledger.ErrSeeded):
		return 0, &Advice{What: what, Fix: "nothing is missing behind the one there is", Err: err}
	case errors.Is(err, ledger.ErrTooEarly):
		return 0, &Advice{What: what, Fix: "import one that is later than what the stream lost, or make one with: dynamolake bootstrap --table " + w.Table.Name, Err: err}
	}
	return epoch, err
}

// importWindow finds the epoch that the window continues.
func (w *workshop) importWindow(l *ledger.Ledger, x ledger.Export, i Import) (int64, error) {
	what := "import the window " + described(x)
	if i.Alone {
		epoch, err := l.FollowFrom(x.From)
		if errors.Is(err, ledger.ErrApart) {
			return 0, &Advice{What: what, Fix: "replay exports that follow one another in the order of their times, and others into another place (--into)", Err: err}
		}
		return epoch, l.Add(epoch, x)
	}
	if l.Streaming() == nil {
		if _, err := l.Follow(); errors.Is(err, ledger.ErrNoBase) {
			return 0, &Advice{What: what, Fix: "import or make the full export that it follows first", Err: err}
		} else if err != nil {
			return 0, err
		}
	}
	var wanted []string
	var last *ledger.Epoch
	for n := range l.Epochs {
		e := &l.Epochs[n]
		if e.Source != ledger.Incremental || !e.Until.IsZero() && !e.To.Before(e.Until) || w.over(l, e) {
			continue
		}
		next := e.To
		if k := len(e.Exports); k > 0 {
			next = e.Exports[k-1].To
		}
		fits := (e.Until.IsZero() || !x.To.After(e.Until)) && !(next.Before(e.Cut) && x.To.After(e.Cut))
		if next.Equal(x.From) && fits {
			return e.Number, l.Add(e.Number, x)
		}
		last = e
		bound := ""
		switch {
		case next.Before(e.Cut):
			bound = " and ends no later than " + e.Cut.Format(time.RFC3339)
		case !e.Until.IsZero():
			bound = " and ends no later than " + e.Until.Format(time.RFC3339)
		}
		wanted = append(wanted, "begins at "+next.Format(time.RFC3339)+bound)
	}
	if i.Hole && last != nil && len(last.Exports) == 0 && last.Until.IsZero() && x.From.After(last.To) {
		now := time.Now().UTC()
		l.Gaps = append(l.Gaps, ledger.Gap{
			Number: int64(len(l.Gaps)) + 1, From: last.To, To: x.From, State: ledger.GapClosed, Seen: now, Closed: now,
			Reason: "no window was imported; somebody gave his word that nothing was changed",
		})
		if last.Windows == 0 {
			last.From = x.From
		}
		last.To = x.From
		return last.Number, l.Add(last.Number, x)
	}
	if len(wanted) == 0 {
		return 0, &Advice{What: what, Fix: "the lake misses nothing that a window could bring"}
	}
	return 0, &Advice{What: what, Fix: "it does not continue what the lake has: it takes a window that " + strings.Join(wanted, ", or one that ")}
}

// over tells whether a full export has made an epoch of windows irrelevant.
func (w *workshop) over(l *ledger.Ledger, e *ledger.Epoch) bool {
	base := l.Base()
	return base != nil && base.Number > e.Number
}
