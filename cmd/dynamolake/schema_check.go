package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
)

// checking are the settings of `dynamolake schema check`.
type checking struct {
	schemaPlace
	itemSource
	file, sample, salt string
}

func schemaCheckCommand(s *settings) func(context.Context, streams) error {
	var c checking
	s.text(&c.file, "schema", "", "the schema file: a path, or s3://bucket/key")
	s.required("schema")
	c.flags(s)
	c.keyFlag(s)
	s.choice(&c.sample, "sample", "", "items to try it on: of an export, or of the lake's newest files; none when empty, unless --export is given", fromExport, fromLake)
	c.exportFlag(s)
	s.count(&c.items, "items", 10_000, 1, 10_000_000, "the most items that are looked at")
	s.text(&c.salt, "hash-salt", "", "what a schema's hashes are salted with; any will do here")
	s.secret("hash-salt")
	s.check(c.check)
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

func (c *checking) check() error {
	if c.sample == "" && c.export != "" {
		c.sample = fromExport
	}
	switch {
	case c.sample == fromExport && c.export == "":
		return errors.New("--sample=export needs --export (DYNAMOLAKE_EXPORT)")
	case c.sample == fromLake && (c.lake == "" || c.table == ""):
		return errors.New("--sample=lake needs --lake (DYNAMOLAKE_LAKE) and --table (DYNAMOLAKE_TABLE)")
	case c.sample != "" && c.table == "" && c.key == "":
		return errors.New("--table (DYNAMOLAKE_TABLE) or --key (DYNAMOLAKE_KEY) must tell the table's key")
	}
	return nil
}

func (c *checking) run(ctx context.Context, io streams) error {
	if path, inFolder := strings.CutPrefix(c.lake, "file://"); inFolder && c.sample != fromLake {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			c.lake = "" // it will be: there are no versions yet
		}
	}
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	if err := o.aws(ctx, c.file); err != nil {
		return err
	}
	s, rules, problems, err := o.read(ctx, c.file, c.salt)
	if err == nil {
		err = printProblems(io.out, c.file, problems)
	}
	if err != nil {
		return err
	}
	columns := 0
	for i := range s.Datasets {
		columns += len(s.Datasets[i].Columns)
	}
	fmt.Fprintf(io.out, "%s: no problems; %d datasets, %d columns\n", c.file, len(s.Datasets), columns)
	if c.salt == "" && slices.ContainsFunc(s.Datasets, func(d schema.Dataset) bool { return len(d.Hash) > 0 }) {
		fmt.Fprintf(io.out, "it hashes: the commands that write rows want --hash-salt (%s)\n", envName("hash-salt"))
	}
	if c.sample == "" {
		return nil
	}
	return c.try(ctx, &o, s, rules, io.out)
}

// try shows what becomes of items.
func (c *checking) try(ctx context.Context, o *opened, s *schema.Schema, rules rule.Options, out io.Writer) error {
	s.Number(nil)
	trial, err := newTrial(s, o.table, rules)
	if err != nil {
		return err
	}
	look := c.fromExport
	if c.sample == fromLake {
		look = c.fromLake
	}
	t, err := look(ctx, o, func(change *transform.Change) error {
		trial.take(change)
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "tried on %d items of %s\n", t.items, t.from)
	return trial.print(out, s)
}
