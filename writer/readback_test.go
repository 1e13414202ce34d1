package writer_test

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/writer"
)

const shard = "shardId-00000001700000000000-0a1b2c3d"

// kind is one kind of file that the writer makes.
type kind struct {
	name    string
	keys    transform.KeySchema
	old     bool
	records []writer.Record
	rest    func(*transform.Page) // changes the decoded page
}

func attr(name string, t transform.KeyType) transform.KeyAttr {
	return transform.KeyAttr{Name: name, Type: t}
}

// kinds are every kind of file: each key type, with and without old images, no
// rows, hostile text, nulls.
func kinds() []kind {
	const ts = 1_700_000_000
	one := func(seq int, key, more string) writer.Record {
		return writer.NewRecord(seq, 'I', ts+int64(seq), "{"+key+"}", "{"+key+more+"}", "")
	}
	key := func(attr, t, v string) string { return fmt.Sprintf(`%q:{%q:%s}`, attr, t, v) }
	var numbers, binaries []writer.Record
	for i, n := range []string{"0", "-1", "1", "-0.000000001", "12345678901234567890123456789.123456789", "-99999999999999999999999999999.999999999", "1E+100", "2", "-7.5"} {
		numbers = append(numbers, one(i+1, key("n", "N", `"`+n+`"`), `,"x":{"S":"v"}`))
	}
	for i, b := range []string{"AA==", "/////////////////////////////w==", strings.Repeat("////", 500), "aGVsbG8="} {
		binaries = append(binaries, one(i+1, key("pk", "S", `"p"`)+","+key("b", "B", `"`+b+`"`), ""))
	}
	hostile := strings.Join([]string{`a.b`, `"quoted"`, `com,ma`, "\u00e9\u4e16\U0001f600", `back\slash`, `name=1`, "tab\tand\nline"}, " ")
	return []kind{
		{name: "a string key without old images", keys: transform.KeySchema{Hash: attr("pk", 'S')}, records: []writer.Record{
			one(1, key("pk", "S", `"a"`), `,"x":{"N":"1.50"},"l":{"L":[{"NULL":true},{"BOOL":false}]}`),
			one(2, key("pk", "S", `"a"`), ``),
			writer.NewRecord(3, 'M', ts+5, `{"pk":{"S":"b"}}`, `{"pk":{"S":"b"},"x":{"S":"new"}}`, `{"pk":{"S":"b"},"x":{"S":"old"}}`),
			writer.NewRecord(4, 'R', ts+5, `{"pk":{"S":"b"}}`, "", `{"pk":{"S":"b"},"x":{"S":"new"}}`),
		}},
		{name: "a string key with old images", old: true, keys: transform.KeySchema{Hash: attr("pk", 'S')}, records: []writer.Record{
			one(1, key("pk", "S", `"a"`), `,"x":{"N":"1.50"}`),
			writer.NewRecord(2, 'M', ts+5, `{"pk":{"S":"a"}}`, `{"pk":{"S":"a"},"x":{"S":"new"}}`, `{"pk":{"S":"a"},"x":{"N":"1.50"}}`),
			writer.NewRecord(3, 'R', ts+6, `{"pk":{"S":"a"}}`, "", `{"pk":{"S":"a"},"x":{"S":"new"}}`),
		}},
		{name: "a number key with values that do not fit", keys: transform.KeySchema{Hash: attr("n", 'N')}, records: numbers},
		{name: "a string and a binary key", keys: transform.KeySchema{Hash: attr("pk", 'S'), Range: attr("b", 'B')}, records: binaries},
		{name: "a binary and a number key", keys: transform.KeySchema{Hash: attr("b", 'B'), Range: attr("n", 'N')}, records: []writer.Record{
			one(1, key("b", "B", `"/w=="`)+","+key("n", "N", `"-3"`), `,"x":{"SS":["a","b"]}`),
			one(2, key("n", "N", `"4"`)+","+key("b", "B", `"AP8="`), ``),
		}},
		{name: "hostile attribute names", keys: transform.KeySchema{Hash: attr(hostile, 'S'), Range: attr("_seq", 'N')}, records: []writer.Record{
			one(1, mustJSON(hostile)+`:{"S":"v"},`+key("_seq", "N", `"9"`), `,"":{"S":"empty"},".":{"S":"dot"}`),
		}},
		{name: "names that differ in case", keys: transform.KeySchema{Hash: attr("Id", 'S'), Range: attr("ID", 'S')}, records: []writer.Record{
			one(1, key("Id", "S", `"lower"`)+","+key("ID", "S", `"upper"`), ``),
		}},
		{name: "hostile values", keys: transform.KeySchema{Hash: attr("pk", 'S')}, records: []writer.Record{
			one(1, `"pk":{"S":"\"\\\u0000\u00e9\ud83d\ude00'; drop"}`, `,"x":{"S":"\u0000'\"\\"}`),
			one(2, `"pk":{"S":"`+strings.Repeat("k", 2048)+`"}`, `,"x":{"B":"AAEC"}`),
			one(3, `"pk":{"S":"lone \ud800"}`, ``),
		}},
		{name: "values that were not told", keys: transform.KeySchema{Hash: attr("pk", 'S')}, records: []writer.Record{
			one(1, key("pk", "S", `"a"`), ``), one(2, key("pk", "S", `"b"`), ``),
		}, rest: func(p *transform.Page) { p.Changes[0].EventID, p.Changes[0].Created = nil, 0 }},
		{name: "no rows", old: true, keys: transform.KeySchema{Hash: attr("pk", 'S'), Range: attr("n", 'N')}},
		{name: "several pages of 1 KB items", keys: transform.KeySchema{Hash: attr("pk", 'S')}, records: writer.LargeRecords(7, 1, 3000)},
		{name: "a large item with both images", old: true, keys: transform.KeySchema{Hash: attr("pk", 'S')}, records: []writer.Record{
			writer.NewRecord(1, 'M', ts, `{"pk":{"S":"a"}}`, `{"pk":{"S":"a"},"x":{"S":"`+strings.Repeat("n", 400<<10)+`"}}`, `{"pk":{"S":"a"},"x":{"S":"`+strings.Repeat("o", 400<<10)+`"}}`),
			one(2, key("pk", "S", `"b"`), ``),
		}},
	}
}

// rows is a file's content as text: column names, then each row, nil for null.
type rows struct {
	Columns []string
	Values  [][]any
}

// encodeKind returns the file of a kind and what should be read from it.
func encodeKind(t *testing.T, k kind) (writer.File, rows) {
	t.Helper()
	b := writer.NewBatch(transform.Seq{})
	body := writer.PageBody("", k.records...)
	p := new(transform.Page)
	if err := transform.NewDecoder(k.keys).Decode(body, p); err != nil {
		t.Fatal(err)
	}
	if len(p.Rejects) > 0 {
		t.Fatalf("reject: %s", p.Rejects[0].Reason)
	}
	if k.rest != nil {
		k.rest(p)
	}
	want := wantRows(k, p.Changes, func(c *transform.Change) []any {
		row := []any{c.Op.String(), c.Seq.String(), nil, shard, nil, "stream", "42", fmt.Sprint(c.TTL)}
		if c.Created != 0 {
			row[2] = fmt.Sprint(c.Created)
		}
		if c.EventID != nil {
			row[4] = string(c.EventID)
		}
		return row
	})
	now := time.Unix(0, 0)
	b.Add(body, p, now)
	s, ok := b.Cut(now, writer.Limits{}, false)
	if !ok {
		t.Fatal("the shard's end is not due")
	}
	e := writer.NewEncoder(writer.Schema{Keys: k.keys, OldImage: k.old, Table: "tab", Dataset: "all", Version: 3})
	var f writer.File
	for range runtime.GOMAXPROCS(0) + 1 { // the last by a file writer that was used before
		var err error
		f, err = e.Encode(s, writer.Info{Stream: "arn:aws:dynamodb:eu-west-1:1:table/tab/stream/x", Shard: shard, Epoch: 42, Writer: "host ä/1"})
		if err != nil {
			t.Fatal(err)
		}
	}
	return f, want
}

// wantRows is what should be read of changes; meta gives the columns before the
// key's.
func wantRows(k kind, changes []transform.Change, meta func(*transform.Change) []any) rows {
	var want rows
	want.Columns = []string{"_op", "_seq", "_ts", "_shard", "_event_id", "_source", "_epoch", "_ttl"}
	for _, c := range k.keys.Columns() {
		want.Columns = append(want.Columns, c.Name)
	}
	if k.old {
		want.Columns = append(want.Columns, "_old")
	}
	want.Columns = append(want.Columns, "_rest")
	for i := range changes {
		c := &changes[i]
		row := meta(c)
		values := []transform.KeyValue{c.Hash, c.Range}
		for i, col := range k.keys.Columns() {
			row = append(row, keyText(col.Type, values[i]))
		}
		if k.old {
			if c.Old != nil {
				row = append(row, string(c.Old))
			} else {
				row = append(row, nil)
			}
		}
		if c.HasRest() {
			row = append(row, string(c.AppendRest(nil)))
		} else {
			row = append(row, nil)
		}
		want.Values = append(want.Values, row)
	}
	return want
}

func keyText(t transform.KeyType, v transform.KeyValue) any {
	switch {
	case !v.Exact:
		return nil
	case t == 'N':
		return decimalText(v.Dec[:])
	case t == 'B':
		return hex.EncodeToString(v.Bytes)
	}
	return string(v.Bytes)
}

// decimalText is a decimal(38,9) with all nine digits after the point.
func decimalText(b []byte) string {
	n := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return new(big.Rat).SetFrac(n, big.NewInt(1_000_000_000)).FloatString(9)
}

func writeTemp(t *testing.T, body []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.parquet")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// made is a file and what should be read from it.
type made struct {
	name string
	body []byte
	want rows
}

var (
	makeFiles sync.Once
	allFiles  []made
)

// everyFile is one file of every kind, of streams and of exports. The tests of the
// binary share them.
func everyFile(t *testing.T) []made {
	t.Helper()
	makeFiles.Do(func() { allFiles = makeEveryFile(t) })
	if len(allFiles) == 0 {
		t.Fatal("the files could not be made, see the first test that wanted them")
	}
	return allFiles
}

func makeEveryFile(t *testing.T) []made {
	t.Helper()
	var files []made
	for _, k := range kinds() {
		f, want := encodeKind(t, k)
		files = append(files, made{"stream, " + k.name, f.Body, want})
		if k.rest != nil {
			continue
		}
		for _, view := range []transform.View{transform.ViewFull, transform.ViewNewAndOld, transform.ViewNew} {
			body, want := encodeExport(t, k, view)
			files = append(files, made{fmt.Sprintf("export %c, %s", view, k.name), body, want})
		}
	}
	return files
}

// TestEveryKindOfFileReadsBack with the two other Go implementations; DuckDB has
// its own file.
func TestEveryKindOfFileReadsBack(t *testing.T) {
	for _, f := range everyFile(t) {
		path := writeTemp(t, f.body)
		for name, read := range map[string]func(*testing.T, string) rows{"xitongsys": readXitongsys, "arrow": readArrow} {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				got := read(t, path)
				if len(got.Values) == 0 && len(f.want.Values) == 0 {
					got.Values, f.want.Values = nil, nil
				}
				if diff := cmp.Diff(f.want, got); diff != "" {
					t.Errorf("(-written +read):\n%.3000s", diff)
				}
			})
		}
	}
}
