package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"

	"dynamolake/internal/scene"
)

// schemaRun runs a command on schemas, with the scene's table and lake only where it is told to.
func schemaRun(t *testing.T, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append([]string{"schema"}, args...), env, streams{out: &stdout, err: &stderr})
	return code, stdout.String(), stderr.String()
}

var ofScene = []string{"DYNAMOLAKE_TABLE=orders", "DYNAMOLAKE_LAKE=s3://lake/p"}

// schemaGolden compares with a file of testdata/schema, in which %s stands for the folder of the test.
func schemaGolden(t *testing.T, name, dir, got string) {
	t.Helper()
	path := filepath.Join("testdata", "schema", name)
	got = strings.ReplaceAll(got, dir, "%s")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", path, diff)
	}
}

// items puts n items of two kinds into the scene's table, of which some have an amount that is text.
func putItems(t *testing.T, s *scene.Scene, n int) {
	t.Helper()
	db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("author"))
	for i := range n {
		item := map[string]ddbtypes.AttributeValue{
			"customer": &ddbtypes.AttributeValueMemberS{Value: fmt.Sprintf("item%04d", i)},
			"order":    &ddbtypes.AttributeValueMemberN{Value: fmt.Sprint(i)},
			"kind":     &ddbtypes.AttributeValueMemberS{Value: []string{"order", "event", "other"}[i%3]},
			"total":    &ddbtypes.AttributeValueMemberN{Value: fmt.Sprint(i)},
		}
		if i%30 < 2 { // an order that is refused, and an event that keeps it in _rest
			item["total"] = &ddbtypes.AttributeValueMemberS{Value: "free"}
		}
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(scene.TableName), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

func schemaFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const shopSchema = `unmatched: reject
datasets:
  - name: orders
    filter: item.?kind.orValue("") == "order"
    new_attributes: column
    columns:
      - {name: total, type: int64, required: true}
      - {name: twice, type: int64, expr: 'item.?total.orValue(0) * 2'}
  - name: events
    filter: item.?kind.orValue("") == "event"
    columns:
      - {name: kind, type: string}
      - {name: total, type: "decimal(9,2)"}
`

// TestASchemaFromItsFirstDraftToALakeThatHasIt is the walk through all four commands.
func TestASchemaFromItsFirstDraftToALakeThatHasIt(t *testing.T) {
	s := emptyScene(t)
	putItems(t, s, 90)
	if err := s.Cloud.SetPITR(scene.TableName, 35); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()

	code, out, errs := schemaRun(t, nil, "infer")
	if code != 2 || !strings.Contains(errs, "nothing to infer from") || out != "" {
		t.Errorf("infer of nothing: exit code %d, %q, %q", code, out, errs)
	}
	file := filepath.Join(dir, "draft.yaml")
	code, out, errs = schemaRun(t, ofScene, "infer", "--from=table", "--items=500", "--out="+file)
	if code != 0 || !strings.Contains(out, "draft.yaml: ") {
		t.Fatalf("infer: exit code %d, %q, %q", code, out, errs)
	}
	draft, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(draft), "of items") || !strings.Contains(string(draft), "name: total") || strings.Contains(string(draft), "name: order\n") {
		t.Errorf("%v: %s", err, draft)
	}
	if code, _, errs = schemaRun(t, ofScene, "infer", "--from=table", "--out="+file); code != 1 || !strings.Contains(errs, "is not written over") {
		t.Errorf("over a file: exit code %d, %q", code, errs)
	}
	if code, out, errs = schemaRun(t, nil, "check", "--schema="+file); code != 0 || !strings.Contains(out, "no problems; 1 datasets") {
		t.Errorf("check of the draft: exit code %d, %q, %q", code, out, errs)
	}

	file = schemaFile(t, dir, "shop.yaml", shopSchema)
	if code, _, errs = schemaRun(t, ofScene, "show"); code != 1 || !strings.Contains(errs, "the lake has no schema") {
		t.Errorf("show of no schema: exit code %d, %q", code, errs)
	}
	if code, _, errs = invoke(t, "bootstrap", "--no-stream", "--schema="+file); code != 0 {
		t.Fatalf("bootstrap: exit code %d, %s", code, errs)
	}
	code, out, errs = schemaRun(t, ofScene, "show", "--version=1")
	if code != 0 || !strings.Contains(out, "version: 1\n") || !strings.Contains(out, "id: 1001") {
		t.Errorf("show: exit code %d, %q, %q", code, out, errs)
	}
	code, out, errs = schemaRun(t, ofScene, "show", "--format=table")
	if code != 0 {
		t.Fatalf("show as a table: exit code %d, %q", code, errs)
	}
	schemaGolden(t, "show.golden", dir, out)
	code, out, errs = schemaRun(t, ofScene, "show", "--history")
	if code != 0 || !strings.Contains(out, "version 1") || !strings.Contains(out, "+ events: the dataset, of 2 columns") || !strings.Contains(out, "+ orders: column kind string") {
		t.Errorf("history: exit code %d, %q, %q", code, out, errs)
	}
	if code, _, errs = schemaRun(t, ofScene, "show", "--version=9"); code != 1 || !strings.Contains(errs, "there is no version 9") {
		t.Errorf("show of no version: exit code %d, %q", code, errs)
	}

	// What the lake has, as a file of a person.
	code, out, errs = schemaRun(t, ofScene, "infer")
	if code != 0 || !strings.Contains(out, "of the newest files of the lake") || !strings.Contains(out, "name: total") {
		t.Errorf("infer of the lake: exit code %d, %q, %q", code, out, errs)
	}
	changed := schemaFile(t, dir, "changed.yaml", strings.NewReplacer(`"decimal(9,2)"`, "string", "{name: kind, type: string}", "{name: kind, type: string}\n      - {name: price, type: double}").Replace(shopSchema))
	code, out, errs = schemaRun(t, ofScene, "diff", "--schema="+changed)
	if code != 0 {
		t.Errorf("diff: exit code %d, %q", code, errs)
	}
	schemaGolden(t, "diff.golden", dir, out)
	if code, out, _ = schemaRun(t, ofScene, "diff", "--schema="+file); code != 0 || !strings.Contains(out, "no difference") {
		t.Errorf("diff of what is there: exit code %d, %q", code, out)
	}
	bad := schemaFile(t, dir, "bad.yaml", strings.Replace(shopSchema, "item.?total.orValue(0) * 2", "nope", 1)+"      - {name: customer, from: x, type: string}\n")
	code, checked, _ := schemaRun(t, ofScene, "check", "--schema="+bad)
	if code != 1 || strings.Count(checked, "\n") != 2 {
		t.Errorf("check of a bad file: exit code %d, %q", code, checked)
	}
	if code, out, errs = schemaRun(t, ofScene, "diff", "--schema="+bad); code != 1 || out != checked || !strings.Contains(errs, "2 of them: the schema cannot be used") {
		t.Errorf("diff of a bad file: exit code %d, %q, %q, want what check says: %q", code, out, errs, checked)
	}
	if code, out, _ = schemaRun(t, ofScene, "diff"); code != 0 || !strings.Contains(out, "from version 1 to 2:") || !strings.Contains(out, "all additive") {
		t.Errorf("diff of versions: exit code %d, %q", code, out)
	}
	code, out, errs = schemaRun(t, ofScene, "check", "--schema="+changed, "--sample=lake")
	if code != 0 || !strings.Contains(out, "dataset events: 30 rows, 0 refused") {
		t.Errorf("check on the lake: exit code %d, %q, %q", code, out, errs)
	}
	// A dataset that goes, and its name in a file again.
	orders, _, _ := strings.Cut(shopSchema, "  - name: events")
	if code, _, errs = invoke(t, "bootstrap", "--no-stream", "--schema="+schemaFile(t, dir, "orders.yaml", orders)); code != 0 {
		t.Fatalf("bootstrap without events: exit code %d, %s", code, errs)
	}
	const returns = ":9: dataset events was in the schema up to version 2, and is not in version 3, the newest"
	for _, command := range []string{"check", "diff"} {
		if code, out, _ = schemaRun(t, ofScene, command, "--schema="+file); code != 1 || !strings.Contains(out, file+returns) {
			t.Errorf("%s of a file with a dataset that was taken out: exit code %d, %q", command, code, out)
		}
	}
	if code, _, errs = invoke(t, "bootstrap", "--no-stream", "--again", "--schema="+file); code != 1 || !strings.Contains(errs, file+returns) {
		t.Errorf("bootstrap with a dataset that was taken out: exit code %d, %s", code, errs)
	}
	if code, _, errs = schemaRun(t, ofScene[:1], "check", "--schema="+file); code != 0 {
		t.Errorf("check without the lake: exit code %d, %s", code, errs)
	}
	address := ""
	for o, err := range s.Lake("observer").List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Key, "manifest-summary.json") {
			address = "s3://" + scene.Bucket + "/" + o.Key
		}
	}
	code, out, errs = schemaRun(t, ofScene[:1], "check", "--schema="+file, "--export="+address)
	if code != 1 || !strings.Contains(errs, "rejects") {
		t.Errorf("check on an export: exit code %d, %q, %q", code, out, errs)
	}
	schemaGolden(t, "tried.golden", dir, strings.ReplaceAll(out, address, "<export>"))
	code, out, errs = schemaRun(t, nil, "infer", "--key=customer:S,order:N", "--export="+address, "--items=30")
	if code != 0 || !strings.Contains(out, "Inferred from 30 items") {
		t.Errorf("infer of an export: exit code %d, %q, %q", code, out, errs)
	}
}

// TestEveryProblemOfASchemaFileIsTold with its line, of one kind of problem in each file.
func TestEveryProblemOfASchemaFileIsTold(t *testing.T) {
	dir := t.TempDir()
	schemaFile(t, dir, "cities.csv", "id,name\n1,Linz\n")
	var all strings.Builder
	for _, c := range []struct{ name, text string }{
		{"no YAML", "datasets: [\n"},
		{"unknown words", "datasets:\n  - name: all\n    colour: red\n    columns:\n      - {name: a, type: integer}\n"},
		{"expressions", "datasets:\n  - name: all\n    filter: item.a = 1\n    columns:\n      - {name: b, type: string, expr: 1 + 1}\n      - {name: c, type: string, expr: itm.c}\n"},
		{"a filter that sees too much", "datasets:\n  - name: all\n    filter: op == \"INSERT\"\n"},
		{"lookups", "lookups: {cities: cities.csv, lost: lost.csv}\ndatasets:\n  - name: all\n    columns:\n      - {name: a, type: string, expr: 'lookup(\"cities\", item.a, \"size\")'}\n      - {name: b, type: string, expr: 'lookup(\"lost\", item.a, \"x\")'}\n"},
		{"the key", "datasets:\n  - name: all\n    drop: [sk]\n    columns:\n      - {name: pk, from: other, type: string}\n      - {name: b, from: pk, type: string}\n"},
		{"masks", "datasets:\n  - name: all\n    hash: [a]\n    drop: [b]\n    columns:\n      - {name: a, type: int64}\n      - {name: b, type: string}\n"},
		{"all kinds at once", "lookups: {lost: lost.csv, nameless: '', cities: cities.csv}\ndatasets:\n  - name: all\n    filter: nope\n    mode: append\n    deletes: keep\n    drop: [sk, {a: b}, secret]\n" +
			"    columns:\n      - {name: a, type: int64}\n      - {name: b, from: a, type: int64}\n      - {name: pk, from: c, type: string}\n      - {name: d, type: list<string>, expr: nope}\n" +
			"      - {name: e, type: text, expr: 1 + 1}\n      - {name: f, type: string, expr: 'lookup(\"lost\", item.a, \"x\") + lookup(\"nameless\", item.a, \"x\") + lookup(\"cities\", item.a, \"size\")'}\n" +
			"      - {name: g, type: bool, expr: 'item.a.matches(\"((a{1,100}){1,10})b\")'}\n      - {from: unnamed, type: string}\n      - {name: h, from: {}, type: string}\n      - {name: h2, from: h, type: string}\n" +
			"    hash: [e, secret]\n    partition: [unnamed, day(]\n  - name: two\n    mode: append_only\n    deletes: maybe\n    partition: [none]\n"},
		{"what a misspelt key hides", "lookup: {cities: cities.csv}\ndatasets:\n  - name: all\n    colums: [{name: a, type: string}]\n    partition: [a]\n    filter: lookup(\"cities\", item.a, \"name\") == \"x\" || nope\n"},
		{"names twice", "datasets:\n  - name: all\n    columns:\n      - {name: a, type: int64}\n      - {name: A, from: b, type: int64}\n  - name: all\n"},
	} {
		path := schemaFile(t, dir, "schema.yaml", c.text)
		code, out, errs := schemaRun(t, nil, "check", "--schema="+path, "--key=pk:S,sk:N")
		if code != 1 || !strings.Contains(errs, "the schema cannot be used") {
			t.Errorf("%s: exit code %d, %q", c.name, code, errs)
		}
		fmt.Fprintf(&all, "%s\n%s\n", c.name, out)
	}
	schemaGolden(t, "problems.golden", dir, all.String())

	for _, c := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"check", "--schema=" + dir + "/no.yaml"}, "there is no file", 1},
		{[]string{"check"}, "--schema (DYNAMOLAKE_SCHEMA) is required", 2},
		{[]string{"check", "--schema=x", "--sample=export"}, "--sample=export needs --export", 2},
		{[]string{"check", "--schema=x", "--sample=lake"}, "--sample=lake needs --lake", 2},
		{[]string{"check", "--schema=x", "--key=pk"}, "want attributes with their types", 2},
		{[]string{"infer", "--export=file:///x/manifest-summary.json"}, "must tell the table's key", 2},
		{[]string{"infer", "--export=file:///x/manifest-summary.json", "--key=pk:S"}, "it is not there", 1},
		{[]string{"infer", "--from=table"}, "--from=table needs --table", 2},
		{[]string{"diff", "--table=t", "--lake=s3://b", "--schema=x", "--with-version=1"}, "give one of them", 2},
	} {
		if code, _, errs := schemaRun(t, nil, c.args...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit code %d, %q, want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}

// TestInferOfRealExports needs exports that are not part of the project.
func TestInferOfRealExports(t *testing.T) {
	const real = "../../../shared/fixtures/real-export"
	if _, err := os.Stat(real); err != nil {
		t.Skip("the real exports are not here")
	}
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(real)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"01768385930622-efd1a093", "01768386924000-d339e52d"} {
		// Whoever published them hid his account in the summaries, and left their checksums.
		stem := filepath.Join(root, "AWSDynamoDB", id, "manifest-summary")
		body, err := os.ReadFile(stem + ".json")
		if err != nil {
			t.Fatal(err)
		}
		sum := md5.Sum(body)
		if err := os.WriteFile(stem+".md5", []byte(base64.StdEncoding.EncodeToString(sum[:])), 0o666); err != nil {
			t.Fatal(err)
		}
		code, out, errs := schemaRun(t, nil, "infer", "--export=file://"+stem+".json", "--key=pk:S,sk:S")
		if code != 0 || !strings.Contains(out, "of items") || !strings.Contains(out, "- name: all\n") {
			t.Errorf("%s: exit code %d, %q, %q", id, code, out, errs)
		}
		t.Log(out)
		checked := schemaFile(t, root, id+".yaml", out)
		if code, out, errs = schemaRun(t, nil, "check", "--schema="+checked, "--export=file://"+stem+".json", "--key=pk:S,sk:S"); code != 0 {
			t.Errorf("%s: check: exit code %d, %q, %q", id, code, out, errs)
		}
	}
}

// TestTheSchemaOfTheReadmeHasNoProblems, so that one may begin with it.
func TestTheSchemaOfTheReadmeHasNoProblems(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, there := strings.Cut(string(readme), "```yaml\ndatasets:")
	text, _, ended := strings.Cut(text, "```")
	if !there || !ended {
		t.Fatal("README.md has no schema")
	}
	path := schemaFile(t, t.TempDir(), "readme.yaml", "datasets:"+text)
	if code, out, errs := schemaRun(t, nil, "check", "--schema="+path, "--key=pk:S"); code != 0 || !strings.Contains(out, "2 datasets, 4 columns") {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}
