package main

import (
	"testing"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/writer"
)

func TestWhenAReplayIsThrough(t *testing.T) {
	until := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	row := func(key, sentinel string, to time.Time) checkpoint.Row {
		return checkpoint.Row{Key: key, Checkpoint: checkpoint.Checkpoint{Sentinel: sentinel}, CurrentTo: to}
	}
	w := waiting{leaves: []string{"a", "b"}, seen: map[string]bool{}, until: until}
	for i, c := range []struct {
		rows []checkpoint.Row
		left int
	}{
		{nil, 2},
		{[]checkpoint.Row{row("a", "", time.Time{})}, 2},
		{[]checkpoint.Row{row("a", "", until.Add(time.Second))}, 1}, // the other has no lease yet
		{[]checkpoint.Row{row("a", "", until.Add(time.Second)), row("b", "", until)}, 1},
		{[]checkpoint.Row{row("a", "", until.Add(time.Second)), row("b", checkpoint.ShardEnd, time.Time{}), row("c", "", time.Time{})}, 1},
		{[]checkpoint.Row{row("a", checkpoint.ShardEnd, time.Time{}), row("c", "", until.Add(time.Second))}, 0}, // b ended, and its row went
	} {
		if left := w.left(c.rows); left != c.left {
			t.Errorf("look %d: %d shards are left, want %d", i, left, c.left)
		}
	}
}

// TestEachReplayHasALeaseTableOfItsOwn because one that is through removes it, and shards of two tables in one are not told apart.
func TestEachReplayHasALeaseTableOfItsOwn(t *testing.T) {
	for _, c := range []struct{ app, table, into, want string }{
		{"", "orders", "", "dynamolake-orders"},
		{"", "orders", "mended", "dynamolake-orders-replay-mended"},
		{"dynamolake-orders", "orders", "mended", "dynamolake-orders-replay-mended"},
		{"dynamolake", "orders", "", "dynamolake"},
		{"dynamolake", "orders", "mended", "dynamolake-replay-orders-mended"},
		{"dynamolake", "users", "mended", "dynamolake-replay-users-mended"},
	} {
		if got := leaseTableOf(c.app, c.table, c.into); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestClaimsOfTheSameReplay(t *testing.T) {
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	base := claim{Of: ofStream, From: at, Checkpoints: map[string]string{"a": "1"}, Done: []string{"b"}, Shards: []string{"a"}, Until: at}
	for _, c := range []struct {
		name   string
		change func(*claim)
		same   bool
	}{
		{"begun later", func(c *claim) { c.Until, c.Through, c.Format = at.Add(time.Hour), at, 1 }, true},
		{"in another zone", func(c *claim) { c.From = at.In(time.FixedZone("", 3600)) }, true},
		{"from another time", func(c *claim) { c.From = at.Add(time.Second) }, false},
		{"of something else", func(c *claim) { c.Of = ofRejects }, false},
		{"from another checkpoint", func(c *claim) { c.Checkpoints = map[string]string{"a": "2"} }, false},
		{"without a shard that is done", func(c *claim) { c.Done = nil }, false},
		{"of another shard", func(c *claim) { c.Shards = []string{"c"} }, false},
	} {
		other := base
		c.change(&other)
		if base.same(other) != c.same || other.same(base) != c.same {
			t.Errorf("%s: %v", c.name, !c.same)
		}
	}
}

func TestTimesOfAWindowToReplay(t *testing.T) {
	from, to := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for text, ok := range map[string]bool{
		writer.TimeName(from) + "_" + writer.TimeName(to): true,
		"2026-11-23T08:00:00Z_2026-11-23T10:00:00+01:00":  true,
		"2026-11-23T08:00:00Z_" + writer.TimeName(to):     true,
		"2026-11-23T08:00:00Z":                            false,
		"2026-11-23T09:00:00Z_2026-11-23T08:00:00Z":       false,
		"8_9": false,
	} {
		a, b, err := parseSpan(text)
		if (err == nil) != ok || ok && (!a.Equal(from) || !b.Equal(to)) {
			t.Errorf("%s: %v to %v, %v", text, a, b, err)
		}
	}
}
