package checkpoint

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	held          prometheus.Gauge
	taken, handed prometheus.Counter
	fenced        prometheus.Counter
	lost          *prometheus.CounterVec
	writes        *prometheus.CounterVec
}

// Why a lease is lost, as the metric's label.
const (
	lostByDeadline = "deadline"
	lostToAnother  = "taken"
	lostAtStop     = "stop"
)

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dynamolake_leases_held", Help: "Leases that this worker holds.",
		}),
		taken: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dynamolake_leases_taken_total", Help: "Leases that came to this worker: free ones, those of the dead, those handed to it, and children of shards that it ended.",
		}),
		handed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dynamolake_leases_handed_over_total", Help: "Leases that this worker handed over in order.",
		}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dynamolake_leases_fenced_total", Help: "Writes of lease rows that were refused because another worker has the row.",
		}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dynamolake_leases_lost_total", Help: "Leases that ended without a hand-over: by this worker's own deadline, because another worker has the row, or because the worker stopped.",
		}, []string{"reason"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dynamolake_lease_writes_total", Help: "Writes to the lease and worker tables. Refused is a condition that did not hold.",
		}, []string{"op", "result"}),
	}
	for _, reason := range []string{lostByDeadline, lostToAnother, lostAtStop} {
		m.lost.WithLabelValues(reason) // a rate needs the zero before the first
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.held, m.taken, m.handed, m.fenced, m.lost, m.writes} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register lease metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) write(op string, err error) {
	result := "ok"
	if _, no := errors.AsType[refused](err); no {
		result = "refused"
	} else if err != nil {
		result = "error"
	}
	m.writes.WithLabelValues(op, result).Inc()
}
