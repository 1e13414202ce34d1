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
// the object, then the checkpoint. The rows are forgotten when the object is durable: should the
// checkpoint not follow, the next owner finds the object by the chain.
func (s *session) commit(slice writer.Slice) error {
	if err := s.keepUp(); err != nil {
		return err
	}
	if err := s.lease.Check(); err != nil {
		return err
	}
	file, err := s.encoder.Encode(slice, writer.Info{
		Stream: s.table.StreamARN, Shard: s.shard, Parent: s.lease.Parent(),
		Epoch: s.lease.Epoch(), Writer: s.worker, GapBefore: s.gapBefore,
	})
	if err != nil {
		return err
	}
	began := time.Now()
	// The chain asks and writes again by itself while the answer is unclear; it comes
	// back in between so that a long outage of the store is seen and said.
	ctx, cancel := context.WithTimeout(s.ctx(), putTimeout)
	defer cancel()
	link, won, err := s.chain.Commit(ctx, file)
	if err != nil {
		return err
	}
	s.metrics.put(time.Since(began), link, won)
	s.putFails, s.gapBefore = 0, ""
	if !won {
		s.log.Info("another writer was here first; going on after it",
			zap.String("after", link.After.Digits()), zap.String("end", link.End.Digits()), zap.String("writer", link.Writer))
		s.reader.seek(link.End)
		s.saw(link)
		s.strayLink(link)
	} else if link.Rows > 0 {
		s.lease.RowsIn(link.Epoch)
	}
	freed := s.batch.Advance(link.End)
	s.budget.Release(freed)
	through := time.UnixMicro(link.MaxTS)
	if link.ShardEnd {
		// The checkpoint goes to SHARD_END, or stays where it is: from the end of the
		// last link the next owner could not see that this was the last.
		s.durable = true
		if link.Rows > 0 {
			s.lease.CaughtUp(through) // stored with the end
		}
		return nil
	}
	if err := s.tellLate(); err != nil { // before the checkpoint passes it
		return err
	}
	if err := s.lease.Commit(s.ctx(), link.End.Digits(), through); err != nil {
		return err
	}
	s.metrics.through(s.shard, through)
	return nil
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
