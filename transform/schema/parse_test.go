package schema

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want - got +, -update writes it anew\n%s", file, diff)
	}
}

func TestBadFilesAreRefusedWithAllTheirProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Parse(text)
			var problems Problems
			if !errors.As(err, &problems) || s != nil {
				t.Fatalf("got %v, %v", s, err)
			}
			golden(t, "bad/"+name+".want", err.Error()+"\n")
		})
	}
}

// placeless compares schemas whatever the lines that they came from.
var placeless = cmp.Options{
	cmpopts.IgnoreFields(Schema{}, "Note"), cmpopts.IgnoreFields(Dataset{}, "Line", "Lines", "Note"), cmpopts.IgnoreFields(Column{}, "Line", "Note"), cmpopts.IgnoreFields(Lookup{}, "Line"),
	cmpopts.IgnoreFields(Partition{}, "Line"), cmpopts.IgnoreFields(Expr{}, "Line", "Col", "Block"), cmpopts.EquateEmpty(),
}

func TestAFileSaysAllThatThereIs(t *testing.T) {
	text, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	orders := s.Dataset("orders")
	if got := orders.Filter.Where(2); got != 10 || orders.Filter.Line != 9 {
		t.Errorf("the filter's second line is on line %d, its first on %d", got, orders.Filter.Line)
	}
	if c := orders.column("total"); c.Expr.Line != 53 || text[0] == 0 {
		t.Errorf("total is computed on line %d", c.Expr.Line)
	}
	if c := orders.column("customer"); c.From.String() != "cust_id" {
		t.Errorf("customer is from %s", c.From)
	}
	for _, ids := range []bool{false, true} {
		again, err := Parse(s.YAML(ids))
		if err != nil {
			t.Fatalf("%v\n%s", err, s.YAML(ids))
		}
		want := s
		if !ids {
			want = s.clone()
			want.Version = 0
			for i := range want.Datasets {
				want.Datasets[i].LastID = 0
				want.Datasets[i].eachID(func(id *int, _ string, _ int) { *id = 0 })
			}
		}
		if diff := cmp.Diff(want, again, placeless); diff != "" {
			t.Errorf("want - got +\n%s", diff)
		}
	}
}

func TestTruthIsReadAsYAMLHasIt(t *testing.T) {
	for word, want := range map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "False": false} {
		s, err := Parse([]byte("datasets: [{name: all, columns: [{name: a, type: string, required: " + word + "}]}]"))
		if err != nil || s.Datasets[0].Columns[0].Required != want {
			t.Errorf("%s: %v, %v", word, s, err)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for seed := range *seeds {
		h := newHostile(seed)
		s := h.schema()
		d := &s.Datasets[0]
		d.Columns = append(d.Columns, Column{Name: "computed " + h.text() + "x", Expr: &Expr{Text: h.text() + "x\n  y: " + h.text() + "z"}, Type: Type{Kind: String}, ID: d.LastID + 1})
		d.LastID++
		d.Rename = []Rename{{h.name(), "r, " + strings.Map(printable, h.text())}}
		d.Hash = []Path{{"never", h.name() + "z"}}
		d.Columns[len(d.Columns)-1].Name = strings.Map(printable, d.Columns[len(d.Columns)-1].Name)
		again, err := Parse(s.YAML(true))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, s.YAML(true))
		}
		if diff := cmp.Diff(s, again, placeless); diff != "" {
			t.Fatalf("seed %d: want - got +\n%s\n%s", seed, diff, s.YAML(true))
		}
	}
}

func printable(r rune) rune {
	if r < ' ' || r == 0x2028 {
		return -1
	}
	return r
}

func TestIDsStayWithTheirColumns(t *testing.T) {
	parse := func(text string) *Schema {
		t.Helper()
		s, err := Parse([]byte("datasets:\n  - name: all\n    columns:\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one := parse(`
      - {name: a, type: string}
      - {name: l, type: "list<list<struct>>", fields: [{name: x, type: string}, {name: y, type: int64}]}
      - {name: gone, type: string}
      - {name: n, type: int64}
`)
	one.Number(nil)
	two := parse(`
      - {name: new, type: string}
      - {name: n, type: string}
      - {name: l, type: "list<list<struct>>", fields: [{name: z, type: string}, {name: y, type: int64}]}
      - {name: a, type: string}
`)
	two.Number(one)
	golden(t, "ids.want", string(one.YAML(true))+"---\n"+string(two.YAML(true)))
	again := two.clone()
	again.Number(one)
	if diff := cmp.Diff(two, again); diff != "" {
		t.Errorf("numbering twice changes ids:\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yaml")
	for _, file := range append(files, "testdata/full.yaml") {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.YAML(true))
		if err != nil {
			t.Fatalf("%v\n%s", err, s.YAML(true))
		}
		if diff := cmp.Diff(s, again, placeless); diff != "" {
			t.Fatalf("want - got +\n%s", diff)
		}
	})
}
