package ledger

import (
	"fmt"
	"strings"
	"time"
)

// Numbers below a stream's epoch; see the package comment.
const (
	repairSlot = 3 // windows that repair what the stream before lost
	fullSlot   = 2
	bridgeSlot = 1 // windows between that full export and the stream
	streamStep = 4
)

// StartStream is told by whoever begins to read a stream: it has all changes from
// from on. It returns the stream's epoch, which is the one there is where the stream is being
// read already.
//
// A stream of another ARN takes over from the one that was read. Then since is up to when
// the lake has all of the old one; nothing of it may be written any more, and what lies between the two is a gap.
func (l *Ledger) StartStream(arn string, from, since, now time.Time, t Timing) int64 {
	old := l.Streaming()
	if old != nil && old.StreamARN == arn {
		return old.Number
	}
	number := l.last() + streamStep
	if old != nil {
		g := Gap{
			From: t.down(since.Add(-t.Skew)), State: GapRepairing, Seen: now.UTC(), Resumed: from.UTC(),
			Reason: "the stream was turned off and on: another took its place",
			Epoch:  number - repairSlot, After: number,
		}
		g.To = l.windowEnd(g.From, t.up(from.Add(t.Skew)), t)
		l.end(number, g.From)
		l.repair(g)
	}
	if e := l.following(); e != nil && old == nil && !l.givenUp(e) {
		e.Until = l.windowEnd(e.planned(), t.up(from.Add(t.Skew)), t)
	}
	l.insert(Epoch{Number: number, Source: Stream, From: t.up(from), StreamARN: arn})
	l.bridge(now, t)
	return number
}

// end closes the stream's epochs below a number: none of them, over or not, has all
// changes from that time on. Their rows may reach farther in some shards.
func (l *Ledger) end(below int64, at time.Time) {
	for i := range l.Epochs {
		e := &l.Epochs[i]
		if e.Source != Stream || e.Number >= below || !e.To.IsZero() && !at.Before(e.To) {
			continue
		}
		if e.To = at; at.Before(e.From) {
			e.To = e.From
		}
	}
}

// windowEnd makes windows from..to long enough to be exported.
func (l *Ledger) windowEnd(from, to time.Time, t Timing) time.Time {
	if to.Sub(from) <= 0 {
		return from
	}
	if least := from.Add(t.MinWindow); to.Before(least) {
		return least
	}
	return to
}

// repair records a gap whose end is known, and the epoch of its windows.
func (l *Ledger) repair(g Gap) {
	if g.Number == 0 {
		g.Number = int64(len(l.Gaps)) + 1
	}
	l.insert(Epoch{Number: g.Epoch, Source: Incremental, From: g.From, To: g.From, Until: g.To})
	if old := l.Gap(g.Number); old != nil {
		*old = g
		return
	}
	l.Gaps = append(l.Gaps, g)
}

// bridge sees to it that a full export and the stream above it meet: windows fill
// what lies between.
func (l *Ledger) bridge(now time.Time, t Timing) {
	base := l.Base()
	if base == nil {
		return
	}
	var s *Epoch
	for i := range l.Epochs {
		if e := &l.Epochs[i]; e.Number > base.Number && e.Source == Stream {
			s = e
			break
		}
	}
	if s == nil || !base.To.Before(s.From.Add(t.Overlap)) || l.coveredByWindows(base, s) {
		return
	}
	to := l.windowEnd(base.To, t.up(s.From.Add(t.Skew)), t)
	if !base.To.Before(to) {
		return
	}
	l.repair(Gap{
		From: base.To, To: to, State: GapRepairing, Seen: now.UTC(), Resumed: s.From,
		Reason: "the stream is read from a later time than the full export's",
		Epoch:  s.Number - bridgeSlot, After: s.Number,
	})
}

// coveredByWindows tells whether windows lie between a full export and a stream.
func (l *Ledger) coveredByWindows(base, s *Epoch) bool {
	for _, e := range l.Epochs {
		if e.Source == Incremental && e.Number > base.Number && e.Number < s.Number && !e.From.After(base.To) {
			return true
		}
	}
	return false
}

// StreamBirth is when a stream was turned on: the label at the end of its ARN. False where
// that is no time.
func StreamBirth(arn string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02T15:04:05.999", arn[strings.LastIndexByte(arn, '/')+1:])
	return t, err == nil
}

// Loss is what a shard of the stream lost.
type Loss struct {
	Since time.Time // all of the shard up to here is in the lake
	Seen  time.Time // when it was found
	// Resumed: the shard has everything from here on. Zero: it goes on with what the
	// stream had when the loss was seen.
	Resumed time.Time
	Reason  string
	// Adopted is the highest epoch that the shard or an ancestor of it may have
	// rows in.
	Adopted int64
	// Again is the gap that this very loss was recorded under before; 0 if it was not.
	Again int64
}

// OpenGap records a loss, and returns its gap and the epoch that the stream goes on
// under. Losses join the newest gap while its end is open; else the stream gets a
// new epoch, which every shard must adopt before it writes another file.
func (l *Ledger) OpenGap(loss Loss, t Timing) (gap, epoch int64, err error) {
	s := l.Streaming()
	if s == nil {
		return 0, 0, fmt.Errorf("a gap in a stream that the ledger does not know")
	}
	from, resumed := loss.span(t)
	if g := l.Gap(loss.Again); g != nil && !g.To.IsZero() && !g.From.After(from) && !g.To.Before(t.up(resumed.Add(t.Skew))) {
		return g.Number, s.Number, nil // its windows are planned, and cover this
	}
	if g := l.covering(from, resumed, loss.Adopted, t); g != nil {
		return g.Number, s.Number, nil
	}
	if n := len(l.Gaps); n > 0 {
		g := &l.Gaps[n-1]
		if g.State == GapOpen && g.After == s.Number && (loss.Adopted < s.Number || loss.Again == g.Number) {
			if from.Before(g.From) {
				g.From = from
				l.end(g.After, from)
			}
			if resumed.After(g.Resumed) {
				g.Resumed, s.From = resumed, t.up(resumed.Add(t.Skew))
			}
			if loss.Again != g.Number {
				g.Shards++
			}
			return g.Number, s.Number, nil
		}
	}
	number := l.last() + streamStep
	l.end(number, from)
	arn := s.StreamARN
	l.insert(Epoch{Number: number, Source: Stream, From: t.up(resumed.Add(t.Skew)), StreamARN: arn})
	l.Gaps = append(l.Gaps, Gap{
		Number: int64(len(l.Gaps)) + 1, From: from, State: GapOpen, Reason: loss.Reason, Seen: loss.Seen.UTC(),
		Resumed: resumed, Shards: 1, Epoch: number - repairSlot, After: number,
	})
	return int64(len(l.Gaps)), number, nil
}

// covering is a gap whose windows hold, or will hold, all that was lost between two times, by shards that
// have no rows above it.
func (l *Ledger) covering(from, resumed time.Time, adopted int64, t Timing) *Gap {
	for i := range l.Gaps {
		g := &l.Gaps[i]
		if (g.State == GapRepairing || g.State == GapClosed) && g.After > adopted && !g.From.After(from) && !g.To.Before(t.up(resumed.Add(t.Skew))) {
			return g
		}
	}
	return nil
}

// FixGap is told once every shard has adopted the epoch behind an open gap.
// through is the time of the last row of any older epoch. From then on it is known
// what has to be exported.
func (l *Ledger) FixGap(number int64, through time.Time, t Timing) error {
	g := l.Gap(number)
	if g == nil || g.State != GapOpen {
		return fmt.Errorf("gap %d is not open", number)
	}
	if through.Before(g.Resumed) {
		through = g.Resumed
	}
	var cut time.Time
	if full := l.fullBelow(g.Epoch); full != nil && full.Exports[0].To.After(g.From) {
		// An item that was inserted before the export and deleted after it is in the export, but
		// would be in no window that begins before and ends after it.
		cut = full.Exports[0].To
		if least := cut.Add(-t.MinWindow); least.Before(g.From) {
			g.From = least
		}
		if through.Before(cut) {
			through = cut
		}
	}
	g.To = l.windowEnd(g.From, t.up(through.Add(t.Skew)), t)
	if !cut.IsZero() {
		g.To = l.windowEnd(cut, g.To, t)
	}
	g.State = GapRepairing
	if s := l.Epoch(g.After); s != nil {
		s.From = g.To
		if !s.To.IsZero() && s.To.Before(s.From) {
			s.To = s.From
		}
	}
	l.repair(*g)
	l.Epoch(g.Epoch).Cut = cut
	return nil
}

// fullBelow is the newest full export below an epoch that did not fail.
func (l *Ledger) fullBelow(number int64) *Epoch {
	for i := len(l.Epochs) - 1; i >= 0; i-- {
		if e := &l.Epochs[i]; e.Source == Full && e.Number < number && e.Exports[0].Status != Failed {
			return e
		}
	}
	return nil
}
