package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	if c.sample != fromLake {
		c.lake = ""
	}
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	if err := o.aws(ctx, c.file); err != nil {
		return err
	}
	s, rules, problems, err := c.read(ctx, &o)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		fmt.Fprintln(io.out, (&schemaFlags{schema: c.file}).problems(problems))
		return fmt.Errorf("%d of them: the schema cannot be used", len(problems))
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

// read reads the file and compiles it. What is wrong with it are the problems, all of them that can be
// told at once.
func (c *checking) read(ctx context.Context, o *opened) (*schema.Schema, rule.Options, schema.Problems, error) {
	var problems schema.Problems
	options := rule.Options{Salt: []byte(c.salt), Lookups: map[string][]byte{}}
	if c.salt == "" {
		options.Salt = []byte("of a check")
	}
	text, err := readSmall(ctx, o.cfg, c.file)
	if err != nil {
		return nil, options, nil, fmt.Errorf("schema: %w", err)
	}
	s, err := schema.Parse(text)
	if errors.As(err, &problems) {
		return nil, options, problems, nil
	}
	if err != nil {
		return nil, options, nil, err
	}
	lost := map[string]bool{}
	for _, l := range s.Lookups {
		file, err := readSmall(ctx, o.cfg, beside(c.file, l.File))
		if err != nil {
			problems.Add(l.Line, "lookup %s: %s", l.Name, err)
			lost[l.Name] = true
			continue
		}
		options.Lookups[l.Name] = file
	}
	var more schema.Problems
	if _, err := rule.Compile(s, o.table.Keys, options); errors.As(err, &more) {
		for _, p := range more {
			if !ofLost(p.Text, lost) {
				problems = append(problems, p)
			}
		}
	} else if err != nil {
		return nil, options, nil, err
	}
	if o.table.Keys.Hash.Name != "" {
		s.Number(nil)
		for i := range s.Datasets {
			var more schema.Problems
			if _, err := s.Datasets[i].Plan(o.table.Keys); errors.As(err, &more) {
				problems = append(problems, more...)
			} else if err != nil {
				problems.Add(s.Datasets[i].Line, "%s", err)
			}
		}
	}
	slices.SortStableFunc(problems, func(a, b schema.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return s, options, problems, nil
}

// ofLost tells whether a problem is but that of a lookup file that could not be read, which is told already.
func ofLost(text string, lost map[string]bool) bool {
	for name := range lost {
		if strings.HasPrefix(text, "lookup "+name+": ") || strings.Contains(text, "lookup: there is no table "+name+" ") {
			return true
		}
	}
	return false
}

// try shows what becomes of items.
func (c *checking) try(ctx context.Context, o *opened, s *schema.Schema, rules rule.Options, out io.Writer) error {
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
