package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
)

// read reads a schema file and what it names. What is wrong with it are the problems, all of them at once: those of the file, of its
// expressions, of the table's key where that is known, and of the lake's versions where there is a lake.
func (o *opened) read(ctx context.Context, address, salt string) (*schema.Schema, rule.Options, schema.Problems, error) {
	options := rule.Options{Salt: []byte(salt), Lookups: map[string][]byte{}}
	if salt == "" {
		options.Salt = []byte("of a check")
	}
	text, err := readSmall(ctx, o.cfg, address)
	if err != nil {
		return nil, options, nil, fmt.Errorf("schema: %w", err)
	}
	s, problems := schema.Read(text)
	if s == nil {
		return nil, options, problems, nil
	}
	var lost []string
	for _, l := range s.Lookups {
		file, err := []byte(nil), error(nil)
		if l.Name != "" && l.File != "" {
			if file, err = readSmall(ctx, o.cfg, beside(address, l.File)); err == nil {
				options.Lookups[l.Name] = file
				continue
			}
			problems.Add(l.Line, "lookup %s: %s", l.Name, err)
		}
		lost = append(lost, "lookup "+l.Name+": ")
	}
	var more schema.Problems
	if _, err := rule.Compile(s, o.table.Keys, options); err != nil && !errors.As(err, &more) {
		return nil, options, nil, err
	}
	for _, p := range more {
		told := slices.ContainsFunc(lost, func(begins string) bool { return strings.HasPrefix(p.Text, begins) }) // that its file is not there
		if !told {
			problems = append(problems, p)
		}
	}
	if o.table.Keys.Hash.Name != "" {
		for i := range s.Datasets {
			problems = append(problems, s.Datasets[i].Against(o.table.Keys)...)
		}
	}
	if o.catalog != nil {
		latest, err := o.catalog.Latest(ctx)
		if err != nil {
			return nil, options, nil, err
		}
		more, err := o.catalog.Returning(ctx, s, latest)
		if err != nil {
			return nil, options, nil, err
		}
		problems = append(problems, more...)
	}
	return s, options, problems, nil
}

// printProblems is the error of a file that has some, and prints them; nil where there are none.
func printProblems(out io.Writer, address string, problems schema.Problems) error {
	if problems.Err() == nil { // which sorts them
		return nil
	}
	fmt.Fprintln(out, (&schemaFlags{schema: address}).problems(problems))
	return fmt.Errorf("%d of them: the schema cannot be used", len(problems))
}
