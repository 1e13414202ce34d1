package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"dynamolake/checkpoint/ledger"
)

// timelineWidth is how many cells the timeline's bar has.
const timelineWidth = 64

// What a cell of the bar shows, the most important first: where several spans meet
// in one, that one is seen.
var timelineCells = []struct {
	state ledger.SpanState
	cell  rune
	means string
}{
	{ledger.Gone, '✗', "gone: nothing has these changes any more"},
	{ledger.Missing, '░', "missing: waits for its repair"},
	{ledger.Compacted, '▒', "compacted: the last change of each item and window"},
	{ledger.Whole, '█', "whole: every change"},
}

// printTimeline shows what the lake covers, as a bar from the first thing it has to
// now, and as a table.
func printTimeline(out io.Writer, spans []ledger.Span, now time.Time) error {
	if len(spans) == 0 {
		_, err := fmt.Fprintf(out, "\ncoverage  nothing yet: there is no export in the lake, and no lease tells how far the stream is\n")
		return err
	}
	from := now
	for _, s := range spans {
		if at := spanStart(s); at.Before(from) {
			from = at
		}
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s\n%s\n", timelineBar(spans, from, now), timelineScale(from, now))
	shown := map[rune]bool{}
	for _, c := range timelineBar(spans, from, now) {
		shown[c] = true
	}
	for _, c := range timelineCells {
		if shown[c.cell] {
			fmt.Fprintf(w, "%c  %s\n", c.cell, c.means)
		}
	}
	if shown['▲'] {
		fmt.Fprintf(w, "▲  full export\n")
	}
	fmt.Fprintf(w, "\nEPOCH\tSOURCE\tFROM\tTO\tSTATE\tNOTE\n")
	for _, s := range spans {
		source := string(s.Source)
		if source == "" {
			source = fmt.Sprintf("gap %d", s.Gap)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", s.Epoch, source, formatTime(s.From), formatTime(s.To), s.State, cmp.Or(s.Note, "-"))
	}
	return w.Flush()
}

func spanStart(s ledger.Span) time.Time {
	if s.From.IsZero() {
		return s.To
	}
	return s.From
}

// timelineBar draws the spans between two times.
func timelineBar(spans []ledger.Span, from, to time.Time) string {
	length := max(to.Sub(from), time.Second)
	cell := func(at time.Time) int {
		return min(max(int(float64(at.Sub(from))/float64(length)*timelineWidth), 0), timelineWidth-1)
	}
	bar := []rune(strings.Repeat("·", timelineWidth))
	for i := len(timelineCells) - 1; i >= 0; i-- {
		for _, s := range spans {
			if s.State != timelineCells[i].state || !s.From.Before(s.To) {
				continue
			}
			last := cell(s.To)
			if s.To.Equal(from.Add(time.Duration(float64(length) / timelineWidth * float64(last)))) {
				last-- // it ends where the cell begins
			}
			for c := cell(s.From); c <= max(last, cell(s.From)); c++ {
				bar[c] = timelineCells[i].cell
			}
		}
	}
	for _, s := range spans {
		if s.State == ledger.Seed {
			bar[cell(s.To)] = '▲'
		}
	}
	return string(bar)
}

// timelineScale writes the times of the bar's two ends below it.
func timelineScale(from, to time.Time) string {
	left, right := formatTime(from), formatTime(to)
	return left + strings.Repeat(" ", max(timelineWidth-len(left)-len(right), 1)) + right
}
