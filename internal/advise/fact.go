package advise

import (
	"fmt"
	"math"
)

// Fact is something about the table, and where it comes from. A fact without a value
// is unknown, and From says why.
type Fact[T any] struct {
	Value *T     `json:"value"`
	From  string `json:"from"`
}

// Known makes a fact.
func Known[T any](value T, from string) Fact[T] { return Fact[T]{&value, from} }

// Unknown makes a fact that is not known, and says why.
func Unknown[T any](why string) Fact[T] { return Fact[T]{From: why} }

// OK tells whether the fact is known.
func (f Fact[T]) OK() bool { return f.Value != nil }

// Or is the value, or what to take for an unknown one.
func (f Fact[T]) Or(other T) T {
	if f.Value == nil {
		return other
	}
	return *f.Value
}

// Facts are what is known of the table. Sizes are in bytes, rates per second.
type Facts struct {
	Table   string        `json:"table"`  // empty when there is none
	Region  string        `json:"region"` // empty when not known
	Items   Fact[int64]   `json:"items"`
	Bytes   Fact[int64]   `json:"bytes"` // with its local indexes, as exports count it
	Units   Fact[float64] `json:"write_units_per_second"`
	Writes  Fact[float64] `json:"writes_per_second"` // of items
	Shards  Fact[int]     `json:"open_shards"`
	View    Fact[string]  `json:"stream_view"` // StreamOff, or what AWS calls it
	PITR    Fact[bool]    `json:"point_in_time_recovery"`
	Billing Fact[string]  `json:"billing_mode"`
	ItemAvg Fact[float64] `json:"item_bytes"` // follows from the others
	// Missed are questions that AWS did not answer, a line each.
	Missed []string `json:"missed"`
}

// StreamOff is the view of a table whose stream is off.
const StreamOff = "OFF"

// What a partition of DynamoDB holds and takes at the most, and how many a new table on
// demand has.
const (
	partitionBytes = 10e9
	partitionUnits = 1000
	freshShards    = 4
)

// Complete adds what follows from the other facts. It replaces none that is known.
func (f Facts) Complete() Facts {
	f.ItemAvg = f.averageItem()
	if !f.Writes.OK() && f.Units.OK() {
		f.Writes = f.writesFromUnits()
	}
	if !f.Shards.OK() {
		f.Shards = f.estimateShards()
	}
	return f
}

func (f Facts) averageItem() Fact[float64] {
	switch {
	case !f.Items.OK() || !f.Bytes.OK():
		return Unknown[float64]("needs the number of items and the size")
	case *f.Items.Value <= 0 || *f.Bytes.Value <= 0:
		return Unknown[float64]("the table is empty, or AWS has not counted it yet, which it does every six hours or so")
	}
	return Known(float64(*f.Bytes.Value)/float64(*f.Items.Value), "size / items")
}

// writesFromUnits turns write units into writes: a write takes one unit for each KB
// that it has begun, and twice that in a transaction, which cannot be seen.
func (f Facts) writesFromUnits() Fact[float64] {
	if !f.ItemAvg.OK() {
		return Known(*f.Units.Value, "estimated: a write for each write unit, as the size of items is not known")
	}
	each := max(math.Ceil(*f.ItemAvg.Value/1024), 1)
	return Known(*f.Units.Value/each, fmt.Sprintf("estimated: write units / %.0f, from the average item", each))
}

// estimateShards goes by partitions: a stream has one open shard for each.
func (f Facts) estimateShards() Fact[int] {
	units := f.Units
	if !units.OK() {
		units = f.Writes
	}
	if !f.Bytes.OK() && !units.OK() {
		return Unknown[int]("needs the stream, or the size or the writes to estimate it")
	}
	n := 1
	if f.Billing.Or("PAY_PER_REQUEST") == "PAY_PER_REQUEST" {
		n = freshShards
	}
	n = max(n, int(math.Ceil(float64(f.Bytes.Or(0))/partitionBytes)), int(math.Ceil(units.Or(0)/partitionUnits)))
	return Known(n, "estimated from size and writes: one for 10 GB or 1000 write units a second; --open-shards when you know better")
}
