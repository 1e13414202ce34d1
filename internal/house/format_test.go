package house

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/writer"
)

const formatPage = "docs/format.md"

// sample is a file of one change with every column, read by another library than
// the one that wrote it.
func sample(t *testing.T, hash, sort transform.KeyType) (writer.File, *file.Reader) {
	t.Helper()
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "h", Type: hash}, Range: transform.KeyAttr{Name: "s", Type: sort}}
	value := map[transform.KeyType]string{'S': `{"S":"a"}`, 'N': `{"N":"1"}`, 'B': `{"B":"AQ=="}`}
	key := fmt.Sprintf(`{"h":%s,"s":%s}`, value[hash], value[sort])
	body := fmt.Appendf(nil, `{"Records":[{"eventID":"e","eventName":"MODIFY","dynamodb":{
		"ApproximateCreationDateTime":1700000000,"Keys":%[1]s,"NewImage":%[1]s,"OldImage":%[1]s,
		"SequenceNumber":"100000000000000000001","SizeBytes":10}}],"NextShardIterator":"next"}`, key)
	page := new(transform.Page)
	if err := transform.NewDecoder(keys).Decode(body, page); err != nil || len(page.Changes) != 1 {
		t.Fatalf("decoding the sample: %v, %d changes", err, len(page.Changes))
	}
	batch := writer.NewBatch(transform.Seq{})
	batch.Add(body, page, time.Time{})
	slice, _ := batch.Cut(time.Time{}, writer.Limits{}, true)
	f, err := writer.NewEncoder(writer.Schema{Keys: keys, OldImage: true, Table: "t", Dataset: "all"}).
		Encode(slice, writer.Info{Stream: "arn", Shard: "shardId-1", Writer: "w"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := file.NewParquetReader(bytes.NewReader(f.Body))
	if err != nil {
		t.Fatal(err)
	}
	return f, r
}

func TestTheColumnsAreAsDocumented(t *testing.T) {
	var want, got table
	for _, cells := range tableOf(t, formatPage, "Change rows", "column") {
		want = append(want, append([]string{strings.Trim(cells[0], "`")}, cells[1:5]...))
	}
	_, r := sample(t, 'S', 'S')
	for i := range r.MetaData().Schema.NumColumns() {
		name, id, typ, nullable, encoding := describe(t, r, i)
		switch name { // of the key columns, a table of their own tells the rest
		case "h":
			name, typ, encoding = "hash key", "see below", "see below"
		case "s":
			name, typ, encoding = "sort key", "see below", "see below"
		}
		got = append(got, []string{name, id, typ, nullable, encoding})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s and a file differ (-documented +real):\n%s", formatPage, diff)
	}
}

func TestTheKeyColumnsAreAsDocumented(t *testing.T) {
	for _, cells := range tableOf(t, formatPage, "Change rows", "attribute") {
		kind := transform.KeyType(cells[0][0])
		_, r := sample(t, kind, kind)
		for i := range r.MetaData().Schema.NumColumns() {
			name, _, typ, _, encoding := describe(t, r, i)
			if (name == "h" || name == "s") && (typ != cells[1] || encoding != cells[2]) {
				t.Errorf("%s says of a key of type %c: %s, %s; it is %s, %s", formatPage, kind, cells[1], cells[2], typ, encoding)
			}
		}
	}
}

func TestTheFilesMetadataIsAsDocumented(t *testing.T) {
	documented := tableOf(t, formatPage, "Metadata", "name")
	f, r := sample(t, 'S', 'N')
	var footer, object []string
	for _, name := range r.MetaData().KeyValueMetadata().Keys() {
		bare, ours := strings.CutPrefix(name, "dynamolake.")
		if !ours {
			t.Errorf("footer: %q has no prefix", name)
		}
		footer = append(footer, bare)
	}
	for name := range f.Meta {
		object = append(object, name)
	}
	sameNames(t, "footer", documented.names(func(c []string) bool { return c[1] == "yes" }), footer)
	sameNames(t, "object metadata", documented.names(func(c []string) bool { return c[2] == "yes" }), object)
	if v := fmt.Sprintf("version %s.", f.Meta["format"]); !strings.Contains(read(t, formatPage), v) {
		t.Errorf("%s does not say %q", formatPage, v)
	}
}

func TestSmallObjectsAreAsDocumented(t *testing.T) {
	for _, c := range []struct{ heading, file, structName string }{
		{"Rejects", "writer/reject.go", "rejectRecord"},
		{"Gaps", "consumer/gap.go", "Gap"},
	} {
		sameNames(t, c.heading, tableOf(t, formatPage, c.heading, "field").names(nil), jsonFields(t, c.file, c.structName))
	}
}

func TestRowsOfTheLeaseTablesAreAsDocumented(t *testing.T) {
	for _, c := range []struct{ heading, file string }{
		{"Lease rows", "checkpoint/row.go"},
		{"Worker rows", "checkpoint/worker.go"},
	} {
		sameNames(t, c.heading, tableOf(t, formatPage, c.heading, "attribute").names(nil), attributes(t, c.file))
	}
}

// describe says of a column what the documented table has of it.
func describe(t *testing.T, r *file.Reader, i int) (name, id, typ, nullable, encoding string) {
	t.Helper()
	c := r.MetaData().Schema.Column(i)
	chunk, err := r.MetaData().RowGroup(0).ColumnChunk(i)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range chunk.EncodingStats() {
		if s.PageType.String() == "DATA_PAGE_V2" {
			encoding = fmt.Sprint(s.Encoding)
		}
	}
	nullable = "no"
	if c.MaxDefinitionLevel() > 0 {
		nullable = "yes"
	}
	return c.Name(), fmt.Sprint(c.SchemaNode().FieldID()), typeText(c), nullable, encoding
}

func typeText(c *schema.Column) string {
	text := c.PhysicalType().String()
	if c.PhysicalType() == parquet.Types.FixedLenByteArray {
		text += fmt.Sprintf(" %d", c.TypeLength())
	}
	switch l := c.LogicalType().(type) {
	case schema.StringLogicalType:
		text += ", String"
	case schema.DecimalLogicalType:
		text += fmt.Sprintf(", Decimal %d, %d", l.Precision(), l.Scale())
	case schema.TimestampLogicalType:
		if l.TimeUnit() == schema.TimeUnitMicros {
			text += ", Timestamp, microseconds"
		}
		if l.IsAdjustedToUTC() {
			text += ", UTC"
		}
	case schema.IntLogicalType:
		text += fmt.Sprintf(", Int %d", l.BitWidth())
		if l.IsSigned() {
			text += ", signed"
		}
	}
	return text
}
