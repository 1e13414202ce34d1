package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrFixed: a [Fixed] set is not of the version that is wanted.
var ErrFixed = errors.New("there is no choice of schema versions")

// keptSets are what a Live remembers of other versions and sources than its own.
const keptSets = 4

type madeSet struct {
	source string
	set    *Set
}

// At is a version of the table's schema, 0 for none, compiled for rows of a source: what was begun with
// one is finished with it. An error may be [ErrFixed], [writer.ErrNotFound], or [schema.Problems] where
// the version asks for lookups or a salt that this process was not given.
func (l *Live) At(ctx context.Context, version int, source string) (*Set, error) {
	newest := l.now.Load()
	if l.catalog == nil {
		if version != newest.Version {
			return nil, fmt.Errorf("schema version %d is wanted, and this process has version %d alone: %w", version, newest.Version, ErrFixed)
		}
		return newest, nil
	}
	if version == newest.Version && source == l.options.Source {
		return newest, nil
	}
	l.making.Lock()
	defer l.making.Unlock()
	for _, m := range l.made {
		if m.set.Version == version && m.source == source {
			return m.set, nil
		}
	}
	o := l.options
	o.Source = source
	set := Whole(o)
	if version != 0 {
		s := newest.Schema
		var err error
		if version != newest.Version {
			if s, err = l.catalog.Version(ctx, version); err != nil {
				return nil, err
			}
		}
		if set, err = Compile(s, o); err != nil {
			return nil, fmt.Errorf("schema version %d in the lake: %w", version, err)
		}
	}
	if len(l.made) == keptSets {
		l.made = slices.Delete(l.made, 0, 1)
	}
	l.made = append(l.made, madeSet{source, set})
	return set, nil
}
