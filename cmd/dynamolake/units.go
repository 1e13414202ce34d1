package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// parseSize reads bytes with an optional unit: 1048576, 64MiB, 0.5 GB.
func parseSize(text string) (int64, error) {
	unit := int64(1)
	number := strings.TrimSpace(text)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || !(f >= 0 && f*float64(unit) <= 1<<62) { // NaN compares to nothing
		return 0, fmt.Errorf("size %q", text)
	}
	return int64(f * float64(unit)), nil
}

// formatSize writes bytes in the largest binary unit that leaves at most one
// decimal, so that nothing is rounded.
func formatSize(n int64) string {
	for _, u := range sizeUnits[:3] {
		if n >= u.bytes && n%u.bytes*10%u.bytes == 0 {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/float64(u.bytes)), ".0") + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

// roughSize writes bytes for people who look at them go by.
func roughSize(n int64) string {
	for _, u := range sizeUnits[:3] {
		if n >= u.bytes {
			return fmt.Sprintf("%.1f%s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}

// formatSpan writes a duration for people: two units, no fractions above ten seconds.
func formatSpan(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "-" + formatSpan(max(-d, -(d+1))) // the least has no counterpart
	case d < 9950*time.Millisecond:
		return d.Round(100 * time.Millisecond).String()
	}
	two := func(large, small time.Duration, names string) string {
		d := d.Round(small)
		return fmt.Sprintf("%d%c%d%c", d/large, names[0], d%large/small, names[1])
	}
	switch {
	case d < time.Minute-time.Second/2:
		return d.Round(time.Second).String()
	case d < time.Hour-time.Second/2:
		return two(time.Minute, time.Second, "ms")
	case d < 2*day-time.Minute/2:
		return two(time.Hour, time.Minute, "hm")
	}
	return two(day, time.Hour, "dh")
}

// shortDuration writes a duration as an operator would: 1h, not 1h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
