package writer

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"dynamolake/transform"
)

// TablePrefix is where a table's part of the lake lies: "<account>/<region>/<table>/".
func TablePrefix(account, region, table string) string {
	return account + "/" + region + "/" + table + "/"
}

// PlacePrefix is where a replay writes beside that: "<account>/<region>/<table>~<into>/". No table's name
// has a "~". Without a name it is the [TablePrefix].
func PlacePrefix(account, region, table, into string) string {
	if into != "" {
		table += "~" + into
	}
	return TablePrefix(account, region, table)
}

// ChainPrefix is the folder of a shard's chain under a table prefix:
// "<table prefix>changes/<dataset>/shard_day=<day>/<shard id>/".
func ChainPrefix(tablePrefix, dataset, shardID string) string {
	return tablePrefix + "changes/" + dataset + "/shard_day=" + shardDay(shardID) + "/" + shardID + "/"
}

// shardDay is the UTC day that the shard was born on: its id is
// "shardId-<milliseconds since 1970, 20 digits>-<hex>".
func shardDay(shardID string) string {
	digits, _, _ := strings.Cut(strings.TrimPrefix(shardID, "shardId-"), "-")
	ms, err := strconv.ParseInt(digits, 10, 64)
	born := time.UnixMilli(ms).UTC()
	if err != nil || len(digits) != 20 || born.Year() > 9999 {
		return "unknown"
	}
	return born.Format(time.DateOnly)
}

func linkKey(prefix string, after transform.Seq) string {
	return prefix + "after-" + after.String() + ".parquet"
}

// SnapshotPrefix is the folder of the files of a full export under a table prefix:
// "<table prefix>snapshot/<dataset>/export=<export id>/".
func SnapshotPrefix(tablePrefix, dataset, exportID string) string {
	return tablePrefix + "snapshot/" + dataset + "/export=" + exportID + "/"
}

// WindowPrefix is that of an incremental export:
// "<table prefix>changes/<dataset>/window=<from>_<to>/", beside the shards' chains.
func WindowPrefix(tablePrefix, dataset string, from, to time.Time) string {
	return tablePrefix + "changes/" + dataset + "/window=" + TimeName(from) + "_" + TimeName(to) + "/"
}

// ExportPrefix is where the service puts an export of a window under a table prefix:
// "<table prefix>exports/<from>_<to>/". From is the zero time for a full export.
func ExportPrefix(tablePrefix string, from, to time.Time) string {
	return tablePrefix + "exports/" + TimeName(from) + "_" + TimeName(to) + "/"
}

// timeName has a point where keys have a dash: the time package reads fractions
// behind no other mark.
const timeName = "2006-01-02-15-04-05.000000"

// TimeName is a time in a key, to the microsecond, in UTC. Names sort as their
// times. The zero time is the beginning of 1970: before all of a table.
func TimeName(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return strings.Replace(t.UTC().Format(timeName), ".", "-", 1)
}

// ParseTimeName reads a TimeName.
func ParseTimeName(s string) (time.Time, error) {
	i := max(0, strings.LastIndexByte(s, '-'))
	t, err := time.Parse(timeName, s[:i]+strings.Replace(s[i:], "-", ".", 1))
	if err != nil || TimeName(t) != s {
		return time.Time{}, fmt.Errorf("time %q in a key: want YYYY-MM-DD-hh-mm-ss-uuuuuu", s)
	}
	return t, nil
}

// ExportFileName is the name of the Parquet file of a data file:
// "data/abc.json.gz" becomes "abc.parquet".
func ExportFileName(dataFile string) string {
	name := path.Base(dataFile)
	for _, suffix := range []string{".json.gz", ".ion.gz"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name + ".parquet"
}
