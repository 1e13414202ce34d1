package main

import (
	"context"
	"errors"
	"fmt"

	"dynamolake/transform/schema"
)

// differing are the settings of `dynamolake schema diff`.
type differing struct {
	schemaPlace
	file          string
	version, with int
}

func schemaDiffCommand(s *settings) func(context.Context, streams) error {
	var c differing
	c.inLake(s)
	s.text(&c.file, "schema", "", "a schema file that may follow the version: a path, or s3://bucket/key")
	s.count(&c.version, "version", 0, 0, 1_000_000, "the version to begin with; 0: the newest, or the one before where two versions are compared")
	s.count(&c.with, "with-version", 0, 0, 1_000_000, "without --schema: the version to compare it with; 0: the newest")
	s.check(func() error {
		if c.file != "" && c.with > 0 {
			return errors.New("--schema (DYNAMOLAKE_SCHEMA) and --with-version (DYNAMOLAKE_WITH_VERSION): give one of them")
		}
		return nil
	})
	return func(ctx context.Context, io streams) error { return c.run(ctx, io) }
}

func (c *differing) run(ctx context.Context, io streams) error {
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	newest, err := o.version(ctx, 0)
	if err != nil {
		return err
	}
	if c.version == 0 && c.file == "" {
		c.version = max(1, newest.Version-1)
	}
	before, err := o.version(ctx, c.version)
	if err != nil {
		return err
	}
	var after *schema.Schema
	if c.file == "" {
		if after, err = o.version(ctx, c.with); err != nil {
			return err
		}
		fmt.Fprintf(io.out, "from version %d to %d:\n", before.Version, after.Version)
	} else {
		if err := o.aws(ctx, c.file); err != nil {
			return err
		}
		asked, _, problems, err := o.read(ctx, c.file, "")
		if err == nil {
			err = printProblems(io.out, c.file, problems)
		}
		if err != nil {
			return err
		}
		// What a command would write that is given the file, columns that came by themselves included.
		after, _ = asked.Adopt(before)
		fmt.Fprintf(io.out, "from version %d to %s:\n", before.Version, c.file)
	}
	all := schema.Diff(before, after)
	breaking := 0
	for _, d := range all {
		mark := ""
		if !d.Additive {
			mark = "  (not additive)"
			breaking++
		}
		fmt.Fprintf(io.out, "  %s%s\n", d, mark)
	}
	switch {
	case len(all) == 0:
		fmt.Fprintln(io.out, "no difference")
	case breaking == 0:
		fmt.Fprintf(io.out, "%d differences, all additive: files of both are one table for all readers\n", len(all))
	default:
		fmt.Fprintf(io.out, "%d differences, %d not additive: a reader of files of both must know of it\n", len(all), breaking)
	}
	return nil
}
