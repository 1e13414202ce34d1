package consumer

import (
	"github.com/prometheus/client_golang/prometheus"

	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// schemas are the metrics of what columns did not take.
type schemas struct {
	misfits *prometheus.CounterVec
	version prometheus.Gauge
}

func newSchemas(reg prometheus.Registerer) *schemas {
	m := &schemas{
		misfits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "dynamolake", Subsystem: "consumer", Name: "misfits_total",
			Help: "Values that stayed in _rest although their attribute has a column, because it could not hold them exactly.",
		}, []string{"dataset", "column"}),
		version: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "dynamolake", Subsystem: "consumer", Name: "schema_version",
			Help: "Version of the table's schema that files are written with; 0: none.",
		}),
	}
	reg.MustRegister(m.misfits, m.version)
	return m
}

// count takes in what the making of a file showed.
func (m *schemas) count(version int, part dataset.Part, notes writer.Notes) {
	m.version.Set(float64(version))
	if notes.Misfits == nil {
		return
	}
	for i := range notes.Misfits.Columns {
		if n := notes.Misfits.Columns[i].Left(); n > 0 {
			m.misfits.WithLabelValues(part.Name, part.Plan.Columns[i].Name).Add(float64(n))
		}
	}
}
