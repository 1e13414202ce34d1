package writer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dynamolake/transform"
	"dynamolake/writer"
)

// TestFewValuesGetADictionary, and it is found anew for each file that says something of it.
func TestFewValuesGetADictionary(t *testing.T) {
	db := openDuckDB(t)
	s := parseSchema(t, `
datasets:
  - name: all
    columns:
      - {name: state, type: string}
      - {name: id, type: string}
      - {name: seldom, type: string}
      - {name: tags, type: set<string>}
`)
	e := writer.NewEncoder(writer.Schema{Keys: typedKeys, Dataset: "all", Plan: planOf(t, s)})
	long := strings.Repeat("\u4e16", 1000)
	file := func(rows, states int) string {
		var records []writer.Record
		for i := range rows {
			seldom := ""
			if i%100 == 0 {
				seldom = `,"seldom":{"S":"x"}`
			}
			records = append(records, one(i, fmt.Sprintf(`,"state":{"S":"%d-%s"},"id":{"S":"%x"},"tags":{"SS":["a","b-%d"]}%s`, i%states, long, i*i*7919, i%5, seldom)))
		}
		body, _ := writeExport(t, e, exportInfo(transform.ViewNewAndOld), changesOf(t, records))
		return writeFiles(t, body)
	}
	encodings := func(glob string) (all []string) {
		return texts(t, db, "SELECT encodings FROM parquet_metadata(?) WHERE column_id BETWEEN 10 AND 13 ORDER BY column_id", glob)
	}
	const dict, plain = "PLAIN, RLE, RLE_DICTIONARY", "RLE, DELTA_LENGTH_BYTE_ARRAY"
	for _, c := range []struct {
		rows, states int
		want         []string
	}{
		{20, 2, []string{plain, plain, plain, plain}}, // too few to tell
		{2000, 10, []string{dict, plain, plain, dict}},
		{20, 2, []string{dict, plain, plain, dict}}, // as before
		{2000, 1999, []string{plain, plain, plain, dict}},
		{2000, 3, []string{dict, plain, plain, dict}},
	} {
		glob := file(c.rows, c.states)
		if got := encodings(glob); !slices.Equal(got, c.want) {
			t.Errorf("%d rows of %d states: %q, want %q", c.rows, c.states, got, c.want)
		}
		got := texts(t, db, "SELECT count(*), count(DISTINCT state), count(DISTINCT id), count(seldom), count(*) FILTER (list_contains(tags, 'a')) FROM read_parquet(?)", glob)
		want := fmt.Sprintf("%[1]d | %[2]d | %[1]d | %[3]d | %[1]d", c.rows, c.states, (c.rows+99)/100)
		if got[0] != want {
			t.Errorf("%d rows of %d states: %s, want %s", c.rows, c.states, got, want)
		}
		bounds := texts(t, db, "SELECT octet_length(encode(stats_min_value)) <= 68, octet_length(encode(stats_max_value)) <= 68, stats_max_value >= '9' OR stats_max_value >= '1' FROM parquet_metadata(?) WHERE column_id = 10", glob)
		if !slices.Equal(bounds, []string{"true | true | true"}) {
			t.Errorf("%d rows of %d states: bounds %s", c.rows, c.states, bounds)
		}
		if got := texts(t, db, "SELECT count(*) > 0 FROM read_parquet(?) WHERE state = '1-' || ?", glob, long); got[0] != "true" {
			t.Errorf("%d rows of %d states: one is not found", c.rows, c.states)
		}
	}
}
