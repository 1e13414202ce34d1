package rule

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testKeys = transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'N'}}

func parse(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s.Number(nil)
	return s
}

func compile(t testing.TB, text string, o Options) *Rules {
	t.Helper()
	r, err := Compile(parse(t, text), testKeys, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// change is a record as the decoder gives it; images without the key's attributes.
func change(t testing.TB, op transform.Op, key, newImage, oldImage string) *transform.Change {
	t.Helper()
	keys := `"pk":{"S":"` + key + `"},"sk":{"N":"7"}`
	image := func(name, attrs string) string {
		if attrs == "" {
			return ""
		}
		if attrs = strings.TrimSuffix(strings.TrimPrefix(attrs, "{"), "}"); attrs != "" {
			attrs = "," + attrs
		}
		return `,"` + name + `":{` + keys + attrs + `}`
	}
	body := `{"Records":[{"eventName":"` + op.String() + `","dynamodb":{"ApproximateCreationDateTime":1763890000,"SequenceNumber":"1","Keys":{` + keys + `}` +
		image("NewImage", newImage) + image("OldImage", oldImage) + `}}],"NextShardIterator":"i"}`
	var p transform.Page
	if err := transform.NewDecoder(testKeys).Decode([]byte(body), &p); err != nil || len(p.Changes) != 1 {
		t.Fatal(err, p.Rejects, body)
	}
	return &p.Changes[0]
}

func TestExpressionsSeeTheItem(t *testing.T) {
	item := `{"s":{"S":"text"},"n":{"N":"42"},"whole":{"N":"4.20E1"},"big":{"N":"12345678901234567890"},"exact":{"N":"0.10000000000000000001"},"half":{"N":"0.5"},` +
		`"b":{"B":"AP8="},"t":{"BOOL":true},"nil":{"NULL":true},"l":{"L":[{"N":"1"},{"S":"x"},{"N":"1.50"}]},"ss":{"SS":["a","b"]},"ns":{"NS":["1.0","2"]},"m":{"M":{"x":{"M":{"y":{"N":"3"}}}}},` +
		`"a.b":{"S":"dots"},"\u00e9\"":{"S":"odd"},"when":{"S":"2026-11-23T10:00:00Z"},"huge":{"N":"1e300"},"beyond":{"N":"9e999"}}`
	c := change(t, transform.Modify, "order#1", item, `{"n":{"N":"41"}}`)
	for expression, want := range map[string]string{
		`item.s == "text"`:                            "true",
		`item.n == 42`:                                "true",
		`item.n == 42.0`:                              "true",
		`item.whole == 42`:                            "true",
		`type(item.whole) == int`:                     "true",
		`type(item.big) == double`:                    "true",
		`item.big > 1.2e19`:                           "true",
		`item.exact == 0.1`:                           "true", // the nearest double
		`item.compare("exact", "0.1")`:                "1",
		`item.compare("big", "12345678901234567891")`: "-1",
		`item.compare("whole", "42.0")`:               "0",
		`item.compare("huge", "1E300")`:               "0",
		`item.compare("s", "1")`:                      "error: compare of a S",
		`item.text("exact")`:                          "0.10000000000000000001",
		`item.text("b")`:                              "AP8=",
		`item.l.text(2)`:                              "1.50",
		`item.ns.text(0)`:                             "1.0",
		`item.l.text(3)`:                              "error: no such index",
		`item.m.x.text("y")`:                          "3",
		`item.text("l")`:                              "error: text of a L",
		`item.l[item.n]`:                              "error: index out of bounds",
		`item.half + 1.0`:                             "1.5",
		`item.beyond > 1`:                             "error: a number beyond what a double holds; use text or compare",
		`item.b == b"\x00\xff"`:                       "true",
		`item.t && item.nil == null`:                  "true",
		`item.l.size() == 3 && "x" in item.l`:         "true",
		`item.ss.exists(x, x == "b")`:                 "true",
		`item.m.x.y`:                                  "3",
		`item["a.b"]`:                                 "dots",
		`item["é\""]`:                                 "odd",
		`has(item.none)`:                              "false",
		`"s" in item`:                                 "true",
		`item.none == 1`:                              "error: no such key: none; ask has() first where it may be missing",
		`item[item.s] == 1`:                           "error: no such key",
		`item.?none.orValue("default")`:               "default",
		`item.?m.?x.?y.orValue(0)`:                    "3",
		`item.s + item.n == ""`:                       "error: no such overload",
		`int(item.s)`:                                 "error: a function refuses the value that it is given",
		`item.n / 0`:                                  "error: division by zero",
		`old.n`:                                       "41",
		`has(old.s)`:                                  "false",
		`keys.pk + "/" + string(keys.sk)`:             "order#1/7",
		`keys.size()`:                                 "2",
		`op + " " + source`:                           "MODIFY stream",
		`ts.getFullYear()`:                            "2025",
		`timestamp(item.when) > ts`:                   "true",
		`item.s.split("e")[0].upperAscii()`:           "T",
		`item.m == {"x": {"y": 3}}`:                   "true",
		`item.m == item.m`:                            "true",
		`item.size() > 10`:                            "true",
		`item.map(k, k).exists(k, k == "pk")`:         "true",
		`lookup("rates", item.s, "rate")`:             "1.5",
		`lookup("rates", "none", "rate")`:             "null",
		`lookup("rates", item.n, "name")`:             "forty-two",
		`lookup("rates", item.l, "rate")`:             "error: the key of a lookup is no text and no number",
		`[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, [1,2,3,4,5,6,7,8].all(d, [1,2,3,4,5,6,7,8].all(e, [1,2,3,4,5,6,7,8].all(f, a+b+c+d+e+f > 0))))))`: "error: it costs more than its limit",
	} {
		t.Run(expression, func(t *testing.T) {
			s := parse(t, "lookups: {rates: rates.csv}\ndatasets:\n  - name: all\n")
			var problems schema.Problems
			table := readTable(s.Lookups[0], []byte("key,rate,name\ntext,1.5,\n42,,forty-two\n"), &problems)
			c1 := compiler{problems: &problems, lookups: tables{"rates": table}, limit: DefaultCostLimit}
			d := &Dataset{keys: []string{"pk", "sk"}}
			p, ok := c1.program(&schema.Expr{Text: expression}, "x", allVariables(), cAny...)
			if !ok {
				t.Fatal(problems)
			}
			v, err := p.eval(&variables{change: c, item: object{raw: c.New}, old: object{raw: c.Old}, keys: d.keyObject(c), source: "stream"})
			got := ""
			if err != nil {
				got = "error: " + strings.TrimPrefix(err.Error(), "x: ")
			} else {
				got = printed(v)
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestBadExpressionsPointIntoTheFile(t *testing.T) {
	text, err := os.ReadFile("testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(parse(t, string(text)), testKeys, Options{Lookups: map[string][]byte{
		"countries": []byte("code,name\nAT,Austria\n"), "twice": []byte("k\na\na\n"), "broken": []byte("a,b\n1\n"), "empty": nil,
	}})
	var problems schema.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	got := problems.Error() + "\n"
	file := filepath.Join("testdata", "bad.want")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if diff := cmp.Diff(string(want), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestAnExpressionTellsWhatItNames(t *testing.T) {
	for expression, want := range map[string]string{
		`item.a == "x" && has(item.b.c)`:                                "item a b",
		`item["a.b"] == 1 || item[?"c"].hasValue()`:                     "item a.b c",
		`item.?d.orValue(1) == 1`:                                       "item d",
		`item.text("e") == "" || item.compare("f", item.text("g")) > 0`: "item e f g",
		`"h" in item && op == "INSERT"`:                                 "item h",
		`item[op] == 1`:                                                 "item all",
		`item.size() > 1`:                                               "item all",
		`item.l.exists(x, x == item.y)`:                                 "item l y",
		`{"a": item.a, "b": [old.b]}.size() == 1`:                       "item a old b",
		`keys.pk.startsWith("x")`:                                       "keys pk",
	} {
		var problems schema.Problems
		c := compiler{problems: &problems, limit: 1}
		p, ok := c.program(&schema.Expr{Text: expression}, "x", allVariables(), cAny...)
		if !ok {
			t.Errorf("%s: %v", expression, problems)
			continue
		}
		var got []string
		for _, name := range []string{"item", "old", "keys"} {
			if n := p.names[name]; n.All {
				got = append(got, name, "all")
			} else if len(n.Attrs) > 0 {
				got = append(append(got, name), n.Attrs...)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s names %s, want %s", expression, strings.Join(got, " "), want)
		}
	}
}

func TestOnlyWhatIsBoundedGoesUncounted(t *testing.T) {
	for expression, want := range map[string]bool{
		`keys.pk.startsWith("order#")`:                                    true,
		`has(item.status) && item.status == "open" && item.n > 5`:         true,
		`item.l.exists(x, x == 1)`:                                        false,
		`item.s.replace("", item.s).replace("", item.s).contains(item.s)`: false,
		`item.s.matches("(a|b)*c(d|e)*")`:                                 false,
	} {
		env, err := cel.NewEnv(append(allVariables(), ext.Strings())...)
		if err != nil {
			t.Fatal(err)
		}
		checked, issues := env.Compile(expression)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		if got := bounded(env, checked, DefaultCostLimit); got != want {
			t.Errorf("%s: bounded %t", expression, got)
		}
	}
}

func TestAWholeItemCannotHangAWorker(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"l":{"L":[{"N":"0"}`)
	for range 20_000 {
		b.WriteString(`,{"M":{"x":{"S":"aaaaaaaaaa"}}}`)
	}
	b.WriteString(`]}}`)
	c := change(t, transform.Insert, "a", b.String(), "")
	for _, filter := range []string{
		`item.l.all(x, item.l.exists(y, y == x))`,
		`item.l.all(x, item.all(k, item[k] != 1))`,
		`item.l.map(x, item.l).size() > 0 && item.l.map(x, item.l.map(y, item.l)).size() > 0`,
	} {
		r := compile(t, "datasets:\n  - name: all\n    filter: "+filter+"\n", Options{})
		started := time.Now()
		_, err := r.Datasets[0].Route(c)
		var failure *Failure
		if !errors.As(err, &failure) || !strings.Contains(failure.Reason, "costs more") {
			t.Errorf("%s: %v", filter, err)
		}
		if took := time.Since(started); took > 5*time.Second {
			t.Errorf("%s took %s", filter, took)
		}
	}
}

// TestPlacesInText compares with the functions that ours replace.
func TestPlacesInText(t *testing.T) {
	theirs, err := cel.NewEnv(ext.Strings())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := cel.NewEnv(append([]cel.EnvOption{ext.Strings()}, boundText(DefaultCostLimit)...)...)
	if err != nil {
		t.Fatal(err)
	}
	of := func(env *cel.Env, expression string) string {
		checked, issues := env.Compile(expression)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		p, err := env.Program(checked)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := p.Eval(map[string]any{})
		if err != nil {
			return "error"
		}
		return fmt.Sprint(out)
	}
	for _, text := range []string{"", "a", "abcabc", "äöä", "aaa"} {
		for _, part := range []string{"", "a", "abc", "ä", "aa", "abcabcabc"} {
			for _, function := range []string{"indexOf", "lastIndexOf"} {
				for offset := -2; offset < 9; offset++ {
					expression := fmt.Sprintf("%q.%s(%q, %d)", text, function, part, offset)
					if offset == -2 {
						expression = fmt.Sprintf("%q.%s(%q)", text, function, part)
					}
					if got, want := of(ours, expression), of(theirs, expression); got != want {
						t.Errorf("%s is %s, want %s", expression, got, want)
					}
				}
			}
		}
	}
}

func TestOneCallOnTextCannotHangAWorker(t *testing.T) {
	long := strings.Repeat("a", 100_000)
	c := change(t, transform.Insert, "a", `{"s":{"S":"`+long+`"},"t":{"S":"aaa"},"l":{"L":[{"S":"aaa"},{"S":"b"}]},"n":{"L":[{"N":"1"}]},"many":{"L":[`+strings.Repeat(`{"N":"1"},`, 1999)+`{"N":"1"}]}}`, "")
	const grows = "it costs more than its limit"
	for filter, want := range map[string]string{
		`item.s.replace("a", item.s) != ""`:                                                  grows,
		`item.s.replace("", item.s, 50) != ""`:                                               grows,
		`item.s.split("").join(item.s) != ""`:                                                grows,
		`(item.s + item.s).indexOf(item.s + "b") == -1`:                                      grows,
		`item.l.map(x, x + x).join("") == "aaaaaabb"`:                                        "",
		`item.l.exists(x, item.t.replace(x, "b") == "b")`:                                    "",
		`item.t.replace("a", "bc", 2) == "bcbca" && item.t.replace("a", "bc") == "bcbcbc"`:   "",
		`item.t.replace("a", "bc", 0) == item.t && item.t.replace("a", "bc", 9) == "bcbcbc"`: "",
		`"aba".replace("", "-") == "-a-b-a-" && "aba".replace("a", "", -1) == "b"`:           "",
		`["a", "b"].join() == "ab" && ["a", "b"].join("-") == "a-b" && [].join("-") == ""`:   "",
		`item.n.join() == ""`:                                                           "no such overload: join(list)",
		`"%s".format([item.many.map(x, item.s)]) != ""`:                                 grows,
		`"%s".format([{"a": item.many.map(x, {"b": item.s})}]) != ""`:                   grows,
		`"%s%s%s%s%s%x".format([item.s, item.s, item.s, item.s, item.s, item.s]) != ""`: "",
		`"%s%s%s%s%s%s%s%s%s%x".format([item.s, item.s, item.s, item.s, item.s, item.s, item.s, item.s, item.s, item.s]) != ""`:                                        grows,
		`"%s %d%% %.2f %e %b %o %X %s".format([item.t, 3, 2.5, 1e300, true, 8, "a", [1, {"a": null}]]).startsWith("aaa 3% 2.50 1.000000e+300 1 10 61 [1, {a: null}]")`: "",
		`"%s".format([item.many]).size() == 6000`:        "",
		`"%s".format([item.many.map(x, 1.5e300)]) != ""`: "",
		`"%d".format([item.s]) == ""`:                    "a function refuses the value that it is given",
		`(item.t + "%s %s").format([1]) == ""`:           "a function refuses the value that it is given",
		`"%s".format([item]) != ""`:                      "",
		`(item.t + "%").format([1]) == ""`:               "a function refuses the value that it is given",
		// The most that a pattern may be.
		`!item.s.matches("[^b]{97}b") && item.s.matches("a{1,49}")`: "",
	} {
		r := compile(t, "datasets:\n  - name: all\n    filter: |\n      "+filter+"\n", Options{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		route, err := r.Datasets[0].Route(c)
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; made > 32<<20 {
			t.Errorf("%s made %d MB", filter, made>>20)
		}
		switch {
		case want == "" && (err != nil || route.Fate != Write):
			t.Errorf("%s: %v, %v", filter, route, err)
		case want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)):
			t.Errorf("%s: %v, want %s", filter, err, want)
		}
	}
}

// TestAFileWithProblemsIsCompiledAllTheSame, for those of its expressions: whatever is missing in it.
func TestAFileWithProblemsIsCompiledAllTheSame(t *testing.T) {
	files, err := filepath.Glob("../schema/testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, "../schema/testdata/full.yaml", "testdata/bad.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		for i := range lines {
			for _, instead := range []string{lines[i], "", "  - {}\n", "    columns: [{from: [], expr: {}}]\n    drop: [[], [{}], {}]\n"} {
				s, problems := schema.Read([]byte(strings.Join(lines[:i], "") + instead + strings.Join(lines[i+1:], "")))
				if s == nil {
					if len(problems) == 0 {
						t.Errorf("%s: no schema and no problem", file)
					}
					continue
				}
				_, _ = Compile(s, testKeys, Options{Salt: []byte("salt")})
				for j := range s.Datasets {
					s.Datasets[j].Against(testKeys)
				}
			}
		}
	}
}
