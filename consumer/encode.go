package consumer

import (
	"errors"

	"go.uber.org/zap"

	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// encode makes a dataset's file of a slice. Attributes that have no column get one first, where the
// schema wants that: then the file is made again, with the version that is written now. What the
// dataset refused is in rejects/ when it returns. A version that sends items elsewhere is for the next slice: other
// datasets may have this one's changes by the version before, and what moves to them would be in none.
func (s *session) encode(c *chain, slice writer.Slice) (writer.File, error) {
	info := writer.Info{
		Stream: s.table.StreamARN, Shard: s.shard, Parent: s.lease.Parent(),
		Epoch: s.lease.Epoch(), Writer: s.worker, GapBefore: c.gapBefore,
	}
	for learned := false; ; learned = true {
		set, part, err := s.partOf(c)
		if err != nil {
			return writer.File{}, err
		}
		file, err := part.Encoder.Encode(slice, info)
		if err != nil {
			return file, err
		}
		if file.Fresh && !learned {
			changed, err := s.datasets.Learn(s.ctx(), set, c.dataset, slice.Changes())
			var unusable schema.Problems
			switch {
			case errors.As(err, &unusable):
				// Somebody's new version is for workers that have what it names. Files with this one's
				// are as good.
				s.log.Warn("the newest schema cannot be used here; going on with the one before", zap.Error(err))
			case err != nil:
				return file, err
			case changed && s.datasets.Set().RoutesAs(set):
				if set == s.set {
					s.set = s.datasets.Set()
				}
				continue
			}
		}
		s.schemas.count(set.Version, part, file.Notes)
		return file, s.refuse(c.dataset, file.Refused)
	}
}

// partOf is a chain's dataset in the version that is being written, or in the newest where it is younger than that.
func (s *session) partOf(c *chain) (*dataset.Set, dataset.Part, error) {
	if part, err := s.set.Part(c.dataset); err == nil {
		return s.set, part, nil
	}
	set := s.datasets.Set()
	part, err := set.Part(c.dataset)
	return set, part, err
}

// refuse makes rejects of what a dataset refused, before its file may be durable. An empty
// name stands for what no dataset takes.
func (s *session) refuse(dataset string, refused []writer.Refusal) error {
	if len(refused) == 0 {
		return nil
	}
	if err := s.lease.Check(); err != nil {
		return err
	}
	n, err := writer.PutRefused(s.ctx(), s.store, s.tablePrefix, s.shard, dataset, refused)
	if n > 0 {
		s.metrics.rejects.Add(float64(n))
		s.log.Warn("records went to rejects/", zap.String("dataset", dataset), zap.Int("records", n), zap.String("first", refused[0].Reason))
		s.rejects.add(n)
	}
	return err
}

// homeless makes rejects of the changes that no dataset takes although one should.
func (s *session) homeless(slice writer.Slice) error {
	var found []writer.Refusal
	for c := range slice.Changes() {
		if why := s.set.Homeless(c); why != "" {
			found = append(found, writer.Refusal{Change: *c, Reason: why})
		}
	}
	return s.refuse("", found)
}
