package lakecheck

import (
	"time"

	"dynamolake/transform"
)

// Record is one change as the source of truth has it: the simulator's journal,
// or a test's own log. A journal is in the order the changes took effect.
type Record struct {
	Shard, Seq, EventID string // empty where the table had no stream
	Op                  string // INSERT, MODIFY or REMOVE
	// DynamoDB JSON in any form; empty where there is none.
	KeyJSON, NewJSON, OldJSON string

	// The rest is needed only where exports are compared.

	At time.Time // exact
	// Micros is WriteTimestampMicros of exports: the partition's own clock. 0 where
	// point-in-time recovery was off: exports know such a change as what was there before.
	Micros int64
}

// before tells whether an export of the table at a time has the change.
func (r *Record) before(at time.Time) bool {
	if r.Micros == 0 {
		return r.At.Before(at)
	}
	return r.Micros < at.UnixMicro()
}

// Truth is what a lake is compared with. What is nil is left out.
type Truth struct {
	Journal []Record
	// Items are the table's at the end, key to item, DynamoDB JSON in any form.
	Items map[string]string
	// AsOf is where a lake of exports alone ends. Its items are then those that
	// the journal tells for that time.
	AsOf time.Time
	// Timeline is what the ledger claims; nil for a lake of a stream alone that has none.
	Timeline *Timeline

	part bool // of a dataset
}

// Timeline is the ledger, as far as it can be held against the files.
type Timeline struct {
	Epochs []Epoch // ascending
	Base   int64   // the epoch that the state starts from; 0: the first
	// Slack is how far after its From a stream's first record may be that nothing has: what was
	// trimmed between two looks at the clock.
	Slack time.Duration
}

// Epoch is a stretch of one source, and which rows have its number.
type Epoch struct {
	Number   int64
	Source   string    // full, incremental or stream
	From, To time.Time // To is zero while the stream is read
	Export   string    // of a full export: its id
	// GivenUp are windows that ended before they reached what they were for.
	GivenUp bool
}

// Epochs have one of these sources.
const (
	full        = "full"
	incremental = "incremental"
	stream      = "stream"
)

func (t *Timeline) epoch(number int64) *Epoch {
	for i := range t.Epochs {
		if t.Epochs[i].Number == number {
			return &t.Epochs[i]
		}
	}
	return nil
}

// claims tells whether the ledger says that the stream's own record of a change is in the lake.
func (t *Timeline) claims(at time.Time) bool {
	for _, e := range t.Epochs {
		if e.Source == stream && !at.Before(e.From.Add(t.Slack)) && (e.To.IsZero() || at.Before(e.To)) {
			return true
		}
	}
	return false
}

// keysOf are the canonical keys of the journal, by place.
func keysOf(journal []Record) []string {
	keys := make([]string, len(journal))
	known := map[string]string{}
	for i := range journal {
		text := journal[i].KeyJSON
		k, ok := known[text]
		if !ok {
			k, _ = canonical(text) // what is none is told where it is compared
			known[text] = k
		}
		keys[i] = k
	}
	return keys
}

// stateAt is the table as an export of that time shows it: canonical key to image.
func (c *checker) stateAt(at time.Time) map[string]string {
	items := map[string]string{}
	for i := range c.truth.Journal {
		r := &c.truth.Journal[i]
		switch {
		case !r.before(at):
		case r.Op == transform.Remove.String():
			delete(items, c.keys[i])
		default:
			items[c.keys[i]] = r.NewJSON
		}
	}
	return items
}
