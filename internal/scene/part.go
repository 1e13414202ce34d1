package scene

import (
	"context"
	"iter"
	"strings"

	"dynamolake/internal/lakecheck"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// Part is a dataset of a scene's table, and which items it holds.
type Part struct {
	Dataset string
	Has     func(key string) bool // canonical DynamoDB JSON; nil: every item
}

// Parts are those of [Split].
var Parts = []Part{
	{Dataset: "every"},
	{Dataset: "again"},
	{"odd", func(key string) bool { return strings.ContainsAny(key[strings.LastIndex(key, `"}`)-1:][:1], "13579") }},
}

// Split is a schema with three datasets, of which each can be checked as a lake of its own: which
// items it has follows from their keys.
const Split = `
datasets:
  - name: every
    new_attributes: column
    columns:
      - {name: amount, type: "decimal(38,2)"}
      - {name: exact, type: "decimal(38,1)"}
      - {name: lines, type: json}
      - {name: double, expr: "has(item.amount) ? double(item.order) * 2.0 : 0.0", type: double}
  - name: again
  - name: odd
    filter: int(item.order) % 2 == 1
    new_attributes: column
    max_columns: 3
`

// Of is the scene as far as a dataset goes: what it proves is that dataset's part of the lake.
func (s *Scene) Of(p Part) *Scene {
	of := *s
	of.part = &p
	return &of
}

// lake is the lake that is to be proven.
func (s *Scene) lake() lakecheck.Store {
	store := s.Store("observer")
	if s.part == nil {
		return store
	}
	return partOf{store, s.Prefix(), s.part.Dataset}
}

// journal is what is to be in it.
func (s *Scene) journal() []lakecheck.Record {
	all := journal(s.Cloud.Journal(TableName))
	if s.part == nil || s.part.Has == nil {
		return all
	}
	var some []lakecheck.Record
	for _, r := range all {
		if s.part.Has(r.KeyJSON) {
			some = append(some, r)
		}
	}
	return some
}

// items are what the table has of it.
func (s *Scene) items() map[string]string {
	items := s.Cloud.Items(TableName)
	if s.part != nil && s.part.Has != nil {
		for key := range items {
			if !s.part.Has(key) {
				delete(items, key)
			}
		}
	}
	return items
}

// partOf shows one dataset of a lake.
type partOf struct {
	writer.Store
	prefix, dataset string
}

func (p partOf) List(ctx context.Context, prefix string) iter.Seq2[writer.Object, error] {
	if prefix == p.prefix+"changes/" || prefix == p.prefix+"snapshot/" {
		prefix += p.dataset + "/"
	}
	return p.Store.List(ctx, prefix)
}

// Datasets opens [Split] for a worker, as its command does.
func (s *Scene) Datasets(ctx context.Context, client string, oldImage bool) (*dataset.Live, error) {
	asked, err := schema.Parse([]byte(Split))
	if err != nil {
		return nil, err
	}
	o := dataset.Options{Table: TableName, Keys: s.Table.Keys, OldImage: oldImage, Source: writer.SourceStream}
	return dataset.Open(ctx, dataset.NewCatalog(s.Store(client), s.Prefix()), asked, o, schema.DefaultLimits)
}
