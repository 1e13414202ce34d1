package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// errRevoked ends the library's consumer of a shard: the lease was handed over
// or lost. What was to be written has been written, or must not be.
var errRevoked = errors.New("lease revoked")

// session is one shard under one lease. Its methods run in the library's
// goroutine of that shard, one at a time; see the package comment for the order.
type session struct {
	shared
	lease   *checkpoint.Lease
	shard   string
	reader  reader
	chains  []*chain     // of the shard's datasets
	set     *dataset.Set // of the slice that is being written
	begunBy int          // version of the schema of the first object behind what all chains have, where they are not equally far
	batch   *writer.Batch

	turn     time.Time // when the library's last call began
	due      time.Time // when the next fetch may go out
	empties  int       // empty pages in a row
	asked    time.Time // when the last page was asked for
	failures int       // failed calls in a row
	putFails int       // failed writes in a row
	putDue   time.Time // when the next write may be tried

	epochs    epochs
	gapBefore string // why changes before the next object are lost; empty where none are
	opened    bool
	durable   bool // everything of the shard is in the lake, its end included
	halted    bool // at a gap, by policy
	finished  bool // close was called
	children  []checkpoint.Shard
	found     bool // children are known
	crashed   bool // a step panicked: the state is not to be trusted
}

// maxPage is what a page may take in memory before its size is known: 1 MB as
// DynamoDB counts, in its JSON.
const maxPage = 4 << 20

// LeastMemory is what each of several tables needs of Options.Memory: half of that is for pages, and half
// of those are its own.
const LeastMemory = 4 * maxPage

// read is GetRecords: it returns when there may be something to write, when the
// shard has ended (true), or with errRevoked. It takes at least callSpacing.
func (s *session) read() (ended bool, err error) {
	defer func() { s.turn = time.Now() }()
	if err := s.wait(time.Until(s.turn.Add(callSpacing))); err != nil {
		return false, err
	}
	if !s.opened {
		if err := s.open(); err != nil {
			return false, s.trouble(err)
		}
		if !s.opened { // something of it has to be tried again
			return false, s.wait(time.Until(s.due))
		}
	}
	started := time.Now()
	for {
		switch now := time.Now(); {
		case s.halted:
			return false, s.wait(haltedTick)
		case s.durable:
			return s.end()
		case s.epochs.placed && s.behind():
			if err := s.keepUp(); err != nil {
				return false, s.trouble(err)
			}
		case s.writeDue(now):
			return false, nil
		case s.batch.Closed():
			if err := s.wait(time.Until(s.putDue)); err != nil {
				return false, err
			}
		case now.Before(s.due):
			if now.Sub(started) >= callSpacing && s.batch.Held() > 0 {
				return false, nil
			}
			if err := s.wait(s.nap(now)); err != nil {
				return false, err
			}
		default:
			if err := s.fetch(); err != nil {
				return false, s.trouble(err)
			}
			if time.Since(started) >= callSpacing {
				return false, nil
			}
		}
	}
}

const (
	// idleTick is the longest that a session with rows sleeps without looking around:
	// another may need the memory.
	idleTick   = 500 * time.Millisecond
	haltedTick = time.Minute
)

// nap is how long to sleep before the next look: until the next fetch, and while
// rows are held no longer than until they are due.
func (s *session) nap(now time.Time) time.Duration {
	d := s.due.Sub(now)
	if oldest, ok := s.batch.Oldest(); ok {
		d = min(d, max(oldest.Add(s.limits.Age).Sub(now), time.Millisecond), idleTick)
	}
	return d
}

// wait sleeps, but not past a revocation or a stop.
func (s *session) wait(d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.lease.Revoked():
		case <-s.stopping:
		}
	}
	select {
	case <-s.lease.Revoked():
		return errRevoked
	case <-s.stopping:
		return errRevoked
	default:
		return nil
	}
}

// open finds where the lake stands. The lease's checkpoint may lag behind the
// chains, never lead them.
func (s *session) open() error {
	s.metrics.through(s.shard, s.since()) // one that cannot be opened is behind, too
	if err := s.datasets.Outdated(s.ctx()); err != nil {
		return err
	}
	cp := s.lease.Checkpoint()
	from, err := cursorOf(cp.Seq)
	if err != nil {
		return fmt.Errorf("lease of shard %s: %w", s.shard, err)
	}
	common, err := s.walk(from)
	if err != nil {
		return err
	}
	s.reader = reader{client: s.streams, arn: s.table.StreamARN, shard: s.shard, start: cp, last: s.least()}
	if err := s.begin(); err != nil {
		return err
	}
	s.batch = writer.NewBatch(s.least())
	s.batch.Free = s.pages.put
	s.durable = s.ended()
	if s.lease.Awaited() && s.epochs.late != nil {
		if err := s.keepUp(); err != nil {
			return err
		}
	}
	if common.end.Compare(from) > 0 {
		s.lease.CaughtUp(common.max)
	}
	s.metrics.through(s.shard, s.since())
	if !s.durable && common.end.Compare(from) > 0 {
		if err := s.lease.Commit(s.ctx(), common.end.Digits(), common.max); err != nil {
			return err
		}
	}
	s.opened = true
	return nil
}

// fetch reads and decodes one page, within the memory budget.
func (s *session) fetch() error {
	if s.reader.blind() && s.stale() {
		if err := s.view.fresh(s.ctx()); err != nil {
			return s.retry(err)
		}
		if s.stale() {
			return s.gap(reasonTrimmed)
		}
	}
	if !s.budget.TryAcquire(maxPage) {
		// Whoever holds half a batch must not wait for memory with it.
		if s.batch.Held() > 0 {
			s.flush(true)
			if s.durable || s.batch.Held() > 0 {
				// The lake does not take it now. Reading waits, the next try of the write does not.
				s.due = time.Now().Add(max(time.Until(s.putDue), quickWait))
				return nil
			}
		}
		if err := s.budget.Acquire(s.ctx(), maxPage, s.lease.Revoked()); err != nil {
			return errRevoked
		}
	}
	var kept int64
	defer func() { s.budget.Settle(maxPage, kept) }()

	asked := time.Now()
	buf, p := s.pages.get()
	body, err := s.reader.fetch(s.ctx(), buf)
	s.metrics.polls.Inc()
	if err != nil {
		s.pages.put(buf, p)
		return s.upstreamError(err)
	}
	if err := s.decoder.Decode(body, p); err != nil {
		return s.retry(fmt.Errorf("shard %s: a page that is not readable: %w", s.shard, err))
	}
	if len(p.Rejects) > 0 {
		if err := s.reject(p); err != nil {
			return s.retry(err)
		}
	}
	s.failures = 0
	if s.blocked.CompareAndSwap(true, false) {
		s.log.Info("the stream may be read again")
	}
	s.epochs.read(p)
	s.reader.advance(p)
	s.metrics.records.Add(float64(len(p.Changes)))
	s.metrics.bytesIn.Add(float64(len(body)))
	if !p.Last.IsZero() {
		s.empties, s.due = 0, time.Time{}
	} else {
		s.empties++
		s.due = asked.Add(jitter(s.pace.idle(s.empties)))
	}
	kept = s.batch.Add(body, p, asked)
	// Empty pages occur inside a shard too; many in a row mean its tip. Of a shard that is asked
	// seldom one more says little of the time since the last: that claims only what two
	// pages in a row did not have. The last page of one that was closed says nothing of now.
	if s.empties > quickReads && s.batch.Held() == 0 && !s.batch.Closed() {
		s.caughtUp(s.asked)
	}
	s.asked = asked
	return nil
}

// reject makes the page's undecodable records durable before the cursor may pass
// them.
func (s *session) reject(p *transform.Page) error {
	if err := s.lease.Check(); err != nil {
		return errRevoked
	}
	if err := writer.PutRejects(s.ctx(), s.store, s.tablePrefix, s.shard, p.Rejects); err != nil {
		return err
	}
	s.metrics.rejects.Add(float64(len(p.Rejects)))
	s.rejects.add(len(p.Rejects))
	s.log.Warn("records that do not decode went to rejects/", zap.Int("records", len(p.Rejects)), zap.String("first", p.Rejects[0].Reason))
	return nil
}

// upstreamError decides what an error of DynamoDB Streams means for the shard.
func (s *session) upstreamError(err error) error {
	switch classify(err) {
	case upstreamExpired:
		s.metrics.expired.Inc()
		return nil // the reader makes another iterator at the next fetch
	case upstreamTrimmed:
		return s.gap(reasonTrimmed)
	case upstreamGone:
		// Said of a shard that is there it is a passing fault, and no gap.
		if there, existsErr := s.lineage.Exists(s.ctx(), s.shard); existsErr != nil || there {
			return s.retry(err)
		}
		return s.gap(reasonShardGone)
	case upstreamDenied:
		return s.forbidden(err)
	case upstreamThrottled:
		s.metrics.throttles.Inc()
		s.failures++
		s.due = time.Now().Add(jitter(s.pace.backoff(s.failures)))
		return nil
	}
	return s.retry(err)
}

// forbidden backs off from what only a person can mend. It is told once, not at every
// try and for every shard.
func (s *session) forbidden(err error) error {
	if s.blocked.CompareAndSwap(false, true) {
		s.log.Error("the stream may not be read; trying on", zap.Error(denied(s.table.StreamARN, err)))
	}
	s.failures++
	s.metrics.failures.Inc()
	s.due = time.Now().Add(jitter(s.pace.backoff(s.failures)))
	return nil
}

// retry notes a failure that time may mend, and backs off.
func (s *session) retry(err error) error {
	if s.ctx().Err() != nil {
		return errRevoked
	}
	s.failures++
	s.metrics.failures.Inc()
	if s.failures == 3 || s.failures%100 == 0 {
		s.log.Warn("the shard cannot be read; trying again", zap.Int("attempt", s.failures), zap.Error(err))
	}
	s.due = time.Now().Add(jitter(s.pace.backoff(s.failures)))
	return nil
}

// trouble turns an error of a step into what the library is told: only ever that
// the session is over. Anything that may pass is waited out here.
func (s *session) trouble(err error) error {
	if errors.Is(err, errRevoked) || errors.Is(err, checkpoint.ErrLost) || s.ctx().Err() != nil {
		return errRevoked
	}
	s.metrics.failures.Inc()
	if s.failures++; s.failures == 1 || s.failures%20 == 0 {
		s.log.Warn("the shard cannot be opened; trying again", zap.Int("attempt", s.failures), zap.Error(err))
	}
	return s.wait(jitter(s.pace.backoff(s.failures)))
}

// ctx ends with the lease: at the deadline nothing of this session goes on.
func (s *session) ctx() context.Context { return s.lease.Context() }

// since is the time up to which the shard is known to be in the lake. Where nothing
// is known it is as old as the shard's oldest record may be: an unread shard must
// not look fresh.
func (s *session) since() time.Time {
	if t := s.lease.CurrentTo(); !t.IsZero() {
		return t
	}
	t := born(s.shard)
	if oldest := s.lease.Now().Add(-s.view.timing.Retention); t.Before(oldest) {
		return oldest
	}
	return t
}

// caughtUp notes that everything in the shard before t is in the lake.
func (s *session) caughtUp(t time.Time) {
	s.lease.CaughtUp(t)
	s.metrics.through(s.shard, t)
}
