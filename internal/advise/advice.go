package advise

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Plan is what the asker wants, and how he would run each pattern.
type Plan struct {
	Importance  Importance
	Lake        string        // address; empty when not chosen yet
	FreshWithin time.Duration // how old the lake may be at the most; 0 when that was not said
	FullEvery   time.Duration // between full exports
	Window      time.Duration // of incremental exports
	Flush       time.Duration // the most that a change waits for its file
	Workers     int           // of the stream's fleet
	Prices      Prices
}

// MarshalJSON writes times in seconds, and prices where they belong in [Advice].
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"importance":             p.Importance,
		"lake":                   p.Lake,
		"fresh_within_seconds":   p.FreshWithin.Seconds(),
		"full_every_seconds":     p.FullEvery.Seconds(),
		"window_seconds":         p.Window.Seconds(),
		"flush_interval_seconds": p.Flush.Seconds(),
		"workers":                p.Workers,
	})
}

// Advice is the whole answer.
type Advice struct {
	Facts       Facts     `json:"facts"`
	Plan        Plan      `json:"plan"`
	Matrix      Matrix    `json:"matrix"`
	Findings    []Finding `json:"findings"`
	Costs       []Cost    `json:"costs"`
	NotCounted  string    `json:"not_counted"`
	Prices      Prices    `json:"prices"`
	Recommended []Pattern `json:"recommended"` // several when even, none when all are ruled out
	Why         string    `json:"why"`
	Steps       []Step    `json:"steps"`
}

// New makes the advice. The importance must be whole; see [Importance.Check].
func New(f Facts, p Plan) Advice {
	f = f.Complete()
	a := Advice{
		Facts: f, Plan: p, Prices: p.Prices, NotCounted: NotCounted,
		Matrix: Weigh(p.Importance), Findings: Rules(f, p), Costs: Costs(f, p),
	}
	a.Recommended = append([]Pattern{}, a.Matrix.Leaders(a.RuledOut)...)
	a.Why = a.why()
	for _, r := range a.Recommended {
		a.Steps = append(a.Steps, Steps(r, f, p)...)
	}
	return a
}

// RuledOut tells whether a finding rules the pattern out.
func (a Advice) RuledOut(p Pattern) bool {
	return slices.ContainsFunc(a.Findings, func(f Finding) bool { return f.RulesOut && f.Pattern == p })
}

// why is the recommendation in words.
func (a Advice) why() string {
	var text string
	switch len(a.Recommended) {
	case 0:
		return "none: each pattern is ruled out"
	case 1:
		text = fmt.Sprintf("%s, with %d points", a.Recommended[0].Title(), a.Matrix.points(a.Recommended[0]))
	default:
		text = fmt.Sprintf("a tie: %s have %d points each%s; raise what matters more to you", titles(a.Recommended), a.Matrix.points(a.Recommended[0]), a.cheapest())
	}
	var better []Pattern
	for _, p := range Patterns() {
		if a.RuledOut(p) && a.Matrix.points(p) >= a.Matrix.points(a.Recommended[0]) {
			better = append(better, p)
		}
	}
	if len(better) > 0 {
		text += fmt.Sprintf("; %s would have as many or more, and is ruled out", titles(better))
	}
	return text
}

// cheapest names the cheapest of those that are even, if all costs are known.
func (a Advice) cheapest() string {
	var best *Cost
	for i, c := range a.Costs {
		if !slices.Contains(a.Recommended, c.Pattern) {
			continue
		}
		if !c.Whole {
			return ""
		}
		if best == nil || c.Monthly < best.Monthly {
			best = &a.Costs[i]
		}
	}
	return fmt.Sprintf(", and %s is the cheapest", best.Pattern.Title())
}

func titles(patterns []Pattern) string {
	var all []string
	for _, p := range patterns {
		all = append(all, p.Title())
	}
	return strings.Join(all, " and ")
}
