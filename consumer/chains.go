package consumer

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// chain is that of one dataset in this shard, and how far it is.
type chain struct {
	*writer.Chain
	dataset   string
	cursor    transform.Seq // durable up to here
	ended     bool          // its last object ends the shard
	gapBefore string        // why changes before its next object are lost; empty where none are
}

// stop is where a chain has a boundary: an object ends there and the next begins.
type stop struct {
	end transform.Seq
	max time.Time // of the objects up to there no row is younger
}

// walk follows the chains to their ends, and notes what their files hold. It returns the greatest
// position at which all of them have a boundary.
//
// Each chain is walked from the same position, so all must have a boundary there: that is why
// the checkpoint of the lease moves only to such positions. Between them the chains of a shard
// may be cut differently, where other writers were faster in one and not in another.
func (s *session) walk(from transform.Seq) (common stop, err error) {
	s.epochs = epochs{}
	var shared []stop
	var links []writer.Link
	for i, c := range s.chains {
		stops, found, err := s.follow(c, from)
		if err != nil {
			return common, err
		}
		links = append(links, found...)
		if i == 0 {
			shared = stops
		} else {
			shared = meet(shared, stops)
		}
	}
	least := s.least()
	ahead := slices.DeleteFunc(links, func(l writer.Link) bool { return l.End.Compare(least) <= 0 })
	if len(ahead) > 0 {
		s.begunBy = slices.MinFunc(ahead, func(a, b writer.Link) int { return a.After.Compare(b.After) }).Schema
	}
	return shared[len(shared)-1], nil
}

// follow walks one chain.
func (s *session) follow(c *chain, from transform.Seq) (stops []stop, links []writer.Link, err error) {
	c.cursor, c.ended = from, false
	stops = []stop{{end: from}}
	for !c.ended {
		link, ok, err := c.Next(s.ctx(), c.cursor)
		if err != nil || !ok {
			return stops, links, err
		}
		links = append(links, link)
		s.saw(link)
		s.strayLink(link)
		at := stop{link.End, stops[len(stops)-1].max}
		if link.Rows > 0 {
			at.max = later(at.max, time.UnixMicro(link.MaxTS))
		}
		stops = append(stops, at)
		c.cursor, c.ended = link.End, link.ShardEnd
	}
	return stops, links, nil
}

// meet are the boundaries that are in both.
func meet(a, b []stop) (both []stop) {
	for _, x := range a {
		if i := slices.IndexFunc(b, func(y stop) bool { return y.end == x.end }); i >= 0 {
			both = append(both, stop{x.end, later(x.max, b[i].max)})
			b = b[i+1:]
		}
	}
	return both
}

// routed chooses the version that a slice is written by: one for all datasets, lest a change that the versions send to
// different ones be in neither. What another session began, and not all chains have, is finished by its version.
func (s *session) routed() error {
	if s.set != nil {
		return nil
	}
	newest := s.datasets.Set()
	if s.level() {
		s.set = newest
		return nil
	}
	set, err := s.datasets.At(s.ctx(), s.begunBy, writer.SourceStream)
	var unusable schema.Problems
	switch {
	case errors.As(err, &unusable), errors.Is(err, writer.ErrNotFound), errors.Is(err, dataset.ErrFixed):
		s.log.Warn("the version of the schema that some datasets have a slice by cannot be used; the others get it by this worker's", zap.Int("version", s.begunBy), zap.Error(err))
		set = newest
	case err != nil:
		return err
	case set.RoutesAs(newest):
		set = newest
	}
	s.set = set
	return nil
}

// least is the position that all chains are durable up to.
func (s *session) least() transform.Seq {
	least := s.chains[0].cursor
	for _, c := range s.chains[1:] {
		if c.cursor.Compare(least) < 0 {
			least = c.cursor
		}
	}
	return least
}

// level tells whether all chains are durable up to the same position: then all have a boundary there.
func (s *session) level() bool {
	return !slices.ContainsFunc(s.chains, func(c *chain) bool { return c.cursor != s.chains[0].cursor })
}

// ended tells whether all chains end with the shard.
func (s *session) ended() bool {
	return !slices.ContainsFunc(s.chains, func(c *chain) bool { return !c.ended })
}

// begun tells whether any chain has something in the lake.
func (s *session) begun() bool {
	return slices.ContainsFunc(s.chains, func(c *chain) bool { return !c.cursor.IsZero() })
}

// cursors are where the chains stand, the least one first.
func (s *session) cursors() (all []transform.Seq) {
	for _, c := range s.chains {
		all = append(all, c.cursor)
	}
	slices.SortFunc(all, transform.Seq.Compare)
	return slices.Compact(all)
}
