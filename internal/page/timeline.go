package page

import (
	"cmp"
	"fmt"
	"time"

	"dynamolake/checkpoint/ledger"
)

// wide is the width of what is drawn over time. It is stretched to the page's.
const wide = 1000

// bars are what the lake has of a stretch of time, one lane for each source.
type bars struct {
	From, Mid, To time.Time
	Lanes         []lane
}

type lane struct {
	Name  string
	Rects []rect
}

// rect is a span between two positions, of wide.
type rect struct {
	X, W  float64
	Class string // the state
	Title string
}

// laneOf puts a span where it is looked for.
func laneOf(s ledger.Span) string {
	switch s.Source {
	case ledger.Full:
		return "full exports"
	case ledger.Stream:
		return "stream"
	case ledger.Incremental:
		return "windows"
	}
	return "gaps"
}

// classOf is a state as the style sheet knows it.
var classOf = map[ledger.SpanState]string{
	ledger.Whole: "whole", ledger.Compacted: "compacted", ledger.Missing: "missing",
	ledger.Gone: "gone", ledger.Seed: "seed", ledger.Underway: "underway",
}

// thin is how much of the picture a span or an instant takes at least.
const thin = 4

// timeline lays out what lies between two times. A lane without anything is left out.
func timeline(spans []ledger.Span, from, to time.Time) bars {
	length := max(to.Sub(from), time.Second)
	b := bars{From: from, Mid: from.Add(length / 2), To: to}
	x := func(at time.Time) float64 {
		return min(max(float64(at.Sub(from))/float64(length)*wide, 0), wide)
	}
	for _, name := range []string{"full exports", "stream", "windows", "gaps"} {
		l := lane{Name: name}
		for _, s := range spans {
			begin := s.From
			if begin.IsZero() {
				begin = s.To // an instant
			}
			if laneOf(s) != name || s.To.Before(from) || begin.After(to) {
				continue
			}
			r := rect{X: x(begin), Class: classOf[s.State], Title: titleOf(s)}
			r.W = max(x(s.To)-r.X, thin)
			r.X = min(r.X, wide-r.W)
			l.Rects = append(l.Rects, r)
		}
		if len(l.Rects) > 0 {
			b.Lanes = append(b.Lanes, l)
		}
	}
	return b
}

func titleOf(s ledger.Span) string {
	what := cmp.Or(string(s.Source), fmt.Sprintf("gap %d", s.Gap))
	times := clock(s.To)
	if !s.From.IsZero() {
		times = clock(s.From) + " to " + times
	}
	text := fmt.Sprintf("%s, epoch %d, %s: %s", what, s.Epoch, s.State, times)
	if s.Note != "" {
		text += " (" + s.Note + ")"
	}
	return text
}

// begins is when the first of the spans does; now if there is none.
func begins(spans []ledger.Span, now time.Time) time.Time {
	from := now
	for _, s := range spans {
		at := s.From
		if at.IsZero() {
			at = s.To
		}
		if at.Before(from) {
			from = at
		}
	}
	return from
}
