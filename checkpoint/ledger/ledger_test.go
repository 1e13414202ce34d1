package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	timing = RealTiming()
	t0     = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

func hours(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Hour))) }

// seeded is a lake with a full export at t0 and a stream that began an hour before.
func seeded(t *testing.T) Ledger {
	t.Helper()
	var l Ledger
	l.StartStream("one", hours(-1), time.Time{}, hours(-1), timing)
	epoch, err := l.StartFull(Export{To: t0, Status: Planned}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Convert(epoch, time.Time{}, Done{Items: 3, To: t0}, hours(1), timing); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEpochsOfSources(t *testing.T) {
	l := seeded(t)
	if got := []int64{l.Base().Number, l.Streaming().Number}; !cmp.Equal(got, []int64{2, 4}) {
		t.Errorf("the full export and the stream have epochs %v, want 2 and 4", got)
	}
	if _, err := l.StartFull(Export{To: hours(2)}, false); !errors.Is(err, ErrSeeded) {
		t.Errorf("a second full export: %v, want ErrSeeded", err)
	}
	if _, err := l.Follow(); !errors.Is(err, ErrStreaming) {
		t.Errorf("windows beside the stream: %v, want ErrStreaming", err)
	}
	if again := l.StartStream("one", hours(5), time.Time{}, hours(5), timing); again != 4 {
		t.Errorf("the same stream got epoch %d, want 4", again)
	}
}

func TestTheStreamThatBeganAfterTheExportIsBridged(t *testing.T) {
	var l Ledger
	epoch, err := l.StartFull(Export{To: t0, Status: Planned}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Convert(epoch, time.Time{}, Done{To: t0}, t0, timing); err != nil {
		t.Fatal(err)
	}
	stream := l.StartStream("one", hours(3), time.Time{}, hours(3), timing)
	if len(l.Gaps) != 1 {
		t.Fatalf("%d gaps, want the one between", len(l.Gaps))
	}
	want := Gap{
		Number: 1, From: t0, To: hours(3).Add(timing.Skew), State: GapRepairing, Seen: hours(3), Resumed: hours(3),
		Reason: "the stream is read from a later time than the full export's", Epoch: stream - bridgeSlot, After: stream,
	}
	if diff := cmp.Diff(want, l.Gaps[0]); diff != "" {
		t.Error(diff)
	}
	if l.Covers(hours(4), hours(5)) {
		t.Error("the lake claims to cover what is not exported yet")
	}
	steps := l.Plan(Facts{PITR: true, Earliest: hours(-24), Latest: hours(5), Window: 24 * time.Hour, InFlight: 5}, timing)
	if len(steps) != 1 || len(steps[0].Plan) != 1 {
		t.Fatalf("plan %+v, want one window", steps)
	}
	if err := l.Add(steps[0].Epoch, steps[0].Plan[0]); err != nil {
		t.Fatal(err)
	}
	if err := l.Convert(steps[0].Epoch, t0, Done{}, hours(4), timing); err != nil {
		t.Fatal(err)
	}
	if !l.Covers(hours(4), hours(5)) || l.Gaps[0].State != GapClosed {
		t.Errorf("after the repair the lake reaches to %v, the gap is %s", l.Reach(hours(5)), l.Gaps[0].State)
	}
}

func TestLossesJoinWhileTheGapIsOpen(t *testing.T) {
	l := seeded(t)
	loss := Loss{Since: hours(10), Seen: hours(40), Reason: "trimmed", Adopted: 4}
	gap, epoch, err := l.OpenGap(loss, timing)
	if err != nil || gap != 1 || epoch != 8 {
		t.Fatalf("gap %d, epoch %d, %v; want gap 1, epoch 8", gap, epoch, err)
	}
	earlier := loss
	earlier.Since, earlier.Seen = hours(9), hours(41)
	if gap, epoch, _ := l.OpenGap(earlier, timing); gap != 1 || epoch != 8 {
		t.Errorf("a second shard's loss made gap %d, epoch %d", gap, epoch)
	}
	g := l.Gaps[0]
	if want := hours(9).Add(-timing.Skew); !g.From.Equal(want) || !g.Resumed.Equal(hours(17)) || g.Shards != 2 {
		t.Errorf("the gap is from %v, resumed %v, of %d shards", g.From, g.Resumed, g.Shards)
	}
	before := l.JSON()
	again := loss
	again.Again = 1
	if _, _, err := l.OpenGap(again, timing); err != nil || string(before) != string(l.JSON()) {
		t.Errorf("a loss that is recorded already changed the ledger, error %v", err)
	}
	adopted := loss
	adopted.Adopted = 8
	if gap, epoch, _ := l.OpenGap(adopted, timing); gap != 2 || epoch != 12 {
		t.Errorf("the loss of a shard with rows in the new epoch made gap %d, epoch %d; want its own", gap, epoch)
	}
}

func TestTheWindowOfAGap(t *testing.T) {
	for _, c := range []struct {
		name    string
		through time.Time
		to      time.Time
	}{
		{"the whole fleet was down: exactly what is lost", hours(10), hours(16).Add(timing.Skew)},
		{"others were at the tip: up to where they changed over", hours(40), hours(40).Add(timing.Skew)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := seeded(t)
			if _, _, err := l.OpenGap(Loss{Since: hours(10), Seen: hours(40), Adopted: 4}, timing); err != nil {
				t.Fatal(err)
			}
			if _, err := l.StartFull(Export{To: hours(41)}, true); !errors.Is(err, ErrAdopting) {
				t.Errorf("a full export while shards adopt: %v, want ErrAdopting", err)
			}
			if err := l.FixGap(1, c.through, timing); err != nil {
				t.Fatal(err)
			}
			g := l.Gaps[0]
			if !g.From.Equal(hours(10).Add(-timing.Skew)) || !g.To.Equal(c.to) || g.State != GapRepairing {
				t.Errorf("the window is %v to %v, the gap %s; want to %v", g.From, g.To, g.State, c.to)
			}
			if err := l.FixGap(1, c.through, timing); err == nil {
				t.Error("it was fixed twice")
			}
		})
	}
}

func TestThePlan(t *testing.T) {
	facts := Facts{PITR: true, Earliest: hours(0), Latest: hours(100), Window: 24 * time.Hour, InFlight: 10}
	epoch := func(until time.Time) Ledger {
		return Ledger{Epochs: []Epoch{
			{Number: 1, Source: Full, Exports: []Export{{To: t0, Status: Converted}}, To: t0},
			{Number: 2, Source: Incremental, From: t0, To: t0, Until: until},
		}}
	}
	for _, c := range []struct {
		name  string
		until time.Time
		facts func(*Facts)
		ends  []float64 // hours after t0
		why   bool
		lost  bool
	}{
		{"a day's window follows another", time.Time{}, nil, []float64{24, 48, 72, 96}, false, false},
		{"never closer to now than is safe", time.Time{}, func(f *Facts) { f.Latest = hours(47.9) }, []float64{24}, false, false},
		{"a quarter of an hour is the least", time.Time{}, func(f *Facts) { f.Window, f.Latest = time.Minute, hours(0.6) }, []float64{0.25, 0.5}, false, false},
		{"not too many at once", time.Time{}, func(f *Facts) { f.InFlight = 2 }, []float64{24, 48}, false, false},
		{"what is longer than a window is cut evenly", hours(30), nil, []float64{15, 30}, false, false},
		{"no piece is too short to be exported", hours(0.4), func(f *Facts) { f.Window = 15 * time.Minute }, []float64{0.4}, false, false},
		{"nothing while recovery is off", time.Time{}, func(f *Facts) { f.PITR = false }, nil, true, false},
		{"what recovery cannot reach is lost", time.Time{}, func(f *Facts) { f.Earliest = hours(1) }, nil, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := facts
			if c.facts != nil {
				c.facts(&f)
			}
			l := epoch(c.until)
			steps := l.Plan(f, timing)
			if len(steps) != 1 {
				t.Fatalf("%d steps, want 1", len(steps))
			}
			from, ends := t0, []float64(nil)
			for _, x := range steps[0].Plan {
				if !x.From.Equal(from) {
					t.Errorf("a window from %v, the last ended at %v", x.From, from)
				}
				from = x.To
				ends = append(ends, x.To.Sub(t0).Hours())
			}
			if diff := cmp.Diff(c.ends, ends); diff != "" {
				t.Error(diff)
			}
			if (steps[0].Why != "") != c.why || steps[0].Lost != c.lost {
				t.Errorf("why %q, lost %v", steps[0].Why, steps[0].Lost)
			}
		})
	}
}

func TestWindowsAreConvertedInOrder(t *testing.T) {
	l := Ledger{Epochs: []Epoch{{Number: 1, Source: Full, Exports: []Export{{To: t0, Status: Converted}}, To: t0}}}
	epoch, err := l.Follow()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		x := Export{From: hours(float64(i)), To: hours(float64(i + 1)), Status: Exported}
		if err := l.Add(epoch, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Add(epoch, Export{From: hours(4), To: hours(5)}); err == nil {
		t.Error("a window that leaves a hole was planned")
	}
	if err := l.Convert(epoch, hours(1), Done{}, hours(9), timing); !errors.Is(err, ErrOrder) {
		t.Errorf("the second window before the first: %v, want ErrOrder", err)
	}
	for i := range 3 {
		for range 2 { // another worker is as far
			if err := l.Convert(epoch, hours(float64(i)), Done{Items: 10}, hours(9), timing); err != nil {
				t.Fatal(err)
			}
		}
	}
	if e := l.Epoch(epoch); !e.To.Equal(hours(3)) || e.Windows != 3 || e.Items != 30 || len(e.Exports) != 0 {
		t.Errorf("the epoch is %+v", e)
	}
}

func TestWhatIsLostIsToldAndReseeded(t *testing.T) {
	l := seeded(t)
	if _, _, err := l.OpenGap(Loss{Since: hours(10), Seen: hours(40), Reason: "trimmed", Adopted: 4}, timing); err != nil {
		t.Fatal(err)
	}
	if err := l.FixGap(1, hours(10), timing); err != nil {
		t.Fatal(err)
	}
	steps := l.Plan(Facts{PITR: true, Earliest: hours(12), Latest: hours(39), Window: time.Hour, InFlight: 5}, timing)
	if len(steps) != 1 || !steps[0].Lost {
		t.Fatalf("steps %+v, want one that is lost", steps)
	}
	for range 2 {
		l.GiveUp(steps[0].Epoch, steps[0].Why, hours(12), hours(40))
	}
	if len(l.Gaps) != 1 || l.Gaps[0].State != GapLost || l.Covers(hours(41), hours(42)) {
		t.Fatalf("gaps %+v", l.Gaps)
	}
	if steps := l.Plan(Facts{PITR: true, Earliest: hours(12), Latest: hours(39), Window: time.Hour, InFlight: 5}, timing); len(steps) != 0 {
		t.Errorf("what is lost is planned again: %+v", steps)
	}
	if _, err := l.StartFull(Export{To: hours(12)}, false); !errors.Is(err, ErrTooEarly) {
		t.Errorf("a full export inside the gap: %v, want ErrTooEarly", err)
	}
	epoch, err := l.StartFull(Export{To: hours(41)}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Convert(epoch, time.Time{}, Done{To: hours(41)}, hours(42), timing); err != nil {
		t.Fatal(err)
	}
	if l.Gaps[0].State != GapReseeded || !l.Covers(hours(41), hours(42)) || l.Base().Number != epoch {
		t.Errorf("after a new full export the gap is %s, the lake reaches to %v", l.Gaps[0].State, l.Reach(hours(42)))
	}
}

func TestCoverage(t *testing.T) {
	l := seeded(t)
	if _, _, err := l.OpenGap(Loss{Since: hours(10), Seen: hours(40), Reason: "trimmed", Adopted: 4}, timing); err != nil {
		t.Fatal(err)
	}
	states := func() (s []SpanState) {
		for _, span := range l.Coverage(hours(41)) {
			s = append(s, span.State)
		}
		return s
	}
	if diff := cmp.Diff([]SpanState{Whole, Seed, Missing, Whole}, states()); diff != "" {
		t.Errorf("while the gap is open: %s", diff)
	}
	if err := l.FixGap(1, hours(10), timing); err != nil {
		t.Fatal(err)
	}
	g := l.Gaps[0]
	if err := l.Add(g.Epoch, Export{From: g.From, To: g.To, Status: Exported}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]SpanState{Whole, Seed, Missing, Whole}, states()); diff != "" {
		t.Errorf("while it is repaired: %s", diff)
	}
	if err := l.Convert(g.Epoch, g.From, Done{}, hours(41), timing); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]SpanState{Whole, Seed, Compacted, Whole}, states()); diff != "" {
		t.Errorf("after the repair: %s", diff)
	}
	if l.Covers(hours(-0.5), hours(41)) || !l.Covers(hours(12), hours(41)) || l.Covers(hours(42), hours(41)) {
		t.Error("it covers what it has not, or has what it does not cover")
	}
}

// A shard may turn out to have lost what others had read in epochs that were over.
func TestALossEndsAllEpochsThatAreToHaveIt(t *testing.T) {
	l := seeded(t)
	gap, epoch, err := l.OpenGap(Loss{Since: hours(10), Seen: hours(40), Reason: "one", Adopted: 4}, timing)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.FixGap(gap, time.Time{}, timing); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.OpenGap(Loss{Since: hours(4), Seen: hours(41), Reason: "another", Adopted: epoch}, timing); err != nil {
		t.Fatal(err)
	}
	since := hours(4).Add(-timing.Skew)
	for _, s := range l.Coverage(hours(41)) {
		if s.State == Whole && s.Source == Stream && s.From.Before(hours(17)) && s.To.After(since) {
			t.Errorf("epoch %d is said to be whole from %s to %s; a shard has lost it from %s on", s.Epoch, s.From, s.To, since)
		}
	}
}

// Windows hold all keys, those of shards too that find out later what they lost.
func TestALossThatWindowsHoldIsNoGapOfItsOwn(t *testing.T) {
	l := seeded(t)
	gap, epoch, err := l.OpenGap(Loss{Since: hours(10), Seen: hours(40), Reason: "one", Adopted: 4}, timing)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.FixGap(gap, time.Time{}, timing); err != nil {
		t.Fatal(err)
	}
	late := Loss{Since: hours(11), Seen: hours(40), Reason: "another", Adopted: 4}
	if g, e, err := l.OpenGap(late, timing); err != nil || g != gap || e != epoch {
		t.Errorf("gap %d, epoch %d, error %v; want %d and %d", g, e, err, gap, epoch)
	}
	late.Adopted = epoch // rows above the windows would hide them
	if g, e, err := l.OpenGap(late, timing); err != nil || g == gap || e == epoch {
		t.Errorf("gap %d, epoch %d, error %v; want another", g, e, err)
	}
}
