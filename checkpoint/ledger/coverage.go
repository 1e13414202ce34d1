package ledger

import (
	"cmp"
	"slices"
	"time"
)

// SpanState is what the lake has of a stretch of time.
type SpanState string

// The states of a span.
const (
	Whole     SpanState = "whole"     // every change
	Compacted SpanState = "compacted" // the last change of each item and window; versions between are gone
	Missing   SpanState = "missing"   // it is being repaired, or waits for it
	Gone      SpanState = "gone"      // nothing has it any more
	Seed      SpanState = "seed"      // the whole table at To
	Underway  SpanState = "under way" // a full export that is not converted yet
)

// Span is a stretch of time and what the lake has of it.
type Span struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	State SpanState `json:"state"`
	// Source and Epoch are those of the rows; a gap has the number that its windows get.
	Source Source `json:"source,omitempty"`
	Epoch  int64  `json:"epoch"`
	Gap    int64  `json:"gap,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Coverage is the timeline, in the order of time. through is up to when the stream that is being
// read is in the lake.
func (l *Ledger) Coverage(through time.Time) []Span {
	var spans []Span
	add := func(s Span) {
		if s.State == Seed || s.State == Underway || s.From.Before(s.To) {
			spans = append(spans, s)
		}
	}
	repaired := map[int64]int64{}
	for _, g := range l.Gaps {
		switch g.State {
		case GapOpen:
			add(Span{From: g.From, To: g.Resumed, State: Missing, Epoch: g.Epoch, Gap: g.Number, Note: g.Reason})
		case GapRepairing, GapClosed:
			repaired[g.Epoch] = g.Number
		case GapLost, GapReseeded:
			from := g.From
			if e := l.Epoch(g.Epoch); e != nil {
				from = e.To
				repaired[g.Epoch] = g.Number
			}
			add(Span{From: from, To: g.To, State: Gone, Epoch: g.Epoch, Gap: g.Number, Note: g.Reason})
		}
	}
	for _, e := range l.Epochs {
		s := Span{From: e.From, To: e.To, State: Whole, Source: e.Source, Epoch: e.Number}
		switch e.Source {
		case Full:
			x := e.Exports[0]
			if x.Status == Restored {
				continue
			}
			s.From, s.State = time.Time{}, Seed
			if x.Status != Converted {
				s.To, s.State, s.Note = x.To, Underway, string(x.Status)
				if x.Status == Failed {
					s.Note += ": " + x.Reason
				}
			}
		case Incremental:
			s.State, s.Gap = Compacted, repaired[e.Number]
			if e.Until.After(e.To) && l.missing(e) {
				add(Span{From: e.To, To: e.Until, State: Missing, Source: e.Source, Epoch: e.Number, Gap: s.Gap, Note: "windows are exported"})
			}
		case Stream:
			if e.To.IsZero() {
				s.To = through
			}
		}
		add(s)
	}
	slices.SortStableFunc(spans, func(a, b Span) int { return cmp.Or(a.start().Compare(b.start()), cmp.Compare(a.Epoch, b.Epoch)) })
	return spans
}

func (l *Ledger) missing(e Epoch) bool {
	for _, g := range l.Gaps {
		if g.Epoch == e.Number {
			return g.State == GapRepairing
		}
	}
	return true
}

func (s Span) start() time.Time {
	if s.From.IsZero() {
		return s.To
	}
	return s.From
}

// Reach is up to when the lake is whole for the state, from its full export on, without
// a gap. Zero while there is no full export.
func (l *Ledger) Reach(through time.Time) time.Time {
	base := l.Base()
	if base == nil {
		return time.Time{}
	}
	reach := base.To
	for moved := true; moved; {
		moved = false
		for _, e := range l.Epochs {
			if e.Number <= base.Number || e.Source == Full || e.From.After(reach) {
				continue
			}
			to := e.To
			if to.IsZero() {
				to = through
			}
			if to.After(reach) {
				reach, moved = to, true
			}
		}
	}
	return reach
}

// Covers tells whether the lake has the table's state at a time.
func (l *Ledger) Covers(at, through time.Time) bool {
	base := l.Base()
	return base != nil && !at.Before(base.To) && !l.Reach(through).Before(at)
}

// Missing are the gaps that are not closed, oldest first.
func (l *Ledger) Missing() []Gap {
	var open []Gap
	for _, g := range l.Gaps {
		if g.State == GapOpen || g.State == GapRepairing || g.State == GapLost {
			open = append(open, g)
		}
	}
	return open
}
