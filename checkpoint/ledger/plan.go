package ledger

import (
	"fmt"
	"time"
)

// Facts is what the planner must know of the table.
type Facts struct {
	PITR bool
	// Earliest and Latest bound what AWS can export, by its own clock.
	Earliest, Latest time.Time
	Window           time.Duration // the length of a window that is wished for
	InFlight         int           // the most exports at once
}

// Step is what to do next about windows.
type Step struct {
	Epoch int64
	Plan  []Export // to be added, in order
	// Lost: AWS can no longer export what the epoch is to hold next.
	Lost bool
	// Why says why nothing is planned although something is missing; empty if nothing is.
	Why string
	// Due is when the next window may be asked for; zero if that is not a matter of time.
	Due time.Time
}

// Plan decides which windows come next, for every epoch of windows that has not
// reached its end. It never plans a window that ends later than is safe, and cuts what
// is longer than a window evenly.
func (l *Ledger) Plan(f Facts, t Timing) []Step {
	running := 0
	for _, e := range l.Epochs {
		for _, x := range e.Exports {
			if x.Status == Planned || x.Status == Running {
				running++
			}
		}
	}
	var steps []Step
	for i := range l.Epochs {
		e := &l.Epochs[i]
		if e.Source != Incremental || !e.Until.IsZero() && !e.planned().Before(e.Until) || l.givenUp(e) {
			continue
		}
		step := Step{Epoch: e.Number}
		at := e.planned()
		switch {
		case !f.PITR:
			step.Why = "point-in-time recovery is off"
		case f.Earliest.After(at):
			step.Lost = true
			step.Why = fmt.Sprintf("point-in-time recovery reaches back to %s only, and the lake to %s", f.Earliest.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
		}
		for step.Why == "" {
			until := e.Until
			if at.Before(e.Cut) {
				until = e.Cut
			}
			to := next(at, until, f.Window, t)
			if to.After(f.Latest) {
				step.Due = to.Add(t.Safe)
				break
			}
			if running >= f.InFlight {
				break
			}
			step.Plan = append(step.Plan, Export{From: at, To: to, Status: Planned})
			running++
			if at = to; !e.Until.IsZero() && !at.Before(e.Until) {
				break
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// givenUp tells whether the epoch belongs to a gap that is not to be repaired any more, or ends in a full export.
func (l *Ledger) givenUp(e *Epoch) bool {
	for _, g := range l.Gaps {
		if g.Epoch == e.Number && g.State != GapRepairing {
			return true
		}
	}
	base := l.Base()
	return base != nil && base.Number > e.Number
}

// next is the end of the window from at.
func next(at, until time.Time, window time.Duration, t Timing) time.Time {
	window = min(max(window, t.MinWindow), t.MaxWindow)
	if until.IsZero() {
		return at.Add(window)
	}
	rest := until.Sub(at)
	n := (rest + window - 1) / window
	for n > 1 && rest/n < t.MinWindow {
		n--
	}
	if n <= 1 {
		return until
	}
	return at.Add((rest / n).Truncate(t.Resolution))
}

// GiveUp records that AWS can no longer export what an epoch of windows is to hold
// next: it reaches back to earliest only.
func (l *Ledger) GiveUp(epoch int64, why string, earliest, now time.Time) {
	for i := range l.Gaps {
		if g := &l.Gaps[i]; g.Epoch == epoch {
			if g.State == GapRepairing {
				g.State, g.Reason = GapLost, g.Reason+"; "+why
			}
			return
		}
	}
	// Windows that follow the table: what they cannot reach becomes a gap.
	if e := l.Epoch(epoch); e != nil {
		l.Gaps = append(l.Gaps, Gap{
			Number: int64(len(l.Gaps)) + 1, From: e.planned(), To: earliest.UTC(), State: GapLost, Reason: why, Seen: now.UTC(), Epoch: epoch,
		})
	}
}
