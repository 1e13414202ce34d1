package schema

import (
	"fmt"
	"strings"
	"testing"

	"dynamolake/transform"
)

var testKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}}

// planOf compiles columns as a file has them.
func planOf(t testing.TB, columns string) *Plan {
	t.Helper()
	s, err := Parse([]byte("datasets:\n  - name: all\n    columns:\n" + columns))
	if err != nil {
		t.Fatal(err)
	}
	s.Number(nil)
	p, err := s.Datasets[0].Plan(testKeys)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatAColumnDoesNotHoldExactlyStaysInRest(t *testing.T) {
	for _, c := range []struct{ typ, value, taken, rest string }{
		{"string", `{"S":""}`, `S""`, ""},
		{"string", `{"S":"\ud800"}`, "null", "not text"},
		{"string", `{"N":"1"}`, "null", "other type"},
		{"string", `{"NULL":true}`, "null", "null"},
		{"int64", `{"N":"-9223372036854775808"}`, `N"-9223372036854775808"`, ""},
		{"int64", `{"N":"9223372036854775808"}`, "null", "too large"},
		{"int64", `{"N":"1.5"}`, "null", "too large"},
		{"int64", `{"N":"-0"}`, "null", "spelling"},
		{"int64", `{"S":"1"}`, "null", "other type"},
		{"decimal(38,0)", `{"N":"99999999999999999999999999999999999999"}`, `N"99999999999999999999999999999999999999"`, ""},
		{"decimal(38,0)", `{"N":"100000000000000000000000000000000000000"}`, "null", "too large"},
		{"decimal(38,9)", `{"N":"-0.000000001"}`, `N"-0.000000001"`, ""},
		{"decimal(4,2)", `{"N":"100"}`, "null", "too large"},
		{"decimal(4,2)", `{"N":"0.125"}`, "null", "too large"},
		{"decimal(38,9)", `{"N":"1.0"}`, "null", "spelling"},
		{"decimal(38,9)", `{"N":"1E2"}`, "null", "spelling"},
		{"double", `{"N":"0.1"}`, `N"0.1"`, ""},
		{"double", `{"N":"0.12345678901234567890123"}`, `N"0.12345678901234568"`, "rounded"},
		{"double", `{"N":"1e400"}`, "null", "too large"},
		{"list<double>", `{"L":[{"N":"1"},{"N":"1.0"}]}`, `L[N"1" N"1"]`, "rounded"},
		{"bool", `{"BOOL":false}`, `BOOL"false"`, ""},
		{"binary", `{"B":"AP8="}`, `B"AP8="`, ""},
		{"binary", `{"B":"AP9="}`, "null", "spelling"},
		{"timestamp(seconds)", `{"N":"1763800000.5"}`, `N"1763800000.5"`, ""},
		{"timestamp(seconds)", `{"N":"1763800000000"}`, "null", "too large"},
		{"timestamp(millis)", `{"N":"1763800000123"}`, `N"1763800000123"`, ""},
		{"timestamp(iso)", `{"S":"2026-11-23T10:00:00Z"}`, `S"2026-11-23T10:00:00Z"`, ""},
		{"timestamp(iso)", `{"S":"2026-11-23T10:00:00.000Z"}`, "null", "spelling"},
		{"timestamp(iso,3)", `{"S":"1969-12-31T23:59:59.999Z"}`, `S"1969-12-31T23:59:59.999Z"`, ""},
		{"timestamp(iso,3)", `{"S":"2026-11-23T10:00:00.000+00:00"}`, "null", "spelling"},
		{"date(seconds)", `{"N":"1763856000"}`, `N"1763856000"`, ""},
		{"date(seconds)", `{"N":"1763856001"}`, "null", "too large"},
		{"date(iso)", `{"S":"2023-02-29"}`, "null", "spelling"},
		{"list<string>", `{"L":[]}`, `L[]`, ""},
		{"list<string>", `{"L":[{"S":"a"},{"NULL":true}]}`, "null", "null"},
		{"list<string>", `{"SS":["a"]}`, "null", "other type"},
		{"set<string>", `{"SS":["b","a","b"]}`, `SS[S"b" S"a" S"b"]`, ""},
		{"set<int64>", `{"SS":[]}`, "null", "other type"},
		{"set<binary>", `{"BS":[]}`, `BS[]`, ""},
		{"json", `{"M":{"a":{"L":[{"N":"1.0"},{"S":"\u00e9\/"},{"BOOL":true},{"NULL":true}]}}}`, `M{"a": L[N"1.0" S"é/" BOOL"true" NULL"true"]}`, ""},
		{"json", `{"NULL":true}`, `NULL"true"`, ""},
		{"json", `{"M":{"a":{"SS":["x"]}}}`, "null", "not plain JSON"},
		{"json", `{"L":[{"B":""}]}`, "null", "not plain JSON"},
		{"json", `{"N":".5"}`, "null", "not plain JSON"},
		{"json", `{"M":{"\udfff":{"S":""}}}`, "null", "not text"},
	} {
		p := planOf(t, fmt.Sprintf("      - {name: a, type: %q}", c.typ))
		run := p.NewRun()
		image := []byte(`{"pk":{"S":"k"},"a":` + c.value + `}`)
		run.Shred(image, true, false)
		taken := "null"
		s := p.spans[0]
		if value, ok, err := (written{p.Leaves[s.from:s.to], run.Row(0)}).value(&p.Columns[0].Type, 1, 0); err != nil {
			t.Error(err)
		} else if ok {
			taken = readTree(value).String()
		}
		why := ""
		for _, f := range run.Misfits(0) {
			why += f.Why.String()
		}
		rest, wantRest := string(run.AppendRest(nil, 0, image)), "{}"
		if c.rest != "" {
			wantRest = `{"a":` + c.value + `}`
		}
		if taken != c.taken || why != c.rest || rest != wantRest {
			t.Errorf("%s of %s: took %s, %q, left %s; want %s, %q, %s", c.typ, c.value, taken, why, rest, c.taken, c.rest, wantRest)
		}
	}
}

func TestAMapIsTakenFieldByField(t *testing.T) {
	const fields = "fields: [{name: x, type: string}, {name: y, type: int64}]"
	for name, c := range map[string]struct{ columns, value, rest string }{
		"all of it":                        {"{name: a, type: struct, " + fields + "}", `{"M":{"x":{"S":""},"y":{"N":"1"}}}`, `{}`},
		"a field that nobody wants":        {"{name: a, type: struct, " + fields + "}", `{"M":{"x":{"S":""},"z":{"S":"z"},"y":{"N":"1"}}}`, `{"a":{"M":{"z":{"S":"z"}}}}`},
		"a field of another type, last":    {"{name: a, type: struct, " + fields + "}", `{"M":{"x":{"S":""},"y":{"S":"1"}}}`, `{"a":{"M":{"y":{"S":"1"}}}}`},
		"an empty map":                     {"{name: a, type: struct, " + fields + "}", `{"M":{}}`, `{}`},
		"no map":                           {"{name: a, type: struct, " + fields + "}", `{"L":[]}`, `{"a":{"L":[]}}`},
		"a list's element with a stranger": {"{name: a, type: list<struct>, " + fields + "}", `{"L":[{"M":{"x":{"S":""}}},{"M":{"z":{"S":""}}}]}`, `{"a":{"L":[{"M":{"x":{"S":""}}},{"M":{"z":{"S":""}}}]}}`},
		"a list's elements that lack some": {"{name: a, type: list<struct>, " + fields + "}", `{"L":[{"M":{"x":{"S":""}}},{"M":{}}]}`, `{}`},
		"a path":                           {"{name: c, from: a.x, type: string}", `{"M":{"y":{"N":"1"},"x":{"S":""}}}`, `{"a":{"M":{"y":{"N":"1"}}}}`},
		"a path to all there is":           {"{name: c, from: a.x, type: string}", `{"M":{"x":{"S":""}}}`, `{}`},
		"a path into an empty map":         {"{name: c, from: a.x, type: string}", `{"M":{}}`, `{"a":{"M":{}}}`},
		"a path through what is no map":    {"{name: c, from: a.x.y, type: string}", `{"M":{"x":{"S":""}}}`, `{"a":{"M":{"x":{"S":""}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			p := planOf(t, "      - "+c.columns)
			run := p.NewRun()
			image := []byte(`{"a":` + c.value + `,"pk":{"S":"k"}}`)
			run.Shred(image, true, false)
			rest := run.AppendRest(nil, 0, image)
			if string(rest) != c.rest {
				t.Errorf("left %s, want %s", rest, c.rest)
			}
			rebuilt, err := p.Rebuild(run.Row(0), rest)
			if want := attrsText(readAttrs([]byte(`{"a":` + c.value + `}`))); err != nil || attrsText(readAttrs(rebuilt)) != want {
				t.Errorf("rebuilt %s, %v", rebuilt, err)
			}
		})
	}
}

func TestARunTellsWhatTheWriterAsks(t *testing.T) {
	p := planOf(t, `
      - {name: a, type: string, required: true}
      - {name: l, type: list<string>, required: true}
      - {name: n, expr: "1", type: int64}
`)
	run := p.NewRun()
	shred := func(image string) {
		run.Shred([]byte(image), true, false)
	}
	shred(`{"pk":{"S":""},"a":{"S":"x"},"l":{"L":[]}}`)
	if got := run.Missing(); got != -1 {
		t.Errorf("missing %d", got)
	}
	if run.Fresh() {
		t.Error("nothing was new")
	}
	run.Set(2, Cell{Low: 42})
	run.Blank()
	if got := run.Missing(); got != 0 {
		t.Errorf("of a removal, missing %d", got)
	}
	shred(`{"pk":{"S":""},"a":{"S":"x"},"new":{"S":""}}`)
	if got := run.Missing(); got != 1 || !run.Fresh() {
		t.Errorf("missing %d, fresh %t", got, run.Fresh())
	}
	run.Undo()
	if run.Rows() != 2 || run.Leaf(2)[0].Low != 42 || len(run.Leaf(2)) != 2 || run.Leaf(2)[1].Def != 0 {
		t.Errorf("%d rows, cells %v", run.Rows(), run.Leaf(2))
	}
	run.Reset()
	if shred(`{"new":{"S":"x"},"pk":{"S":""}}`); run.Fresh() {
		t.Error("an attribute is fresh once")
	}
	for _, c := range []struct {
		value string
		fresh bool
	}{{`{"L":[]}`, true}, {`{"NULL":true}`, false}, {`{"M": { } }`, false}, {`{"N":"1"}`, true}, {`{"NULL":true}`, false}, {`{"N":"1"}`, false}} {
		run.Reset()
		if shred(`{"void":` + c.value + `}`); run.Fresh() != c.fresh {
			t.Errorf("of %s fresh is %t", c.value, run.Fresh())
		}
	}
}

func TestRebuildRefusesWhatCannotBe(t *testing.T) {
	p := planOf(t, "      - {name: a, type: string}\n      - {name: c, from: m.x, type: string}")
	full := func(s string) []Cell { return []Cell{{Bytes: []byte(s), Def: 1}} }
	for rest, want := range map[string]string{
		`{"a":{"S":""}}`:             "in _rest too",
		`{"m":{"L":[]}}`:             "no map",
		`{"m":{"M":{"x":{"S":""}}}}`: "in _rest too",
		`[]`:                         "no object",
	} {
		if _, err := p.Rebuild([][]Cell{full("1"), full("2")}, []byte(rest)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rest, err, want)
		}
	}
	if _, err := p.Rebuild([][]Cell{nil, full("")}, nil); err == nil {
		t.Error("a row without a cell")
	}
	if _, err := p.Rebuild(nil, nil); err == nil {
		t.Error("cells of another plan")
	}
	got, err := p.Rebuild([][]Cell{full("é"), full("2")}, nil)
	if want := `{"a":{"S":"é"},"m":{"M":{"x":{"S":"2"}}}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAPlanRefusesTheKeysColumns(t *testing.T) {
	s, err := Parse([]byte(`
datasets:
  - name: all
    drop: [sk.z]
    partition: ["bucket(16, pk)", sk, x, day(ts)]
    columns:
      - {name: PK, from: other, type: string}
      - {name: x, from: sk.y, type: string}
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Datasets[0].Plan(transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}})
	want := "line 4: dataset all: sk.z is of the table's key, which cannot be dropped, redacted or hashed\n" +
		"line 5: partition day(ts): there is no column ts\n" +
		"line 7: column PK has the name of a key column\n" +
		"line 8: column x takes sk.y, which is of the table's key and has a column already"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestLeavesAreAsParquetHasThem(t *testing.T) {
	p := planOf(t, `
      - {name: s, type: string}
      - {name: l, type: list<list<int64>>}
      - name: o
        type: struct
        fields:
          - {name: x, type: bool}
          - name: y
            type: list<struct>
            fields: [{name: z, type: "decimal(5,2)"}]
`)
	golden(t, "leaves.want", p.Describe())
}

func TestARunAllocatesNothingOnceItHasGrown(t *testing.T) {
	p := planOf(t, `
      - {name: s, type: string}
      - {name: n, type: "decimal(38,9)"}
      - {name: d, type: double}
      - {name: b, type: binary}
      - {name: at, type: "timestamp(iso,3)"}
      - {name: l, type: list<string>}
      - {name: j, type: json}
      - {name: x, from: m.x, type: int64}
`)
	image := []byte(`{"pk":{"S":"k"},"s":{"S":"\u00e9"},"n":{"N":"123456789012345678901234567.5"},"other":{"NULL":true},"d":{"N":"0.12345678901234567"},"b":{"B":"AP8="},` +
		`"at":{"S":"2026-11-23T10:00:00.000Z"},"l":{"L":[{"S":"a"},{"S":"b"}]},"j":{"M":{"a":{"N":"1"}}},"m":{"M":{"y":{"S":""},"x":{"N":"1"}}}}`)
	run := p.NewRun()
	var rest []byte
	some := func() {
		run.Reset()
		rest = rest[:0]
		for row := range 10 {
			run.Shred(image, true, false)
			rest = run.AppendRest(rest, row, image)
		}
	}
	some()
	some()
	if n := testing.AllocsPerRun(50, some); n > 0 {
		t.Errorf("%v allocations for 10 rows", n)
	}
}
