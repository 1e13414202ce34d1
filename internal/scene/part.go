package scene

import (
	"context"
	"strings"

	"dynamolake/internal/lakecheck"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// Part is a dataset of a scene's table, and which items it holds.
type Part struct {
	Dataset string
	Has     func(image string) bool // DynamoDB JSON
}

// Parts are those of [Split].
var Parts = []Part{
	{"every", func(string) bool { return true }},
	{"again", func(string) bool { return true }},
	{"odd", func(image string) bool {
		_, after, _ := strings.Cut(image, `"order":{"N":"`)
		digits, _, _ := strings.Cut(after, `"`)
		return strings.ContainsAny(digits[len(digits)-1:], "13579")
	}},
	{"paid", func(image string) bool { return strings.Contains(image, `"paid":{"BOOL":true}`) }},
}

// Split is a schema with datasets that can each be checked as a lake of its own: one with columns, one
// without any, one that the key decides about, and one that items come to and leave.
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
  - name: paid
    filter: has(item.paid) && item.paid
`

// Of is the scene as far as a dataset goes: what it proves is that dataset's part of the lake.
func (s *Scene) Of(p Part) *Scene {
	of := *s
	of.part = &p
	return &of
}

// lake is the lake that is to be proven.
func (s *Scene) lake(ctx context.Context) (*lakecheck.Lake, error) {
	lake, err := lakecheck.Read(ctx, s.Store("observer"), s.Prefix())
	if err == nil && s.part != nil {
		lake = lake.Dataset(s.part.Dataset)
	}
	return lake, err
}

// of is the truth about it.
func (s *Scene) of(t lakecheck.Truth) lakecheck.Truth {
	if s.part == nil {
		return t
	}
	return t.In(func(image string) (string, bool) { return image, s.part.Has(image) })
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
