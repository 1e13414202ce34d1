package schema

import "slices"

// Run is the cells of some rows, leaf by leaf, and what stays of each image for
// _rest. It belongs to one goroutine and is used again: after some rows it allocates
// nothing. Cells and rests are good until Reset, and as long as the images are.
type Run struct {
	plan  *Plan
	cells [][]Cell
	arena arena
	rows  []row
	cuts  []span
	fits  []Fit // misfits of all rows

	// Of the row that is being added.
	begin   []int   // where its cells begin in each leaf
	marks   []int   // lengths of leaves, as a stack
	seen    []int64 // by node, the serial of the row that had it
	serial  int64
	banned  []*node // attributes that the row has twice
	kept    [2]bool // whether the key columns have the key
	learned []order // by node: which name follows which
	fresh   bool
}

// row is where a row's parts begin.
type row struct{ cuts, fits int }

// span is a range of bytes of an image.
type span struct{ from, to uint32 }

// Fit is a value that is not in its column, or not only there.
type Fit struct {
	Column int // index into Plan.Columns
	Why    Misfit
}

// NewRun returns an empty run.
func (p *Plan) NewRun() *Run {
	return &Run{
		plan: p, cells: make([][]Cell, len(p.Leaves)), begin: make([]int, len(p.Leaves)),
		seen: make([]int64, p.nodes), learned: make([]order, p.nodes),
	}
}

// Reset empties the run. It lets go of the images.
func (r *Run) Reset() {
	for i := range r.cells {
		clear(r.cells[i])
		r.cells[i] = r.cells[i][:0]
	}
	r.rows, r.cuts, r.fits, r.arena.b = r.rows[:0], r.cuts[:0], r.fits[:0], r.arena.b[:0]
	r.fresh = false
}

// Rows is how many rows there are.
func (r *Run) Rows() int { return len(r.rows) }

// Leaf has the cells of all rows of Plan.Leaves[i].
func (r *Run) Leaf(i int) []Cell { return r.cells[i] }

// Misfits of a row: the values that its columns did not take.
func (r *Run) Misfits(row int) []Fit {
	to := len(r.fits)
	if row+1 < len(r.rows) {
		to = r.rows[row+1].fits
	}
	return r.fits[r.rows[row].fits:to]
}

// Fresh tells whether since Reset an image had an attribute, or a map's
// field, that has no column and that this run never met before, or only as NULL and empty. It is when to look
// with a [Sample].
func (r *Run) Fresh() bool { return r.fresh }

// Missing returns the first required column that is null in the last row, or -1.
func (r *Run) Missing() int {
	for i := range r.plan.Columns {
		if r.plan.Columns[i].Required {
			s := r.plan.spans[i]
			if r.cells[s.from][r.begin[s.from]].Def < s.def {
				return i
			}
		}
	}
	return -1
}

// Undo takes the last row back, once.
func (r *Run) Undo() {
	last := r.rows[len(r.rows)-1]
	r.rows, r.cuts, r.fits = r.rows[:len(r.rows)-1], r.cuts[:last.cuts], r.fits[:last.fits]
	for i := range r.cells {
		r.cells[i] = r.cells[i][:r.begin[i]]
	}
}

// Set gives a computed column its value in the last row. The levels are set here.
func (r *Run) Set(column int, c Cell) {
	s := r.plan.spans[column]
	c.Rep, c.Def = 0, s.def
	r.cells[s.from][r.begin[s.from]] = c
}

// Blank adds a row of nulls, for a removal. Its _rest is the change's own.
func (r *Run) Blank() {
	r.start()
	r.fill(0, len(r.cells), r.begin, 0, 0)
}

// AppendRest appends the _rest of a row, of whose image it is given again:
// what no column has, cut out of the image.
func (r *Run) AppendRest(dst []byte, row int, image []byte) []byte {
	to := len(r.cuts)
	if row+1 < len(r.rows) {
		to = r.rows[row+1].cuts
	}
	from := uint32(0)
	for _, c := range r.cuts[r.rows[row].cuts:to] {
		dst = append(dst, image[from:c.from]...)
		from = c.to
	}
	return append(dst, image[from:]...)
}

// start begins a row.
func (r *Run) start() {
	r.rows = append(r.rows, row{len(r.cuts), len(r.fits)})
	for i := range r.cells {
		r.begin[i] = len(r.cells[i])
	}
	r.serial++
}

// fill gives a null at level def to each leaf that has no cell since begin.
func (r *Run) fill(from, to int, begin []int, rep, def uint8) {
	for i := from; i < to; i++ {
		if len(r.cells[i]) == begin[i-from] {
			r.cells[i] = append(r.cells[i], Cell{Rep: rep, Def: def})
		}
	}
}

// Row copies a row's cells out, leaf by leaf, for [Plan.Rebuild]. It is slow.
func (r *Run) Row(row int) [][]Cell {
	cells := make([][]Cell, len(r.cells))
	for i, all := range r.cells {
		n := -1
		for _, c := range all {
			if c.Rep == 0 {
				n++
			}
			if n == row {
				cells[i] = append(cells[i], c)
			}
		}
		cells[i] = slices.Clip(cells[i])
	}
	return cells
}
