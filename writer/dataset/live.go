package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// Live is the newest version of a table's schema that this process knows, compiled. Any number of
// goroutines may share it.
type Live struct {
	catalog *Catalog // nil without a schema
	options Options
	limits  schema.Limits
	now     atomic.Pointer[Set]
	learn   chan struct{} // who has what is in it makes the next version
	making  sync.Mutex
	made    []madeSet // of At, under making
	// Added is called with each version that this process wrote; nil: nobody is.
	Added func(version int, what []schema.Difference)
}

// Fixed never learns anything: without a schema, or where one version is what is wanted.
func Fixed(s *Set) *Live {
	l := new(Live)
	l.now.Store(s)
	return l
}

// Open brings the catalog up to the schema that a person asked for, or, where that is nil, to one that
// learns everything from what it sees, unless there is one. A dataset that was taken out once is refused.
func Open(ctx context.Context, catalog *Catalog, asked *schema.Schema, o Options, limits schema.Limits) (*Live, error) {
	l := &Live{catalog: catalog, options: o, limits: limits, learn: make(chan struct{}, 1)}
	l.learn <- struct{}{}
	latest, err := catalog.Latest(ctx)
	if err != nil {
		return nil, err
	}
	if asked == nil && latest == nil {
		asked = Blank(limits)
	}
	for asked != nil {
		returning, err := catalog.Returning(ctx, asked, latest)
		if err == nil {
			err = returning.Err()
		}
		if err != nil {
			return nil, err
		}
		next, changed := asked.Adopt(latest)
		// Before anyone is told of it, it must be one that works.
		set, err := Compile(next, o)
		if err != nil {
			return nil, err
		}
		if changed {
			err = catalog.Add(ctx, next)
		}
		if err == nil {
			l.now.Store(set)
			return l, nil
		}
		if !errors.Is(err, writer.ErrExists) {
			return nil, err
		}
		if latest, err = catalog.Version(ctx, next.Version); err != nil {
			return nil, err
		}
	}
	set, err := Compile(latest, o)
	if err != nil {
		return nil, fmt.Errorf("schema version %d in the lake: %w", latest.Version, err)
	}
	l.now.Store(set)
	return l, nil
}

// Blank is the schema that a table begins with when none is given: one dataset, without columns yet.
func Blank(limits schema.Limits) *schema.Schema {
	return &schema.Schema{Unmatched: schema.Reject, Datasets: []schema.Dataset{{
		Name: All, NewAttributes: true, MaxColumns: limits.MaxColumns,
	}}}
}

// Set is the newest.
func (l *Live) Set() *Set { return l.now.Load() }

// Outdated is why nothing may be begun with this set's datasets; nil where it may. Who passes on a position of the stream
// passes it on for its own datasets only: where the newest version has others, these would lose what lies before.
// What is begun already may be gone on with, for a new dataset begins where somebody takes over who has it.
func (l *Live) Outdated(ctx context.Context) error {
	if l.catalog == nil {
		return nil
	}
	latest, err := l.catalog.Latest(ctx)
	if err != nil || latest == nil {
		return err
	}
	if own, newest := l.Set().Names(), names(latest); !slices.Equal(own, newest) {
		return fmt.Errorf("version %d of the schema splits the table into %v, this worker into %v; start it again with the newest schema file", latest.Version, newest, own)
	}
	return nil
}

func names(s *schema.Schema) (names []string) {
	for i := range s.Datasets {
		names = append(names, s.Datasets[i].Name)
	}
	return names
}

// Learn makes the version that has columns for what the changes have in a dataset, beginning at
// what is newest in the lake, and tells whether [Live.Set] is another now than before.
func (l *Live) Learn(ctx context.Context, before *Set, dataset string, changes iter.Seq[*transform.Change]) (changed bool, err error) {
	if l.catalog == nil {
		return false, nil
	}
	if d := before.Schema.Dataset(dataset); d == nil || !d.NewAttributes {
		return false, nil
	}
	sample := before.sample(dataset, changes)
	select {
	case <-l.learn:
		defer func() { l.learn <- struct{}{} }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	newest := l.now.Load()
	latest := newest.Schema
	for {
		next, grown := latest.Evolve(dataset, sample, l.options.Keys, l.limits)
		if !grown {
			next = latest
		} else if err := l.catalog.Add(ctx, next); errors.Is(err, writer.ErrExists) {
			if latest, err = l.catalog.Version(ctx, next.Version); err != nil {
				return false, err
			}
			continue
		} else if err != nil {
			return false, err
		}
		if !slices.Equal(newest.Names(), names(next)) {
			// Somebody splits the table in another way: that begins with the worker that is told so, and
			// what this one meets until it is replaced stays in _rest.
			return false, nil
		}
		if next.Version != newest.Version {
			set, err := Compile(next, l.options)
			if err != nil {
				return false, fmt.Errorf("schema version %d in the lake: %w", next.Version, err)
			}
			l.now.Store(set)
		}
		if grown && l.Added != nil {
			l.Added(next.Version, schema.Diff(latest, next))
		}
		return l.now.Load() != before, nil
	}
}

// sampled is how many items are looked at to find out what attributes there are. Of those beyond it the ones that have some
// without a column that were not met before.
const sampled = 20_000

// sample looks at items as they are in a dataset.
func (s *Set) sample(dataset string, changes iter.Seq[*transform.Change]) *schema.Sample {
	sample := new(schema.Sample)
	part, err := s.Part(dataset)
	if err != nil {
		return sample
	}
	r, run := part.Encoder.NewRule(), part.Plan.NewRun()
	for c := range changes {
		if r != nil {
			r.Begin()
			if c, _ = r.Admit(c); c == nil {
				continue
			}
		}
		if c.New == nil {
			continue
		}
		if sample.Items >= sampled {
			run.Reset()
			if run.Shred(c.New, c.Hash.Exact, c.Range.Exact); !run.Fresh() {
				continue
			}
		}
		sample.Observe(c.New)
	}
	return sample
}
