package bootstrap

import (
	"context"
	"errors"

	"dynamolake/transform"
	"dynamolake/writer"
)

const (
	// sampleItems of an export are looked at for attributes that have no column, in up to sampleFiles of
	// its data files: DynamoDB spreads items over them by a hash, so the first lines are as good as any.
	sampleItems = 20_000
	sampleFiles = 4
)

// learn gives attributes of an export their columns before its first row is written, and
// returns the version of the schema to convert it with.
func (w *workshop) learn(ctx context.Context, m *manifest, from raw) (version int, err error) {
	for _, name := range w.Datasets.Set().Names() {
		set := w.Datasets.Set()
		if set.Schema == nil {
			break
		}
		if d := set.Schema.Dataset(name); d == nil || !d.NewAttributes {
			continue
		}
		s := &sampling{w: w, m: m, from: from, ctx: ctx}
		_, err := w.Datasets.Learn(ctx, set, name, s.changes)
		if err = errors.Join(s.err, err); err != nil {
			return 0, w.unusable("learn what attributes table "+w.Table.Name+" has", err)
		}
	}
	return w.Datasets.Set().Version, nil
}

// sampling reads the beginnings of some data files.
type sampling struct {
	w    *workshop
	m    *manifest
	from raw
	ctx  context.Context
	err  error
}

// spread are the files to look into.
func spread(files []dataFile) (some []dataFile) {
	full := filled(files)
	n := min(sampleFiles, len(full))
	for i := range n {
		some = append(some, full[i*len(full)/n])
	}
	return some
}

// changes are those of the sample. The next one takes the place of the last.
func (s *sampling) changes(yield func(*transform.Change) bool) {
	files := spread(s.m.Files)
	for i, f := range files {
		left := sampleItems*(i+1)/len(files) - sampleItems*i/len(files)
		more := true
		s.err = s.file(f, func(c *transform.Change) bool {
			left--
			more = yield(c)
			return more && left > 0
		})
		if s.err != nil || !more {
			return
		}
	}
}

// file yields the changes of a data file. What is wrong with the file the conversion will find
// out, and tell better.
func (s *sampling) file(f dataFile, yield func(*transform.Change) bool) error {
	err := s.m.peek(s.ctx, s.from, f, s.w.decoder, func(p *transform.Page) error {
		for i := range p.Changes {
			if !yield(&p.Changes[i]) {
				return errEnough
			}
		}
		return nil
	})
	if errors.As(err, new(*unlike)) || errors.Is(err, writer.ErrNotFound) || errors.Is(err, errEnough) {
		return nil
	}
	return err
}
