package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// adopted is a version as a test writes it: its columns, "name type id", of each dataset.
func adopted(s *Schema) (all []string) {
	var add func(indent string, name string, t *Type, id int)
	add = func(indent, name string, t *Type, id int) {
		all = append(all, fmt.Sprintf("%s%s %s %d", indent, name, t, id))
		if r := t.record(); r != nil {
			for i := range r.Fields {
				add(indent+".", r.Fields[i].Name, &r.Fields[i].Type, r.Fields[i].ID)
			}
		}
	}
	for i := range s.Datasets {
		d := &s.Datasets[i]
		all = append(all, d.Name+":")
		for j := range d.Columns {
			add("", d.Columns[j].Name, &d.Columns[j].Type, d.Columns[j].ID)
		}
	}
	return all
}

func TestWhatAVersionTakesFromTheOneBefore(t *testing.T) {
	// Each schema is a dataset "all" that wants columns for new attributes, and what stands here.
	const grows = "new_attributes: column\n"
	for _, c := range []struct {
		name        string
		prev, asked string
		want        []string // nil: nothing changes
	}{
		{
			"the same file", grows + "columns: [{name: a, type: int64}, {name: b, type: string}]", grows + "columns: [{name: a, type: int64}, {name: b, type: string}]",
			nil,
		},
		{
			"a file in another order", "columns: [{name: a, type: int64}, {name: b, type: string}]", "columns: [{name: b, type: string}, {name: a, type: int64}]",
			nil,
		},
		{
			"a column that came by itself stays, though the file does not have it", grows + "columns: [{name: a, type: int64}, {name: met, type: string}]", grows + "columns: [{name: a, type: int64}]",
			nil,
		},
		{
			"and a new column comes behind what was there", grows + "columns: [{name: a, type: int64}, {name: met, type: string}]", grows + "columns: [{name: a, type: int64}, {name: new, type: bool}]",
			[]string{"all:", "a int64 1001", "new bool 1003", "met string 1002"},
		},
		{
			"where new attributes stay in _rest the file says it all", "columns: [{name: a, type: int64}, {name: b, type: string}]", "columns: [{name: a, type: int64}]",
			[]string{"all:", "a int64 1001"},
		},
		{
			"a column that comes back has a new id", "last_id: 1005\ncolumns: [{name: a, type: int64, id: 1001}]", "columns: [{name: a, type: int64}, {name: b, type: string}]",
			[]string{"all:", "a int64 1001", "b string 1006"},
		},
		{
			"a type that the file changes is the file's", grows + "columns: [{name: a, type: int64}, {name: b, type: string}]", grows + "columns: [{name: a, type: string}]",
			[]string{"all:", "a string 1003", "b string 1002"},
		},
		{
			"an attribute that the file takes under another name has one column", grows + "columns: [{name: a, type: int64}, {name: met, type: string}]", grows + "columns: [{name: a, type: int64}, {name: metric, from: met, type: string}]",
			[]string{"all:", "a int64 1001", "metric string 1003"},
		},
		{
			"a column inside a map that the file takes whole goes", grows + "columns: [{name: city, from: address.city, type: string}]", grows + "columns: [{name: address, type: json}]",
			[]string{"all:", "address json 1002"},
		},
		{
			"and one of a map of which the file takes a part", grows + "columns: [{name: address, type: json}]", grows + "columns: [{name: city, from: address.city, type: string}]",
			[]string{"all:", "city string 1002"},
		},
		{
			"a name that differs in its case is taken", grows + "columns: [{name: Met, type: string}]", grows + "columns: [{name: met, from: other, type: string}]",
			[]string{"all:", "met string 1002"},
		},
		{
			"a computed column that is taken out of the file goes", grows + "columns: [{name: a, type: int64}, {name: sum, type: int64, expr: '1'}]", grows + "columns: [{name: a, type: int64}]",
			[]string{"all:", "a int64 1001"},
		},
		{
			"what is required no longer is, if the file does not have it", grows + "columns: [{name: a, type: int64, required: true}]", grows,
			[]string{"all:", "a int64 1001"},
		},
		{
			"what is dropped now has no column", grows + "columns: [{name: ssn, type: string}, {name: city, from: address.city, type: string}, {name: a, type: bool}]", grows + "drop: [ssn, address]",
			[]string{"all:", "a bool 1003"},
		},
		{
			"what is hashed now keeps one of text, and loses one of numbers", grows + "columns: [{name: ssn, type: int64}, {name: mail, type: string}, {name: city, from: address.city, type: string}]", grows + "hash: [ssn, mail]\nredact: [address]",
			[]string{"all:", "mail string 1002"},
		},
		{
			"fields of a struct that came by themselves stay", grows + "columns: [{name: s, type: struct, fields: [{name: x, type: int64}, {name: met, type: list<bool>}]}]", grows + "columns: [{name: s, type: struct, fields: [{name: x, type: int64}, {name: new, type: bool}]}]",
			[]string{"all:", "s struct 1001", ".x int64 1002", ".new bool 1005", ".met list<bool> 1003"},
		},
		{
			"and fields of structs in lists, and in structs", grows + "columns: [{name: l, type: list<struct>, fields: [{name: s, type: struct, fields: [{name: met, type: bool}]}]}]", grows + "columns: [{name: l, type: list<struct>, fields: [{name: s, type: struct, fields: [{name: x, type: bool}]}]}]",
			[]string{"all:", "l list<struct> 1001", ".s struct 1003", "..x bool 1005", "..met bool 1004"},
		},
		{
			"but not beside a field whose name differs in its case", grows + "columns: [{name: s, type: struct, fields: [{name: Met, type: bool}]}]", grows + "columns: [{name: s, type: struct, fields: [{name: met, type: bool}]}]",
			[]string{"all:", "s struct 1001", ".met bool 1003"},
		},
		{
			"an id that the file gives to another stays with its column", grows + "columns: [{name: met, type: string}]", grows + "columns: [{name: a, type: int64, id: 1001}]",
			[]string{"all:", "a int64 1002", "met string 1001"},
		},
		{
			"a type that is changed in a version that was shown has a new id", "columns: [{name: a, type: int64}, {name: l, type: list<string>}]", "last_id: 1003\ncolumns: [{name: a, type: string, id: 1001}, {name: l, type: list<int64>, id: 1002, element_ids: [1003]}]",
			[]string{"all:", "a string 1004", "l list<int64> 1005"},
		},
		{
			"and a field's", "columns: [{name: s, type: struct, fields: [{name: x, type: int64}]}]", "columns: [{name: s, type: struct, id: 1001, fields: [{name: x, type: string, id: 1002}]}]",
			[]string{"all:", "s struct 1001", ".x string 1003"},
		},
		{
			"an id of a column that is gone is not taken up", "last_id: 1005\ncolumns: [{name: a, type: int64, id: 1001}]", "columns: [{name: a, type: int64}, {name: b, type: string, id: 1004}]",
			[]string{"all:", "a int64 1001", "b string 1006"},
		},
		{
			"ids of another lake change none", "columns: [{name: a, type: int64}]", "columns: [{name: a, type: int64, id: 1009}, {name: b, type: string, id: 1010}]",
			[]string{"all:", "a int64 1001", "b string 1010"},
		},
		{
			"a setting alone makes a version", "columns: [{name: a, type: int64}]", "redact: [b]\ncolumns: [{name: a, type: int64}]",
			[]string{"all:", "a int64 1001"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			prev := parseDataset(t, c.prev)
			prev.Version = 7
			prev.Number(nil)
			before := string(prev.YAML(true))
			asked := parseDataset(t, c.asked)
			next, changed := asked.Adopt(prev)
			if string(prev.YAML(true)) != before {
				t.Error("it changed the version before")
			}
			if changed != (c.want != nil) {
				t.Fatalf("changed: %v\n%s", changed, next.YAML(true))
			}
			if !changed {
				if next != prev {
					t.Error("nothing changed, and it is not the version before")
				}
				return
			}
			if next.Version != 8 {
				t.Errorf("version %d", next.Version)
			}
			if diff := cmp.Diff(c.want, adopted(next)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			readsBack(t, next)
			if again, changed := asked.Adopt(next); changed {
				t.Errorf("asked for again it changes once more:\n%s", again.YAML(true))
			}
		})
	}
}

func parseDataset(t *testing.T, text string) *Schema {
	t.Helper()
	indented := strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
	s, err := Parse([]byte("datasets:\n  - name: all\n    " + indented + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// readsBack fails unless the version can be read from the lake as it is written there.
func readsBack(t *testing.T, s *Schema) {
	t.Helper()
	text := s.YAML(true)
	again, err := Parse(text)
	if err != nil {
		t.Fatalf("a version that cannot be read: %v\n%s", err, text)
	}
	if got := string(again.YAML(true)); got != string(text) {
		t.Fatalf("it reads back as\n%s\nand was\n%s", got, text)
	}
}

func TestTheFirstVersionIsTheFile(t *testing.T) {
	asked := parseDataset(t, "columns: [{name: a, type: int64}]")
	next, changed := asked.Adopt(nil)
	if !changed || next.Version != 1 || next.Datasets[0].Columns[0].ID != firstFieldID {
		t.Errorf("changed %v, version %d, %v", changed, next.Version, adopted(next))
	}
	if asked.Version != 0 || asked.Datasets[0].Columns[0].ID != 0 {
		t.Error("it changed what was asked for")
	}
}

func TestADatasetMayComeAndGo(t *testing.T) {
	parse := func(text string) *Schema {
		s, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, _ := parse("datasets: [{name: one, columns: [{name: a, type: int64}]}]").Adopt(nil)
	both, changed := parse("datasets: [{name: two, columns: [{name: a, type: string}]}, {name: one, columns: [{name: a, type: int64}]}]").Adopt(one)
	if want := []string{"two:", "a string 1001", "one:", "a int64 1001"}; !changed || cmp.Diff(want, adopted(both)) != "" {
		t.Errorf("%v, want %v", adopted(both), want)
	}
	two, changed := parse("datasets: [{name: two, columns: [{name: a, type: string}]}]").Adopt(both)
	if want := []string{"two:", "a string 1001"}; !changed || two.Version != 3 || cmp.Diff(want, adopted(two)) != "" {
		t.Errorf("version %d: %v, want %v", two.Version, adopted(two), want)
	}
}

// TestWhateverIsAdoptedCanBeRead: a version that cannot would stop the table for good.
func TestWhateverIsAdoptedCanBeRead(t *testing.T) {
	versions := 0
	for seed := range *seeds {
		h := newHostile(seed)
		var prev *Schema
		for range 6 {
			asked := h.schema()
			d := &asked.Datasets[0]
			d.NewAttributes = h.IntN(4) > 0
			d.eachID(func(id *int, _ string, _ int) {
				if h.IntN(3) > 0 { // some files have ids
					*id = 0
				}
			})
			d.LastID = 0
			for _, masked := range []*[]Path{&d.Drop, &d.Redact, &d.Hash} {
				if h.IntN(3) == 0 {
					*masked = []Path{{h.name()}}
				}
			}
			text := asked.YAML(true)
			asked, err := Parse(text)
			if err != nil { // a column of what is masked, or one that is masked twice
				continue
			}
			next, changed := asked.Adopt(prev)
			if !changed {
				continue
			}
			versions++
			readsBack(t, next)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			prev = next
		}
	}
	if versions < int(*seeds) {
		t.Errorf("%d versions of %d seeds", versions, *seeds)
	}
}
