package writer_test

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
	"dynamolake/writer"
)

func openDuckDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestEveryKindOfFileReadsBackInDuckDB(t *testing.T) {
	db := openDuckDB(t)
	for _, f := range everyFile(t) {
		t.Run(f.name, func(t *testing.T) {
			got := readDuckDB(t, db, writeTemp(t, f.body))
			if diff := cmp.Diff(f.want, got); diff != "" {
				t.Errorf("(-written +read):\n%.3000s", diff)
			}
		})
	}
}

// TestOneTableOfAllFiles reads files of streams and of exports in one go, as an
// engine does that knows nothing of what each lacks.
func TestOneTableOfAllFiles(t *testing.T) {
	db := openDuckDB(t)
	dir := t.TempDir()
	rows := map[string]int{}
	for i, f := range everyFile(t) {
		if f.want.Columns[8] != "pk" || len(f.want.Columns) > 11 {
			continue
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%d.parquet", dir, i), f.body, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, row := range f.want.Values {
			rows[row[5].(string)]++
		}
	}
	for _, options := range []string{"", ", union_by_name = true"} {
		for source, want := range rows {
			var n, seqs int
			err := db.QueryRow("SELECT count(*), count(_seq) FROM read_parquet(?"+options+") WHERE _source = ?", dir+"/*.parquet", source).Scan(&n, &seqs)
			if err != nil || n != want || n == 0 || source == "stream" && seqs != n || source != "stream" && seqs != 0 {
				t.Errorf("%s%s: %d rows (want %d), %d with a sequence number, %v", source, options, n, want, seqs, err)
			}
		}
	}
}

func readDuckDB(t *testing.T, db *sql.DB, path string) rows {
	t.Helper()
	r, err := db.Query("SELECT * FROM read_parquet(?)", path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got rows
	if got.Columns, err = r.Columns(); err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		row := make([]any, len(got.Columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := r.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range row {
			switch v := v.(type) {
			case nil, string:
			case time.Time:
				row[i] = fmt.Sprint(v.UnixMicro())
			case []byte:
				row[i] = hex.EncodeToString(v)
			case duckdb.Decimal:
				row[i] = decimalText(v.Value.FillBytes(make([]byte, 16)))
				if v.Value.Sign() < 0 {
					row[i] = "-" + row[i].(string)
				}
			default:
				row[i] = fmt.Sprint(v)
			}
		}
		got.Values = append(got.Values, row)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestFiltersFindEveryRow in a file of many pages: what an engine skips by the
// statistics and the page index must hold no row that it looks for.
func TestFiltersFindEveryRow(t *testing.T) {
	keys := transform.KeySchema{Hash: attr("n", 'N'), Range: attr("b", 'B')}
	var records []writer.Record
	var values []int
	pad := strings.Repeat("x", 900)
	for i := range 8000 {
		n := (i*7919)%8000 - 4000 // negative and positive on every page
		values = append(values, n)
		key := fmt.Sprintf(`"n":{"N":"%d"},"b":{"B":"//%s"}`, n, []string{"8A", "//"}[i%2])
		records = append(records, writer.NewRecord(i+1, 'I', 1_700_000_000, "{"+key+"}", fmt.Sprintf(`{%s,"i":{"N":"%d"},"p":{"S":"%s"}}`, key, i, pad), ""))
	}
	f, _ := encodeKind(t, kind{keys: keys, records: records})
	path := writeTemp(t, f.Body)
	db := openDuckDB(t)
	count := func(where string) (n int) {
		t.Helper()
		if err := db.QueryRow("SELECT count(*) FROM read_parquet(?) WHERE "+where, path).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	below := func(limit int) (n int) {
		for _, v := range values {
			if v < limit {
				n++
			}
		}
		return n
	}
	for where, want := range map[string]int{
		"n < 0":                           below(0),
		"n < -3999":                       below(-3999),
		"n >= 3990":                       8000 - below(3990),
		"n = -17":                         1,
		"b = from_hex('FFFFFF')":          4000,
		"b >= from_hex('FFFF00')":         8000,
		`_rest LIKE '%"i":{"N":"4711"}%'`: 1,
		`_rest = '{"i":{"N":"4711"},"p":{"S":"` + pad + `"}}'`: 1,
		`_rest > '{' AND _rest < '|'`:                          8000,
		"_seq = '" + writer.SeqOf(4711).String() + "'":         1,
		"_seq > '" + writer.SeqOf(7990).String() + "'":         10,
		"_op = 'INSERT' AND _source = 'stream'":                8000,
		"_ts = TIMESTAMPTZ '2023-11-14 22:13:20+00'":           8000,
	} {
		if got := count(where); got != want {
			t.Errorf("WHERE %.80s: %d rows, want %d", where, got, want)
		}
	}
	var low, high string
	err := db.QueryRow("SELECT stats_min_value, stats_max_value FROM parquet_metadata(?) WHERE path_in_schema = 'n'", path).Scan(&low, &high)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(low, "-4000") || !strings.HasPrefix(high, "3999") {
		t.Errorf("statistics of the number key: %s to %s, want -4000 to 3999", low, high)
	}
}
