package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/fleet"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func hours(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Hour))) }

func TestTimelineLaysSpansOut(t *testing.T) {
	spans := []ledger.Span{
		{To: hours(-10), State: ledger.Seed, Source: ledger.Full, Epoch: 2},
		{From: hours(-10), To: hours(-5), State: ledger.Whole, Source: ledger.Stream, Epoch: 3},
		{From: hours(-5), To: hours(-4), State: ledger.Missing, Epoch: 4, Gap: 1, Note: "<trimmed>"},
		{From: hours(-4), To: hours(0), State: ledger.Whole, Source: ledger.Stream, Epoch: 5},
	}
	draw := func(b bars) string {
		var out strings.Builder
		for _, l := range b.Lanes {
			fmt.Fprintf(&out, "%s:", l.Name)
			for _, r := range l.Rects {
				fmt.Fprintf(&out, " %s %.0f+%.0f", r.Class, r.X, r.W)
			}
			out.WriteString("\n")
		}
		return out.String()
	}
	for _, c := range []struct {
		name     string
		from, to time.Time
		want     string
	}{
		{"all of it", hours(-10), hours(0), "full exports: seed 0+4\nstream: whole 0+500 whole 600+400\ngaps: missing 500+100\n"},
		{"what is cut off ends at the edge", hours(-8), hours(0), "stream: whole 0+375 whole 500+500\ngaps: missing 375+125\n"},
		{"an instant at the right edge is seen", hours(-20), hours(-10), "full exports: seed 996+4\nstream: whole 996+4\n"},
		{"nothing is there", hours(-30), hours(-20), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := draw(timeline(spans, c.from, c.to)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
	if title := timeline(spans, hours(-10), noon).Lanes[2].Rects[0].Title; title != "gap 1, epoch 4, missing: 2026-11-24 07:00:00 to 2026-11-24 08:00:00 (<trimmed>)" {
		t.Errorf("title %q", title)
	}
}

func TestLineageIsAColumnForEachGeneration(t *testing.T) {
	shards := []fleet.Shard{
		{ID: "a", State: fleet.ShardEnded},
		{ID: "b", State: fleet.ShardReading},
		{ID: "c", State: fleet.ShardReading, Parents: []string{"a"}},
		{ID: "d", State: fleet.ShardHalted, Parents: []string{"a"}},
		{ID: "e", State: fleet.ShardWaiting, Parents: []string{"d"}},
		{ID: "f", State: fleet.ShardReading, Parents: []string{"gone"}},
	}
	g := lineage(shards)
	at := map[string]node{}
	for _, n := range g.Nodes {
		id, _, _ := strings.Cut(n.Title, ":")
		at[id] = n
		if n.X < 0 || n.Y < 0 || n.X+n.W > g.Width || n.Y+n.H > g.Height {
			t.Errorf("%s is outside of the picture", id)
		}
	}
	if len(at) != 6 || len(g.Edges) != 3 || g.Hidden != 0 {
		t.Fatalf("%d shards, %d edges, %d hidden", len(at), len(g.Edges), g.Hidden)
	}
	for _, c := range []struct{ left, right string }{{"a", "c"}, {"a", "d"}, {"d", "e"}} {
		if at[c.left].X >= at[c.right].X {
			t.Errorf("%s is not left of its child %s", c.left, c.right)
		}
	}
	if at["f"].X != at["a"].X {
		t.Error("a shard whose parent is gone does not begin a line")
	}
	if at["e"].Y != at["d"].Y {
		t.Error("a child is not beside its parent")
	}
	for one, m := range at {
		for other, n := range at {
			if one != other && m.X == n.X && m.Y == n.Y {
				t.Errorf("%s and %s are at one place", one, other)
			}
		}
	}
}

func TestOfManyShardsThoseAreDrawnThatMatter(t *testing.T) {
	var shards []fleet.Shard
	for i := range 5000 {
		shards = append(shards, fleet.Shard{ID: fmt.Sprintf("ended-%04d", i), State: fleet.ShardEnded})
	}
	shards = append(shards, fleet.Shard{ID: "halted", State: fleet.ShardHalted}, fleet.Shard{ID: "free", State: fleet.ShardFree})
	g := lineage(shards)
	if len(g.Nodes) != mostNodes || g.Hidden != len(shards)-mostNodes {
		t.Fatalf("%d drawn, %d hidden", len(g.Nodes), g.Hidden)
	}
	classes := map[string]int{}
	for _, n := range g.Nodes {
		classes[n.Class]++
	}
	if classes["halted"] != 1 || classes["free"] != 1 {
		t.Errorf("drawn: %v", classes)
	}
}

func TestParentsInARingDoNotHang(t *testing.T) {
	g := lineage([]fleet.Shard{{ID: "a", Parents: []string{"b"}}, {ID: "b", Parents: []string{"a"}}})
	if len(g.Nodes) != 2 {
		t.Errorf("%d nodes", len(g.Nodes))
	}
}

func TestACurveBreaksWhereNothingIsKnown(t *testing.T) {
	points := []Point{
		{At: hours(-1), Lag: 0},
		{At: hours(-1).Add(time.Minute), Lag: 50 * time.Second},
		{At: hours(-0.5), Lag: 100 * time.Second},
		{At: noon, Lag: 200 * time.Second},
	}
	c := spark(points, func(p Point) float64 { return p.Lag.Seconds() }, hours(-1), noon, 100, 25)
	if want := "M0.0 100.0L16.7 50.0M500.0 0.0M1000.0 0.0"; c.Line != want {
		t.Errorf("line %s, want %s", c.Line, want)
	}
	if c.Mark != 75 || c.Last != 200 {
		t.Errorf("mark %v, last %v", c.Mark, c.Last)
	}
}

func TestHistoryIsADay(t *testing.T) {
	h := &History{}
	for m := range 3 * 24 * 60 {
		h.Add(Point{At: noon.Add(time.Duration(m) * time.Minute)})
	}
	points := h.Points()
	if n := len(points); n != 24*60 {
		t.Errorf("%d points", n)
	}
	if span := points[len(points)-1].At.Sub(points[0].At); span >= historySpan {
		t.Errorf("they span %v", span)
	}
}

func TestSpansHaveTwoUnits(t *testing.T) {
	for seconds, want := range map[float64]string{-1: "unknown", 0: "0s", 59.6: "1m0s", 61: "1m1s", 3600: "1h0m", 86400: "24h0m", 200000: "2d7h"} {
		if got := span(seconds); got != want {
			t.Errorf("%v s: %q, want %q", seconds, got, want)
		}
	}
}

func TestAShardIsShownByItsBirth(t *testing.T) {
	for id, want := range map[string]string{
		"shardId-00000001795521600000-0123456789ab": "11-24 12:00 6789ab", "odd": "odd", "": "",
	} {
		if got := short(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}
