package writer_test

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dynamolake/internal/typeditems"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

func writeFiles(t *testing.T, files ...[]byte) (glob string) {
	t.Helper()
	dir := t.TempDir()
	for i, body := range files {
		if err := os.WriteFile(fmt.Sprintf("%s/%d.parquet", dir, i), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir + "/*.parquet"
}

// texts are the rows of a query, each value as text.
func texts(t *testing.T, db *sql.DB, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	for rows.Next() {
		row, into := make([]sql.NullString, len(names)), []any{}
		for i := range row {
			into = append(into, &row[i])
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		var line []string
		for _, v := range row {
			if !v.Valid {
				v.String = "NULL"
			}
			line = append(line, v.String)
		}
		all = append(all, strings.Join(line, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

// TestFilesOfThreeVersionsAreOneTable: what a version has no column for is null in its rows.
func TestFilesOfThreeVersionsAreOneTable(t *testing.T) {
	for name, versions := range map[string][]*schema.Schema{"inferred": evolved(t), "declared, with every type": grown(t)} {
		t.Run(name, func(t *testing.T) { areOneTable(t, versions) })
	}
}

func areOneTable(t *testing.T, versions []*schema.Schema) {
	db := openDuckDB(t)
	var bodies [][]byte
	want, all := map[string]int{}, 0
	for i, s := range versions {
		for _, f := range typedFiles(t, "", s, uint64(10+i), 100) {
			bodies = append(bodies, f.body)
			all += len(f.changes)
			own := ownCells(t, f)
			for i := range f.plan.Columns {
				c := &f.plan.Columns[i]
				leaf := f.plan.Leaves[slices.IndexFunc(f.plan.Leaves, func(l schema.Leaf) bool { return l.Column == i })]
				for _, cell := range own[strings.Join(leaf.Path, ".")] {
					if cell.Rep == 0 && cell.Def > 0 {
						want[c.Name]++
					}
				}
			}
		}
	}
	last := versions[2].Datasets[0].Columns
	if len(last) <= len(versions[0].Datasets[0].Columns)+5 {
		t.Fatalf("%d columns at last", len(last))
	}
	glob := writeFiles(t, bodies...)
	for i := range last {
		got := texts(t, db, fmt.Sprintf("SELECT count(*), count(%q), count(_rest) > 0 FROM read_parquet(?, union_by_name = true)", last[i].Name), glob)
		if diff := cmp.Diff([]string{fmt.Sprintf("%d | %d | true", all, want[last[i].Name])}, got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", last[i].Name, last[i].Type, diff)
		}
	}
	ids := texts(t, db, "SELECT name, count(DISTINCT field_id), count(DISTINCT type || coalesce(type_length, '')) FROM parquet_schema(?) WHERE field_id > 1000 GROUP BY ALL HAVING count(DISTINCT field_id) > 1 ORDER BY ALL", glob)
	for _, line := range ids {
		if !strings.HasPrefix(line, "element ") && !strings.HasPrefix(line, "x ") { // names that many have
			t.Errorf("a column has many ids: %s", line)
		}
	}
}

// one is a record of a single insert, with these attributes beside the key.
func one(n int, attributes string) writer.Record {
	key := fmt.Sprintf(`"pk":{"S":"a"},"sk":{"N":"%d"}`, n)
	return writer.NewRecord(n+1, 'I', 1_700_000_000, "{"+key+"}", "{"+key+attributes+"}", "")
}

// TestWhatEnginesSee of values that are easily mistaken for another.
func TestWhatEnginesSee(t *testing.T) {
	db := openDuckDB(t)
	records := []writer.Record{
		one(0, ``),
		one(1, `,"text":{"NULL":true},"ints":{"NULL":true},"box":{"NULL":true},"plain":{"NULL":true}`),
		one(2, `,"text":{"S":""},"ints":{"L":[]},"box":{"M":{}},"plain":{"S":"NULL"},"lines":{"L":[{"M":{}}]},"grid":{"L":[{"L":[]}]}`),
		one(3, `,"text":{"S":"NULL"},"ints":{"L":[{"N":"1"},{"N":"-2"}]},"box":{"M":{"x":{"S":""},"inner":{"M":{}}}},"plain":{"L":[{"N":"1.50"}]}`),
		one(4, `,"ints":{"L":[{"NULL":true}]},"box":{"M":{"y":{"N":"-0.5"},"more":{"S":"stays"}}},"address":{"M":{"city":{"S":"Linz"}}}`),
		one(5, `,"dec9":{"N":"-9999999.99"},"dec18":{"N":"-999999999999.999999"},"dec38":{"N":"-99999999999999999999999999999.999999999"},"whole38":{"N":"99999999999999999999999999999999999999"},"dec20":{"N":"-0.00000000000000000001"}`),
		one(6, `,"at_iso":{"S":"1969-12-31T23:59:59.999Z"},"at_seconds":{"N":"-1"},"at_micros":{"N":"-1"},"day_iso":{"S":"1582-10-15"},"day_seconds":{"N":"-86400"},"rounded":{"N":"0.1000000000000000055"}`),
	}
	s := parseSchema(t, typeditems.EveryType)
	body := encodeTyped(t, writer.Schema{Keys: typedKeys, Dataset: "all", Plan: planOf(t, s)}, records)
	glob := writeFiles(t, body)
	for _, c := range []struct {
		columns string
		want    []string
	}{
		{"text", []string{"NULL", "NULL", "", "NULL", "NULL", "NULL", "NULL"}},
		{"text IS NULL", []string{"true", "true", "false", "false", "true", "true", "true"}},
		{"ints::VARCHAR, len(ints)", []string{"NULL | NULL", "NULL | NULL", "[] | 0", "[1, -2] | 2", "NULL | NULL", "NULL | NULL", "NULL | NULL"}},
		{"box IS NULL, box.x, box.inner IS NULL, box.y::VARCHAR", []string{
			"true | NULL | true | NULL", "true | NULL | true | NULL", "false | NULL | true | NULL", "false |  | false | NULL", "false | NULL | true | -0.50",
			"true | NULL | true | NULL", "true | NULL | true | NULL",
		}},
		{"plain", []string{"NULL", "null", `"NULL"`, "[1.50]", "NULL", "NULL", "NULL"}},
		{"lines::VARCHAR, grid::VARCHAR", []string{"NULL | NULL", "NULL | NULL", "[{'sku': NULL, 'n': NULL, 'tags': NULL}] | [[]]", "NULL | NULL", "NULL | NULL", "NULL | NULL", "NULL | NULL"}},
		{"_rest", []string{
			`{}`, `{"text":{"NULL":true},"ints":{"NULL":true},"box":{"NULL":true}}`, `{}`, `{}`, `{"ints":{"L":[{"NULL":true}]},"box":{"M":{"more":{"S":"stays"}}}}`, `{}`,
			`{"rounded":{"N":"0.1000000000000000055"}}`,
		}},
	} {
		if diff := cmp.Diff(c.want, texts(t, db, "SELECT "+c.columns+" FROM read_parquet(?) ORDER BY sk", glob)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.columns, diff)
		}
	}
	for columns, want := range map[string]string{
		"dec9::VARCHAR, dec18::VARCHAR, dec38::VARCHAR":                              "-9999999.99 | -999999999999.999999 | -99999999999999999999999999999.999999999",
		"whole38::VARCHAR, dec20::VARCHAR":                                           "99999999999999999999999999999999999999 | -.00000000000000000001",
		"typeof(dec9), typeof(dec18), typeof(dec38), typeof(whole38)":                "DECIMAL(9,2) | DECIMAL(18,6) | DECIMAL(38,9) | DECIMAL(38,0)",
		"typeof(at_iso), typeof(day_iso), typeof(plain), typeof(bytes)":              "TIMESTAMP WITH TIME ZONE | DATE | VARCHAR | BLOB",
		"typeof(numbers), typeof(box)":                                               "DECIMAL(38,9)[] | STRUCT(x VARCHAR, y DECIMAL(9,2), doubles DOUBLE[], \"inner\" STRUCT(z BOOLEAN, l DECIMAL(38,9)[]))",
		"typeof(text), typeof(int), typeof(rounded), typeof(flag), typeof(binaries)": "VARCHAR | BIGINT | DOUBLE | BOOLEAN | BLOB[]",
	} {
		if diff := cmp.Diff([]string{want}, texts(t, db, "SELECT "+columns+" FROM read_parquet(?) WHERE sk = 5", glob)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", columns, diff)
		}
	}
	want := []string{"-1000 | -1000000 | -1 | 1582-10-15 | 1969-12-31 | 0.1"}
	got := texts(t, db, "SELECT epoch_us(at_iso), epoch_us(at_seconds), epoch_us(at_micros), day_iso::VARCHAR, day_seconds::VARCHAR, rounded FROM read_parquet(?) WHERE sk = 6", glob)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
}

// TestFiltersFindEveryTypedValue: bounds hold what is on each page, and are short.
func TestFiltersFindEveryTypedValue(t *testing.T) {
	db := openDuckDB(t)
	var records []writer.Record
	const n = 6000
	for i := range n {
		v := (i*7919)%n - n/2
		high := map[bool]string{true: "\U0010FFFF", false: "\u4e16"}[v%2 == 0]
		records = append(records, one(i, fmt.Sprintf(`,"int":{"N":"%[1]d"},"dec9":{"N":"%[1]d.25"},"dec18":{"N":"%[1]d.5"},"dec38":{"N":"%[1]d"},"rounded":{"N":"%[1]d"},
			"at_seconds":{"N":"%[1]d"},"day_seconds":{"N":"%[2]d"},"text":{"S":"%[3]s%[1]d"},"bytes":{"B":"////////////////////////////////////////////////////////////////////////////////////////////////%04[4]dAA=="},
			"plain":{"L":[{"N":"%[1]d"}]},"ints":{"L":[{"N":"%[1]d"},{"N":"7"}]},"pad":{"S":"%[5]s"}`,
			v, v*86400, strings.Repeat(high, 40), i, strings.Repeat("x", 200))))
	}
	s := parseSchema(t, typeditems.EveryType)
	body := encodeTyped(t, writer.Schema{Keys: typedKeys, Dataset: "all", Plan: planOf(t, s)}, records)
	glob := writeFiles(t, body)
	for where, want := range map[string]int{
		"int < 0": n / 2, "int = -17": 1, "dec9 < 0": n / 2, "dec9 = 17.25": 1, "dec18 < 0": n / 2, "dec38 < 0": n / 2, "dec38 = 2999": 1, "rounded >= 2990": 10,
		"at_seconds < to_timestamp(0)": n / 2, "day_seconds < DATE '1970-01-01'": n / 2,
		"text = '" + strings.Repeat("\U0010FFFF", 40) + "-18'": 1, "text = '" + strings.Repeat("\u4e16", 40) + "-17'": 1, "text > '" + strings.Repeat("\U0010FFFF", 39) + "'": n / 2,
		"bytes >= from_hex('FFFFFF')": n, "bytes = from_base64('////////////////////////////////////////////////////////////////////////////////////////////////4711AA==')": 1,
		"plain = '[-17]'": 1, "list_contains(ints, -17)": 1, "_rest LIKE '%xx%'": n,
	} {
		if got := texts(t, db, "SELECT count(*) FROM read_parquet(?) WHERE "+where, glob); got[0] != fmt.Sprint(want) {
			t.Errorf("WHERE %.100s: %s rows, want %d", where, got[0], want)
		}
	}
	if len(body) > 900_000 {
		t.Errorf("a file of %d bytes", len(body))
	}
	long := writer.Schema{Keys: typedKeys, Dataset: "all", Plan: planOf(t, s)}
	body = encodeTyped(t, long, []writer.Record{one(1, `,"text":{"S":"`+strings.Repeat("long", 90_000)+`"}`)})
	if i := strings.LastIndex(string(body), strings.Repeat("long", 16)); i < 0 || strings.Contains(string(body), strings.Repeat("long", 17)) {
		t.Error("a bound of a long text is not 64 bytes long")
	}
}
