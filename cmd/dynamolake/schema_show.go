package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// schemaShowing are the settings of `dynamolake schema show`.
type schemaShowing struct {
	schemaPlace
	version, rows int
	format        string
	history       bool
}

func schemaShowCommand(s *settings) func(context.Context, streams) error {
	var c schemaShowing
	c.inLake(s)
	intoFlag(s, &c.into)
	s.count(&c.version, "version", 0, 0, 1_000_000, "the version to show; 0: the newest")
	s.choice(&c.format, "format", "yaml", "as a schema file, or as a table of columns with what of the newest rows did not fit into them", "yaml", "table")
	s.count(&c.rows, "sample-rows", 10_000, 0, 10_000_000, "with --format=table: the most rows of each dataset that are looked at; 0: none")
	s.boolean(&c.history, "history", "list all versions, and what each brought, instead")
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

func (c *schemaShowing) run(ctx context.Context, io streams) error {
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	s, err := o.version(ctx, c.version)
	switch {
	case err != nil:
		return err
	case c.history:
		return c.versions(ctx, &o, s, io.out)
	case c.format == "yaml":
		_, err = io.out.Write(s.YAML(true))
		return err
	}
	return c.columns(ctx, &o, s, io.out)
}

// versions lists those up to one.
func (c *schemaShowing) versions(ctx context.Context, o *opened, last *schema.Schema, out io.Writer) error {
	var before *schema.Schema
	for n := 1; n <= last.Version; n++ {
		s, err := o.version(ctx, n)
		if err != nil {
			return err
		}
		written := ""
		if at, err := o.store.Head(ctx, o.catalog.Key(n)); err == nil && !at.Modified.IsZero() {
			written = ", " + formatTime(at.Modified)
		}
		fmt.Fprintf(out, "version %d%s\n", n, written)
		if before == nil {
			for i := range s.Datasets {
				fmt.Fprintf(out, "  + %s: the dataset, of %d columns\n", s.Datasets[i].Name, len(s.Datasets[i].Columns))
			}
		} else {
			for _, d := range schema.Diff(before, s) {
				fmt.Fprintf(out, "  %s\n", d)
			}
		}
		before = s
	}
	return nil
}

// columns prints each dataset's, with what the newest files have for them.
func (c *schemaShowing) columns(ctx context.Context, o *opened, s *schema.Schema, out io.Writer) error {
	for i := range s.Datasets {
		d := &s.Datasets[i]
		plan, err := d.Plan(o.table.Keys)
		if err != nil {
			return err
		}
		tally, run, files := plan.NewTally(), plan.NewRun(), 0
		if c.rows > 0 {
			files, err = o.newestRows(ctx, d.Name, c.rows, func(_ *writer.RowFile, r *writer.Row, rest []byte) error {
				run.Reset()
				run.Shred(rest, r.Hash.Exact, r.Range.Exact)
				tally.Add(run, 0)
				return nil
			})
			if err != nil {
				return err
			}
		}
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "dataset %s, schema version %d: %d columns; looked at %d rows of the %d newest files\n", d.Name, s.Version, len(d.Columns), tally.Rows, files)
		if err := printColumns(out, d, tally); err != nil {
			return err
		}
	}
	return nil
}

// printColumns is a table of a dataset's columns, with what a tally has counted for them.
func printColumns(out io.Writer, d *schema.Dataset, tally *schema.Tally) error {
	if len(d.Columns) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "COLUMN\tTYPE\tID\tFROM\tIN COLUMN\tIN _rest\tBECAUSE\n")
	for i := range d.Columns {
		c, n := &d.Columns[i], &tally.Columns[i]
		from := strings.Join(c.From, ".")
		if c.Expr != nil {
			from = "(computed)"
		}
		id := "-"
		if c.ID > 0 {
			id = fmt.Sprint(c.ID)
		}
		taken, left := fmt.Sprint(n.Taken), fmt.Sprint(n.Left())
		if tally.Rows == 0 || c.Expr != nil { // nothing was looked at, or nothing was computed
			taken, left = "-", "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Name, typeText(&c.Type), id, from, taken, left, cmp.Or(misfitText(n), "-"))
	}
	return w.Flush()
}

// typeText is a type with the fields of its struct.
func typeText(t *schema.Type) string {
	r := t
	for r.Elem != nil {
		r = r.Elem
	}
	if r.Kind != schema.Struct {
		return t.String()
	}
	fields := make([]string, len(r.Fields))
	for i := range r.Fields {
		fields[i] = r.Fields[i].Name + " " + typeText(&r.Fields[i].Type)
	}
	return t.String() + "(" + strings.Join(fields, ", ") + ")"
}

// misfitText says why values are in _rest.
func misfitText(n *schema.Count) string {
	var why []string
	for m, count := range n.Misfits {
		if count > 0 {
			why = append(why, fmt.Sprintf("%s: %d", schema.Misfit(m), count))
		}
	}
	return strings.Join(why, ", ")
}
