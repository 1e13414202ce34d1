package main

import (
	"math"
	"testing"
	"time"
)

func TestSizesRoundTrip(t *testing.T) {
	for _, n := range []int64{0, 1, 1023, 1024, 1025, 1536, 64 << 10, 1<<20 - 1, 1 << 20, 3 << 19, 1_000_000, 256 << 20, 5 << 28, 5<<28 + 1, 1 << 40, 1<<53 - 1} {
		text := formatSize(n)
		if back, err := parseSize(text); err != nil || back != n {
			t.Errorf("%d is written as %q, which is read as %d (%v)", n, text, back, err)
		}
	}
}

func TestSizesAreWrittenShort(t *testing.T) {
	for want, n := range map[string]int64{"0B": 0, "1023B": 1023, "1KiB": 1024, "1.5KiB": 1536, "64MiB": 64 << 20, "1GiB": 1 << 30, "1024GiB": 1 << 40, "1000000B": 1e6} {
		if got := formatSize(n); got != want {
			t.Errorf("formatSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSizesAreReadWithAnyUnit(t *testing.T) {
	for text, want := range map[string]int64{"1048576": 1 << 20, "64MiB": 64 << 20, "0.5 GB": 5e8, " 2KB ": 2000, "7B": 7, "1.5GiB": 3 << 29} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1TiB", "1mib", "NaN", "Inf", "1e30", "1 2", "64M"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestSpansAreForPeople(t *testing.T) {
	for _, c := range []struct {
		span time.Duration
		want string
	}{
		{0, "0s"},
		{1234 * time.Millisecond, "1.2s"},
		{9990 * time.Millisecond, "10s"},
		{59400 * time.Millisecond, "59s"},
		{59600 * time.Millisecond, "1m0s"},
		{100 * time.Second, "1m40s"},
		{10 * time.Minute, "10m0s"},
		{59*time.Minute + 59600*time.Millisecond, "1h0m"},
		{100 * time.Minute, "1h40m"},
		{23*time.Hour + 59*time.Minute, "23h59m"},
		{30 * time.Hour, "30h0m"},
		{76 * time.Hour, "3d4h"},
		{-90 * time.Second, "-1m30s"},
		{math.MaxInt64, "106751d23h"},
		{math.MinInt64, "-106751d23h"},
	} {
		if got := formatSpan(c.span); got != c.want {
			t.Errorf("formatSpan(%v) = %q, want %q", c.span, got, c.want)
		}
	}
}

func TestDurationsAreWrittenShort(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "100ms": 100 * time.Millisecond, "30s": 30 * time.Second, "10m": 10 * time.Minute, "1h": time.Hour,
		"1h30m": 90 * time.Minute, "1m30s": 90 * time.Second, "24h": 24 * time.Hour, "1h0m20s": time.Hour + 20*time.Second,
	} {
		got := shortDuration(d)
		if back, err := time.ParseDuration(got); got != want || err != nil || back != d {
			t.Errorf("shortDuration(%v) = %q, want %q", d, got, want)
		}
	}
}
