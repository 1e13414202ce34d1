package tables

import (
	"strings"
	"testing"
)

func TestTheListOfTables(t *testing.T) {
	list, err := Parse([]byte("# ours\ntables:\n  - {name: orders, schema: s3://conf/orders.yaml, old_image: true}\n  - name: audit.log\n    old_image: false\n  - name: 123\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[0].Name != "orders" || list[0].Schema != "s3://conf/orders.yaml" || !*list[0].OldImage || list[0].Line != 3 {
		t.Fatalf("%+v", list)
	}
	if list[1].Name != "audit.log" || *list[1].OldImage || list[1].Schema != "" || list[2].OldImage != nil || list[2].Name != "123" {
		t.Errorf("%+v", list)
	}
}

func TestWhatIsWrongWithTheListIsToldByLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "line 1: the file is empty, want tables: and a list"},
		{"no YAML", "tables: [", "line 1: did not find expected node content"},
		{"another key", "tables: [{name: abc}]\nworkers: 3\n", `line 2: the file has no key "workers", want tables: and a list`},
		{"no list", "tables: orders\n", "line 1: tables is no list"},
		{"an empty list", "tables: []\n", "line 1: there are no tables"},
		{"names alone", "tables:\n- orders\n", "line 2: a table is no mapping, want {name: orders"},
		{"a key of a table that is none", "tables:\n- name: abc\n  shema: x\n", `line 3: a table has no key "shema"`},
		{"a key twice", "tables:\n- {name: abc, name: abd}\n", "line 2: a table has name twice"},
		{"a table twice", "tables:\n- name: abc\n- name: abd\n- name: abc\n", "line 4: table abc is in line 2 already"},
		{"no name", "tables:\n- schema: x\n", "line 2: a table without a name"},
		{"a name that cannot be", "tables:\n- name: a/b\n", `line 2: "a/b" is no name of a table`},
		{"no value for a name", "tables:\n- name:\n", "line 2: name is no text"},
		{"a word for a truth", "tables:\n- name: abc\n  old_image: maybe\n", `line 3: old_image is "maybe", want true or false`},
		{"two documents", "tables: [{name: abc}]\n---\ntables: []\n", "line 2: a second document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("read as %+v", list)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
	var all Problems
	_, err := Parse([]byte("tables:\n- name: a\n- nam: abc\n"))
	if all, _ = err.(Problems); len(all) != 3 {
		t.Errorf("not all problems are told together: %v", err)
	}
	_, err = Parse([]byte("tables: [orders, users]\n"))
	if all, _ = err.(Problems); len(all) != 2 {
		t.Errorf("two names without a mapping: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("tables:\n- {name: orders, schema: x, old_image: true}\n")
	f.Add("tables: [*a]")
	f.Add("&a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Parse([]byte(text))
		if err == nil && len(list) == 0 {
			t.Error("neither tables nor an error")
		}
		for _, table := range list {
			if CheckName(table.Name) != nil {
				t.Errorf("table %q", table.Name)
			}
		}
	})
}
