package bootstrap

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of exports, summed over all of a worker's.
type metrics struct {
	started, failed, converted           prometheus.Counter
	files, items, rejects, bytesIn       prometheus.Counter
	damaged, checked, mismatched, errors prometheus.Counter
	overlap                              prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{}
	counter := func(dst *prometheus.Counter, name, help string) {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "dynamolake", Subsystem: "bootstrap", Name: name, Help: help})
		var there prometheus.AlreadyRegisteredError // a full export before, in this process
		if err := reg.Register(c); errors.As(err, &there) {
			c, _ = there.ExistingCollector.(prometheus.Counter)
		} else if err != nil {
			panic(err) // names are constants
		}
		*dst = c
	}
	counter(&m.started, "exports_started_total", "Exports that AWS was asked for.")
	counter(&m.failed, "exports_failed_total", "Exports that AWS gave up.")
	counter(&m.converted, "exports_converted_total", "Exports whose rows are in the lake.")
	counter(&m.files, "files_total", "Data files converted.")
	counter(&m.items, "items_total", "Lines of data files converted.")
	counter(&m.rejects, "rejects_total", "Lines that made no sense, or that a dataset refused, and went to rejects/.")
	counter(&m.bytesIn, "read_bytes_total", "Compressed bytes of data files read.")
	counter(&m.damaged, "damaged_reads_total", "Reads of data files that were broken off or differed from the manifest.")
	counter(&m.checked, "old_images_checked_total", "Old images compared with what the lake holds.")
	counter(&m.mismatched, "old_images_mismatched_total", "Old images that differed: a window is missing.")
	counter(&m.errors, "failures_total", "Steps that failed and were tried again.")
	counter(&m.overlap, "overlap_removes_total", "Items of an overlap that the table did not have any more.")
	return m
}
