package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

const tinyPrefix = "111111111111/eu-central-1/orders/"

// opening is a lake and a folder of schema files.
type opening struct {
	store writer.Lake
	files string
	flags schemaFlags
}

func newOpening(t *testing.T, files map[string]string) *opening {
	t.Helper()
	store, err := writer.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := &opening{store: store, files: t.TempDir()}
	for name, text := range files {
		at := filepath.Join(o.files, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o.read(t)
	return o
}

// read takes flags; a schema is named by its file.
func (o *opening) read(t *testing.T, args ...string) {
	t.Helper()
	o.flags = schemaFlags{}
	s := newSettings("example", "an example")
	o.flags.flags(s)
	for i, a := range args {
		args[i] = strings.Replace(a, "--schema=@", "--schema="+o.files+"/", 1)
	}
	if err := s.read(args, nil); err != nil {
		t.Fatal(err)
	}
}

func (o *opening) open(t *testing.T) (*dataset.Live, error) {
	t.Helper()
	return o.flags.open(t.Context(), aws.Config{}, o.store, tinyPrefix, dataset.Options{
		Table: "orders", Keys: transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}}, Source: writer.SourceFull,
	})
}

const splitSchema = `lookups: {tiers: tiers.csv}
datasets:
  - name: orders
    filter: item.kind == "order"
    columns:
      - {name: tier, expr: 'lookup("tiers", item.pk, "tier")', type: string}
  - name: people
    filter: item.kind != "order"
    hash: [mail]
`

func TestSchemaIsOpened(t *testing.T) {
	files := map[string]string{"dir/split.yaml": splitSchema, "dir/tiers.csv": "id,tier\n1,gold\n"}
	for _, c := range []struct {
		name  string
		args  []string
		parts string
		fail  string // part of it
	}{
		{"without a word columns are inferred", nil, "all", ""},
		{"with none there is one dataset", []string{"--schema=none"}, "all", ""},
		{"a file splits the table, and its lookups lie beside it", []string{"--schema=@dir/split.yaml", "--hash-salt=x"}, "orders people", ""},
		{"hashes want a salt", []string{"--schema=@dir/split.yaml"}, "", "split.yaml:9: dataset people hashes, but there is no salt; set --hash-salt (DYNAMOLAKE_HASH_SALT)"},
		{"a file that is not there", []string{"--schema=@no.yaml"}, "", "schema: there is no file "},
		{"an address that is none", []string{"--schema=s3://bucket"}, "", "want s3://bucket/key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOpening(t, files)
			o.read(t, c.args...)
			live, err := o.open(t)
			switch {
			case c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)):
				t.Fatalf("%v, want %q", err, c.fail)
			case c.fail != "":
			case err != nil:
				t.Fatal(err)
			case strings.Join(live.Set().Names(), " ") != c.parts:
				t.Errorf("datasets %q, want %s", live.Set().Names(), c.parts)
			}
		})
	}
}

func TestSchemaProblemsHaveTheirFileAndLine(t *testing.T) {
	o := newOpening(t, map[string]string{
		"words.yaml":   "datasets:\n  - name: all\n    colour: red\n",
		"rules.yaml":   "datasets:\n  - name: all\n    filter: item.kind = 1\n",
		"lookups.yaml": "lookups: {a: none.csv}\ndatasets:\n  - name: all\n",
	})
	for name, want := range map[string]string{
		"words.yaml": "words.yaml:3: ", "rules.yaml": "rules.yaml:3: filter of dataset all: ", "lookups.yaml": "lookups.yaml:1: lookup a: there is no file ",
	} {
		o.read(t, "--schema=@"+name)
		if _, err := o.open(t); err == nil || !strings.HasPrefix(err.Error(), o.files+"/"+want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSchemaOfTheLakeIsTakenUp(t *testing.T) {
	o := newOpening(t, map[string]string{"split.yaml": splitSchema, "tiers.csv": "id,tier\n1,gold\n"})
	o.read(t, "--schema=@split.yaml", "--hash-salt=x")
	if _, err := o.open(t); err != nil {
		t.Fatal(err)
	}
	o.read(t, "--hash-salt=x")
	if _, err := o.open(t); err == nil || !strings.Contains(err.Error(), "give --schema the file that it was made of") {
		t.Errorf("a schema with lookups was opened without: %v", err)
	}
	o.read(t, "--schema=none")
	if _, err := o.open(t); err == nil || !strings.Contains(err.Error(), "splits the table") {
		t.Errorf("a table that is split was taken for one that is not: %v", err)
	}
}

func TestFilesAreFoundBesideASchema(t *testing.T) {
	for _, c := range []struct{ address, file, want string }{
		{"schemas/orders.yaml", "tiers.csv", "schemas/tiers.csv"},
		{"orders.yaml", "../tiers.csv", "../tiers.csv"},
		{"orders.yaml", "/etc/tiers.csv", "/etc/tiers.csv"},
		{"orders.yaml", "s3://b/tiers.csv", "s3://b/tiers.csv"},
		{"s3://b/schemas/orders.yaml", "tiers.csv", "s3://b/schemas/tiers.csv"},
		{"s3://b/schemas/orders.yaml", "../tiers.csv", "s3://b/tiers.csv"},
		{"s3://b/orders.yaml", "tiers.csv", "s3://b/tiers.csv"},
	} {
		if got := beside(c.address, c.file); got != c.want {
			t.Errorf("beside %s %s is %s, want %s", c.address, c.file, got, c.want)
		}
	}
}

func TestRejectsAreTolerated(t *testing.T) {
	o := newOpening(t, nil)
	for _, name := range []string{"stream/shard/1.json", "exports/e/f.json.gz-1.json", "exports/e/f.json.gz-1@all.json"} {
		if err := o.store.PutNew(context.Background(), tinyPrefix+"rejects/"+name, []byte("{}"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]int64{"-1": -1, "3": 0, "5": 2} {
		o.read(t, "--max-rejects="+text)
		if left, err := o.flags.tolerated(t.Context(), o.store, tinyPrefix); err != nil || left != want {
			t.Errorf("of %s there are %d left, want %d: %v", text, left, want, err)
		}
	}
	o.read(t, "--max-rejects=2")
	if _, err := o.flags.tolerated(t.Context(), o.store, tinyPrefix); err == nil || !strings.Contains(err.Error(), "--max-rejects=2") {
		t.Errorf("three rejects were two: %v", err)
	}
}
