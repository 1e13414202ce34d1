package consumer

import (
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/transform"
)

// end looks for the children of a shard whose last object is durable. It returns
// true once they are known, so that the library calls finish.
func (s *session) end() (bool, error) {
	for attempt := 1; !s.found; attempt++ {
		children, err := s.lineage.Children(s.ctx(), s.shard)
		if err != nil && classify(err) == upstreamGone {
			s.found = true // nothing to be had from a stream that is gone
			break
		}
		if len(children) > 0 {
			s.children, s.found = children, true
			break
		}
		// The service needs a moment after closing a shard. A stream that was
		// turned off has leaves without children.
		if attempt >= childTries && err == nil {
			var disabled bool
			if disabled, err = s.lineage.Disabled(s.ctx()); err == nil && disabled {
				s.found = true
				break
			}
		}
		if attempt%childTries == 0 {
			s.log.Warn("the shard has ended but the stream names no child; asking on", zap.Int("attempt", attempt), zap.Error(err))
		}
		if err := s.wait(jitter(s.pace.backoff(attempt))); err != nil {
			return false, err
		}
	}
	return true, nil
}

const childTries = 6

// finish is Shutdown(TERMINATE): the children get their leases, then the shard is
// over.
func (s *session) finish() error {
	err := s.lease.End(s.ctx(), s.children)
	if err == nil {
		s.log.Info("shard ended", zap.Int("children", len(s.children)))
		s.metrics.ended(s.shard)
	}
	return err
}

// close is RemoveLeaseOwner, the one call that the library always makes. While
// the lease is live, what is held is written; then the memory goes back.
func (s *session) close() {
	if s.finished {
		return
	}
	s.finished = true
	if s.batch == nil {
		return
	}
	if s.lease.Check() == nil && !s.halted && !s.crashed && (s.batch.Held() > 0 || s.batch.Closed()) {
		s.putDue = time.Time{}
		s.flush(true)
	}
	s.budget.Release(s.batch.Held())
	s.metrics.ended(s.shard)
}

// guard keeps a panic inside its shard: the library has no recover, and one bad
// record must not take the other shards along.
func (s *session) guard(doing string, step func()) {
	defer func() {
		if r := recover(); r != nil {
			s.crashed = true
			s.metrics.panics.Inc()
			s.log.Error("a bug stopped this shard; it is read again from its checkpoint",
				zap.String("doing", doing), zap.Any("panic", r), zap.Stack("stack"))
		}
	}()
	step()
}

// quarantine gives the shard up, but not at once: whatever broke it will most likely
// break it again.
func (s *session) quarantine() error {
	if err := s.wait(quarantineTime); err != nil {
		return err
	}
	return errRevoked
}

const quarantineTime = 30 * time.Second

// gap records that the position is lost and applies the policy.
func (s *session) gap(reason string) error {
	if err := s.lease.Check(); err != nil {
		return err
	}
	if s.batch.Held() > 0 {
		// What was read before the gap is whole: it goes to the lake first.
		s.flush(true)
		if s.batch.Held() > 0 {
			return nil // not yet; the position is no less lost at the next try
		}
	}
	cursor := s.batch.Cursor()
	g := Gap{
		StreamARN: s.table.StreamARN, Shard: s.shard, After: cursor.String(), Seen: time.Now().UTC(), Since: s.since().UTC(),
		Reason: reason, Policy: s.onGap, Worker: s.worker,
	}
	if err := g.record(s.ctx(), s.store, s.tablePrefix); err != nil {
		return s.retry(err)
	}
	s.metrics.gaps.Inc()
	if s.onGap == GapStop {
		if err := s.lease.Halt(s.ctx(), string(g.JSON())); err != nil {
			return err
		}
		s.halted, s.opened = true, true
		s.log.Error("GAP: the shard is halted; start with --on-gap=continue to go on without what is lost",
			zap.String("after", cursor.Digits()), zap.String("reason", reason), zap.Time("since", g.Since))
		return nil
	}
	s.log.Error("GAP: recorded; going on with what the stream still has",
		zap.String("after", cursor.Digits()), zap.String("reason", reason), zap.Time("since", g.Since))
	s.gapBefore, s.opened = reason, true
	if reason == reasonShardGone {
		// Nothing more will come: its end is written, and its children start.
		s.batch.Add(nil, new(transform.Page), time.Now())
		return nil
	}
	s.reader.rewind()
	return nil
}

// retention is how long DynamoDB Streams keeps a record.
const retention = 24 * time.Hour

// stale tells whether a shard that was never read may have lost records since its
// lease was created: such a lease begins at the oldest record or at a time, and
// neither fails when the stream has moved past it.
func (s *session) stale(cp checkpoint.Checkpoint) bool {
	return !cp.Created.IsZero() && time.Since(cp.Created) > retention && time.Since(born(s.shard)) > retention
}

// born reads the creation time in a shard id (shardId-<20 digits of epoch
// milliseconds>-<hex>). An id of another form counts as old.
func born(shard string) time.Time {
	part := strings.Split(shard, "-")
	if len(part) < 2 {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
