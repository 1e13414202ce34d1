package awssim

import "math"

// CountKey names what is counted: an operation of a service on a table or a bucket.
type CountKey struct{ Service, Operation, Target string }

// Count is how often, and at what price.
type Count struct {
	Calls int64 // HTTP attempts, refused ones included
	Units int64 // DynamoDB write or read request units, per table
}

// Counts returns the calls since New or ResetCounts.
func (c *Cloud) Counts() map[CountKey]Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[CountKey]Count, len(c.counts))
	for k, v := range c.counts {
		out[k] = *v
	}
	return out
}

// ResetCounts starts counting anew.
func (c *Cloud) ResetCounts() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.counts)
}

// WriteUnits returns the write units that the table has cost since ResetCounts.
func (c *Cloud) WriteUnits(table string) int64 {
	var sum int64
	for k, v := range c.Counts() {
		switch k.Operation {
		case "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems":
			if k.Target == table {
				sum += v.Units
			}
		}
	}
	return sum
}

func (c *Cloud) count(service, op, target string) *Count {
	k := CountKey{service, op, target}
	n := c.counts[k]
	if n == nil {
		n = &Count{}
		c.counts[k] = n
	}
	return n
}

// writeUnits is the price of writing size bytes; a no-op costs one too.
func writeUnits(size int) int64 { return max(1, int64(math.Ceil(float64(size)/1024))) }

// readUnits is the price of reading size bytes, in halves for eventual consistency.
func readUnits(size int, consistent bool) float64 {
	u := max(1, math.Ceil(float64(size)/4096))
	if !consistent {
		u /= 2
	}
	return u
}
