package ledger

import (
	"errors"
	"time"
)

// A replay has a ledger of its own, of which some things are true that are not of a table's.

// ErrApart: what the place has does not end where this begins.
var ErrApart = errors.New("the place has other times already")

// StopStream ends the stream that is read: all of it up to a time is in the place, and nobody reads on.
func (l *Ledger) StopStream(at time.Time, t Timing) { l.end(l.last()+1, t.down(at)) }

// FollowFrom returns the epoch of windows that one from that time belongs to, in a place that needs no
// full export below it. A place has one stretch of time.
func (l *Ledger) FollowFrom(from time.Time) (int64, error) {
	if n := len(l.Epochs); n > 0 {
		e := &l.Epochs[n-1]
		switch {
		case e.Source == Incremental && e.planned().Equal(from):
			return e.Number, nil
		case e.Source != Full || !e.To.Equal(from):
			return 0, ErrApart
		}
	}
	number := l.last() + 1
	l.insert(Epoch{Number: number, Source: Incremental, From: from, To: from})
	return number, nil
}

// Begin is the earliest time that the ledger tells of; zero while there is none.
func (l *Ledger) Begin() (first time.Time) {
	for _, e := range l.Epochs {
		at := e.From
		if e.Source == Full {
			at = e.To
		}
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// Restore notes an epoch of the table's ledger that a few rows are of. It claims no time: it begins and ends
// at a time that is no later than any of the table's.
func (l *Ledger) Restore(of Epoch, at time.Time) {
	if l.Epoch(of.Number) != nil {
		return
	}
	e := Epoch{Number: of.Number, Source: of.Source, From: at, To: at, StreamARN: of.StreamARN}
	if of.Source == Full && len(of.Exports) > 0 {
		x := of.Exports[0]
		x.Status = Restored
		e.Exports = []Export{x}
	}
	l.insert(e)
}
