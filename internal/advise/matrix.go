package advise

import (
	"fmt"
	"slices"
)

// Least and most that a score or an importance can be.
const (
	Least = 1
	Most  = 5
)

// Score is how well a pattern does in a dimension, from 1 (badly) to 5 (well).
type Score struct {
	Points int    `json:"points"`
	Why    string `json:"why"`
}

var scores = map[Dimension]map[Pattern]Score{
	Freshness: {
		Full:        {1, "the lake is as old as the last export, which is hours to days"},
		Incremental: {3, "a window is 15 minutes at the shortest, and its export takes some more"},
		Stream:      {5, "a change is in the lake seconds after it was made"},
	},
	Engineering: {
		Full:        {5, "one call and one conversion, without any state between two of them"},
		Incremental: {3, "windows follow each other without a hole only if their state is kept and watched"},
		Stream:      {2, "a fleet runs day and night, and must never fall 24 hours behind"},
	},
	Spending: {
		Full:        {3, "needs point-in-time recovery, and bills the whole table each time"},
		Incremental: {4, "needs point-in-time recovery, but bills only what has changed"},
		Stream:      {2, "bills reading, leases, many small files and machines at all hours, however little changes"},
	},
	Volume: {
		Full:        {2, "time and cost of each export grow with the table, however little of it changes"},
		Incremental: {4, "grows with what changes and not with the table"},
		Stream:      {4, "grows with what changes; more shards are shared by more workers"},
	},
	Downstream: {
		Full:        {2, "a state without changes or deletes: readers compare two of them to see what happened"},
		Incremental: {3, "one net change of each item and window: deletes are there, what happened in between is not"},
		Stream:      {5, "each change, in order, as it happened: any state and any history can be made of it"},
	},
}

// Scores returns how well a pattern does in a dimension.
func Scores(d Dimension, p Pattern) Score { return scores[d][p] }

// Importance of each dimension, from 1 (little) to 5 (much).
type Importance map[Dimension]int

// Check reports what is missing or out of bounds.
func (im Importance) Check() error {
	for _, d := range Dimensions() {
		if im[d] < Least || im[d] > Most {
			return fmt.Errorf("importance of %s is %d: want %d to %d", d, im[d], Least, Most)
		}
	}
	return nil
}

// Cell is one pattern in one dimension.
type Cell struct {
	Pattern  Pattern `json:"pattern"`
	Score    int     `json:"score"`
	Weighted int     `json:"weighted"` // score times importance
	Why      string  `json:"why"`
}

// Row is one dimension.
type Row struct {
	Dimension  Dimension `json:"dimension"`
	Importance int       `json:"importance"`
	Cells      []Cell    `json:"cells"`
}

// Total is a pattern's sum. Equal sums share a rank.
type Total struct {
	Pattern Pattern `json:"pattern"`
	Points  int     `json:"points"`
	Rank    int     `json:"rank"` // from 1
}

// Matrix is the weighted decision matrix.
type Matrix struct {
	Rows   []Row   `json:"rows"`
	Totals []Total `json:"totals"` // in the order of [Patterns]
	Most   int     `json:"most"`   // points that 5 in everything would give
}

// Weigh makes the matrix.
//
// Raising the importance of a dimension never makes the rank of a pattern worse that
// is best in it, alone or with others: all gain at most what it gains.
func Weigh(im Importance) Matrix {
	var m Matrix
	for _, p := range Patterns() {
		m.Totals = append(m.Totals, Total{Pattern: p, Rank: 1})
	}
	for _, d := range Dimensions() {
		row := Row{Dimension: d, Importance: im[d]}
		for i, p := range Patterns() {
			s := Scores(d, p)
			row.Cells = append(row.Cells, Cell{Pattern: p, Score: s.Points, Weighted: s.Points * im[d], Why: s.Why})
			m.Totals[i].Points += s.Points * im[d]
		}
		m.Rows = append(m.Rows, row)
		m.Most += Most * im[d]
	}
	for i := range m.Totals {
		for _, other := range m.Totals {
			if other.Points > m.Totals[i].Points {
				m.Totals[i].Rank++
			}
		}
	}
	return m
}

// Leaders returns the patterns with most points among those that are not ruled
// out: several when they are even, none when all are ruled out.
func (m Matrix) Leaders(out func(Pattern) bool) []Pattern {
	left := slices.DeleteFunc(slices.Clone(m.Totals), func(t Total) bool { return out(t.Pattern) })
	var leaders []Pattern
	for _, t := range left {
		if !slices.ContainsFunc(left, func(other Total) bool { return other.Points > t.Points }) {
			leaders = append(leaders, t.Pattern)
		}
	}
	return leaders
}

// points of a pattern.
func (m Matrix) points(p Pattern) int {
	for _, t := range m.Totals {
		if t.Pattern == p {
			return t.Points
		}
	}
	return 0
}
