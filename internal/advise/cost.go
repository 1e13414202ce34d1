package advise

import (
	"fmt"
	"math"
	"time"
)

// Month is what monthly amounts are for.
const Month = 30 * 24 * time.Hour

// What costs rest on beside facts and prices.
const (
	gb           = 1e9
	leastBilled  = 10e6 // bytes that AWS bills for an incremental export at least, as seen in real ones
	controlFiles = 5    // of each export: _started, two manifests and their checksums
	// An export keeps a worker for the time that AWS takes for a small one, and then for
	// its conversion.
	waitHours       = 0.25
	convertHours    = 10.0 / 3600 // a GB
	fileRows        = 200_000     // a file is written when it has so many rows
	renewEvery      = 20.0        // seconds between two renewals of a lease
	beatsPerSecond  = 1.0         // of each worker
	secondsPerMonth = float64(Month / time.Second)
)

// NotCounted says what the costs leave out.
const NotCounted = "storage in S3, reads of S3, transfer, KMS, logs, tax, discounts and free tiers"

// Line is one item of a bill.
type Line struct {
	What    string   `json:"what"`
	Amount  *float64 `json:"amount"`  // nil: unknown
	Formula string   `json:"formula"` // with its inputs, or what it needs
}

// Cost is what a pattern costs in a month.
type Cost struct {
	Pattern Pattern `json:"pattern"`
	Lines   []Line  `json:"lines"`
	Monthly float64 `json:"monthly"` // sum of the lines that are known
	Whole   bool    `json:"whole"`   // all lines are known
	None    bool    `json:"none"`    // no line is
	Once    []Line  `json:"once"`    // to begin with
}

// bill collects lines.
type bill struct {
	prices Prices
	lines  []Line
}

// add bills a quantity; formula says how it came about. per is how many make the
// price's unit.
func (b *bill) add(what, price string, quantity, per float64, formula string) {
	amount := quantity / per * b.prices.of(price)
	b.lines = append(b.lines, Line{what, &amount, formula + " x " + b.prices.each(price)})
}

// lack is a line whose amount is not known.
func (b *bill) lack(what, needs string) {
	b.lines = append(b.lines, Line{What: what, Formula: "needs " + needs})
}

func (b *bill) total(p Pattern, once []Line) Cost {
	c := Cost{Pattern: p, Lines: b.lines, Whole: true, None: true, Once: append([]Line{}, once...)}
	for _, l := range b.lines {
		if l.Amount == nil {
			c.Whole = false
		} else {
			c.Monthly += *l.Amount
			c.None = false
		}
	}
	return c
}

// Costs of all patterns, in order.
func Costs(f Facts, p Plan) []Cost {
	return []Cost{fullCost(f, p), incrementalCost(f, p), streamCost(f, p)}
}

func fullCost(f Facts, p Plan) Cost {
	b := bill{prices: p.Prices}
	n := float64(Month) / float64(p.FullEvery)
	pitrLine(&b, f)
	if f.Bytes.OK() {
		size := float64(*f.Bytes.Value) / gb
		b.add("exports", fullGB, n*size, 1, fmt.Sprintf("%s exports x %s GB", number(n), number(size)))
		filesLine(&b, f, "exports", n)
		b.add("worker", workerHour, n*(waitHours+size*convertHours), 1, fmt.Sprintf("%s exports x (%s h + %s GB x 10 s)", number(n), number(waitHours), number(size)))
	} else {
		b.lack("exports", "the size")
		filesLine(&b, f, "exports", n)
		b.lack("worker", "the size")
	}
	return b.total(Full, nil)
}

func incrementalCost(f Facts, p Plan) Cost {
	b := bill{prices: p.Prices}
	n := float64(Month) / float64(p.Window)
	pitrLine(&b, f)
	if changed := windowBytes(f, p.Window); changed.OK() {
		billed := max(*changed.Value, leastBilled)
		b.add("exports", changedGB, n*billed/gb, 1, fmt.Sprintf("%s windows x %s GB (%s)", number(n), number(billed/gb), changed.From))
	} else {
		b.lack("exports", changed.From)
	}
	filesLine(&b, f, "windows", n)
	b.add("worker", workerHour, Month.Hours(), 1, fmt.Sprintf("1 worker x %s h", number(Month.Hours())))
	return b.total(Incremental, seedLine(f, p))
}

// windowBytes is what changes in a window: each write counts as the average item,
// also where several go to one.
func windowBytes(f Facts, window time.Duration) Fact[float64] {
	switch {
	case !f.Writes.OK():
		return Unknown[float64]("the writes a second")
	case *f.Writes.Value == 0:
		return Known(0.0, "no writes; 10 MB are billed at least")
	case !f.ItemAvg.OK():
		return Unknown[float64]("the size of an item")
	}
	bytes := *f.Writes.Value * window.Seconds() * *f.ItemAvg.Value
	from := fmt.Sprintf("%s writes/s x %s s x %s bytes", number(*f.Writes.Value), number(window.Seconds()), number(*f.ItemAvg.Value))
	if bytes < leastBilled {
		from += "; 10 MB are billed at least"
	}
	return Known(bytes, from)
}

func streamCost(f Facts, p Plan) Cost {
	b := bill{prices: p.Prices}
	if f.Shards.OK() && f.Writes.OK() {
		shards := float64(*f.Shards.Value)
		each := *f.Writes.Value / shards // even; an uneven spread costs less
		calls := callsPerSecond(each)
		b.add("GetRecords", streamReads, shards*calls*secondsPerMonth, 1e6,
			fmt.Sprintf("%s shards x %s calls/s (%s changes/s each) x %s s", number(shards), number(calls), number(each), number(secondsPerMonth)))
		files := shards * filesPerSecond(each, p.Flush)
		b.add("PUT", puts, files*secondsPerMonth, 1e3,
			fmt.Sprintf("%s files/s (each shard one in %s s, if it has changes) x %s s", number(files), number(p.Flush.Seconds()), number(secondsPerMonth)))
		leases := shards/renewEvery + files + float64(p.Workers)*beatsPerSecond
		b.add("lease tables", writeUnits, leases*secondsPerMonth, 1e6,
			fmt.Sprintf("%s writes/s (%s shards / %s s + %s files/s + %d workers x 1/s) x %s s", number(leases), number(shards), number(renewEvery), number(files), p.Workers, number(secondsPerMonth)))
	} else {
		needs := "the writes a second"
		if !f.Shards.OK() {
			needs = "the number of open shards"
		}
		for _, what := range []string{"GetRecords", "PUT", "lease tables"} {
			b.lack(what, needs)
		}
	}
	b.add("workers", workerHour, float64(p.Workers)*Month.Hours(), 1, fmt.Sprintf("%d workers x %s h", p.Workers, number(Month.Hours())))
	return b.total(Stream, seedLine(f, p))
}

// callsPerSecond is how often the consumer reads a shard with so many changes a second,
// evenly spread: what came after a change is read at once, then eight times every
// 250 ms, then after twice the wait each time, up to 10 s. No shard gives more than five a second.
func callsPerSecond(changes float64) float64 {
	const atOnce, quick, quickReads, idle, most = 0.2, 0.25, 8, 10.0, 5.0
	if changes <= 0 {
		return 1 / idle
	}
	gap := 1 / changes // until the next change
	calls, at, wait := 0.0, 0.0, atOnce
	for n := 0; at < gap && wait < idle; n++ {
		calls++
		at += wait
		if wait = quick; n >= quickReads {
			wait = min(quick*math.Pow(2, float64(n-quickReads+1)), idle)
		}
	}
	if at < gap {
		calls += math.Ceil((gap - at) / idle)
	}
	return min(calls/gap, most)
}

// filesPerSecond of a shard: a batch waits for its rows first and for its age last.
func filesPerSecond(changes float64, flush time.Duration) float64 {
	return max(min(changes, 1/flush.Seconds()), changes/fileRows)
}

func pitrLine(b *bill, f Facts) {
	if !f.Bytes.OK() {
		b.lack("point-in-time recovery", "the size")
		return
	}
	size := float64(*f.Bytes.Value) / gb
	b.add("point-in-time recovery", pitrMonth, size, 1, number(size)+" GB")
}

// filesLine bills the objects of exports: at least one data file for each partition, and its
// Parquet file.
func filesLine(b *bill, f Facts, what string, n float64) {
	if !f.Shards.OK() {
		b.lack("PUT", "the number of open shards, which is that of partitions")
		return
	}
	shards := float64(*f.Shards.Value)
	b.add("PUT", puts, n*(2*shards+controlFiles), 1e3, fmt.Sprintf("%s %s x (2 x %s files + %d)", number(n), what, number(shards), controlFiles))
}

// seedLine is the full export that a lake begins with.
func seedLine(f Facts, p Plan) []Line {
	b := bill{prices: p.Prices}
	if f.Bytes.OK() {
		size := float64(*f.Bytes.Value) / gb
		b.add("first full export", fullGB, size, 1, number(size)+" GB")
	} else {
		b.lack("first full export", "the size")
	}
	return b.lines
}

// number writes a quantity with three digits that count, or four before the point.
func number(x float64) string {
	switch {
	case x >= 1e6:
		return trim(x/1e6, 3) + " M"
	case x >= 100:
		return trim(x, 0)
	case x >= 1:
		return trim(x, 2)
	case x > 0:
		return trim(x, min(2-int(math.Floor(math.Log10(x))), 9))
	}
	return "0"
}

// trim writes so many decimals at the most.
func trim(x float64, decimals int) string {
	scale := math.Pow(10, float64(decimals))
	return fmt.Sprint(math.Round(x*scale) / scale)
}
