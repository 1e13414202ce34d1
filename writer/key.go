package writer

import (
	"strconv"
	"strings"
	"time"

	"dynamolake/transform"
)

// TablePrefix is where a table's part of the lake lies: "<account>/<region>/<table>/".
func TablePrefix(account, region, table string) string {
	return account + "/" + region + "/" + table + "/"
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
