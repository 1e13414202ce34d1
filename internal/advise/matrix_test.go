package advise

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// example is the guide's.
var example = Importance{Freshness: 5, Engineering: 4, Spending: 3, Volume: 4, Downstream: 3}

func TestTheGuidesExample(t *testing.T) {
	m := Weigh(example)
	want := []Total{{Full, 48, 3}, {Incremental, 64, 2}, {Stream, 70, 1}}
	if !slices.Equal(m.Totals, want) {
		t.Errorf("totals %+v, want %+v", m.Totals, want)
	}
	if m.Most != 95 {
		t.Errorf("most is %d, want 95", m.Most)
	}
	for _, r := range m.Rows {
		for _, c := range r.Cells {
			if c.Weighted != c.Score*r.Importance || r.Importance != example[r.Dimension] {
				t.Errorf("%s: %+v", r.Dimension, c)
			}
		}
	}
}

func TestEachScoreIsInBoundsAndHasItsReason(t *testing.T) {
	reasons := map[string]bool{}
	for _, d := range Dimensions() {
		for _, p := range Patterns() {
			s := Scores(d, p)
			if s.Points < Least || s.Points > Most {
				t.Errorf("%s of %s is %d", d, p, s.Points)
			}
			if s.Why == "" || reasons[s.Why] {
				t.Errorf("%s of %s: reason %q is missing or used twice", d, p, s.Why)
			}
			reasons[s.Why] = true
		}
		if d.Question() == "" {
			t.Errorf("%s has no question", d)
		}
	}
	if len(reasons) != 15 || len(scores) != 5 {
		t.Errorf("%d reasons of %d dimensions", len(reasons), len(scores))
	}
}

// every calls f with each importance there is.
func every(f func(Importance)) {
	im := Importance{}
	var set func([]Dimension)
	set = func(left []Dimension) {
		if len(left) == 0 {
			f(im)
			return
		}
		for n := Least; n <= Most; n++ {
			im[left[0]] = n
			set(left[1:])
		}
	}
	set(Dimensions())
}

// TestRaisingADimensionNeverHurtsTheBestInIt tries all there are: 3125 times 5.
func TestRaisingADimensionNeverHurtsTheBestInIt(t *testing.T) {
	ties := 0
	every(func(im Importance) {
		before := Weigh(im)
		for _, d := range Dimensions() {
			if im[d] == Most {
				continue
			}
			raised := maps.Clone(im)
			raised[d]++
			after := Weigh(raised)
			best := 0
			for _, p := range Patterns() {
				best = max(best, Scores(d, p).Points)
			}
			for i, p := range Patterns() {
				if Scores(d, p).Points == best && after.Totals[i].Rank > before.Totals[i].Rank {
					t.Fatalf("%v: raising %s takes %s from rank %d to %d", im, d, p, before.Totals[i].Rank, after.Totals[i].Rank)
				}
			}
		}
		if len(before.Leaders(func(Pattern) bool { return false })) > 1 {
			ties++
		}
	})
	if ties == 0 {
		t.Error("no importance makes a tie at the top: the tests of ties test nothing")
	}
}

func TestEachPatternCanWin(t *testing.T) {
	won := map[Pattern]bool{}
	every(func(im Importance) {
		if l := Weigh(im).Leaders(func(Pattern) bool { return false }); len(l) == 1 {
			won[l[0]] = true
		}
	})
	for _, p := range Patterns() {
		if !won[p] {
			t.Errorf("%s wins for no importance", p.Title())
		}
	}
}

func TestLeaders(t *testing.T) {
	m := Matrix{Totals: []Total{{Full, 50, 1}, {Incremental, 50, 1}, {Stream, 40, 3}}}
	for _, c := range []struct {
		name string
		out  []Pattern
		want []Pattern
	}{
		{"those that are even lead together", nil, []Pattern{Full, Incremental}},
		{"one of them is ruled out", []Pattern{Full}, []Pattern{Incremental}},
		{"the rest leads when they are ruled out", []Pattern{Full, Incremental}, []Pattern{Stream}},
		{"none leads when all are", Patterns(), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := m.Leaders(func(p Pattern) bool { return slices.Contains(c.out, p) }); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestImportanceIsChecked(t *testing.T) {
	if err := example.Check(); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, 6, -1} {
		im := maps.Clone(example)
		im[Volume] = n
		if im.Check() == nil {
			t.Errorf("an importance of %d passes", n)
		}
	}
}

// TestTheDocumentHasTheScores holds docs/advise.md to the table.
func TestTheDocumentHasTheScores(t *testing.T) {
	text, err := os.ReadFile("../../docs/advise.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Dimensions() {
		for _, p := range Patterns() {
			s := Scores(d, p)
			if row := fmt.Sprintf("| %s | %s | %d | %s |\n", d, p, s.Points, s.Why); !strings.Contains(string(text), row) {
				t.Errorf("docs/advise.md lacks %s", row)
			}
		}
	}
}
