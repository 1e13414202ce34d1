package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Where `schema infer` has items from.
const (
	fromLake   = "lake"
	fromExport = "export"
	fromTable  = "table"
)

// inferring are the settings of `dynamolake schema infer`.
type inferring struct {
	schemaPlace
	itemSource
	from, out  string
	maxColumns int
}

func schemaInferCommand(s *settings) func(context.Context, streams) error {
	var c inferring
	c.flags(s)
	c.keyFlag(s)
	s.choice(&c.from, "from", "", "where items are from: the lake's newest files, an export, or a scan of some of the table, which takes its capacity; what is given of the first two when empty", fromLake, fromExport, fromTable)
	c.exportFlag(s)
	s.count(&c.items, "items", 10_000, 1, 10_000_000, "the most items that are looked at")
	s.count(&c.rcu, "rcu", 500, 1, 1_000_000, "with --from=table: the most read units a second that the scan takes")
	s.count(&c.maxColumns, "max-columns", schema.DefaultLimits.MaxColumns, 1, 10_000, "the most columns that the schema has")
	s.text(&c.out, "out", "", "file to write, which must not exist; printed when empty")
	s.check(c.check)
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

// exportFlag declares the export to have items from.
func (c *itemSource) exportFlag(s *settings) {
	s.parsed(&c.export, "export", "address", "", "an export to have items from: the address of its manifest-summary.json, s3://... or file:///...", checkManifest)
}

// check finds out where items are from.
func (c *inferring) check() error {
	if c.from == "" {
		switch {
		case c.export != "":
			c.from = fromExport
		case c.lake != "":
			c.from = fromLake
		default:
			return errors.New("nothing to infer from: give --export with an export, or --lake with a lake that has rows, which cost nothing; or --from=table to scan some of the table, at about 1 read unit for 8 KB of items")
		}
	}
	switch {
	case c.from == fromExport && c.export == "":
		return errors.New("--from=export needs --export (DYNAMOLAKE_EXPORT)")
	case c.from == fromLake && (c.lake == "" || c.table == ""):
		return errors.New("--from=lake needs --lake (DYNAMOLAKE_LAKE) and --table (DYNAMOLAKE_TABLE)")
	case c.from == fromTable && c.table == "":
		return errors.New("--from=table needs --table (DYNAMOLAKE_TABLE)")
	case c.table == "" && c.key == "":
		return errors.New("--table (DYNAMOLAKE_TABLE) or --key (DYNAMOLAKE_KEY) must tell the table's key")
	}
	return nil
}

func (c *inferring) run(ctx context.Context, io streams) error {
	if c.from != fromLake {
		c.lake = ""
	}
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	sample := new(schema.Sample)
	look := map[string]func(context.Context, *opened, takeItem) (taken, error){
		fromLake: c.fromLake, fromExport: c.fromExport, fromTable: c.fromTable,
	}[c.from]
	t, err := look(ctx, &o, func(change *transform.Change) error {
		sample.Observe(change.New)
		return nil
	})
	if err != nil {
		return err
	}
	if t.items == 0 {
		return fmt.Errorf("there are no items in %s to infer a schema from", t.from)
	}
	limits := schema.DefaultLimits
	limits.MaxColumns = c.maxColumns
	s := schema.Infer(sample, o.table.Keys, limits)
	s.Note = fmt.Sprintf("Inferred from %d items, of %s.", t.items, t.from)
	text := s.YAML(false)
	if c.out == "" {
		_, err := io.out.Write(text)
		return err
	}
	if err := writeNew(c.out, text); err != nil {
		return err
	}
	fmt.Fprintf(io.out, "%s: %d columns, inferred from %d items of %s\n", c.out, len(s.Datasets[0].Columns), t.items, t.from)
	return nil
}

// writeNew writes a file that must not exist.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is not written over; give --out another name, or move it away", path)
	}
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		return f.Close()
	}
	f.Close()
	os.Remove(path) // half of a schema is none
	return err
}
