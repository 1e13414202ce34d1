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

// exported is a file of an export with every column, one change in it, and its
// object metadata.
func exported(t *testing.T, info writer.ExportInfo, view transform.View, line string) (map[string]string, *file.Reader) {
	t.Helper()
	keys := transform.KeySchema{Hash: transform.KeyAttr{Name: "h", Type: 'S'}, Range: transform.KeyAttr{Name: "s", Type: 'S'}}
	page := new(transform.Page)
	if err := transform.NewDecoder(keys).DecodeExport([]byte(line), view, page); err != nil || len(page.Changes) != 1 {
		t.Fatalf("decoding the sample: %v, %d changes", err, len(page.Changes))
	}
	e := writer.NewEncoder(writer.Schema{Keys: keys, OldImage: true, Table: "t", Dataset: "all"})
	var body bytes.Buffer
	x := e.Export(&body, info)
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
	return e.ExportMeta(info), r
}

func TestFilesOfExportsAreAsDocumented(t *testing.T) {
	const heading, key = "Snapshot and window files", `{"h":{"S":"a"},"s":{"S":"b"}}`
	when := time.Unix(1_700_000_000, 0)
	special := map[string][]string{}
	for _, cells := range tableOf(t, formatPage, heading, "column") {
		special[strings.Trim(cells[0], "`")] = cells[1:]
	}
	documented := tableOf(t, formatPage, heading, "name")
	_, streams := sample(t, 'S', 'S')
	for i, source := range []string{"full", "incremental"} {
		info, view, line := writer.ExportInfo{To: when}, transform.ViewFull, `{"Item":`+key+`}`
		if source == "incremental" {
			info.From, view = when.Add(-time.Hour), transform.ViewNewAndOld
			line = fmt.Sprintf(`{"Metadata":{"WriteTimestampMicros":{"N":"1700000000000000"}},"Keys":%[1]s,"NewImage":%[1]s,"OldImage":%[1]s}`, key)
		}
		meta, r := exported(t, info, view, line)
		var footer, object []string
		for _, name := range r.MetaData().KeyValueMetadata().Keys() {
			footer = append(footer, strings.TrimPrefix(name, "dynamolake."))
		}
		for name := range meta {
			object = append(object, name)
		}
		sameNames(t, source+": footer", documented.names(func(c []string) bool { return c[1] == "yes" }), footer)
		sameNames(t, source+": object metadata", documented.names(func(c []string) bool { return c[2] == "yes" }), append(object, "attempt"))

		for c := range r.MetaData().Schema.NumColumns() {
			name, id, typ, nullable, encoding := describe(t, r, c)
			want, wantID, wantType, wantNullable, wantEncoding := describe(t, streams, c)
			if name == "_seq" || name == "_shard" {
				wantNullable = "yes"
			}
			if name != want || id != wantID || typ != wantType || nullable != wantNullable || encoding != wantEncoding {
				t.Errorf("%s: column %d is %s %s %s %s %s; of a stream %s %s %s %s %s", source, c, name, id, typ, nullable, encoding, want, wantID, wantType, wantNullable, wantEncoding)
			}
			chunk, err := r.MetaData().RowGroup(0).ColumnChunk(c)
			if err != nil {
				t.Fatal(err)
			}
			stats, err := chunk.Statistics()
			null := err == nil && stats != nil && stats.HasNullCount() && stats.NullCount() == 1
			if text := append(special[name], "", "")[i]; (text == "null") != null {
				t.Errorf("%s says of %s of %s exports: %q; it is null: %t", formatPage, name, source, text, null)
			}
		}
	}
}

func TestKeysOfExportsAreAsDocumented(t *testing.T) {
	prefix, when := writer.TablePrefix("1", "r", "t"), time.Unix(1_700_000_000, 0)
	name := writer.ExportFileName("data/abc.json.gz")
	patterns := tableOf(t, formatPage, "Snapshot and window files", "key").names(nil)
	for i, key := range []string{
		writer.SnapshotPrefix(prefix, "all", "01700000000000-0a1b2c3d") + name,
		writer.WindowPrefix(prefix, "all", when, when.Add(time.Hour)) + name,
		writer.ExportPrefix(prefix, time.Time{}, when),
	} {
		if i >= len(patterns) || !pattern(patterns[i]).MatchString(key) {
			t.Errorf("%s does not describe %s in its place, but %q", formatPage, key, patterns)
		}
	}
}

func TestSmallObjectsAreAsDocumented(t *testing.T) {
	for _, c := range []struct{ heading, file, structName string }{
		{"Rejects", "writer/reject.go", "rejectRecord"},
		{"Gaps", "consumer/gap.go", "Gap"},
		{"Ledger", "checkpoint/ledger/ledger.go", "Ledger"},
		{"Epochs", "checkpoint/ledger/ledger.go", "Epoch"},
		{"Exports", "checkpoint/ledger/ledger.go", "Export"},
		{"Ledger gaps", "checkpoint/ledger/ledger.go", "Gap"},
		{"The place of a replay", "cmd/dynamolake/replay_claim.go", "claim"},
		{"Export records", "checkpoint/ledger/record.go", "Record"},
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
	case schema.DateLogicalType:
		text += ", Date"
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
