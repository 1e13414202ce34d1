package writer

import (
	"slices"
	"testing"
	"time"
)

func TestKeysOfExports(t *testing.T) {
	prefix := TablePrefix("123456789012", "eu-west-1", "orders")
	from := time.Date(2024, 3, 15, 1, 0, 0, 0, time.FixedZone("CET", 3600))
	to := from.Add(24*time.Hour + 1500*time.Microsecond)
	for got, want := range map[string]string{
		SnapshotPrefix(prefix, "all", "01768385930622-efd1a093"): "123456789012/eu-west-1/orders/snapshot/all/export=01768385930622-efd1a093/",
		WindowPrefix(prefix, "all", from, to):                    "123456789012/eu-west-1/orders/changes/all/window=2024-03-15-00-00-00-000000_2024-03-16-00-00-00-001500/",
		ExportPrefix(prefix, time.Time{}, from):                  "123456789012/eu-west-1/orders/exports/1970-01-01-00-00-00-000000_2024-03-15-00-00-00-000000/",
		ExportFileName("p/AWSDynamoDB/data/abc.json.gz"):         "abc.parquet",
		ExportFileName("p/AWSDynamoDB/data/abc.ion.gz"):          "abc.parquet",
		ExportFileName("abc"):                                    "abc.parquet",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestTimeNamesSortAndReadBack(t *testing.T) {
	var names []string
	for _, at := range []time.Time{
		{}, time.Unix(0, 1000), time.Unix(1_700_000_000, 0), time.Unix(1_700_000_000, 999_999_000), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		name := TimeName(at)
		names = append(names, name)
		if back, err := ParseTimeName(name); err != nil || !back.Equal(at) && !at.IsZero() {
			t.Errorf("%s: %s, %v", name, back, err)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("%q", names)
	}
	for _, bad := range []string{
		"", "-", "2024-03-15", "2024-03-15-00-00-00", "2024-03-15-00-00-00.000000", "2024-03-15-00-00-00-0000000",
		"2024-3-15-00-00-00-000000", "2024-13-15-00-00-00-000000", "2024-03-15-24-00-00-000000", "2024-03-15-00-00-00-000000Z",
	} {
		if at, err := ParseTimeName(bad); err == nil {
			t.Errorf("%q is %s", bad, at)
		}
	}
}
