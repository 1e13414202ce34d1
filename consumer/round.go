package consumer

import "github.com/prometheus/client_golang/prometheus"

// round registers the metrics of one stream, and takes them back at its end, so that
// those of the next can take their names.
type round struct {
	prometheus.Registerer
	mine []prometheus.Collector
}

func (r *round) Register(c prometheus.Collector) error {
	err := r.Registerer.Register(c)
	if err == nil {
		r.mine = append(r.mine, c)
	}
	return err
}

func (r *round) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err) // two metrics of one name
		}
	}
}

func (r *round) end() {
	for _, c := range r.mine {
		r.Unregister(c)
	}
}
