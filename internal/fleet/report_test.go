package fleet

import (
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
)

// TestReport judges rows that a short run does not make.
func TestReport(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	row := func(key, owner, at string, change func(*checkpoint.Row)) checkpoint.Row {
		r := checkpoint.Row{Key: key, Owner: owner, CurrentTo: now.Add(-time.Minute), Checkpoint: checkpoint.Checkpoint{Sentinel: at}}
		if change != nil {
			change(&r)
		}
		return r
	}
	for _, c := range []struct {
		name   string
		rows   []checkpoint.Row
		alive  map[string]bool
		fleet  string
		states []string
		lag    float64
	}{
		{"no rows yet: the lag is unknown, not zero", nil, map[string]bool{"w": true}, Alive, nil, -1},
		{
			"an owner without a row in the worker table has no beat",
			[]checkpoint.Row{row("a", "gone", "TRIM_HORIZON", nil)},
			map[string]bool{"w": true},
			Alive,
			[]string{ShardFree},
			60,
		},
		{
			"a child waits, and is free when its parent has ended",
			[]checkpoint.Row{
				row("a", "w", "TRIM_HORIZON", nil), row("b", "", "TRIM_HORIZON", func(r *checkpoint.Row) { r.Parents = []string{"a"} }),
				row("c", "", checkpoint.ShardEnd, nil), row("d", "", "TRIM_HORIZON", func(r *checkpoint.Row) { r.Parents = []string{"c"} }),
			},
			map[string]bool{"w": true},
			Alive,
			[]string{ShardReading, ShardWaiting, ShardEnded, ShardFree},
			60,
		},
		{
			"a parent without a row is waited for unless it is known to be gone",
			[]checkpoint.Row{
				row("b", "", "TRIM_HORIZON", func(r *checkpoint.Row) { r.Parents = []string{"a"} }),
				row("d", "", "TRIM_HORIZON", func(r *checkpoint.Row) { r.Parents, r.ParentGone = []string{"c"}, true }),
			},
			map[string]bool{"w": true},
			Alive,
			[]string{ShardWaiting, ShardFree},
			60,
		},
		{"ended shards do not lag", []checkpoint.Row{row("c", "w", checkpoint.ShardEnd, nil)}, map[string]bool{"w": true}, Alive, []string{ShardEnded}, -1},
		{"nobody beats", []checkpoint.Row{row("a", "w", "TRIM_HORIZON", nil)}, nil, Dead, []string{ShardFree}, 60},
		{
			"the worst shard counts",
			[]checkpoint.Row{row("a", "w", "TRIM_HORIZON", nil), row("b", "w", "TRIM_HORIZON", func(r *checkpoint.Row) { r.CurrentTo = now.Add(-time.Hour) })},
			map[string]bool{"w": true},
			Alive,
			[]string{ShardReading, ShardReading},
			3600,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(consumer.Table{Name: "t"}, checkpoint.Table{Leases: c.rows, Workers: []checkpoint.Worker{{ID: "w", Beat: 7}}}, c.alive, nil, now, 24*time.Hour)
			var states []string
			for _, s := range r.Shards {
				states = append(states, s.State)
			}
			if strings.Join(states, ",") != strings.Join(c.states, ",") || r.Fleet != c.fleet || r.Lag != c.lag {
				t.Errorf("states %q, fleet %q, lag %v", states, r.Fleet, r.Lag)
			}
		})
	}
	foreign := New(consumer.Table{}, checkpoint.Table{Leases: []checkpoint.Row{row("a", "java", "1", nil)}, Workers: []checkpoint.Worker{{ID: "java"}}}, nil, nil, now, 24*time.Hour)
	if foreign.Fleet != Unknown || foreign.Workers[0].State != WorkerForeign || foreign.Reading != 1 {
		t.Errorf("a fleet of Java workers: %+v", foreign)
	}
}
