package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"dynamolake/internal/verify"
)

// printVerified prints what was looked at, the verdict, and each doubt as a line.
func printVerified(out io.Writer, r verify.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "table\t%s\n", r.Table)
	fmt.Fprintf(w, "depth\t%s\n", r.Depth)
	fmt.Fprintf(w, "state\tfrom %s to %s\n", formatTime(r.Since), formatTime(r.Reach))
	fmt.Fprintf(w, "epochs\t%d, %d gaps closed\n", r.Epochs, r.Gaps)
	fmt.Fprintf(w, "exports\t%d full, %d windows\n", r.Exports, r.Windows)
	fmt.Fprintf(w, "shards\t%d, %d of them read to their end\n", r.Shards, r.ChainsEnded)
	fmt.Fprintf(w, "files\t%d, %d rows, %s\n", r.Files, r.Rows, roughSize(r.Bytes))
	if r.UnderWay > 0 {
		fmt.Fprintf(w, "under way\t%d files of exports that are being converted\n", r.UnderWay)
	}
	fmt.Fprintf(w, "rejects\t%d\n", r.Rejects)
	fmt.Fprintf(w, "orphans\t%d\n", r.Orphans)
	if c := r.Compared; c != nil {
		fmt.Fprintf(w, "compared\twith %s, in %d passes\n", c.With, c.Passes)
		fmt.Fprintf(w, "items\t%d, %d in the lake\n", c.Items, c.Lake)
		fmt.Fprintf(w, "equal\t%d\n", c.Equal)
		if !c.At.IsZero() {
			fmt.Fprintf(w, "too young\t%d changed after %s, or too close to it\n", c.TooYoung, formatTime(c.At))
		} else {
			fmt.Fprintf(w, "settled\t%d differed at first, because the table is written to\n", c.Settled)
		}
		fmt.Fprintf(w, "differing\t%d\n", c.Differing)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", verdict(r))
	shown := map[verify.Kind]int64{}
	for _, d := range r.Doubts {
		shown[d.Kind]++
		if err == nil {
			_, err = fmt.Fprintf(out, "  %s  %s: %s\n", d.Kind, d.Subject, d.Text)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Counts)) {
		if more := r.Counts[kind] - shown[kind]; more > 0 && err == nil {
			_, err = fmt.Fprintf(out, "  %s  and %d more\n", kind, more)
		}
	}
	return err
}

func verdict(r verify.Report) string {
	switch n := r.Total(); {
	case n == 1:
		return "NOT proven: 1 doubt"
	case !r.Proven:
		return fmt.Sprintf("NOT proven: %d doubts", n)
	case r.Compared == nil:
		return "proven: nothing is missing between " + formatTime(r.Since) + " and " + formatTime(r.Reach)
	case r.Compared.TooYoung > 0:
		return fmt.Sprintf("proven: nothing is missing, and %d items equal those of %s; %d were too young to compare", r.Compared.Equal+r.Compared.Settled, r.Compared.With, r.Compared.TooYoung)
	}
	return fmt.Sprintf("proven: nothing is missing, and all %d items equal those of %s", r.Compared.Items, r.Compared.With)
}
