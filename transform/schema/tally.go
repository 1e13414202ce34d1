package schema

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Tally counts what columns take of rows, and what they leave and why. It is what
// metrics, schema check and schema show print.
type Tally struct {
	Rows    int64
	Columns []Count
	plan    *Plan
}

// Count is that of one column.
type Count struct {
	Taken   int64 // rows where it is not null
	Misfits [misfits]int64
}

// NewTally returns an empty tally.
func (p *Plan) NewTally() *Tally { return &Tally{Columns: make([]Count, len(p.Columns)), plan: p} }

// Add counts a row of a run of the same plan, before Reset.
func (t *Tally) Add(r *Run, row int) {
	t.Rows++
	for _, f := range r.Misfits(row) {
		t.Columns[f.Column].Misfits[f.Why]++
	}
	for i := range t.Columns {
		s := t.plan.spans[i]
		cells := r.cells[s.from]
		if t.plan.Leaves[s.from].MaxRep == 0 {
			if cells[row].Def >= s.def {
				t.Columns[i].Taken++
			}
			continue
		}
		// Rows of a repeated leaf have no fixed places. Rows are mostly added
		// right behind their Shred, so look from the end.
		from, back := len(cells), r.Rows()-row
		for back > 0 {
			from--
			if cells[from].Rep == 0 {
				back--
			}
		}
		if cells[from].Def >= s.def {
			t.Columns[i].Taken++
		}
	}
}

// Misfits counts those of all rows of a run of the same plan, before Reset. It is Add for
// who asks for no more.
func (t *Tally) Misfits(r *Run) {
	t.Rows += int64(len(r.rows))
	for _, f := range r.fits {
		t.Columns[f.Column].Misfits[f.Why]++
	}
}

// Merge adds what another tally of the same plan counted.
func (t *Tally) Merge(other *Tally) {
	t.Rows += other.Rows
	for i := range t.Columns {
		t.Columns[i].Taken += other.Columns[i].Taken
		for why, n := range other.Columns[i].Misfits {
			t.Columns[i].Misfits[why] += n
		}
	}
}

// Reset makes it empty.
func (t *Tally) Reset() {
	t.Rows = 0
	clear(t.Columns)
}

// Left is how many values of a column are in _rest, those that were rounded among them.
func (c *Count) Left() (n int64) {
	for _, m := range c.Misfits[Rounded:] {
		n += m
	}
	return n
}

// String is a table for people: a line for each column.
func (t *Tally) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "column\ttype\tin %s\tin _rest\twhy\n", count(t.Rows, "row"))
	for i := range t.Columns {
		c := &t.Columns[i]
		var why []string
		for m := Rounded; m < misfits; m++ {
			if n := c.Misfits[m]; n > 0 {
				why = append(why, fmt.Sprintf("%d %s", n, m))
			}
		}
		column := &t.plan.Columns[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", column.Name, column.Type, c.Taken, c.Left(), strings.Join(why, ", "))
	}
	w.Flush()
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}
