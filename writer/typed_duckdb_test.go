package writer_test

import (
	"fmt"
	"testing"

	"dynamolake/transform/schema"
)

// duckCells takes values of the engine apart again.
func duckCells(t *testing.T, f typedFile) leafCells {
	db := openDuckDB(t)
	all := leafCells{}
	path := writeTemp(t, f.body)
	at := 0
	for i := range f.plan.Columns {
		c := &f.plan.Columns[i]
		s := shredder{t, all, f.plan.Leaves[at:]}
		rows, err := db.Query(fmt.Sprintf("SELECT %q FROM read_parquet(?)", c.Name), path)
		if err != nil {
			t.Fatal(err)
		}
		leaves := 0
		for rows.Next() {
			var v any
			if err := rows.Scan(&v); err != nil {
				t.Fatal(err)
			}
			leaves = s.value(0, v, &c.Type, 0, 0, 0)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		at += leaves
	}
	return all
}

type shredder struct {
	t      *testing.T
	all    leafCells
	leaves []schema.Leaf
}

// value adds the cells of a value whose parent is there at level def, and returns the leaf
// behind its own.
func (s shredder) value(leaf int, v any, t *schema.Type, rep, def, lists uint8) int {
	if v != nil {
		def++
	}
	switch t.Kind {
	case schema.List, schema.Set:
		elements, _ := v.([]any)
		end := 0
		if len(elements) == 0 {
			return s.nothing(leaf, t, rep, def)
		}
		for i, e := range elements {
			if i > 0 {
				rep = lists + 1
			}
			end = s.value(leaf, e, t.Elem, rep, def+1, lists+1)
		}
		return end
	case schema.Struct:
		if v == nil {
			return s.nothing(leaf, t, rep, def)
		}
		fields := v.(map[string]any)
		for i := range t.Fields {
			leaf = s.value(leaf, fields[t.Fields[i].Name], &t.Fields[i].Type, rep, def, lists)
		}
		return leaf
	}
	c := schema.Cell{Rep: rep, Def: def}
	if v != nil {
		set(s.t, &s.leaves[leaf], &c, v)
	}
	s.all.add(&s.leaves[leaf], c)
	return leaf + 1
}

func (s shredder) nothing(leaf int, t *schema.Type, rep, def uint8) int {
	switch t.Kind {
	case schema.List, schema.Set:
		return s.nothing(leaf, t.Elem, rep, def)
	case schema.Struct:
		for i := range t.Fields {
			leaf = s.nothing(leaf, &t.Fields[i].Type, rep, def)
		}
		return leaf
	}
	s.all.add(&s.leaves[leaf], schema.Cell{Rep: rep, Def: def})
	return leaf + 1
}
