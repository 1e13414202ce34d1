package bootstrap

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

// duckdb opens a database of one thread, as one worker of ours is one file at a time.
func duckdb(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "?threads=1&memory_limit=4GB")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// sameByDuckDB is the conversion of an export as DuckDB does it: the key in columns of
// its own, everything else as DynamoDB JSON, zstd at level 1.
const sameByDuckDB = `COPY (
	SELECT 'SNAPSHOT' AS _op, 'full' AS _source, 1::BIGINT AS _epoch,
		json->>'$.Item.pk.S' AS pk, json->>'$.Item.sk.S' AS sk,
		json_merge_patch(json->'$.Item', '{"pk":null,"sk":null}')::VARCHAR AS _rest
	FROM read_ndjson_objects('%s', compression='gzip')
) TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`

// dataFiles is where shapedExport puts its data files.
func dataFiles(root string) string {
	return filepath.Join(root, "AWSDynamoDB", "*", "data", "*.json.gz")
}

// BenchmarkAgainstDuckDB converts the same export by ours and by DuckDB, in turn, each on one
// thread (run it with -cpu 1). Run one of the two alone for its peak-RSS-MiB.
func BenchmarkAgainstDuckDB(b *testing.B) {
	const files, items = 4, 50_000
	root := b.TempDir()
	from, text, _ := shapedExport(b, root, files, items)
	report := func(b *testing.B, cpu float64) {
		b.SetBytes(text)
		b.ReportMetric(cpu/float64(b.N)/(files*items)*1e6, "cpu-s/1M")
		b.ReportMetric(float64(b.N)*files*items/cpu, "rows/cpu-s")
		b.ReportMetric(peakRSS(b), "peak-RSS-MiB")
	}
	b.Run("ours", func(b *testing.B) {
		cpu := 0.0
		for b.Loop() {
			o := shapedOptions(b, b.TempDir())
			before := cpuTime()
			if r, err := FromExport(b.Context(), o, Import{From: from}); err != nil || r.Items != files*items {
				b.Fatal(r, err)
			}
			cpu += (cpuTime() - before).Seconds()
		}
		report(b, cpu)
	})
	b.Run("duckdb", func(b *testing.B) {
		db := duckdb(b)
		cpu := 0.0
		for b.Loop() {
			before := cpuTime()
			if _, err := db.Exec(fmt.Sprintf(sameByDuckDB, dataFiles(root), filepath.Join(b.TempDir(), "out.parquet"))); err != nil {
				b.Fatal(err)
			}
			cpu += (cpuTime() - before).Seconds()
		}
		report(b, cpu)
	})
}

// TestDuckDBConvertsTheSame compares the rows of both as bags, both ways: else the benchmark
// would compare different work.
func TestDuckDBConvertsTheSame(t *testing.T) {
	root, lake := t.TempDir(), t.TempDir()
	from, _, _ := shapedExport(t, root, 2, 2_000)
	if _, err := FromExport(t.Context(), shapedOptions(t, lake), Import{From: from}); err != nil {
		t.Fatal(err)
	}
	db := duckdb(t)
	theirs := filepath.Join(t.TempDir(), "out.parquet")
	if _, err := db.Exec(fmt.Sprintf(sameByDuckDB, dataFiles(root), theirs)); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(lake, "*", "*", "*", "snapshot", "all", "*", "*.parquet")
	const columns = "_op, _source, _epoch, pk, sk, _rest"
	count := func(query string) (n int) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(fmt.Sprintf("SELECT count(*) FROM read_parquet('%s')", ours)); n != 4_000 {
		t.Errorf("%d rows, want 4000", n)
	}
	for _, pair := range [][2]string{{ours, theirs}, {theirs, ours}} {
		if n := count(fmt.Sprintf("SELECT count(*) FROM (SELECT %[1]s FROM read_parquet('%[2]s') EXCEPT ALL SELECT %[1]s FROM read_parquet('%[3]s'))", columns, pair[0], pair[1])); n != 0 {
			t.Errorf("%d rows of %s are not in %s", n, filepath.Base(pair[0]), filepath.Base(pair[1]))
		}
	}
}

// peakRSS is the most memory that this process ever had.
func peakRSS(tb testing.TB) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				tb.Fatal(err)
			}
			return float64(kb) / 1024
		}
	}
	return 0
}
