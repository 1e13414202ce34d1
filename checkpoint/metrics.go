package checkpoint

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	held   prometheus.Gauge
	lost   prometheus.Counter
	writes *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dynamolake_leases_held", Help: "Leases that this worker holds.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dynamolake_leases_lost_total", Help: "Leases that ended without a hand-over, by the deadline or because another worker has the row.",
		}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dynamolake_lease_writes_total", Help: "Writes to the lease and worker tables. Refused is a condition that did not hold.",
		}, []string{"op", "result"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.held, m.lost, m.writes} {
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
