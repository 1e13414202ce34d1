package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/writer"
)

// writeDue tells whether write has something to do now.
func (s *session) writeDue(now time.Time) bool {
	if now.Before(s.putDue) {
		return false
	}
	_, due := s.batch.Cut(now, s.limits, s.budget.Tight())
	return due
}

// write is ProcessRecords: it makes durable what is due.
func (s *session) write() {
	if !s.opened || s.halted || s.durable || time.Now().Before(s.putDue) {
		return
	}
	s.flush(s.budget.Tight())
}

// flush writes what is due, or everything when forced, and at the end of the
// shard the object that says so. After an error the rows stay held and the next
// call tries again.
func (s *session) flush(force bool) {
	for {
		slice, ok := s.batch.Cut(time.Now(), s.limits, force)
		if !ok || s.durable {
			return
		}
		if err := s.commit(slice); err != nil {
			s.writeFailed(err)
			return
		}
	}
}

// commit is the order that everything rests on: the epoch in the lease row, a live lease,
// the objects, then the checkpoint. The rows are forgotten when all objects are durable: should the
// checkpoint not follow, the next owner finds the objects by the chains.
func (s *session) commit(slice writer.Slice) error {
	if err := s.keepUp(); err != nil {
		return err
	}
	if s.level() {
		s.set = nil // a new slice, and maybe a newer version
	}
	if err := s.routed(); err != nil {
		return err
	}
	if err := s.homeless(slice); err != nil {
		return err
	}
	through := int64(0)
	for _, c := range s.chains {
		if err := s.routed(); err != nil {
			return err
		}
		ts, err := s.commitTo(c, slice)
		if err != nil {
			return err
		}
		through = max(through, ts)
	}
	s.putFails, s.gapBefore = 0, ""
	least := s.least()
	if least.Compare(slice.End) >= 0 {
		through = max(through, slice.MaxTS()) // a dataset may have rows of a few of the changes only
	}
	s.reader.seek(least)
	s.budget.Release(s.batch.Advance(least))
	if s.ended() {
		// The checkpoint goes to SHARD_END, or stays where it is: from the end of the
		// last link the next owner could not see that this was the last.
		s.durable = true
		if through != 0 {
			s.lease.CaughtUp(time.UnixMicro(through)) // stored with the end
		}
		return nil
	}
	if err := s.tellLate(); err != nil { // before the checkpoint passes it
		return err
	}
	if !s.level() {
		return nil // one of them was written by others, and not as far; the next slice ends the same in all
	}
	if err := s.lease.Commit(s.ctx(), least.Digits(), time.UnixMicro(through)); err != nil {
		return err
	}
	s.metrics.through(s.shard, time.UnixMicro(through))
	return nil
}

// commitTo writes the part of the slice that a dataset's chain does not have, and returns what the
// object says of the time up to which it goes.
func (s *session) commitTo(c *chain, slice writer.Slice) (through int64, err error) {
	if c.ended || c.cursor.Compare(slice.End) >= 0 && !slice.ShardEnd {
		return 0, nil
	}
	file, err := s.encode(c, slice.From(c.cursor))
	if err != nil {
		return 0, err
	}
	if err := s.lease.Check(); err != nil {
		return 0, err
	}
	began := time.Now()
	// The chain asks and writes again by itself while the answer is unclear; it comes
	// back in between so that a long outage of the store is seen and said.
	ctx, cancel := context.WithTimeout(s.ctx(), putTimeout)
	defer cancel()
	link, won, err := c.Commit(ctx, file)
	if err != nil {
		return 0, err
	}
	s.metrics.put(time.Since(began), link, won)
	if !won {
		s.log.Info("another writer was here first; going on after it", zap.String("dataset", c.dataset),
			zap.String("after", link.After.Digits()), zap.String("end", link.End.Digits()), zap.String("writer", link.Writer))
		s.saw(link)
		s.strayLink(link)
		if link.Schema != s.set.Version { // the other datasets are to have of its changes what it left to them
			s.begunBy, s.set = link.Schema, nil
		}
	} else if link.Rows > 0 {
		s.lease.RowsIn(link.Epoch)
	}
	c.cursor, c.ended, c.gapBefore = link.End, link.ShardEnd, ""
	return link.MaxTS, nil
}

// putTimeout bounds one call for an object, tries included.
const putTimeout = 30 * time.Second

// writeFailed keeps the rows and backs off. A lost lease ends the session at its
// next step.
func (s *session) writeFailed(err error) {
	if errors.Is(err, checkpoint.ErrLost) || errors.Is(err, errRevoked) || s.ctx().Err() != nil {
		return
	}
	s.putFails++
	s.metrics.putErrors.Inc()
	if s.putFails == 1 || s.putFails%20 == 0 {
		s.log.Error("the lake cannot be written; the rows are kept and tried again", zap.Int("attempt", s.putFails), zap.Error(err))
	}
	s.putDue = time.Now().Add(jitter(s.pace.backoff(s.putFails)))
}
