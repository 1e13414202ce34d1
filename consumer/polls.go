package consumer

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// polls counts GetRecords calls, all of them and those of the last hour. Each is paid for.
type polls struct {
	prometheus.Counter

	mu    sync.Mutex
	first time.Time
	tally tally
}

// Inc counts one call.
func (p *polls) Inc() {
	p.Counter.Inc()
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first.IsZero() {
		p.first = now
	}
	p.tally.add(now.Sub(p.first))
}

func (p *polls) perHour(now time.Time) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first.IsZero() {
		return 0
	}
	return p.tally.perHour(now.Sub(p.first))
}

// tally counts by minutes of the last hour. Times are spans since it began.
type tally struct {
	minutes [61]float64 // the last hour and the minute that is under way, in a ring
	last    int         // the minute that was counted in last
}

func (t *tally) add(at time.Duration) {
	t.roll(at)
	t.minutes[t.last%len(t.minutes)]++
}

// perHour is the count of the last hour; of a shorter time than that, at least a minute, in
// proportion.
func (t *tally) perHour(at time.Duration) float64 {
	t.roll(at)
	sum := 0.0
	for _, n := range t.minutes {
		sum += n
	}
	counted := min(at, time.Hour+at%time.Minute)
	return sum * float64(time.Hour) / float64(max(counted, time.Minute))
}

// roll forgets what is older than an hour.
func (t *tally) roll(at time.Duration) {
	now := int(at / time.Minute)
	for m := max(t.last+1, now-len(t.minutes)+1); m <= now; m++ {
		t.minutes[m%len(t.minutes)] = 0
	}
	t.last = max(t.last, now)
}
