package writer

import (
	"hash/maphash"
	"slices"

	"github.com/parquet-go/parquet-go"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Strings of few different values, as states and categories are, get a dictionary: ten such
// columns halve the file. Strings of many must not: those of inferred schemas would cost more than
// twice the time, and a quarter more room. The library decides when a page is full, which is too
// late, so the first rows of each file decide. If they mislead, that file is a
// little larger or slower, and nothing else.
const (
	sampleRows   = 256
	sampleValues = 64 // of a column; fewer say nothing
)

// chooser finds the columns that a dictionary is good for.
type chooser struct {
	run    *schema.Run // not the writer's own, which remembers what it has met
	seed   maphash.Seed
	values map[uint64]struct{}
	dict   []bool // by leaf of the plan: the choice so far
}

func newChooser(p *schema.Plan) *chooser {
	return &chooser{run: p.NewRun(), seed: maphash.MakeSeed(), values: map[uint64]struct{}{}, dict: make([]bool, len(p.Leaves))}
}

// choose looks at rows all over the first of a file, and returns the choice if it is another. One that
// is good enough stays, because a new writer costs what the old one's buffers did.
func (c *chooser) choose(p *schema.Plan, part []transform.Change) (dict []bool, changed bool) {
	if len(part) < sampleRows/2 {
		return c.dict, false
	}
	step := max(1, len(part)/sampleRows)
	for i := 0; i < len(part); i += step {
		if part[i].New != nil {
			c.run.Shred(part[i].New, true, true)
		}
	}
	next := slices.Clone(c.dict)
	for i := range p.Leaves {
		if p.Leaves[i].Type.Kind != schema.String {
			continue
		}
		n := 0
		clear(c.values)
		for _, cell := range c.run.Leaf(i) {
			if cell.Def == p.Leaves[i].MaxDef {
				c.values[maphash.Bytes(c.seed, cell.Bytes)] = struct{}{}
				n++
			}
		}
		switch few := len(c.values); {
		case n < sampleValues:
		case few <= n/4:
			next[i] = true
		case few > n/2:
			next[i] = false
		}
	}
	c.run.Reset()
	changed = !slices.Equal(next, c.dict)
	c.dict = next
	return next, changed
}

// boundedDict gives the columns of a boundedType with a dictionary its short bounds.
type boundedDict struct {
	parquet.Dictionary
	cut func([]byte, bool) []byte
}

func (d boundedDict) Type() parquet.Type { return boundedType{d.Dictionary.Type(), d.cut} }
