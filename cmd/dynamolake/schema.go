package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/bootstrap"
	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// schemaPlace says which table's schema is meant, and where it lies. Commands that look at one never write to
// the lake.
type schemaPlace struct {
	table, lake, key string
	into             string // the place of a replay; empty: the table's own part of the lake
}

func (p *schemaPlace) flags(s *settings) {
	s.table(&p.table, "name of the DynamoDB table")
	s.parsed(&p.lake, "lake", "address", "", "where the lake lies: s3://bucket/prefix or file:///folder", checkLake)
}

// inLake makes both required.
func (p *schemaPlace) inLake(s *settings) {
	p.flags(s)
	s.required("table")
	s.required("lake")
}

// keyFlag is for who has no table to ask, or none that may be asked.
func (p *schemaPlace) keyFlag(s *settings) {
	s.parsed(&p.key, "key", "key", "", "the table's key, as pk:S or pk:S,sk:N; --table is asked for it when empty", func(text string) error {
		_, err := parseKey(text)
		return err
	})
}

// parseKey reads attributes and their types, the hash key first.
func parseKey(text string) (keys transform.KeySchema, err error) {
	parts := strings.Split(text, ",")
	for i, to := range []*transform.KeyAttr{&keys.Hash, &keys.Range} {
		if i >= len(parts) {
			break
		}
		at := strings.LastIndexByte(parts[i], ':')
		if at < 1 || len(parts[i])-at != 2 || !strings.ContainsAny(parts[i][at+1:], "SNB") {
			return keys, errors.New("want attributes with their types S, N or B, as pk:S,sk:N")
		}
		to.Name, to.Type = parts[i][:at], transform.KeyType(parts[i][at+1])
	}
	if len(parts) > 2 {
		return keys, errors.New("want one attribute, or two")
	}
	return keys, nil
}

// opened is what a command on schemas works with.
type opened struct {
	cfg     aws.Config // zero until AWS was needed
	table   bootstrap.Table
	db      *dynamodb.Client
	store   writer.Lake
	prefix  string
	catalog *dataset.Catalog
}

// open asks for the table, if one is named, and opens the lake, if one is.
func (p *schemaPlace) open(ctx context.Context) (o opened, err error) {
	if p.table == "" {
		if o.table.Keys, err = parseKey(p.key); p.key != "" && err != nil {
			return o, err
		}
		return o, nil
	}
	if o.cfg, err = loadAWS(ctx); err != nil {
		return o, err
	}
	o.db = dynamodb.NewFromConfig(o.cfg)
	if o.table, err = bootstrap.Describe(ctx, o.db, p.table); err != nil {
		return o, err
	}
	if p.lake == "" {
		return o, nil
	}
	if path, inFolder := strings.CutPrefix(p.lake, "file://"); inFolder {
		if _, err := os.Stat(path); err != nil {
			return o, fmt.Errorf("there is no lake in %s", path)
		}
	}
	if o.store, err = openLake(p.lake, o.cfg); err != nil {
		return o, err
	}
	o.prefix = writer.PlacePrefix(o.table.Account, o.table.Region, o.table.Name, p.into)
	o.catalog = dataset.NewCatalog(o.store, o.prefix)
	return o, nil
}

// aws loads the settings if nothing has needed them yet.
func (o *opened) aws(ctx context.Context, address string) (err error) {
	if strings.HasPrefix(address, "s3://") && o.cfg.Region == "" {
		o.cfg, err = loadAWS(ctx)
	}
	return err
}

// errNoSchema: the lake has no version yet.
var errNoSchema = errors.New("the lake has no schema: it is written by the first command that reads the table with --schema other than none")

// version reads one, or the newest where it is 0.
func (o *opened) version(ctx context.Context, version int) (*schema.Schema, error) {
	latest, err := o.catalog.Latest(ctx)
	switch {
	case err != nil:
		return nil, err
	case latest == nil:
		return nil, errNoSchema
	case version == 0 || version == latest.Version:
		return latest, nil
	case version > latest.Version:
		return nil, fmt.Errorf("there is no version %d of the schema: %d is the newest", version, latest.Version)
	}
	return o.catalog.Version(ctx, version)
}
