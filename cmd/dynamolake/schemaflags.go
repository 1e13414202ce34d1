package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/zap"

	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// schemaFlags say which datasets and columns a table has in the lake. Its commands write rows.
type schemaFlags struct {
	schema     string // an address, or one of the words below
	maxColumns int
	maxRejects int // -1: any number
	salt       string
	// of is the prefix of the table that a replay is of: its place begins with that schema. Empty: none.
	of string
}

// The words of --schema that are no addresses.
const (
	schemaInfer = "infer"
	schemaNone  = "none"
)

func (c *schemaFlags) flags(s *settings) {
	s.text(&c.schema, "schema", schemaInfer, "datasets and columns: a schema file (a path, or s3://bucket/key), infer to give attributes columns as they are met, or none to keep whole items in _rest")
	s.count(&c.maxColumns, "max-columns", schema.DefaultLimits.MaxColumns, 0, 10_000, "the most columns that --schema=infer begins with; a schema file has its own max_columns")
	s.count(&c.maxRejects, "max-rejects", -1, -1, 1_000_000_000, "more records in rejects/ stop the command; -1: any number will do")
	s.text(&c.salt, "hash-salt", "", "what a schema's hashes are salted with; the same for all commands, for good")
	s.secret("hash-salt")
	s.check(func() error {
		if c.schema == "" {
			return errors.New("--schema (DYNAMOLAKE_SCHEMA) is empty: want a path, s3://bucket/key, infer or none")
		}
		return nil
	})
}

// open brings the table's schema up to what was asked for. o lacks nothing but its rules.
func (c *schemaFlags) open(ctx context.Context, cfg aws.Config, store writer.Lake, tablePrefix string, o dataset.Options) (*dataset.Live, error) {
	catalog := dataset.NewCatalog(store, tablePrefix)
	if c.schema == schemaNone {
		latest, err := catalog.Latest(ctx)
		if err != nil {
			return nil, err
		}
		if latest != nil && (len(latest.Datasets) != 1 || latest.Datasets[0].Name != dataset.All) {
			return nil, fmt.Errorf("--schema=none: version %d of the schema in the lake splits the table into datasets, and what is written past it would be in none of them; leave --schema out", latest.Version)
		}
		return dataset.Fixed(dataset.Whole(o)), nil
	}
	o.Rules.Salt = []byte(c.salt)
	limits := schema.DefaultLimits
	limits.MaxColumns = c.maxColumns
	var asked *schema.Schema
	if c.schema != schemaInfer {
		var err error
		if asked, err = c.read(ctx, cfg); err != nil {
			return nil, err
		}
		if o.Rules.Lookups, err = c.lookups(ctx, cfg, asked); err != nil {
			return nil, err
		}
	}
	given := asked != nil
	if !given && c.of != "" {
		var err error
		if asked, err = inherited(ctx, store, catalog, c.of); err != nil {
			return nil, err
		}
	}
	live, err := dataset.Open(ctx, catalog, asked, o, limits)
	if err == nil {
		return live, nil
	}
	var problems schema.Problems
	switch {
	case !errors.As(err, &problems):
		return nil, err
	case given:
		err = c.problems(problems)
	default:
		err = fmt.Errorf("%w; give --schema the file that it was made of", err)
	}
	if c.salt == "" && strings.Contains(err.Error(), "salt") {
		err = fmt.Errorf("%w; set --hash-salt (%s)", err, envName("hash-salt"))
	}
	return nil, err
}

// inherited is the newest schema of a table, for a place that has none yet; nil where there is nothing to take over.
func inherited(ctx context.Context, store writer.Lake, place *dataset.Catalog, of string) (*schema.Schema, error) {
	if have, err := place.Latest(ctx); have != nil || err != nil {
		return nil, err
	}
	return dataset.NewCatalog(store, of).Latest(ctx)
}

// read reads the schema file.
func (c *schemaFlags) read(ctx context.Context, cfg aws.Config) (*schema.Schema, error) {
	text, err := readSmall(ctx, cfg, c.schema)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	s, err := schema.Parse(text)
	var problems schema.Problems
	if errors.As(err, &problems) {
		err = c.problems(problems)
	}
	return s, err
}

// problems has a line for each, with the file's name as compilers say it.
func (c *schemaFlags) problems(list schema.Problems) error {
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = fmt.Sprintf("%s:%d: %s", c.schema, p.Line, p.Text)
		if p.Line == 0 {
			lines[i] = c.schema + ": " + p.Text
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

// lookups reads the files that a schema file names, relative to itself.
func (c *schemaFlags) lookups(ctx context.Context, cfg aws.Config, s *schema.Schema) (map[string][]byte, error) {
	files := map[string][]byte{}
	var problems schema.Problems
	for _, l := range s.Lookups {
		text, err := readSmall(ctx, cfg, beside(c.schema, l.File))
		if err != nil {
			problems.Add(l.Line, "lookup %s: %s", l.Name, err)
			continue
		}
		files[l.Name] = text
	}
	if len(problems) > 0 {
		return nil, c.problems(problems)
	}
	return files, nil
}

// beside is the address of a file that another one names.
func beside(address, file string) string {
	at, inS3 := strings.CutPrefix(address, "s3://")
	switch {
	case strings.HasPrefix(file, "s3://"), !inS3 && filepath.IsAbs(file):
		return file
	case inS3:
		bucket, key, _ := strings.Cut(at, "/")
		return "s3://" + bucket + path.Join("/", path.Dir(key), file)
	}
	return filepath.Join(filepath.Dir(address), file)
}

// smallFile is how large a schema file, or a lookup file, may be.
const smallFile = 16 << 20

// readSmall reads a path or an s3:// address.
func readSmall(ctx context.Context, cfg aws.Config, address string) (text []byte, err error) {
	var body io.ReadCloser
	if at, inS3 := strings.CutPrefix(address, "s3://"); inS3 {
		bucket, key, _ := strings.Cut(at, "/")
		if bucket == "" || key == "" {
			return nil, fmt.Errorf("%s is no address of an object: want s3://bucket/key", address)
		}
		body, _, err = writer.NewS3(newS3(cfg), bucket, "").Open(ctx, key)
		if errors.Is(err, writer.ErrNotFound) {
			return nil, fmt.Errorf("there is no object %s", address)
		}
	} else {
		body, err = os.Open(strings.TrimPrefix(address, "file://"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s", address)
		}
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err = io.ReadAll(io.LimitReader(body, smallFile+1))
	if err == nil && len(text) > smallFile {
		err = fmt.Errorf("it has more than %s", formatSize(smallFile))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	return text, nil
}

// logColumns tells of the versions of the schema that this process writes.
func logColumns(log *zap.Logger) func(int, []schema.Difference) {
	return func(version int, what []schema.Difference) {
		log.Info("the schema has a new version", zap.Int("version", version), zap.Int("added", len(what)), zap.Stringer("first", what[0]))
	}
}

// tolerated is how many more rejects there may be in a table's lake; -1: any number.
func (c *schemaFlags) tolerated(ctx context.Context, store writer.Store, tablePrefix string) (int64, error) {
	if c.maxRejects < 0 {
		return -1, nil
	}
	left := int64(c.maxRejects)
	for _, err := range store.List(ctx, tablePrefix+"rejects/") {
		if err != nil {
			return 0, err
		}
		if left--; left < 0 {
			return 0, fmt.Errorf("%srejects/ has more records than --max-rejects=%d; see what is wrong with them, then move them away or raise it", tablePrefix, c.maxRejects)
		}
	}
	return left, nil
}
