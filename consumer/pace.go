package consumer

import (
	"math/rand/v2"
	"time"
)

// pace says how long to leave a shard alone. A shard that gave records is read
// again at once; one that gave none is asked quickReads more times every
// quickWait, because empty pages also occur in the middle of a shard, and then
// less and less often, down to one call in max.
type pace struct {
	max time.Duration
}

const (
	quickWait  = 250 * time.Millisecond
	quickReads = 8
	// callSpacing keeps the library below its five calls a second: its window is
	// "more than one second", so five calls must take longer than that.
	callSpacing = 201 * time.Millisecond
)

// idle is the wait after the empties-th empty page in a row.
func (p pace) idle(empties int) time.Duration {
	if empties <= quickReads {
		return min(quickWait, p.max)
	}
	return doubled(quickWait, empties-quickReads, p.max)
}

// backoff is the wait after the failures-th failed call in a row.
func (p pace) backoff(failures int) time.Duration {
	return doubled(quickWait, failures-1, p.max)
}

func doubled(base time.Duration, times int, limit time.Duration) time.Duration {
	if times > 16 {
		return limit
	}
	return min(base<<times, limit)
}

// jitter spreads a wait over 90 to 100 % of itself, so that shards that went
// idle together do not call together.
func jitter(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/10+1))
}
