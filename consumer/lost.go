package consumer

import (
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
)

// gap records that the position is lost and applies the policy. The ledger comes first,
// then the lake, then the lease row: who finds the same loss again, having died in between,
// joins what was begun.
func (s *session) gap(reason string) error {
	if err := s.lease.Check(); err != nil {
		return err
	}
	s.epochs.lost = true
	if s.batch.Held() > 0 {
		// What was read before the gap is whole: it goes to the lake first, and under the
		// epoch that the row has, so that the loss can join a gap of others.
		s.flush(true)
		if s.batch.Held() > 0 {
			return nil // not yet; the position is no less lost at the next try
		}
	}
	// To who has not heard that its stream was replaced, the new one's shards look gone.
	if err := s.view.fresh(s.ctx()); err != nil {
		return s.retry(err)
	}
	if _, err := s.view.epoch(); err != nil {
		return s.retry(err)
	}
	cursor, now := s.batch.Cursor(), s.lease.Now()
	g := Gap{
		StreamARN: s.table.StreamARN, Shard: s.shard, After: cursor.String(), Seen: now, Since: s.lostSince().UTC(),
		Reason: reason, Policy: s.onGap, Worker: s.worker,
	}
	again, err := recorded(s.ctx(), s.store, s.tablePrefix, s.shard, g.After)
	if err != nil {
		return s.retry(err)
	}
	// A loss is met again until a record behind it moves the checkpoint. While the shard is
	// read often enough, that is nothing new.
	if keeps := s.view.timing.Retention; again != 0 && g.Since.After(now.Add(-keeps)) {
		if err := s.goOn(reason); err != nil {
			return s.retry(err)
		}
		s.log.Info("the position is that of a gap that is recorded", zap.Int64("gap", again), zap.String("after", cursor.Digits()))
		return nil
	}
	if s.onGap == GapStop {
		if err := s.record(g); err != nil {
			return s.retry(err)
		}
		s.metrics.gaps.Inc()
		if err := s.lease.Halt(s.ctx(), string(g.JSON())); err != nil {
			return err
		}
		s.halted, s.opened = true, true
		s.log.Error("GAP: the shard is halted; start with --on-gap=continue to go on without what is lost",
			zap.String("after", cursor.Digits()), zap.String("reason", reason), zap.Time("since", g.Since))
		return nil
	}
	loss := s.loss(&g)
	loss.Again = again
	if g.Number, g.Epoch, err = s.view.lose(s.ctx(), loss); err != nil {
		return s.retry(err)
	}
	if err := s.record(g); err != nil {
		return s.retry(err)
	}
	if err := s.goOn(reason); err != nil {
		return s.retry(err)
	}
	s.metrics.gaps.Inc()
	s.log.Error("GAP: recorded; going on with what the stream still has", zap.Int64("gap", g.Number), zap.Int64("epoch", g.Epoch),
		zap.String("after", cursor.Digits()), zap.String("reason", reason), zap.Time("since", g.Since))
	return nil
}

// record makes the gap durable at each position that a chain of the shard stands at.
func (s *session) record(g Gap) error {
	for _, after := range s.cursors() {
		g.After = after.String()
		if err := g.record(s.ctx(), s.store, s.tablePrefix); err != nil {
			return err
		}
	}
	return nil
}

// goOn adopts the epoch behind a gap, and goes on with the oldest record that there is.
func (s *session) goOn(reason string) error {
	s.epochs.lost, s.epochs.settled = false, s.epochs.settled && s.lease.Awaited()
	if err := s.keepUp(); err != nil {
		return err
	}
	s.gapBefore, s.opened = reason, true
	for _, c := range s.chains {
		c.gapBefore = reason
	}
	if reason == reasonChildrenGone {
		return nil // this shard is whole
	}
	if reason == reasonShardGone {
		// Nothing more will come: its end is written, and its children start.
		s.batch.Add(nil, new(transform.Page), time.Now())
		return nil
	}
	s.reader.rewind()
	return nil
}

// loss is what the ledger is told. Its bounds are rounded outward, so that shards that lose
// something in the same minutes say the same.
func (s *session) loss(g *Gap) ledger.Loss {
	t := s.view.timing
	resumed := g.Seen.Add(-t.Retention)
	if !g.Since.Before(resumed) {
		resumed = g.Seen // the stream keeps less than it promises; how much less, nobody tells
	}
	if up := resumed.Truncate(t.Skew); up.Before(resumed) {
		resumed = up.Add(t.Skew)
	}
	return ledger.Loss{
		Since: g.Since.Truncate(t.Skew), Seen: g.Seen, Resumed: resumed, Reason: g.Reason,
		Adopted: max(s.lease.LineageEpoch(s.durable), s.epochs.highest),
	}
}

// lostSince is the time up to which the shard is known to be in the lake: where it is
// not known, before its first record, or before the lake wanted any.
func (s *session) lostSince() time.Time {
	if t := s.lease.CurrentTo(); !t.IsZero() {
		return t
	}
	return later(born(s.shard), s.view.begin())
}

// stale tells whether a shard that is about to be read from its oldest record, or from a time, has
// lost records that the lake was to have. What windows of a gap hold is not lost. A row
// of another version, which does not tell its age, is taken at its word.
func (s *session) stale() bool {
	if s.lease.Checkpoint().Created.IsZero() && s.gapBefore == "" {
		return false
	}
	t := s.view.timing
	return s.lease.Now().Sub(s.view.repaired(s.lostSince())) > t.Retention+t.Skew
}
