package ledger

import (
	"errors"
	"time"
)

// A replay has a ledger of its own, of which some things are true that are not of a table's.

// ErrBackwards: the place has windows that end later than this one begins.
var ErrBackwards = errors.New("a later window is there already")

// StopStream ends the stream that is read: all of it up to a time is in the place, and nobody reads on.
func (l *Ledger) StopStream(at time.Time, t Timing) { l.end(l.last()+1, t.down(at)) }

// FollowFrom returns the epoch of windows that one from that time belongs to, in a place that needs no
// full export below it.
func (l *Ledger) FollowFrom(from time.Time) (int64, error) {
	for i := len(l.Epochs) - 1; i >= 0; i-- {
		if e := &l.Epochs[i]; e.Source == Incremental {
			switch at := e.planned(); {
			case at.Equal(from):
				return e.Number, nil
			case at.After(from):
				return 0, ErrBackwards
			}
			break
		}
	}
	number := l.last() + 1
	l.insert(Epoch{Number: number, Source: Incremental, From: from, To: from})
	return number, nil
}

// Restore notes an epoch that a few rows are of, as the table's ledger has it. It claims no time.
func (l *Ledger) Restore(of Epoch) {
	if l.Epoch(of.Number) != nil {
		return
	}
	e := Epoch{Number: of.Number, Source: of.Source, From: of.From, To: of.From, StreamARN: of.StreamARN}
	if len(l.Epochs) > 0 { // a stretch without length is no hole where it is that of the others
		e.From, e.To = l.Epochs[0].From, l.Epochs[0].From
	}
	if of.Source == Full && len(of.Exports) > 0 {
		x := of.Exports[0]
		x.Status = Restored
		e.Exports = []Export{x}
	}
	l.insert(e)
}
