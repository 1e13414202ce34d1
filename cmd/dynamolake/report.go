package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"dynamolake/internal/fleet"
)

// printReport shows every shard, or only those that somebody should look at.
func printReport(out io.Writer, r fleet.Report, all bool) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "table\t%s\n", r.Table)
	fmt.Fprintf(w, "stream\t%s\n", cmp.Or(r.Stream, "off"))
	fmt.Fprintf(w, "fleet\t%s\n", r.Fleet)
	fmt.Fprintf(w, "shards\t%d reading, %d free, %d waiting for their parent, %d halted, %d ended\n", r.Reading, r.Free, r.Waiting, r.Halted, r.Ended)
	fmt.Fprintf(w, "lag\t%s\n", formatSeconds(r.Lag))
	switch {
	case r.Lag >= 0 && r.Headroom <= 0:
		fmt.Fprintf(w, "headroom\tNONE: the stream may have dropped what is not in the lake\n")
	default:
		fmt.Fprintf(w, "headroom\t%s until the stream drops what is not in the lake\n", formatSeconds(r.Headroom))
	}
	fmt.Fprintf(w, "gaps\t%d recorded\n", len(r.Gaps))
	if k := r.Lake; k != nil {
		switch {
		case k.Base == "":
			fmt.Fprintf(w, "lake\tno full export: it has changes, and no state to start from\n")
		default:
			fmt.Fprintf(w, "lake\twhole from %s to %s, from export %s on\n", formatTime(k.From), formatTime(k.To), k.Base)
		}
		for _, g := range k.Missing {
			fmt.Fprintf(w, "GAP %d\t%s, from %s to %s: %s\n", g.Number, g.State, formatTime(g.From), formatTime(g.To), g.Reason)
		}
	}
	table := func(header string, rows int) {
		if rows > 0 {
			w.Flush() // each table has its own columns
			fmt.Fprintf(w, "\n%s\n", header)
		}
	}
	table("WORKER\tSTATE\tSHARDS\tLAG\tLAST BEAT", len(r.Workers))
	for _, x := range r.Workers {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", x.ID, x.State, x.Shards, formatSeconds(x.Lag), formatTime(x.Beat))
	}
	shown := slices.Clone(r.Shards)
	if !all {
		shown = slices.DeleteFunc(shown, func(s fleet.Shard) bool { return s.State != fleet.ShardHalted && s.State != fleet.ShardFree })
	}
	table("SHARD\tSTATE\tOWNER\tLAG\tCHECKPOINT", len(shown))
	for _, s := range shown {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.State, cmp.Or(s.Owner, "-"), formatSeconds(s.Lag), s.Checkpoint)
	}
	table("GAP IN SHARD\tAFTER\tSEEN\tPOLICY\tREASON", len(r.Gaps))
	for _, g := range r.Gaps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", g.Shard, g.After, formatTime(g.Seen), g.Policy, g.Reason)
	}
	if err := w.Flush(); err != nil || r.Lake == nil {
		return err
	}
	return printTimeline(out, r.Lake.Coverage, r.At)
}

func formatSeconds(seconds float64) string {
	if seconds < 0 {
		return "unknown"
	}
	return formatSpan(time.Duration(seconds * float64(time.Second)))
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}
