package ledger

import (
	"errors"
	"testing"
	"time"
)

func TestWindowsOfAPlaceFollowOneAnother(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 24, hour, 0, 0, 0, time.UTC) }
	window := func(l *Ledger, from, to int) error {
		epoch, err := l.FollowFrom(at(from))
		if err == nil {
			err = l.Add(epoch, Export{From: at(from), To: at(to), Status: Exported})
		}
		return err
	}
	full := Ledger{Epochs: []Epoch{{Number: 1, Source: Full, To: at(3), Exports: []Export{{To: at(3), Status: Converted}}}}}
	for _, c := range []struct {
		name   string
		l      Ledger
		from   []int
		apart  bool
		epochs int
	}{
		{"the first may begin anywhere", Ledger{}, []int{3}, false, 1},
		{"the next where it ends", Ledger{}, []int{3, 4, 5}, false, 1},
		{"not later", Ledger{}, []int{3, 5}, true, 1},
		{"nor earlier", Ledger{}, []int{3, 2}, true, 1},
		{"behind a full export they begin at its time", full, []int{3, 4}, false, 2},
		{"and nowhere else", full, []int{4}, true, 1},
		{"a stream has none", Ledger{Epochs: []Epoch{{Number: 4, Source: Stream, From: at(1), To: at(3)}}}, []int{3}, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := c.l.clone()
			var err error
			for _, from := range c.from {
				err = errors.Join(err, window(&l, from, from+1))
			}
			if errors.Is(err, ErrApart) != c.apart || err != nil && !c.apart || len(l.Epochs) != c.epochs {
				t.Errorf("%v, %+v", err, l.Epochs)
			}
		})
	}
}

func TestAReplayedStreamEndsWhereItWasBegun(t *testing.T) {
	timing := RealTiming()
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	l := Ledger{}
	l.StartStream("arn", now.Add(-time.Hour), time.Time{}, now, timing)
	l.StopStream(now.Add(time.Millisecond), timing)
	if l.Streaming() != nil {
		t.Errorf("it is read still: %+v", l.Epochs)
	}
	if spans := l.Coverage(time.Time{}); len(spans) != 1 || spans[0].State != Whole || !spans[0].From.Equal(now.Add(-time.Hour)) || !spans[0].To.Equal(now) {
		t.Errorf("it covers %+v", spans)
	}
	// One that was over before it could claim anything claims nothing.
	l = Ledger{}
	l.StartStream("arn", now, time.Time{}, now, timing)
	l.StopStream(now.Add(-time.Minute), timing)
	if spans := l.Coverage(time.Time{}); len(spans) != 0 || l.Streaming() != nil {
		t.Errorf("it covers %+v", spans)
	}
}

func TestRestoredEpochsClaimNoTime(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 24, hour, 0, 0, 0, time.UTC) }
	live := Ledger{Epochs: []Epoch{
		{Number: 2, Source: Full, To: at(3), Exports: []Export{{To: at(3), Status: Converted, ARN: "a/1"}}},
		{Number: 4, Source: Stream, From: at(2), StreamARN: "arn"},
		{Number: 5, Source: Incremental, From: at(7), To: at(8)},
	}}
	if !(&Ledger{}).Begin().IsZero() || !live.Begin().Equal(at(2)) {
		t.Errorf("the table's lake begins at %v", live.Begin())
	}
	var place Ledger
	for range 2 { // again changes nothing
		for _, e := range live.Epochs {
			place.Restore(e, live.Begin())
		}
	}
	if len(place.Epochs) != 3 || len(place.Coverage(at(9))) != 0 || place.Streaming() != nil || place.Base() != nil || place.Seeding() != nil {
		t.Errorf("the place has %+v and covers %+v", place.Epochs, place.Coverage(at(9)))
	}
	if again, err := Parse(place.JSON()); err != nil || again.Epochs[0].Exports[0].Status != Restored || live.Epochs[0].Exports[0].Status != Converted {
		t.Errorf("%v: %+v", err, again.Epochs)
	}
}
