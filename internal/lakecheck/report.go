package lakecheck

import "fmt"

// Record is one change as the source of truth has it: the simulator's journal,
// or a test's own log. A journal is in the order the changes took effect.
type Record struct {
	Shard, Seq, EventID string
	Op                  string // INSERT, MODIFY or REMOVE
	// DynamoDB JSON in any form; empty where the stream's view has none.
	KeyJSON, NewJSON, OldJSON string
}

// Report counts what is wrong. All counts but Items, Changes and Files are 0 in a
// good lake.
type Report struct {
	Items   int // keys that the folded lake holds
	Changes int // distinct changes in the lake
	Files   int

	Lost         int // in the journal, not in the lake
	Doubled      int // rows beyond the first of one change
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
	return fmt.Sprintf("%d items, %d changes in %d files: %d lost, %d doubled, %d out of order, %d orphans, %d unknown, %d with wrong content, %d wrong items",
		r.Items, r.Changes, r.Files, r.Lost, r.Doubled, r.OutOfOrder, r.Orphans, r.Unknown, r.WrongContent, r.WrongItems)
}

// Check compares a lake with the journal of what happened and with the items that
// the table ends with (key to item, DynamoDB JSON in any form). A nil journal or
// nil items leave that comparison out.
func Check(lake *Lake, journal []Record, items map[string]string) Report {
	return Report{}
}
