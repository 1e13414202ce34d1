package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FormatVersion is the version of the document that docs/format.md describes.
const FormatVersion = 1

// Ledger is the document of one table. The zero value is that of a table that
// nobody has touched yet.
type Ledger struct {
	Format   int    `json:"format"`
	Table    string `json:"table,omitempty"`    // ARN
	Revision int64  `json:"revision"`           // raised by every change
	Attempt  string `json:"attempt,omitempty"`  // random, of the last change: tells whether a change without an answer landed
	TableID  string `json:"table_id,omitempty"` // DynamoDB's: another one is another table of the same name
	// LeaseTable has the positions in the stream: another fleet would fence the one that reads it. Empty until one does.
	LeaseTable string `json:"lease_table,omitempty"`
	// Epochs by number, ascending.
	Epochs []Epoch `json:"epochs"`
	// Gaps as they were seen, oldest first.
	Gaps []Gap `json:"gaps"`
}

// OfAnother tells whether the ledger is of another table than the one of an id, though of its name: that one was made anew, or restored.
// An id that is not known tells nothing.
func (l *Ledger) OfAnother(id string) bool { return l.TableID != "" && id != "" && l.TableID != id }

// Source is where rows come from, as in the column _source.
type Source string

// The sources.
const (
	Full        Source = "full"
	Incremental Source = "incremental"
	Stream      Source = "stream"
)

// Epoch is a stretch of one source.
type Epoch struct {
	Number int64  `json:"epoch"`
	Source Source `json:"source"`
	// From and To: the lake has all changes in [From, To), or for a full export the table at To. From is zero for
	// a full export; To is zero while the stream is read, and for a full export until it is converted.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Until is where windows are to end; zero for windows that follow the table.
	Until time.Time `json:"until,omitzero"`
	// Cut is where one window must end and another begin: the time of a full export
	// below.
	Cut time.Time `json:"cut,omitzero"`
	// StreamARN is the stream's.
	StreamARN string `json:"stream_arn,omitempty"`
	// Exports that are not converted yet, in the order of their times. Of converted
	// ones a full export stays here, and windows have moved To.
	Exports []Export `json:"exports,omitempty"`
	// Windows and Items count what is converted, Rejects what of that went to rejects/.
	Windows int   `json:"windows,omitempty"`
	Items   int64 `json:"items,omitempty"`
	Rejects int64 `json:"rejects,omitempty"`
}

// Status is how far an export is.
type Status string

// The states of an export, in order; Failed may follow Running.
const (
	Planned   Status = "planned"   // it is asked for next
	Running   Status = "running"   // AWS has it
	Exported  Status = "exported"  // its files are in S3
	Converted Status = "converted" // its rows are in the lake
	Failed    Status = "failed"    // AWS gave it up, or its files are damaged
	Restored  Status = "restored"  // of a replay: a few of its rows are there
)

// Export is one export of AWS: a window, or the whole table.
type Export struct {
	From   time.Time `json:"from,omitzero"` // zero for a full export
	To     time.Time `json:"to"`            // the window's end, exclusive; the time of a full export
	Status Status    `json:"status"`
	// Try is raised when the export is asked for anew, so that it gets another
	// client token.
	Try int    `json:"try,omitempty"`
	ARN string `json:"arn,omitempty"`
	// Bucket and Manifest are where manifest-summary.json lies; known once it ran.
	Bucket   string `json:"bucket,omitempty"`
	Manifest string `json:"manifest,omitempty"`
	Items    int64  `json:"items,omitempty"` // as the manifest counts
	Files    int    `json:"files,omitempty"`
	// Schema is the version of the table's schema that all workers convert it with; 0: none. It is
	// known once the export is exported.
	Schema int    `json:"schema,omitempty"`
	Reason string `json:"reason,omitempty"` // why it failed
	// Asked is when AWS was asked, by its clock.
	Asked time.Time `json:"asked,omitzero"`
	// Foreign: it was not made by us, but imported.
	Foreign bool `json:"foreign,omitempty"`
}

// GapState is what is being done about a gap.
type GapState string

// The states of a gap.
const (
	GapOpen      GapState = "open"      // its end is not known yet: shards still adopt the next epoch
	GapRepairing GapState = "repairing" // windows cover it
	GapClosed    GapState = "closed"    // repaired, compacted: one version per key and window
	GapLost      GapState = "lost"      // nothing has it any more: a new full export starts anew
	GapReseeded  GapState = "reseeded"  // a full export behind it made it irrelevant to the state
)

// Gap is time of which changes are missing, or were.
type Gap struct {
	Number int64     `json:"gap"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero"` // zero while it is open
	State  GapState  `json:"state"`
	Reason string    `json:"reason"`
	Seen   time.Time `json:"seen"`
	// Resumed: the shards that lost something have everything from here on.
	Resumed time.Time `json:"resumed,omitzero"`
	Shards  int       `json:"shards,omitempty"` // at least so many lost something
	// Epoch is where its windows go, After the stream that goes on behind it.
	Epoch  int64     `json:"epoch"`
	After  int64     `json:"after"`
	Closed time.Time `json:"closed,omitzero"`
}

// Parse reads a document.
func Parse(body []byte) (Ledger, error) {
	var l Ledger
	if err := json.Unmarshal(body, &l); err != nil {
		return Ledger{}, fmt.Errorf("the ledger is not readable: %w", err)
	}
	if l.Format != FormatVersion {
		return Ledger{}, fmt.Errorf("the ledger is of format %d, this program knows %d; use a newer dynamolake", l.Format, FormatVersion)
	}
	if !slices.IsSortedFunc(l.Epochs, func(a, b Epoch) int { return cmp.Compare(a.Number, b.Number) }) {
		return Ledger{}, fmt.Errorf("the ledger is not readable: its epochs are not in order")
	}
	return l, nil
}

// JSON is the document as it is stored.
func (l Ledger) JSON() []byte {
	l.Format = FormatVersion
	if l.Epochs == nil {
		l.Epochs = []Epoch{}
	}
	if l.Gaps == nil {
		l.Gaps = []Gap{}
	}
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		panic(err) // strings, numbers and times
	}
	return append(b, '\n')
}

// clone is a copy that shares nothing.
func (l Ledger) clone() Ledger {
	l.Epochs = slices.Clone(l.Epochs)
	for i := range l.Epochs {
		l.Epochs[i].Exports = slices.Clone(l.Epochs[i].Exports)
	}
	l.Gaps = slices.Clone(l.Gaps)
	return l
}

// Epoch returns the epoch of a number, nil if there is none.
func (l *Ledger) Epoch(number int64) *Epoch {
	for i := range l.Epochs {
		if l.Epochs[i].Number == number {
			return &l.Epochs[i]
		}
	}
	return nil
}

// Gap returns the gap of a number, nil if there is none.
func (l *Ledger) Gap(number int64) *Gap {
	for i := range l.Gaps {
		if l.Gaps[i].Number == number {
			return &l.Gaps[i]
		}
	}
	return nil
}

// Streaming is the epoch of the stream that is being read, nil if none is.
func (l *Ledger) Streaming() *Epoch {
	for i := len(l.Epochs) - 1; i >= 0; i-- {
		if e := &l.Epochs[i]; e.Source == Stream && e.To.IsZero() {
			return e
		}
	}
	return nil
}

// Base is the full export that the lake's state starts from: the newest that is
// converted. Nil while there is none.
func (l *Ledger) Base() *Epoch {
	for i := len(l.Epochs) - 1; i >= 0; i-- {
		if e := &l.Epochs[i]; e.Source == Full && len(e.Exports) > 0 && e.Exports[0].Status == Converted {
			return e
		}
	}
	return nil
}

// Seeding is the full export that is under way, nil if none is.
func (l *Ledger) Seeding() *Epoch {
	for i := len(l.Epochs) - 1; i >= 0; i-- {
		if e := &l.Epochs[i]; e.Source == Full && len(e.Exports) > 0 && e.Exports[0].Status != Converted && e.Exports[0].Status != Failed && e.Exports[0].Status != Restored {
			return e
		}
	}
	return nil
}

// ID is the last part of the export's ARN.
func (x Export) ID() string { return x.ARN[strings.LastIndexByte(x.ARN, '/')+1:] }

// insert puts an epoch in its place.
func (l *Ledger) insert(e Epoch) *Epoch {
	i, _ := slices.BinarySearchFunc(l.Epochs, e.Number, func(e Epoch, n int64) int { return cmp.Compare(e.Number, n) })
	l.Epochs = slices.Insert(l.Epochs, i, e)
	return &l.Epochs[i]
}

func (l *Ledger) last() int64 {
	if len(l.Epochs) == 0 {
		return 0
	}
	return l.Epochs[len(l.Epochs)-1].Number
}
