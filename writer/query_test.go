package writer_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// keepLake leaves the lake and its state in a folder, for engines that tests do not have.
var keepLake = flag.String("querylake", "", "a folder to leave the lake of TestTheQueriesOfTheDocumentation in")

// queried are three versions of a schema: the second adds a struct, the third a field to it, and columns.
func queried(t *testing.T) (versions []*schema.Schema) {
	for i, columns := range []string{
		"{name: name, type: string}, {name: total, type: int64}",
		"{name: name, type: string}, {name: total, type: int64}, {name: address, type: struct, fields: [{name: city, type: string}]}",
		`{name: name, type: string}, {name: total, type: int64}, {name: address, type: struct, fields: [{name: city, type: string}, {name: zip, type: string}]}, {name: tags, type: set<string>}, {name: price, type: "decimal(9,2)"}`,
	} {
		s, err := schema.Parse([]byte("datasets: [{name: all, columns: [" + columns + "]}]"))
		if err != nil {
			t.Fatal(err)
		}
		var prev *schema.Schema
		if i > 0 {
			prev = versions[i-1]
		}
		s, _ = s.Adopt(prev)
		versions = append(versions, s)
	}
	return versions
}

// queryLake writes a lake, and knows what its state is.
type queryLake struct {
	*testing.T
	*rand.Rand
	root  string
	seq   int
	state map[string]string // attributes beside the key, by the key's number
}

const queryPrefix = "123456789012/eu-central-1/orders/"

func (q *queryLake) key(n int) string {
	return fmt.Sprintf(`"pk":{"S":"p%d"},"sk":{"N":"%d"}`, n%7, n)
}

func (q *queryLake) attributes() string {
	pick := func(from ...string) string { return from[q.IntN(len(from))] }
	return `"name":{"S":"` + pick("a", "b", "ünï") + `"},"total":` + pick(`{"N":"1"}`, `{"N":"20"}`, `{"S":"free"}`, `{"N":"1.5"}`) +
		pick("", `,"address":{"M":{"city":{"S":"Linz"},"zip":{"S":"4020"}}}`, `,"address":{"M":{"city":{"S":"Wien"}}}`) +
		pick("", `,"note":{"S":"of `+fmt.Sprint(q.IntN(100))+`"}`) + pick("", `,"points":{"L":[{"N":"0.1"},{"S":"x"}]}`) + pick("", `,"tags":{"SS":["x"]},"price":{"N":"9.5"}`)
}

// changes are some of the items, of which one in four is removed.
func (q *queryLake) changes(n int, created int64) (records []writer.Record) {
	for range n {
		i := q.IntN(40)
		name, key := fmt.Sprint(i), "{"+q.key(i)+"}"
		q.seq++
		if _, there := q.state[name]; there && q.IntN(4) == 0 {
			delete(q.state, name)
			records = append(records, writer.NewRecord(q.seq, 'R', created, key, "", ""))
			continue
		}
		q.state[name] = q.attributes()
		records = append(records, writer.NewRecord(q.seq, 'M', created, key, "{"+q.key(i)+","+q.state[name]+"}", ""))
	}
	return records
}

func (q *queryLake) encoder(s *schema.Schema) *writer.Encoder {
	return writer.NewEncoder(writer.Schema{Keys: typedKeys, Table: "orders", Dataset: "all", Version: s.Version, Plan: planOf(q, s)})
}

func (q *queryLake) put(key string, body []byte) {
	path := filepath.Join(q.root, queryPrefix, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		q.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o666); err != nil {
		q.Fatal(err)
	}
}

func (q *queryLake) stream(s *schema.Schema, epoch, created int64, n int) {
	b := writer.NewBatch(transform.Seq{})
	body, p := writer.PageBody("", q.changes(n, created)...), new(transform.Page)
	if err := transform.NewDecoder(typedKeys).Decode(body, p); err != nil {
		q.Fatal(err)
	}
	b.Add(body, p, time.Unix(0, 0))
	slice, _ := b.Cut(time.Unix(0, 0), writer.Limits{}, true)
	f, err := q.encoder(s).Encode(slice, writer.Info{Shard: shard, Epoch: epoch, Writer: "w"})
	if err != nil {
		q.Fatal(err)
	}
	q.put(strings.TrimPrefix(writer.ChainPrefix("", "all", shard), "/")+fmt.Sprintf("after-%040d.parquet", epoch), f.Body)
}

func (q *queryLake) export(s *schema.Schema, info writer.ExportInfo, view transform.View, records []writer.Record) {
	lines := writer.ExportLines(view == transform.ViewFull, records...)
	body, _ := writeExport(q.T, q.encoder(s), info, writer.DecodeExport(q, typedKeys, lines, view).Changes)
	prefix, source := writer.WindowPrefix("", "all", info.From, info.To), "incremental"
	if info.Full() {
		prefix, source = writer.SnapshotPrefix("", "all", "01700000000000-0a1b2c3d"), "full"
	}
	q.put(prefix+"abc.parquet", body)
	q.put(fmt.Sprintf("_ledger/exports/%d.json", info.Epoch), fmt.Appendf(nil, `{"format":1,"source":%q,"epoch":%d,"to":%q}`, source, info.Epoch, info.To.UTC().Format(time.RFC3339)))
}

const streamed = 1_700_000_000 // 2023-11-14 22:13:20

// newQueryLake is a stream that a full export puts an end to, a window, and another stream.
func newQueryLake(t *testing.T) *queryLake {
	q := &queryLake{T: t, Rand: rand.New(rand.NewPCG(3, 3)), root: t.TempDir(), state: map[string]string{}}
	if *keepLake != "" {
		q.root = *keepLake
	}
	versions := queried(t)
	q.stream(versions[0], 4, streamed, 80)
	// Items of whose removal the stream does not tell.
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range q.state {
			if !yield(name) {
				return
			}
		}
	}) {
		if q.IntN(3) == 0 {
			delete(q.state, name)
		}
	}
	var full []writer.Record
	for i := range 40 {
		if a, ok := q.state[fmt.Sprint(i)]; ok {
			full = append(full, writer.NewRecord(i+1, 'I', streamed, "{"+q.key(i)+"}", "{"+q.key(i)+","+a+"}", ""))
		}
	}
	at := time.Unix(streamed+1000, 0)
	q.export(versions[1], writer.ExportInfo{ARN: "arn:f", To: at, Epoch: 6, Items: int64(len(full))}, transform.ViewFull, full)
	// A window has the last change of each item.
	window := map[string]writer.Record{}
	var order []string
	for _, r := range q.changes(30, streamed+2000) {
		key := string(writer.ExportLines(false, r))
		key = key[strings.Index(key, `"Keys":`):]
		key = key[:strings.Index(key, "}}")]
		if _, there := window[key]; !there {
			order = append(order, key)
		}
		window[key] = r
	}
	var changed []writer.Record
	for _, key := range order {
		changed = append(changed, window[key])
	}
	q.export(versions[1], writer.ExportInfo{ARN: "arn:w", From: at, To: at.Add(time.Hour), Epoch: 7}, transform.ViewNew, changed)
	q.stream(versions[2], 8, streamed+7200, 60)
	return q
}

// want are the rows of the state: key, name, total whatever its type, city, note.
func (q *queryLake) want() (rows []string) {
	for name, attributes := range q.state {
		var item map[string]struct {
			S, N *string
			M    map[string]struct{ S *string }
		}
		if err := json.Unmarshal([]byte("{"+attributes+"}"), &item); err != nil {
			q.Fatal(err)
		}
		text := func(all ...*string) string {
			for _, s := range all {
				if s != nil {
					return *s
				}
			}
			return "NULL"
		}
		n := 0
		fmt.Sscan(name, &n) //nolint:errcheck // a number that was printed
		rows = append(rows, fmt.Sprintf("p%d | %02d | %s | %s | %s | %s", n%7, n, text(item["name"].S), text(item["total"].N, item["total"].S), text(item["address"].M["city"].S), text(item["note"].S)))
	}
	slices.Sort(rows)
	return rows
}

var sqlBlock = regexp.MustCompile("(?s)```sql duckdb\n(.*?)```")

// TestTheQueriesOfTheDocumentation runs every statement for DuckDB of docs/query.md.
func TestTheQueriesOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../docs/query.md")
	if err != nil {
		t.Fatal(err)
	}
	q := newQueryLake(t)
	want := q.want()
	if len(want) < 10 {
		t.Fatalf("%d items", len(want))
	}
	if *keepLake != "" {
		q.put("want.txt", []byte(strings.Join(want, "\n")+"\n"))
	}
	db := openDuckDB(t)
	answers := map[string][]string{}
	for i, block := range sqlBlock.FindAllSubmatch(page, -1) {
		statement := strings.ReplaceAll(string(bytes.TrimSpace(block[1])), "s3://lake/p/"+strings.TrimSuffix(queryPrefix, "/"), filepath.Join(q.root, queryPrefix))
		if strings.HasPrefix(statement, "CREATE") {
			if _, err := db.Exec(statement); err != nil {
				t.Fatalf("statement %d: %v\n%s", i+1, err, statement)
			}
			continue
		}
		answers[strings.Fields(statement)[1]+" "+fmt.Sprint(i)] = texts(t, db, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ("+strings.TrimSuffix(statement, ";")+")")
	}
	if len(answers) != 5 {
		t.Fatalf("%d answers", len(answers))
	}
	for name, rows := range answers {
		if len(rows) == 0 {
			t.Errorf("%s: no rows", name)
		}
	}
	got := texts(t, db, `SELECT pk, lpad(CAST(sk AS INT)::VARCHAR, 2, '0'), name, coalesce(CAST(total AS VARCHAR), _rest ->> '$.total.N', _rest ->> '$.total.S'), address.city, _rest ->> '$.note.S' FROM state ORDER BY ALL`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	for version, columns := range map[string]string{"2": "count(address) > 0", "3": "count(address.zip) > 0 AND count(tags) > 0 AND count(price) > 0"} {
		if got := texts(t, db, "SELECT "+columns+" FROM history"); got[0] != "true" {
			t.Errorf("columns of version %s: %s", version, got[0])
		}
	}
	// Time travel: before the full export it is the first stream's end, now it is the state.
	now := texts(t, db, "SELECT count(*) FROM state_at(TIMESTAMPTZ '2023-11-16 00:00:00+00')")
	if now[0] != fmt.Sprint(len(want)) {
		t.Errorf("the state of later has %s items, want %d", now[0], len(want))
	}
	first := texts(t, db, "SELECT count(*) FROM (SELECT *, row_number() OVER (PARTITION BY pk, sk ORDER BY _seq DESC) AS n FROM history WHERE _epoch = 4) WHERE n = 1 AND _op <> 'REMOVE'")
	then := texts(t, db, "SELECT count(*) FROM state_at(TIMESTAMPTZ '2023-11-14 22:20:00+00')")
	if then[0] != first[0] || then[0] == now[0] || then[0] == "0" {
		t.Errorf("the state of before the export has %s items, the stream had %s", then[0], first[0])
	}
}
