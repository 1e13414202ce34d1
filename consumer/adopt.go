package consumer

import (
	"time"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// epochs is what a session knows of the epochs of its shard's rows.
type epochs struct {
	placed  bool // a page was read, so the position is not lost
	lost    bool // the position is: the next epoch is that of its gap
	settled bool // the ledger was read after the row had its epoch
	highest int64
	newest  time.Time    // no row in the lake, or on its way there, is younger
	late    *ledger.Late // what has to be told to the ledger before anything else is written
}

// saw notes a link of the chain that was there already.
func (s *session) saw(l writer.Link) {
	if l.Rows == 0 {
		return
	}
	s.lease.RowsIn(l.Epoch)
	s.epochs.highest = max(s.epochs.highest, l.Epoch)
	s.epochs.newest = later(s.epochs.newest, time.UnixMicro(l.MaxTS))
}

// read notes what a page holds: its rows may be on their way to the lake soon.
func (e *epochs) read(p *transform.Page) {
	e.placed, e.lost = true, false
	var micros int64
	for i := range p.Changes {
		micros = max(micros, p.Changes[i].Created)
	}
	if micros != 0 {
		e.newest = later(e.newest, time.UnixMicro(micros))
	}
}

// stray notes rows under an epoch that was given up.
func (e *epochs) stray(late ledger.Late) {
	if e.late == nil {
		e.late = &late
		return
	}
	e.late.Epoch = min(e.late.Epoch, late.Epoch)
	if late.From.IsZero() || late.From.Before(e.late.From) {
		e.late.From = late.From
	}
	e.late.Through = later(e.late.Through, late.Through)
}

// strayLink notes a link whose writer had not adopted what the lease row says: it is of a
// worker that lost the lease before.
func (s *session) strayLink(l writer.Link) {
	if l.Rows > 0 && l.Epoch < s.lease.Epoch() {
		s.epochs.stray(ledger.Late{Epoch: l.Epoch, From: time.UnixMicro(l.MinTS).UTC(), Through: time.UnixMicro(l.MaxTS).UTC()})
	}
}

// behind tells whether the lease row has to be brought up to the ledger.
func (s *session) behind() bool {
	epoch, err := s.view.epoch()
	return err != nil || !s.epochs.settled || s.epochs.late != nil || epoch > s.lease.Epoch() && !s.epochs.lost
}

// keepUp brings the lease row to the stream's epoch. Files are written under the epoch
// of the row, so it comes before each of them.
//
// While a row says nothing, nobody waits for it before the end of a gap is fixed. So it
// must say something first, and then the ledger is read again: whoever saw the row
// without an epoch had read the ledger before.
func (s *session) keepUp() error {
	epoch, err := s.view.epoch()
	if err != nil {
		return err
	}
	before, awaited, older := s.lease.Epoch(), s.lease.Awaited(), s.older()
	if !awaited || epoch > before && !(s.epochs.lost && s.epochs.settled) {
		if err := s.adopt(max(epoch, before), older); err != nil {
			return err
		}
	}
	if !s.epochs.settled {
		if !awaited && !older.IsZero() {
			s.epochs.stray(ledger.Late{Epoch: max(before, s.epochs.highest), Through: older.UTC()})
		}
		if err := s.view.fresh(s.ctx()); err != nil {
			return err
		}
		if epoch, err = s.view.epoch(); err != nil {
			return err
		}
		if epoch > s.lease.Epoch() {
			if err := s.adopt(epoch, older); err != nil {
				return err
			}
		}
		s.epochs.settled = true
	}
	return s.tellLate()
}

func (s *session) adopt(epoch int64, older time.Time) error {
	before := s.lease.Epoch()
	err := s.lease.Adopt(s.ctx(), epoch, older)
	if err == nil && before != 0 && before != epoch {
		s.log.Debug("epoch adopted", zap.Int64("epoch", epoch), zap.Time("older_to", older))
	}
	return err
}

// older is the time of the last row that an epoch before the next may have: of what is in the
// lake, and of what was read, for it may be on its way.
func (s *session) older() time.Time {
	if s.lease.Epoch() == 0 && !s.begun() {
		return time.Time{} // this shard has nothing in the lake
	}
	return later(s.epochs.newest, s.lease.CurrentTo())
}

// tellLate makes the ledger cover rows that were written late. The row comes first: a gap
// whose end is not fixed yet may take it from there.
func (s *session) tellLate() error {
	late := s.epochs.late
	if late == nil {
		return nil
	}
	if err := s.adopt(s.lease.Epoch(), late.Through); err != nil {
		return err
	}
	if err := s.view.fresh(s.ctx()); err != nil {
		return err
	}
	if !s.view.now.Load().Reached(*late, s.view.timing) {
		err := s.view.update(s.ctx(), func(l *ledger.Ledger) error {
			_, err := l.OpenLate(*late, s.lease.Now(), s.view.timing)
			return err
		})
		if err != nil {
			return err
		}
		s.log.Warn("rows of an older epoch came late; what they change is repaired from exports",
			zap.Int64("epoch", late.Epoch), zap.Time("from", late.From), zap.Time("through", late.Through))
	}
	epoch, err := s.view.epoch()
	if err != nil {
		return err
	}
	if epoch > s.lease.Epoch() {
		if err := s.adopt(epoch, s.older()); err != nil {
			return err
		}
	}
	s.epochs.late = nil
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
