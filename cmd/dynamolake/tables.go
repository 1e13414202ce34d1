package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dynamolake/bootstrap"
	"dynamolake/consumer"
	"dynamolake/internal/tables"
)

// several are the tables that one fleet reads.
type several struct {
	names []string
	file  string
}

func (c *several) flags(s *settings) {
	s.names(&c.names, "table", "name of the DynamoDB table; several, with commas between, are read side by side")
	s.text(&c.file, "tables-file", "", "instead of --table: a YAML list of tables, each with a schema and old_image of its own; a path, or s3://bucket/key")
	s.check(func() error {
		switch {
		case s.value("table").problem != nil: // that is told
		case len(c.names) == 0 && c.file == "":
			return errors.New("--table (DYNAMOLAKE_TABLE) is required, or --tables-file (DYNAMOLAKE_TABLES_FILE)")
		case len(c.names) > 0 && c.file != "":
			return errors.New("--table (DYNAMOLAKE_TABLE) and --tables-file (DYNAMOLAKE_TABLES_FILE) are both given: want one")
		}
		return nil
	})
}

// many tells that the fleet's lease table is to serve several tables. A list is taken for one that may
// get longer.
func (c several) many() bool { return c.file != "" || len(c.names) > 1 }

// split returns the command for each of its tables. Every one has the common settings, but for
// those that the list has for it.
func (c consuming) split(ctx context.Context, cfg aws.Config) ([]consuming, error) {
	var list []tables.Table
	for _, name := range c.names {
		list = append(list, tables.Table{Name: name})
	}
	if c.file != "" {
		text, err := readSmall(ctx, cfg, c.file)
		if err != nil {
			if err = fmt.Errorf("--tables-file (DYNAMOLAKE_TABLES_FILE): %w", err); strings.HasPrefix(c.file, "s3://") {
				return nil, err // which may pass
			}
			return nil, unusable{err}
		}
		list, err = tables.Parse(text)
		if problems, ok := errors.AsType[tables.Problems](err); ok {
			wrong := make(unusable, len(problems))
			for i, p := range problems {
				wrong[i] = fmt.Errorf("%s:%d: %s", c.file, p.Line, p.Text)
			}
			return nil, wrong
		}
	}
	if least := consumer.LeastMemory * int64(len(list)); c.many() && c.memory < least {
		return nil, unusable{fmt.Errorf("--memory (DYNAMOLAKE_MEMORY) = %s is too little for %d tables: want at least %s", formatSize(c.memory), len(list), formatSize(least))}
	}
	each, turns := make([]consuming, len(list)), bootstrap.NewTurns(1)
	for i, t := range list {
		one := c
		one.table = t.Name
		if c.many() && one.app == "" {
			one.app = manyApp
		}
		if t.Schema != "" {
			one.schema.schema = t.Schema
			if c.file != "" && t.Schema != schemaInfer && t.Schema != schemaNone {
				one.schema.schema = beside(c.file, t.Schema)
			}
		}
		if t.OldImage != nil {
			one.oldImage = *t.OldImage
		}
		one.turns = turns
		each[i] = one
	}
	return each, nil
}

// manyApp is the lease table of a fleet that reads several tables, where no other is named.
const manyApp = "dynamolake"

// parseNames reads names with commas between.
func parseNames(text string) ([]string, error) {
	var names []string
	for _, name := range strings.Split(text, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return nil, errors.New("there is an empty name; want names of tables with commas between")
		case slices.Contains(names, name):
			return nil, fmt.Errorf("table %s is there twice", name)
		}
		names = append(names, name)
	}
	return names, nil
}
