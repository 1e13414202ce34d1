package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Errors that a caller branches on.
var (
	// ErrSeeding: a full export is under way already.
	ErrSeeding = errors.New("a full export is under way")
	// ErrSeeded: the lake has a full export, and what follows it is whole or being repaired.
	ErrSeeded = errors.New("the lake has a full export already")
	// ErrStreaming: the stream covers the table, so windows would only repeat it.
	ErrStreaming = errors.New("the stream covers the table")
	// ErrNoBase: there is no full export to go on from.
	ErrNoBase = errors.New("there is no full export to go on from")
	// ErrAdopting: shards still adopt the stream's epoch; in a minute they have.
	ErrAdopting = errors.New("shards of the stream still write under an older epoch")
	// ErrTooEarly: the full export would be older than what it is to make irrelevant.
	ErrTooEarly = errors.New("the full export is too early")
	// ErrOrder: an export of an epoch is converted after those before it.
	ErrOrder = errors.New("an earlier window is not converted yet")
)

// StartFull records a full export that is about to be made, and returns its epoch. A lake
// that has one gets another only behind a lost gap, or where again asks for it
// and there is a place for it below the stream.
func (l *Ledger) StartFull(x Export, again bool) (int64, error) {
	if l.Seeding() != nil {
		return 0, ErrSeeding
	}
	s, base, lost := l.Streaming(), l.Base(), l.lost()
	if base != nil && lost == nil && !again {
		return 0, ErrSeeded
	}
	number := l.last() + 1
	if s != nil {
		number = s.Number - fullSlot
		if base != nil && base.Number >= number {
			return 0, ErrSeeded
		}
		// Rows below the export's epoch must be older than the export.
		for _, g := range l.Gaps {
			if g.To.IsZero() && g.State != GapReseeded {
				return 0, ErrAdopting
			}
			if x.To.Before(g.To) {
				return 0, fmt.Errorf("%w: it must be later than gap %d, which ends at %s", ErrTooEarly, g.Number, g.To.Format(time.RFC3339))
			}
		}
	}
	if old := l.Epoch(number); old != nil { // one that failed
		x.Try = max(x.Try, old.Exports[0].Try+1)
		old.Exports = []Export{x}
		return number, nil
	}
	l.insert(Epoch{Number: number, Source: Full, Exports: []Export{x}})
	return number, nil
}

// lost is the newest gap that nothing can repair and no full export has made
// irrelevant.
func (l *Ledger) lost() *Gap {
	for i := len(l.Gaps) - 1; i >= 0; i-- {
		if l.Gaps[i].State == GapLost {
			return &l.Gaps[i]
		}
	}
	return nil
}

// Follow returns the epoch of windows that continues the newest export without an
// end. There must be a full export, and no stream that is read.
func (l *Ledger) Follow() (int64, error) {
	if l.Streaming() != nil {
		return 0, ErrStreaming
	}
	base := l.Base()
	if base == nil {
		return 0, ErrNoBase
	}
	if e := l.following(); e != nil && e.Number > base.Number {
		return e.Number, nil
	}
	number := l.last() + 1
	from := base.To
	l.insert(Epoch{Number: number, Source: Incremental, From: from, To: from})
	return number, nil
}

// following is the epoch of windows without an end, nil if there is none.
func (l *Ledger) following() *Epoch {
	for i := len(l.Epochs) - 1; i >= 0; i-- {
		if e := &l.Epochs[i]; e.Source == Incremental && e.Until.IsZero() {
			return e
		}
	}
	return nil
}

// planned is up to where windows are at least planned.
func (e *Epoch) planned() time.Time {
	if n := len(e.Exports); n > 0 {
		return e.Exports[n-1].To
	}
	return e.To
}

// Add plans a window: it must begin where the last one of its epoch ends.
func (l *Ledger) Add(epoch int64, x Export) error {
	e := l.Epoch(epoch)
	if e == nil || e.Source != Incremental {
		return fmt.Errorf("epoch %d is none of windows", epoch)
	}
	if !e.planned().Equal(x.From) {
		return fmt.Errorf("window from %s does not begin where the last one ends, %s", x.From.Format(time.RFC3339), e.planned().Format(time.RFC3339))
	}
	e.Exports = append(e.Exports, x)
	return nil
}

// Find returns the export of an epoch that begins at from (zero for a full
// export), nil if it is not there any more.
func (l *Ledger) Find(epoch int64, from time.Time) *Export {
	e := l.Epoch(epoch)
	if e == nil {
		return nil
	}
	for i := range e.Exports {
		if e.Exports[i].From.Equal(from) {
			return &e.Exports[i]
		}
	}
	return nil
}

// Done is what a conversion counted.
type Done struct {
	Items, Rejects int64
	To             time.Time // the manifest's own; where it differs from what was asked for, it counts
}

// Convert records that an export's rows are in the lake. A window must be the first
// of its epoch that is not.
func (l *Ledger) Convert(epoch int64, from time.Time, d Done, now time.Time, t Timing) error {
	e, x := l.Epoch(epoch), l.Find(epoch, from)
	if x == nil {
		return nil // another worker was first
	}
	if e.Source == Full {
		if x.Status == Converted {
			return nil
		}
		x.Status = Converted
		e.To, e.Items, e.Rejects = d.To, d.Items, d.Rejects
		x.To = d.To
		for i := range l.Gaps {
			if g := &l.Gaps[i]; g.Epoch < epoch && (g.State == GapLost || g.State == GapRepairing) {
				g.State, g.Closed = GapReseeded, now.UTC()
				if g.To.IsZero() && g.State != GapReseeded {
					g.To = d.To
				}
				if r := l.Epoch(g.Epoch); r != nil {
					r.Exports, r.Until = nil, r.To
				}
			}
		}
		l.bridge(now, t)
		return nil
	}
	if e.Exports[0].From != x.From {
		return ErrOrder
	}
	e.To = x.To
	e.Windows, e.Items, e.Rejects = e.Windows+1, e.Items+d.Items, e.Rejects+d.Rejects
	e.Exports = slices.Delete(e.Exports, 0, 1)
	if !e.Until.IsZero() && !e.To.Before(e.Until) {
		for i := range l.Gaps {
			if g := &l.Gaps[i]; g.Epoch == epoch && g.State == GapRepairing {
				g.State, g.Closed = GapClosed, now.UTC()
			}
		}
	}
	return nil
}
