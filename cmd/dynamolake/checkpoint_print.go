package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"dynamolake/checkpoint"
)

// rewindReport is what a rewind did, or would do.
type rewindReport struct {
	App    string
	DryRun bool
	Alive  []string // workers that hold leases, whom a dry run does not mind
	Backup string   // "" where nothing was written
	Moved  int
	Rows   []checkpoint.Rewound
}

// rewoundRow is one row of it.
type rewoundRow struct {
	Shard  string `json:"shard"`
	From   string `json:"from"`
	To     string `json:"to"`
	Walked int    `json:"files_walked"`
	// Rereads is the position after which the stream is read again; "" where nothing is.
	Rereads string `json:"rereads_after,omitempty"`
	Stays   string `json:"stays,omitempty"`
}

func (r rewindReport) rows() []rewoundRow {
	rows := []rewoundRow{}
	for _, re := range r.Rows {
		row := rewoundRow{Shard: re.Row.Key, From: checkpointText(re.Row.Checkpoint), To: checkpointText(re.To), Walked: re.Walked, Stays: re.Stays}
		if re.Rereads {
			row.Rereads = cmp.Or(re.From, checkpoint.TrimHorizon)
		}
		rows = append(rows, row)
	}
	return rows
}

func (r rewindReport) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(struct {
			App    string       `json:"app"`
			DryRun bool         `json:"dry_run"`
			Alive  []string     `json:"alive,omitempty"`
			Backup string       `json:"backup,omitempty"`
			Moved  int          `json:"moved"`
			Rows   []rewoundRow `json:"rows"`
		}{r.App, r.DryRun, r.Alive, r.Backup, r.Moved, r.rows()})
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "SHARD\tFROM\tTO\tWHAT FOLLOWS\n")
	moving := 0
	for _, row := range r.rows() {
		follows := "stays: " + row.Stays
		if row.Stays == "" {
			moving++
			follows = fmt.Sprintf("%d files are walked past; the stream is not read again", row.Walked)
			if row.Rereads != "" {
				follows = fmt.Sprintf("%d files are walked past; the stream is read again after %s", row.Walked, row.Rereads)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", row.Shard, row.From, row.To, follows)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var err error
	switch {
	case moving == 0:
		_, err = fmt.Fprintf(out, "\nno lease is to be moved\n")
	case r.DryRun:
		_, err = fmt.Fprintf(out, "\n%d leases would be moved; nothing was changed\n", moving)
	default:
		_, err = fmt.Fprintf(out, "\n%d leases were moved; to put them back: dynamolake checkpoint restore --backup %s\n", r.Moved, r.Backup)
	}
	if err == nil && len(r.Alive) > 0 {
		_, err = fmt.Fprintf(out, "%s, and plan again\n", areAlive(r.Alive))
	}
	return err
}
