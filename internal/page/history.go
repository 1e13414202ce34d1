package page

import (
	"context"
	"sync"
	"time"
)

// Point is how far the fleet was behind at a time.
type Point struct {
	At  time.Time
	Lag time.Duration
}

// History is the last day, a point a minute. It is in memory: it begins with the worker.
type History struct {
	mu     sync.Mutex
	points []Point // oldest first
}

const (
	historyEvery = time.Minute
	historySpan  = 24 * time.Hour
)

// Run adds a point a minute, when there is one, until ctx ends.
func (h *History) Run(ctx context.Context, lag func() (time.Duration, bool)) {
	tick := time.NewTicker(historyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if d, ok := lag(); ok {
			h.Add(Point{At: time.Now(), Lag: d})
		}
	}
}

// Add appends a point, and forgets those that are older than a day.
func (h *History) Add(p Point) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := 0
	for old < len(h.points) && p.At.Sub(h.points[old].At) >= historySpan {
		old++
	}
	h.points = append(h.points[old:], p)
}

// Points is a copy.
func (h *History) Points() []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Point(nil), h.points...)
}
