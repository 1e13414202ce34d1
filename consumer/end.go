package consumer

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// end looks for the children of a shard whose last object is durable. It returns
// true once they are known, so that the library calls finish.
func (s *session) end() (bool, error) {
	for attempt := 1; !s.found; attempt++ {
		if err := s.finishing(); err != nil {
			return false, err
		}
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
			if err = s.childless(); s.found || s.halted {
				break
			}
			if errors.Is(err, errRevoked) {
				return false, err
			}
		}
		if attempt%childTries == 0 {
			s.log.Warn("the shard has ended but the stream names no child; asking on", zap.Int("attempt", attempt), zap.Error(err))
		}
		if err := s.wait(jitter(s.pace.backoff(attempt))); err != nil {
			return false, err
		}
	}
	return s.found, nil
}

const childTries = 6

// childless finds out why a shard that has ended has no children: for good, where the stream
// was turned off, or because they came and went while nobody read. Neither leaves found as it is.
func (s *session) childless() error {
	disabled, err := s.lineage.Disabled(s.ctx())
	if err != nil {
		return err
	}
	if disabled {
		s.found = true
		s.look() // perhaps another has taken its place
		return nil
	}
	if len(s.part.Shards) > 0 {
		s.found = true // what children it has, nobody wants
		return nil
	}
	if there, err := s.lineage.Exists(s.ctx(), s.shard); err != nil || there {
		return err
	}
	all, err := s.lineage.Shards(s.ctx())
	if err != nil {
		return err
	}
	for _, shard := range all {
		if shard.Parent == s.shard {
			s.children = append(s.children, shard)
		}
	}
	if len(s.children) > 0 {
		s.found = true
		return nil
	}
	err = s.gap(reasonChildrenGone)
	s.found = err == nil && s.gapBefore == reasonChildrenGone
	return err
}

// finishing keeps the row up to the ledger while the end of the shard takes long:
// others may wait for it.
func (s *session) finishing() error {
	if !s.behind() || !s.lease.Awaited() && s.epochs.late == nil {
		return nil
	}
	if err := s.keepUp(); err != nil {
		return s.trouble(err)
	}
	return nil
}

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
	defer s.metrics.ended(s.shard)
	if s.batch == nil {
		return
	}
	if s.lease.Check() == nil && !s.halted && !s.crashed && (s.batch.Held() > 0 || s.batch.Closed()) {
		s.putDue = time.Time{}
		s.flush(true)
	}
	s.budget.Release(s.batch.Held())
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
