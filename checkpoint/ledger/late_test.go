package ledger

import (
	"testing"
	"time"
)

func TestLateRows(t *testing.T) {
	skew := timing.Skew
	// What was lost until 16 h, or a change over at through.
	lost := func(t *testing.T, fixed bool, through float64) Ledger {
		t.Helper()
		l := seeded(t)
		if _, _, err := l.OpenGap(Loss{Since: hours(10), Seen: hours(40), Adopted: 4}, timing); err != nil {
			t.Fatal(err)
		}
		if fixed {
			if err := l.FixGap(1, hours(through), timing); err != nil {
				t.Fatal(err)
			}
		}
		return l
	}
	for _, c := range []struct {
		name  string
		l     Ledger
		late  Late
		epoch int64     // that the stream goes on under
		from  time.Time // of the newest gap
		to    time.Time // at least, resumed
	}{
		{"the gap's windows hold them", lost(t, true, 40), Late{4, hours(38), hours(39)}, 8, hours(10).Add(-skew), hours(16)},
		{"they are younger than the windows", lost(t, true, 30), Late{4, hours(38), hours(39)}, 12, hours(38).Add(-skew), hours(39)},
		{"it is not known since when", lost(t, true, 30), Late{4, time.Time{}, hours(39)}, 12, hours(30), hours(39)},
		{"the gap's end is open", lost(t, false, 0), Late{4, hours(38), hours(39)}, 8, hours(10).Add(-skew), hours(39)},
		{"nothing lies above their epoch", lost(t, true, 30), Late{8, hours(38), hours(39)}, 8, hours(10).Add(-skew), hours(16)},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(c.l.Gaps)
			reached := c.l.Reached(c.late, timing)
			revision := string(c.l.JSON())
			epoch, err := c.l.OpenLate(c.late, hours(41), timing)
			if err != nil || epoch != c.epoch {
				t.Fatalf("epoch %d, %v; want %d", epoch, err, c.epoch)
			}
			g := c.l.Gaps[len(c.l.Gaps)-1]
			if !g.From.Equal(c.from) || !g.Resumed.Equal(c.to) || len(c.l.Gaps) > before+1 {
				t.Errorf("%d gaps, the newest from %s, resumed %s; want %s, %s", len(c.l.Gaps), g.From, g.Resumed, c.from, c.to)
			}
			if reached != (revision == string(c.l.JSON())) {
				t.Errorf("reached is %t, but the ledger changed or not", reached)
			}
			if !c.l.Reached(c.late, timing) {
				t.Error("not reached afterwards either")
			}
		})
	}
	t.Run("a full export above them is older", func(t *testing.T) {
		l := lost(t, true, 40)
		l.GiveUp(5, "too old", hours(60), hours(60))
		if _, err := l.StartFull(Export{To: hours(61)}, false); err != nil {
			t.Fatal(err)
		}
		if late := (Late{4, hours(59), hours(60)}); l.Epoch(6) == nil || !l.Reached(late, timing) == l.Reached(Late{4, hours(61), hours(62)}, timing) {
			t.Error("a row younger than the full export above it passes as one that is older")
		}
	})
}

func TestALossThatTheLedgerSaysIsCovered(t *testing.T) {
	l := seeded(t)
	loss := Loss{Since: hours(10), Seen: hours(40), Resumed: hours(16), Adopted: 4}
	if _, _, ok := l.Covered(loss, timing); ok {
		t.Error("covered without a gap")
	}
	gap, epoch, err := l.OpenGap(loss, timing)
	if err != nil {
		t.Fatal(err)
	}
	with := func(f func(*Loss)) Loss { c := loss; f(&c); return c }
	for _, c := range []struct {
		name string
		loss Loss
		want bool
	}{
		{"the same", loss, true},
		{"a smaller one", with(func(l *Loss) { l.Since, l.Resumed = hours(11), hours(15) }), true},
		{"an earlier one", with(func(l *Loss) { l.Since = hours(9) }), false},
		{"one that resumes later", with(func(l *Loss) { l.Resumed = hours(17) }), false},
		{"one of a shard in the new epoch", with(func(l *Loss) { l.Adopted = epoch }), false},
		{"the same, recorded before", with(func(l *Loss) { l.Adopted, l.Again = epoch, gap }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, e, ok := l.Covered(c.loss, timing)
			if ok != c.want || ok && (g != gap || e != epoch) {
				t.Errorf("gap %d, epoch %d, covered %t; want %t", g, e, ok, c.want)
			}
		})
	}
	if err := l.FixGap(gap, hours(40), timing); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := l.Covered(loss, timing); ok {
		t.Error("covered by a gap whose end is fixed")
	}
}
