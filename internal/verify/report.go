package verify

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Kind is what a doubt is about.
type Kind string

// The kinds of doubts.
const (
	NoBase     Kind = "no full export"  // the state before the lake's first change is unknown
	GapKind    Kind = "gap"             // changes are missing, and not yet repaired
	Hole       Kind = "hole"            // an epoch does not meet the next
	Records    Kind = "export record"   // the record of an export is missing or does not fit the ledger
	Missing    Kind = "missing file"    // a record names a file that is not there
	Unread     Kind = "unreadable file" // a file cannot be decoded
	Counts     Kind = "count"           // a file has not what it is said to have
	Footer     Kind = "footer"          // a file's footer disagrees with its name, its metadata or its record
	Content    Kind = "content"         // a file's bytes are not those that were written
	Broken     Kind = "broken chain"    // a file of a shard is missing between two others
	Fork       Kind = "forked chain"    // two files of a shard hold the same changes
	Start      Kind = "chain start"     // a shard's first files are missing
	Tail       Kind = "chain end"       // a shard's last files are missing
	Lineage    Kind = "lineage"         // a child was read before its parent's end
	Halted     Kind = "halted"          // a shard waits at a gap
	EpochKind  Kind = "epoch"           // rows are of an epoch that they should not have
	Order      Kind = "order"           // rows are not in order, or not where they belong
	RowKind    Kind = "row"             // a row does not rebuild its item
	SchemaKind Kind = "schema"          // a version of the schema is missing, or a file is not of its version
	Orphan     Kind = "orphan"          // nothing explains an object
	Rejects    Kind = "rejects"         // more than allowed
	Item       Kind = "item"            // the lake has another item, or none, or one too many
	Behind     Kind = "behind"          // the lake does not reach the time that it is compared at
)

// Doubt is one thing that keeps a lake from being proven.
type Doubt struct {
	Kind    Kind   `json:"kind"`
	Subject string `json:"subject"` // a key, a shard, an epoch, an item's digest
	Text    string `json:"text"`    // what is wrong and what to do, in one line; no item content
}

// Report is what was looked at, and what was found.
type Report struct {
	Proven bool   `json:"proven"`
	Table  string `json:"table"`
	Depth  Depth  `json:"depth"`
	// Since is from when on the state is known, Reach up to when; zero if never.
	Since time.Time `json:"since,omitzero"`
	Reach time.Time `json:"reach,omitzero"`

	Epochs      int   `json:"epochs"`
	Exports     int   `json:"exports"` // full ones that are converted
	Windows     int   `json:"windows"`
	Files       int64 `json:"files"`
	Rows        int64 `json:"rows"` // as the files say
	Bytes       int64 `json:"bytes"`
	Shards      int   `json:"shards"`
	ChainsEnded int   `json:"chains_ended"`
	ChainsOpen  int   `json:"chains_open"`
	UnderWay    int64 `json:"files_under_way"` // of exports that are being converted
	Rejects     int64 `json:"rejects"`
	Orphans     int64 `json:"orphans"`
	Gaps        int   `json:"gaps_closed"`

	// Datasets are those of the schema, then those that it has no more. A table without a
	// schema has none.
	Datasets []*Dataset `json:"datasets,omitempty"`
	Compared *Compared  `json:"compared,omitempty"` // over all datasets

	// Doubts are the first of each kind; Counts how many there are.
	Doubts []Doubt        `json:"doubts"`
	Counts map[Kind]int64 `json:"doubt_counts"`
}

// Compared is the outcome of a comparison.
type Compared struct {
	With      string    `json:"with"`
	At        time.Time `json:"at,omitzero"` // an export's time
	Items     int64     `json:"items"`       // of the other side
	Lake      int64     `json:"lake_items"`
	Equal     int64     `json:"equal"`
	TooYoung  int64     `json:"too_young"`         // changed after, or too close to, the export's time
	Settled   int64     `json:"settled"`           // differed at first, because the table was written to
	Refused   int64     `json:"refused,omitempty"` // differ because their last change is in rejects/
	Differing int64     `json:"differing"`
	Passes    int       `json:"passes"`
}

// Total is the number of doubts, those that are not listed included.
func (r *Report) Total() (n int64) {
	for _, c := range r.Counts {
		n += c
	}
	return n
}

// shown is how many doubts of a kind are listed.
const shown = 100

// notes collects doubts, from any goroutine.
type notes struct {
	mu     sync.Mutex
	doubts []Doubt
	counts map[Kind]int64
}

func (n *notes) add(kind Kind, subject, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.counts == nil {
		n.counts = map[Kind]int64{}
	}
	if n.counts[kind]++; n.counts[kind] <= shown {
		n.doubts = append(n.doubts, Doubt{kind, subject, fmt.Sprintf(format, args...)})
	}
}

// all adds what a pure rule found.
func (n *notes) all(found []Doubt) {
	for _, d := range found {
		n.add(d.Kind, d.Subject, "%s", d.Text)
	}
}

// conclude fills in the verdict.
func (n *notes) conclude(r *Report) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r.Doubts, r.Counts = append([]Doubt{}, n.doubts...), map[Kind]int64{}
	order := map[Kind]int{}
	for i, d := range r.Doubts { // by kind, in the order in which kinds came up
		if _, ok := order[d.Kind]; !ok {
			order[d.Kind] = i
		}
	}
	slices.SortStableFunc(r.Doubts, func(a, b Doubt) int { return order[a.Kind] - order[b.Kind] })
	for kind, count := range n.counts {
		r.Counts[kind] = count
	}
	r.Proven = len(n.counts) == 0
}

// found is how the pure rules return doubts.
type found []Doubt

func (f *found) add(kind Kind, subject, format string, args ...any) {
	*f = append(*f, Doubt{kind, subject, fmt.Sprintf(format, args...)})
}
