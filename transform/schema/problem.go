package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a schema file.
type Problem struct {
	Line int // from 1; 0: of the file as a whole
	Text string
}

// Problems are all that is wrong with a schema file, by line.
type Problems []Problem

// Error has one problem a line.
func (p Problems) Error() string {
	var b strings.Builder
	for i, one := range p {
		if i > 0 {
			b.WriteByte('\n')
		}
		if one.Line > 0 {
			fmt.Fprintf(&b, "line %d: ", one.Line)
		}
		b.WriteString(one.Text)
	}
	return b.String()
}

// Add notes a problem.
func (p *Problems) Add(line int, format string, args ...any) {
	*p = append(*p, Problem{line, fmt.Sprintf(format, args...)})
}

// Err sorts the problems, and returns them as an error if there are any.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	p.sort()
	return p
}

func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}
