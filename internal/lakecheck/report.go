package lakecheck

import "fmt"

// maxProblems is how many problems a report tells in words.
const maxProblems = 20

// Report counts what is wrong. The counts of the first group are no faults; all
// others are 0 in a good lake.
type Report struct {
	Items     int // keys that the folded lake holds
	Changes   int // distinct changes of the stream in the lake
	Compacted int // changes that the stream has lost, in a window: there are the last of each item and window
	Seeded    int // changes that a full export alone has: made before the lake's first change
	Files     int

	Lost         int // in the journal, not in the lake
	Doubled      int // rows beyond the first of one change, or of one item of an export
	OutOfOrder   int
	Orphans      int // objects that no chain explains
	Unknown      int // in the lake, not in the journal
	WrongContent int // rows and objects that do not hold what they should
	WrongItems   int // keys whose folded item is not the table's

	// Problems are the first of them in words.
	Problems []string
}

// OK tells whether nothing is wrong.
func (r Report) OK() bool {
	return r.Lost+r.Doubled+r.OutOfOrder+r.Orphans+r.Unknown+r.WrongContent+r.WrongItems == 0
}

func (r Report) String() string {
	return fmt.Sprintf("%d items, %d changes and %d compacted in %d files: %d lost, %d doubled, %d out of order, %d orphans, %d unknown, %d with wrong content, %d wrong items",
		r.Items, r.Changes, r.Compacted, r.Files, r.Lost, r.Doubled, r.OutOfOrder, r.Orphans, r.Unknown, r.WrongContent, r.WrongItems)
}

// add counts a problem and keeps the first of them in words.
func (r *Report) add(count *int, format string, args ...any) {
	*count++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}
