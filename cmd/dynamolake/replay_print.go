package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"dynamolake/consumer"
	"dynamolake/internal/verify"
)

// replayed is what a replay ends with.
type replayed struct {
	Table string    `json:"table"`
	Place string    `json:"place"` // prefix of all that it wrote
	Of    string    `json:"of"`
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Export and Items are of an export.
	Export string `json:"export,omitempty"`
	Items  int64  `json:"items,omitempty"`
	Read   int64  `json:"rejects_read,omitempty"` // objects of the table's rejects/
	Rows   int64  `json:"rows"`                   // that the place has now
	Files  int64  `json:"files"`
	Shards int    `json:"shards"`
	// Refused are the rejects of the place by their reasons, Gaps the losses that shards met.
	Refused map[string]int64 `json:"refused"`
	Gaps    []consumer.Gap   `json:"gaps"`
	Verify  verify.Report    `json:"verify"`

	title string // of the first line
}

// conclude proves the place, and prints what is in it.
func (r *replay) conclude(ctx context.Context, out io.Writer) error {
	p := &r.report
	if p.Of, p.title = r.claimed.String(), "replayed"; r.claimed.Of == ofSnapshot {
		p.title = "snapshot of"
	}
	if r.claimed.Of == ofStream {
		p.From, p.Until = r.claimed.From, r.claimed.Until
	}
	var err error
	if p.Refused, err = r.refused(ctx); err != nil {
		return err
	}
	if p.Gaps, err = consumer.Gaps(ctx, r.store, r.place); err != nil {
		return err
	}
	o := verify.Defaults()
	o.Store, o.Prefix, o.Table, o.Keys, o.Ledger = r.store, r.place, r.table.Name, r.table.Keys, r.ledger
	o.ChangesOnly, o.Memory = true, r.memory
	bar := &gauge{screen: r.screen}
	o.Progress = bar.show
	p.Verify, err = verify.Run(ctx, o)
	bar.screen.done()
	if err != nil {
		return err
	}
	p.Rows, p.Files, p.Shards = p.Verify.Rows, p.Verify.Files, p.Verify.Shards
	if r.output == "json" {
		err = json.NewEncoder(out).Encode(p)
	} else {
		err = p.print(out)
	}
	if err == nil && !p.Verify.Proven {
		err = errNotProven
	}
	return err
}

func (p *replayed) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", p.title, p.Of)
	fmt.Fprintf(w, "place\t%s\n", p.Place)
	if p.Export != "" && p.From.IsZero() {
		fmt.Fprintf(w, "export\t%s, %d items at %s\n", p.Export, p.Items, formatTime(p.Until))
	} else if p.Export != "" {
		fmt.Fprintf(w, "export\t%s, %d items, %s to %s\n", p.Export, p.Items, formatTime(p.From), formatTime(p.Until))
	} else if !p.Until.IsZero() {
		fmt.Fprintf(w, "until\t%s\n", formatTime(p.Until))
	}
	if p.Of == ofRejects {
		fmt.Fprintf(w, "read\t%d rejects of the table\n", p.Read)
	}
	fmt.Fprintf(w, "rows\t%d in %d files\n", p.Rows, p.Files)
	fmt.Fprintf(w, "refused\t%d\n", p.Verify.Rejects)
	for _, reason := range slices.SortedFunc(maps.Keys(p.Refused), func(a, b string) int { return cmp.Or(cmp.Compare(p.Refused[b], p.Refused[a]), cmp.Compare(a, b)) }) {
		fmt.Fprintf(w, "\t%d: %s\n", p.Refused[reason], reason)
	}
	fmt.Fprintf(w, "gaps\t%d\n", len(p.Gaps))
	for _, g := range p.Gaps {
		fmt.Fprintf(w, "\t%s: %s\n", g.Shard, g.Reason)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if p.Of == ofRejects && p.Verify.Proven { // single rows prove nothing of a time
		_, err := fmt.Fprintf(out, "\nproven: the files are whole\n")
		return err
	}
	fmt.Fprintln(out)
	return printVerified(out, p.Verify)
}
