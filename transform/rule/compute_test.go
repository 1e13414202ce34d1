package rule

import (
	"encoding/hex"
	"strings"
	"testing"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

func TestComputedColumnsHoldWhatExpressionsGive(t *testing.T) {
	c := change(t, transform.Modify, "k", `{"price":{"N":"10.05"},"n":{"N":"3"},"many":{"N":"0.1234567890123456789"},"at":{"S":"1969-12-31T23:00:00Z"},"s":{"S":"a"}}`, `{"n":{"N":"2"}}`)
	for _, w := range []struct{ typ, expr, want string }{
		{"int64", `item.n - old.n`, `{"N":"1"}`},
		{"int64", `item.s`, "error: gives string, which is no int64"},
		{"int64", `item.?none`, "null"},
		{"int64", `null`, "null"},
		{"double", `item.price * 2.0`, `{"N":"20.1"}`},
		{"double", `item.n`, `{"N":"3"}`},
		{"decimal(38,19)", `item.text("many")`, `{"N":"0.1234567890123456789"}`},
		{"decimal(6,2)", `"10.50"`, `{"N":"10.5"}`},
		{"decimal(6,2)", `item.price * 100.0`, `{"N":"1005"}`},
		{"decimal(6,2)", `item.price / 3.0 + 0.001`, `{"N":"3.35"}`},
		{"decimal(6,2)", `0.0 - 0.001`, `{"N":"0"}`},
		{"decimal(6,2)", `item.price * -0.0`, `{"N":"0"}`},
		{"decimal(6,2)", `"-0.00"`, `{"N":"0"}`},
		{"decimal(6,2)", `"10.501"`, "error: gives a number that does not fit decimal(6,2)"},
		{"decimal(6,2)", `1.0 / 0.0`, "error: gives a number that does not fit decimal(6,2)"},
		{"decimal(2,0)", `item.n * 100`, "error: gives a number that does not fit decimal(2,0)"},
		{"decimal(2,0)", `item.s`, "error: gives a number that does not fit decimal(2,0)"},
		{"string", `op + source + item.s`, `{"S":"MODIFYstreama"}`},
		{"bool", `item.n == 3`, `{"BOOL":true}`},
		{"binary", `b"\xff"`, `{"B":"/w=="}`},
		{"timestamp(iso)", `timestamp(item.at)`, `{"S":"1969-12-31T23:00:00Z"}`},
		{"date(iso)", `timestamp(item.at)`, `{"S":"1969-12-31"}`},
		{"date(iso)", `item.n`, "error: gives int, which is no date(iso)"},
		{"string", `item.none`, "error: no such key: none; ask has() first where it may be missing"},
	} {
		s := parse(t, "datasets:\n  - name: all\n    columns:\n      - name: c\n        type: "+w.typ+"\n        expr: |\n          "+w.expr+"\n")
		r, err := Compile(s, testKeys, Options{})
		if err != nil {
			t.Errorf("%s: %v", w.expr, err)
			continue
		}
		plan, err := s.Datasets[0].Plan(testKeys)
		if err != nil {
			t.Fatal(err)
		}
		run := plan.NewRun()
		run.Shred(c.New, true, true)
		got := "null"
		if err := r.Datasets[0].Compute(c, "stream", run); err != nil {
			got = "error: " + strings.TrimPrefix(err.Error(), "column c of dataset all: ")
		} else if cell := run.Leaf(0)[0]; cell.Def == plan.Leaves[0].MaxDef {
			// As an attribute it would be what Rebuild writes.
			attribute := *plan
			attribute.Columns = []schema.Column{{Name: "c", From: schema.Path{"c"}, Type: plan.Columns[0].Type}}
			item, err := attribute.Rebuild(run.Row(0), nil)
			if err != nil {
				t.Fatal(err)
			}
			got = strings.TrimSuffix(strings.TrimPrefix(string(item), `{"c":`), "}")
		}
		if got != w.want {
			t.Errorf("%s of %s: got %s, want %s", w.typ, w.expr, got, w.want)
		}
	}
}

func TestARemovalHasNoComputedColumns(t *testing.T) {
	s := parse(t, "datasets:\n  - name: all\n    columns: [{name: c, type: string, expr: op}]\n")
	r, err := Compile(s, testKeys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.Datasets[0].Plan(testKeys)
	if err != nil {
		t.Fatal(err)
	}
	run := plan.NewRun()
	run.Blank()
	if err := r.Datasets[0].Compute(change(t, transform.Remove, "k", "", ""), "stream", run); err != nil || run.Leaf(0)[0].Def != 0 {
		t.Errorf("%v, %v", run.Leaf(0), err)
	}
}

func TestMasksHideInWholeImages(t *testing.T) {
	r := compile(t, `
datasets:
  - name: all
    drop: [secret, address.street, people.name]
    redact: [email, "card"]
    hash: [ssn, n, b, set, [odd, "a.b"]]
`, Options{Salt: []byte("salt")})
	d := r.Datasets[0]
	if !d.Masks() {
		t.Fatal("nothing is masked")
	}
	sum := func(text string) string {
		h := (&mask{salt: []byte("salt")}).hash(schema.Value(text))
		return hex.EncodeToString(h)
	}
	for image, want := range map[string]string{
		`{}`:                   `{}`,
		`{"secret":{"S":"x"}}`: `{}`,
		`{"secret":{"S":"x"},"a":{"S":"\u0061\ud800"}}`:                         `{"a":{"S":"\u0061\ud800"}}`,
		`{"a":{"N":"1"}, "s\u0065cret" : {"S":"x"}}`:                            `{"a":{"N":"1"}}`,
		`{"\ud800":{"N":"1"},"email":{"L":[{"S":"a"}]}}`:                        `{"\ud800":{"N":"1"},"email":{"S":"REDACTED"}}`,
		`{"address":{"M":{"street":{"S":"x"},"city":{"S":"y"}}}}`:               `{"address":{"M":{"city":{"S":"y"}}}}`,
		`{"address":{"S":"street"}}`:                                            `{"address":{"S":"street"}}`,
		`{"people":{"L":[{"M":{"name":{"S":"x"},"age":{"N":"1"}}},{"S":"z"}]}}`: `{"people":{"L":[{"M":{"age":{"N":"1"}}},{"S":"z"}]}}`,
		`{"ssn":{"S":"123"}}`:                                                   `{"ssn":{"S":"` + sum(`{"S":"123"}`) + `"}}`,
		`{"ssn":{"S":"\u0031\u00323"},"n":{"N":"123"},"b":{"B":"MTIz"}}`:        `{"ssn":{"S":"` + sum(`{"S":"123"}`) + `"},"n":{"S":"` + sum(`{"S":"123"}`) + `"},"b":{"S":"` + sum(`{"S":"123"}`) + `"}}`,
		`{"set":{"NS":["2","1.0"]}}`:                                            `{"set":{"S":"` + sum(`{"NS":["1","2"]}`) + `"}}`,
		`{"odd":{"M":{"a.b":{"S":""},"a":{"S":"b"}}}}`:                          `{"odd":{"M":{"a.b":{"S":"` + sum(`{"S":""}`) + `"},"a":{"S":"b"}}}}`,
	} {
		if got := string(d.Mask([]byte("x"), []byte(image))); got != "x"+want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
	// As any SQL would have it: sha256('salt' || '123').
	if got := sum(`{"S":"123"}`); got != "c2fc6c6adf8ba0f575a35f48df52c0968a3dcd3c577c2769dc2f1035943b975e" {
		t.Error(got)
	}
	plain := compile(t, "datasets:\n  - name: all\n", Options{}).Datasets[0]
	if plain.Masks() || string(plain.Mask(nil, []byte(`{"a":{"S":""}}`))) != `{"a":{"S":""}}` {
		t.Error("a dataset without masks hides something")
	}
}

func BenchmarkFilter(b *testing.B) {
	r := compile(b, "datasets:\n  - name: all\n    filter: keys.pk.startsWith(\"order#\")\n  - name: two\n    filter: has(item.status) && item.status == \"open\" && item.n > 5\n", Options{})
	image := `{"n":{"N":"7"}`
	for range 30 {
		image += `,"some attribute":{"S":"some text of usual length"}`
	}
	c := change(b, transform.Modify, "order#1", image+`,"status":{"S":"open"}}`, image+`,"status":{"S":"closed"}}`)
	for i, name := range []string{"by-key", "by-item-with-old-image"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Datasets[i].Route(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
