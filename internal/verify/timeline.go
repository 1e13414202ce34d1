package verify

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"dynamolake/checkpoint/ledger"
)

// timeline says what of the lake's time is not covered. changesOnly does without a full
// export; compared tells that items are compared, so that nobody's word need be taken.
func timeline(l ledger.Ledger, changesOnly, compared bool) []Doubt {
	var d found
	base := l.Base()
	if base == nil && !changesOnly {
		d.add(NoBase, "ledger", "no full export: what the table held before %s is unknown; make one with dynamolake bootstrap, or ask for the changes alone with --changes-only", beginning(l))
	}
	for _, g := range l.Missing() {
		if base != nil && g.Epoch < base.Number && g.State != ledger.GapOpen {
			continue // nothing below the full export counts any more
		}
		d.add(GapKind, fmt.Sprintf("gap %d", g.Number), "%s", gapText(g))
	}
	for _, g := range l.Gaps {
		if onWord(g) && !compared && (base == nil || g.To.After(base.To)) {
			d.add(GapKind, fmt.Sprintf("gap %d", g.Number), "nothing has the changes from %s to %s, but for somebody's word that there were none; compare the items with --against-table or --against-export", stamp(g.From), stamp(g.To))
		}
	}
	d = append(d, holes(l, base)...)
	if s := l.Seeding(); s != nil && base == nil {
		d.add(NoBase, fmt.Sprintf("epoch %d", s.Number), "a full export is %s; go on with dynamolake bootstrap and verify again when it is converted", s.Exports[0].Status)
	}
	return d
}

func beginning(l ledger.Ledger) string {
	var first time.Time
	for _, e := range l.Epochs {
		if !e.From.IsZero() && (first.IsZero() || e.From.Before(first)) {
			first = e.From
		}
	}
	if first.IsZero() {
		return "the lake's first change"
	}
	return stamp(first)
}

func gapText(g ledger.Gap) string {
	switch g.State {
	case ledger.GapOpen:
		return fmt.Sprintf("changes from %s on are missing (%s), and shards still go over to epoch %d; keep the fleet running, then run dynamolake incremental", stamp(g.From), g.Reason, g.After)
	case ledger.GapRepairing:
		return fmt.Sprintf("changes from %s to %s are missing (%s), and their windows are not all converted; run dynamolake incremental", stamp(g.From), stamp(g.To), g.Reason)
	}
	return fmt.Sprintf("changes from %s to %s are lost (%s); make a new full export with dynamolake bootstrap", stamp(g.From), stamp(g.To), g.Reason)
}

// holes are times between epochs that the ledger knows no gap for: it should never have let
// them come about.
func holes(l ledger.Ledger, base *ledger.Epoch) []Doubt {
	var d found
	above := slices.DeleteFunc(slices.Clone(l.Epochs), func(e ledger.Epoch) bool {
		return e.Source == ledger.Full || base != nil && e.Number < base.Number
	})
	slices.SortStableFunc(above, func(a, b ledger.Epoch) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Number, b.Number)) })
	var reach time.Time
	if base != nil {
		reach = base.To
	} else if len(above) > 0 {
		reach = above[0].From
	}
	for _, e := range above {
		if e.From.After(reach) && !excused(l, reach, e.From) {
			d.add(Hole, fmt.Sprintf("epoch %d", e.Number), "it begins at %s, and what is below it reaches %s only; nothing has the changes between: make a new full export with dynamolake bootstrap --again, and report this", stamp(e.From), stamp(reach))
		}
		if e.To.IsZero() { // the stream that is read
			return d
		}
		if e.To.After(reach) {
			reach = e.To
		}
	}
	return d
}

// onWord tells whether a gap was closed without an export: by an import of a window that began
// later than the lake ended.
func onWord(g ledger.Gap) bool { return g.State == ledger.GapClosed && g.Epoch == 0 }

// excused tells whether a gap that is looked at by itself accounts for a hole.
func excused(l ledger.Ledger, from, to time.Time) bool {
	for _, g := range l.Gaps {
		if !onWord(g) && g.State != ledger.GapOpen && g.State != ledger.GapRepairing && g.State != ledger.GapLost {
			continue
		}
		end := g.To
		if end.IsZero() {
			end = to
		}
		if g.From.Before(to) && end.After(from) {
			return true
		}
	}
	return false
}

// reachOf is from when to when a lake tells of its table; through is up to when it has the stream that is read. One that
// is read no more it has to the end of its epoch, whatever its last row is.
func reachOf(l ledger.Ledger, through time.Time) (since, reach time.Time) {
	if base := l.Base(); base != nil {
		return base.To, l.Reach(through)
	}
	for _, e := range l.Epochs {
		if since.IsZero() || !e.From.IsZero() && e.From.Before(since) {
			since = e.From
		}
		if e.To.After(reach) {
			reach = e.To
		}
	}
	reading := slices.ContainsFunc(l.Epochs, func(e ledger.Epoch) bool { return e.To.IsZero() })
	if reading || through.After(reach) {
		reach = through
	}
	return since, reach
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "the beginning"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
