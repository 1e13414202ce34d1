package main

import (
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
)

func TestTheTimelineShowsWhatIsThere(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return now.Add(time.Duration(hours-64) * time.Hour) }
	for _, c := range []struct {
		name  string
		spans []ledger.Span
		bar   string // of 64 cells, an hour each; "a*n" is n times a
	}{
		{"a seed and the stream behind it", []ledger.Span{
			{To: at(0), State: ledger.Seed}, {From: at(0), To: at(64), State: ledger.Whole},
		}, "▲" + strings.Repeat("█", 63)},
		{"a gap that was repaired, and one that waits", []ledger.Span{
			{From: at(0), To: at(20), State: ledger.Whole},
			{From: at(20), To: at(30), State: ledger.Compacted},
			{From: at(30), To: at(40), State: ledger.Whole},
			{From: at(40), To: at(50), State: ledger.Missing},
			{From: at(50), To: at(64), State: ledger.Whole},
		}, strings.Repeat("█", 20) + strings.Repeat("▒", 10) + strings.Repeat("█", 10) + strings.Repeat("░", 10) + strings.Repeat("█", 14)},
		{"a gap of a minute is still seen", []ledger.Span{
			{From: at(0), To: at(10), State: ledger.Whole},
			{From: at(10).Add(20 * time.Minute), To: at(10).Add(21 * time.Minute), State: ledger.Gone},
			{From: at(10).Add(21 * time.Minute), To: at(64), State: ledger.Whole},
		}, strings.Repeat("█", 10) + "✗" + strings.Repeat("█", 53)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := timelineBar(c.spans, at(0), now); got != c.bar {
				t.Errorf("bar\n%s, want\n%s", got, c.bar)
			}
		})
	}
}

func TestTheTimelineExplainsOnlyWhatItShows(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	err := printTimeline(&out, []ledger.Span{
		{To: now.Add(-48 * time.Hour), State: ledger.Seed, Source: ledger.Full, Epoch: 2},
		{From: now.Add(-49 * time.Hour), To: now, State: ledger.Whole, Source: ledger.Stream, Epoch: 4},
		{From: now.Add(-30 * time.Hour), To: now.Add(-20 * time.Hour), State: ledger.Gone, Epoch: 5, Gap: 1, Note: "trimmed"},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"2026-11-22 11:00:00", "2026-11-24 12:00:00", "gap 1", "trimmed", "✗  gone", "█  whole", "▲  full export"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "compacted") {
		t.Errorf("it explains what is not there:\n%s", text)
	}
}
