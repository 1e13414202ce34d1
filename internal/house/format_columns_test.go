package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// attributeColumn is a file with one attribute column, c, of a type; structs have a field f.
func attributeColumn(t *testing.T, typ string) *file.Reader {
	t.Helper()
	text := fmt.Sprintf("version: 5\ndatasets: [{name: all, columns: [{name: c, from: a, type: %q", typ)
	if strings.Contains(typ, "struct") {
		text += ", fields: [{name: f, from: b, type: string}]"
	}
	s, err := schema.Parse([]byte(text + "}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	s.Number(nil)
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "h", Type: 'S'}}
	plan, err := s.Datasets[0].Plan(keys)
	if err != nil {
		t.Fatal(err)
	}
	page := new(transform.Page)
	if err := transform.NewDecoder(keys).DecodeExport([]byte(`{"Item":{"h":{"S":"a"}}}`), transform.ViewFull, page); err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	x := writer.NewEncoder(writer.Schema{Keys: keys, Version: s.Version, Plan: plan}).Export(&body, writer.ExportInfo{To: time.Unix(1, 0)})
	if err := x.Add(page.Changes); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := file.NewParquetReader(bytes.NewReader(body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	attributeHeading = "Attribute columns"
	attributeIndex   = 9 // behind eight columns and the hash key
)

var quoted = regexp.MustCompile("^`([^`]+)`")

func TestAttributeColumnsAreAsDocumented(t *testing.T) {
	for _, cells := range tableOf(t, formatPage, attributeHeading, "type") {
		typ := quoted.FindStringSubmatch(cells[0])[1]
		name, id, parquet, nullable, encoding := describe(t, attributeColumn(t, typ), attributeIndex)
		if name != "c" || id != "1001" || nullable != "yes" || parquet != cells[1] || encoding != cells[2] {
			t.Errorf("%s says of %s: %s, %s; column %s, %s, is %s, %s, nullable: %s", formatPage, typ, cells[1], cells[2], name, id, parquet, encoding, nullable)
		}
	}
}

func TestLeavesOfAttributeColumnsAreAsDocumented(t *testing.T) {
	for _, cells := range tableOf(t, formatPage, attributeHeading, "nested type") {
		typ := quoted.FindStringSubmatch(cells[0])[1]
		r := attributeColumn(t, typ)
		if got := "`" + r.MetaData().Schema.Column(attributeIndex).Path() + "`"; got != cells[1] {
			t.Errorf("%s says of %s: leaf %s; it is %s", formatPage, typ, cells[1], got)
		}
	}
}

func TestTheFootersColumnsAreAsDocumented(t *testing.T) {
	kv := attributeColumn(t, "list<struct>").MetaData().KeyValueMetadata()
	if v := kv.FindValue("dynamolake.schema"); v == nil || *v != "5" {
		t.Errorf("schema: %v, want version 5", v)
	}
	text := kv.FindValue("dynamolake.columns")
	if text == nil {
		t.Fatal("no columns in the footer")
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(*text), &list); err != nil || len(list) != 1 {
		t.Fatal(*text, err)
	}
	var names []string
	for name := range list[0] {
		names = append(names, name)
	}
	sameNames(t, "columns", tableOf(t, formatPage, attributeHeading, "entry").names(nil), names)
	field := list[0]["fields"].([]any)[0].(map[string]any)
	for name := range field {
		if !strings.Contains(read(t, formatPage), `"`+name+`"`) {
			t.Errorf("%s does not know %q of a field", formatPage, name)
		}
	}
}
