package advise

import (
	"math"
	"strings"
	"testing"
	"time"
)

// handy are prices to reckon with by head.
func handy() Prices {
	p, err := ParsePrices([]byte(`{"date":"2026-01-01","region":"eu-west-1","prices":{"pitr_gb_month":2,"full_export_gb":1,
		"incremental_export_gb":3,"stream_read_million":10,"write_unit_million":100,"put_thousand":5,"worker_hour":0.1}}`))
	if err != nil {
		panic(err)
	}
	return p
}

func plan() Plan {
	return Plan{Importance: example, FullEvery: 24 * time.Hour, Window: time.Hour, Flush: 20 * time.Second, Workers: 3, Prices: handy()}
}

// facts of a table of 100 GB in 100 M items of 1000 bytes, 10 writes a second, 10 shards.
func facts() Facts {
	return Facts{
		Table: "orders", Region: "eu-west-1",
		Items: Known(int64(100e6), "test"), Bytes: Known(int64(100e9), "test"),
		Writes: Known(10.0, "test"), Shards: Known(10, "test"),
		View: Known("NEW_AND_OLD_IMAGES", "test"), PITR: Known(true, "test"), Billing: Known("PAY_PER_REQUEST", "test"),
	}
}

func wantCost(t *testing.T, c Cost, lines map[string]float64) {
	t.Helper()
	sum := 0.0
	for _, l := range c.Lines {
		want, ok := lines[l.What]
		delete(lines, l.What)
		if !ok || l.Amount == nil || math.Abs(*l.Amount-want) > 1e-6*max(want, 1) {
			t.Errorf("%s %s: %v (%s), want %v", c.Pattern, l.What, l.Amount, l.Formula, want)
			continue
		}
		sum += want
	}
	if len(lines) > 0 {
		t.Errorf("%s has no lines %v", c.Pattern, lines)
	}
	if !c.Whole || math.Abs(c.Monthly-sum) > 1e-6*sum {
		t.Errorf("%s: %v a month, whole %v; want %v", c.Pattern, c.Monthly, c.Whole, sum)
	}
}

func TestCostOfFullExports(t *testing.T) {
	c := fullCost(facts().Complete(), plan())
	wantCost(t, c, map[string]float64{
		"point-in-time recovery": 200,                             // 100 GB x 2
		"exports":                3000,                            // 30 x 100 GB x 1
		"PUT":                    3.75,                            // 30 x 25 / 1000 x 5
		"worker":                 30 * (0.25 + 1000.0/3600) * 0.1, // 30 x 0.5278 h x 0.1
	})
	p := plan()
	p.FullEvery = 7 * 24 * time.Hour
	if weekly := fullCost(facts().Complete(), p); math.Abs(*weekly.Lines[1].Amount-3000/7.0) > 1e-9 {
		t.Errorf("exports once a week cost %v", *weekly.Lines[1].Amount)
	}
}

func TestCostOfIncrementalExports(t *testing.T) {
	c := incrementalCost(facts().Complete(), plan())
	wantCost(t, c, map[string]float64{
		"point-in-time recovery": 200,
		"exports":                720 * 0.036 * 3, // 10/s x 3600 s x 1000 B = 36 MB a window
		"PUT":                    90,              // 720 x 25 / 1000 x 5
		"worker":                 72,              // 720 h x 0.1
	})
	if len(c.Once) != 1 || *c.Once[0].Amount != 100 {
		t.Errorf("to begin with: %+v", c.Once)
	}
}

func TestAWindowIsBilledForTenMegabytesAtLeast(t *testing.T) {
	f := facts()
	f.Writes = Known(1.0, "test") // 3.6 MB an hour
	c := incrementalCost(f.Complete(), plan())
	if got, want := *c.Lines[1].Amount, 720*0.010*3; math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
	if !strings.Contains(c.Lines[1].Formula, "10 MB are billed at least") {
		t.Errorf("it does not say so: %s", c.Lines[1].Formula)
	}
	f.Writes, f.Items = Known(0.0, "test"), Unknown[int64]("test")
	if c := incrementalCost(f.Complete(), plan()); !c.Whole || math.Abs(*c.Lines[1].Amount-21.6) > 1e-9 {
		t.Errorf("without writes the size of items does not matter: %+v", c.Lines[1])
	}
}

func TestCostOfAStream(t *testing.T) {
	c := streamCost(facts().Complete(), plan())
	wantCost(t, c, map[string]float64{
		"GetRecords":   1296,            // 10 shards x 5/s (each has a change a second) x 2.592 M s = 129.6 M
		"PUT":          6480,            // 10 shards / 20 s = 0.5/s = 1.296 M
		"lease tables": 4 * 2.592 * 100, // 10/20 + 0.5 + 3 a second
		"workers":      3 * 720 * 0.1,
	})
}

func TestCostOfAnIdleStream(t *testing.T) {
	f := facts()
	f.Writes = Known(0.0, "test")
	c := streamCost(f.Complete(), plan())
	wantCost(t, c, map[string]float64{
		"GetRecords":   25.92, // 10 shards x 0.1/s = 2.592 M
		"PUT":          0,
		"lease tables": 3.5 * 2.592 * 100,
		"workers":      216,
	})
}

func TestHowOftenAShardIsRead(t *testing.T) {
	for _, c := range []struct {
		name          string
		changes, want float64
	}{
		{"an idle shard once in ten seconds", 0, 0.1},
		{"a busy one five times a second", 1000, 5},
		{"one change a second keeps it busy", 1, 5},
		// 14 calls in the first 17.7 s, and then (3600 - 17.7) / 10.
		{"after a change an hour it calms down", 1.0 / 3600, 373.0 / 3600},
		{"a change a year is as good as none", 1.0 / (365 * 86400), 0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := callsPerSecond(c.changes); math.Abs(got-c.want) > 1e-4 {
				t.Errorf("%v calls a second, want %v", got, c.want)
			}
		})
	}
	for x := 1e-6; x < 1e3; x *= 1.01 {
		if calls := callsPerSecond(x); calls < 0.1-1e-9 || calls > 5 || calls < min(x, 5) {
			t.Fatalf("%v changes a second make %v calls", x, calls)
		}
	}
}

func TestFilesOfAShard(t *testing.T) {
	for _, c := range []struct {
		name          string
		changes, want float64
	}{
		{"rarely changed: a file for each change", 0.001, 0.001},
		{"steady: a file for each interval", 100, 0.05},
		{"very busy: a file when it is full", 100_000, 0.5},
	} {
		if got := filesPerSecond(c.changes, 20*time.Second); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestUnknownFactsMakeUnknownCosts(t *testing.T) {
	for i, c := range Costs(Facts{
		Items: Unknown[int64]("x"), Bytes: Unknown[int64]("x"), Units: Unknown[float64]("x"), Writes: Unknown[float64]("x"),
		Shards: Unknown[int]("x"), View: Unknown[string]("x"), PITR: Unknown[bool]("x"), Billing: Unknown[string]("x"),
	}.Complete(), plan()) {
		known := []float64{0, 72, 216}[i] // the workers'
		if c.Whole || c.Monthly != known {
			t.Errorf("%s: %v, whole %v, want %v", c.Pattern, c.Monthly, c.Whole, known)
		}
		for _, l := range c.Lines {
			if l.Amount == nil && !strings.HasPrefix(l.Formula, "needs the ") {
				t.Errorf("%s %s does not say what it needs: %q", c.Pattern, l.What, l.Formula)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 2592000: "2.592 M", 720: "720", 3600: "3600", 1.5: "1.5", 0.1036: "0.104", 0.0005: "0.0005", 0.518: "0.518"} {
		if got := number(x); got != want {
			t.Errorf("%v is %q, want %q", x, got, want)
		}
	}
}
