package main

import (
	"cmp"
	"strings"
	"time"

	"dynamolake/checkpoint"
)

// leaseRow is a lease row as it is printed and backed up: all that the fleet keeps in it.
type leaseRow struct {
	Shard      string    `json:"shard"`
	Of         string    `json:"of,omitempty"` // the stream, in a lease table of several tables
	Owner      string    `json:"owner,omitempty"`
	Holder     string    `json:"holder,omitempty"` // who still has it while it is handed over
	Counter    int64     `json:"counter"`
	Checkpoint string    `json:"checkpoint"`
	Start      time.Time `json:"start,omitzero"`
	Created    time.Time `json:"created,omitzero"`
	CurrentTo  time.Time `json:"current_to,omitzero"`
	Epoch      int64     `json:"epoch,omitempty"`
	OlderTo    time.Time `json:"older_to,omitzero"`
	RowsIn     int64     `json:"rows_in,omitempty"`
	Parents    []string  `json:"parents,omitempty"`
	Children   []string  `json:"children,omitempty"`
	ParentGone bool      `json:"parent_gone,omitempty"`
	Gap        string    `json:"gap,omitempty"`
	Stream     string    `json:"stream,omitempty"`
	Switches   int64     `json:"switches,omitempty"`
}

func leaseRowOf(r checkpoint.Row) leaseRow {
	return leaseRow{
		Shard: r.Key, Of: r.Of, Owner: r.Owner, Holder: r.Holder, Counter: r.Counter, Checkpoint: checkpointText(r.Checkpoint),
		Start: r.Checkpoint.Start, Created: r.Checkpoint.Created, CurrentTo: r.CurrentTo,
		Epoch: r.Epoch, OlderTo: r.OlderTo, RowsIn: r.RowsIn, Parents: r.Parents, Children: r.Children,
		ParentGone: r.ParentGone, Gap: r.Gap, Stream: r.Stream, Switches: r.Switches,
	}
}

// row reads what leaseRowOf made.
func (l leaseRow) row() checkpoint.Row {
	at := checkpoint.Checkpoint{Start: l.Start, Created: l.Created}
	if strings.Trim(l.Checkpoint, "0123456789") == "" {
		at.Seq = l.Checkpoint
	} else {
		at.Sentinel = l.Checkpoint
	}
	return checkpoint.Row{
		Key: l.Shard, Of: l.Of, Owner: l.Owner, Holder: l.Holder, Counter: l.Counter, Checkpoint: at, CurrentTo: l.CurrentTo,
		Epoch: l.Epoch, OlderTo: l.OlderTo, RowsIn: l.RowsIn, Parents: l.Parents, Children: l.Children,
		ParentGone: l.ParentGone, Gap: l.Gap, Stream: l.Stream, Switches: l.Switches,
	}
}

func checkpointText(c checkpoint.Checkpoint) string { return cmp.Or(c.Seq, c.Sentinel) }
