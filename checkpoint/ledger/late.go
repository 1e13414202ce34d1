package ledger

import "time"

// Covered tells whether the ledger says all of a loss already: then [Ledger.OpenGap] is
// not needed, and this is what it would return. Many shards that lose something at once
// so change the ledger once.
func (l *Ledger) Covered(loss Loss, t Timing) (gap, epoch int64, ok bool) {
	s := l.Streaming()
	if s == nil || len(l.Gaps) == 0 {
		return 0, 0, false
	}
	from, resumed := loss.span(t)
	g := l.Gaps[len(l.Gaps)-1]
	if g.State != GapOpen || g.After != s.Number || loss.Adopted >= s.Number && loss.Again != g.Number {
		return 0, 0, false
	}
	return g.Number, s.Number, !from.Before(g.From) && !resumed.After(g.Resumed)
}

// span is what has to be covered for a loss, but for the allowance at its end.
func (loss Loss) span(t Timing) (from, resumed time.Time) {
	if loss.Resumed.IsZero() {
		return t.down(loss.Since.Add(-t.Skew)), loss.Seen.Add(-t.Retention).UTC()
	}
	return t.down(loss.Since.Add(-t.Skew)), loss.Resumed.UTC()
}

// Late are rows that came into the lake under an epoch, when another had been
// adopted already: a file of a writer that had been given up.
type Late struct {
	Epoch         int64
	From, Through time.Time // of the rows; From is zero if it is not known
}

// Reached tells whether all that lies above late rows holds what they hold. What does
// not would hide them: an older row of the same key in a higher epoch.
func (l *Ledger) Reached(late Late, t Timing) bool {
	_, short := l.short(late, t)
	return !short
}

// short finds what lies above late rows and ends before them, and the earliest end.
func (l *Ledger) short(late Late, t Timing) (end time.Time, short bool) {
	least := t.up(late.Through.Add(t.Skew))
	reaches := func(g Gap) bool {
		if g.State == GapOpen {
			return !g.Resumed.Before(late.Through)
		}
		return !g.To.Before(least)
	}
	ends := func(number int64, at time.Time) {
		from := late.From
		if from.IsZero() {
			from = at
		}
		for _, g := range l.Gaps { // windows above it may have the rows
			if g.Epoch > number && !g.From.After(t.down(from.Add(-t.Skew))) && reaches(g) {
				return
			}
		}
		if !short || at.Before(end) {
			end, short = at, true
		}
	}
	for _, g := range l.Gaps {
		if g.After > late.Epoch && !reaches(g) {
			if g.State == GapOpen {
				ends(g.Epoch, g.Resumed)
			} else {
				ends(g.Epoch, g.To)
			}
		}
	}
	for _, e := range l.Epochs {
		if e.Source == Full && e.Number > late.Epoch && len(e.Exports) > 0 && e.Exports[0].Status != Failed && e.Exports[0].To.Before(least) {
			ends(e.Number, e.Exports[0].To)
		}
	}
	return end, short
}

// OpenLate makes late rows part of a gap, so that windows above them hold
// what they hold. It returns the epoch of the stream, a new one if need be.
func (l *Ledger) OpenLate(late Late, seen time.Time, t Timing) (epoch int64, err error) {
	end, short := l.short(late, t)
	if s := l.Streaming(); s != nil && !short {
		return s.Number, nil
	}
	since := late.From
	if since.IsZero() {
		since = end
	}
	_, epoch, err = l.OpenGap(Loss{
		Since: since, Seen: seen, Resumed: late.Through, Adopted: late.Epoch,
		Reason: "a file of an older epoch was written late",
	}, t)
	return epoch, err
}
