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
	for _, d := range r.Datasets {
		fmt.Fprintf(w, "dataset\t%s\n", datasetText(d))
	}
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
		if c.Refused > 0 {
			fmt.Fprintf(w, "refused\t%d differ because their last change is in rejects/\n", c.Refused)
		}
		fmt.Fprintf(w, "differing\t%d\n", c.Differing)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	err := printRefusals(out, r.Datasets)
	if err == nil {
		_, err = fmt.Fprintf(out, "\n%s\n", verdict(r))
	}
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

// datasetText is what a dataset has, and what is to be known of it.
func datasetText(d *verify.Dataset) string {
	text := fmt.Sprintf("%s, %d files, %d rows", d.Name, d.Files, d.Rows)
	switch {
	case d.Retired:
		return text + ", retired"
	case d.Younger && d.Begins.IsZero():
		text += ", begins with its first change"
	case d.Younger:
		text += ", begins at " + formatTime(d.Begins)
	}
	if d.Unseeded {
		text += ", without the full export"
	}
	if d.AppendOnly {
		text += ", append-only: not compared"
	}
	if c := d.Compared; c != nil {
		text += fmt.Sprintf(", %d items, %d equal", c.Items, c.Equal+c.Settled)
	}
	return text
}

// printRefusals names the rejects that explain why items differ.
func printRefusals(out io.Writer, datasets []*verify.Dataset) error {
	for _, d := range datasets {
		for _, key := range d.Refusals {
			if _, err := fmt.Fprintf(out, "refused by %s: %s\n", d.Name, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func verdict(r verify.Report) string {
	switch n := r.Total(); {
	case n == 1:
		return "NOT proven: 1 doubt"
	case !r.Proven:
		return fmt.Sprintf("NOT proven: %d doubts", n)
	case r.Compared == nil:
		return "proven: nothing is missing between " + formatTime(r.Since) + " and " + formatTime(r.Reach)
	case r.Compared.Refused > 0:
		return fmt.Sprintf("proven: nothing is missing, and the items of %s are there, but for %d that datasets refused", r.Compared.With, r.Compared.Refused)
	case split(r):
		return fmt.Sprintf("proven: nothing is missing, and each dataset has what it should of the %d items of %s%s", r.Compared.Items, r.Compared.With, tooYoung(r.Compared))
	case r.Compared.TooYoung > 0:
		return fmt.Sprintf("proven: nothing is missing, and %d items equal those of %s; %d were too young to compare", r.Compared.Equal+r.Compared.Settled, r.Compared.With, r.Compared.TooYoung)
	}
	return fmt.Sprintf("proven: nothing is missing, and all %d items equal those of %s", r.Compared.Items, r.Compared.With)
}

// split tells whether some datasets have not every item as it is.
func split(r verify.Report) bool {
	current := 0
	for _, d := range r.Datasets {
		if !d.Retired {
			current++
		}
	}
	c := r.Compared
	return current > 1 || current == 1 && c.Equal+c.Settled+c.TooYoung < c.Items
}

func tooYoung(c *verify.Compared) string {
	if c.TooYoung == 0 {
		return ""
	}
	return fmt.Sprintf("; %d were too young to compare", c.TooYoung)
}
