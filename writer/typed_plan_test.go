package writer_test

import (
	"testing"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

var typedKeys = transform.KeySchema{Hash: attr("pk", 'S'), Range: attr("sk", 'N')}

func parseSchema(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Number(nil)
	return s
}

func planOf(t testing.TB, s *schema.Schema) *schema.Plan {
	t.Helper()
	p, err := s.Datasets[0].Plan(typedKeys)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
