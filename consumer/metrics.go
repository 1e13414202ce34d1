package consumer

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dynamolake/writer"
)

// metrics are the consumer's; none has a shard label, because shards turn over
// every few hours.
type metrics struct {
	records, bytesIn, rowsOut, bytesOut, files, conflicts prometheus.Counter
	throttles, expired, failures, rejects, gaps           prometheus.Counter
	putErrors, panics                                     prometheus.Counter
	putSeconds, fileRows, fileBytes                       prometheus.Histogram
	polls                                                 polls

	mu     sync.Mutex
	upTo   map[string]time.Time // per shard: everything before this is in the lake
	oldest map[string]time.Time // per shard: when the oldest change that is not was read
}

func newMetrics(reg prometheus.Registerer, held func() int64, retention time.Duration) *metrics {
	m := &metrics{upTo: map[string]time.Time{}, oldest: map[string]time.Time{}}
	counter := func(dst *prometheus.Counter, name, help string) {
		*dst = prometheus.NewCounter(prometheus.CounterOpts{Namespace: "dynamolake", Subsystem: "consumer", Name: name, Help: help})
		reg.MustRegister(*dst)
	}
	counter(&m.records, "records_total", "Stream records read and decoded.")
	counter(&m.bytesIn, "read_bytes_total", "Bytes of GetRecords answers.")
	counter(&m.rowsOut, "rows_total", "Rows made durable.")
	counter(&m.bytesOut, "written_bytes_total", "Bytes of Parquet made durable.")
	counter(&m.files, "files_total", "Objects made durable.")
	counter(&m.conflicts, "conflicts_total", "Objects that another writer had made first; its end was adopted.")
	counter(&m.polls.Counter, "polls_total", "GetRecords calls.")
	counter(&m.throttles, "throttled_total", "Calls that DynamoDB Streams throttled.")
	counter(&m.expired, "expired_iterators_total", "Iterators that had expired and were made anew.")
	counter(&m.failures, "read_failures_total", "Reads that failed and were tried again.")
	counter(&m.rejects, "rejects_total", "Records that did not decode and went to rejects/.")
	counter(&m.gaps, "gaps_total", "Positions that the stream no longer had.")
	counter(&m.putErrors, "write_failures_total", "Writes that failed and were tried again.")
	counter(&m.panics, "panics_total", "Panics kept inside their shard.")
	histogram := func(dst *prometheus.Histogram, name, help string, buckets []float64) {
		*dst = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "dynamolake", Subsystem: "consumer", Name: name, Help: help, Buckets: buckets})
		reg.MustRegister(*dst)
	}
	histogram(&m.putSeconds, "put_seconds", "Time to make an object durable.", prometheus.ExponentialBuckets(0.01, 2, 12))
	histogram(&m.fileRows, "file_rows", "Rows of an object.", prometheus.ExponentialBuckets(1, 4, 11))
	histogram(&m.fileBytes, "file_bytes", "Bytes of an object.", prometheus.ExponentialBuckets(4<<10, 4, 9))
	gauge := func(name, help string, f func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "dynamolake", Subsystem: "consumer", Name: name, Help: help}, f))
	}
	gauge("lag_seconds", "Age of the oldest instant that some shard of this worker is not durable past.", func() float64 { return m.lag().Seconds() })
	gauge("headroom_seconds", "Time until the oldest unread record of this worker's shards may be trimmed.", func() float64 { return (retention - m.lag()).Seconds() })
	gauge("oldest_unwritten_seconds", "Age of the oldest change that was read and is not in the lake, counted from its reading; 0 when there is none.", func() float64 { return m.waiting().Seconds() })
	gauge("held_bytes", "Bytes held in memory for pages and rows.", func() float64 { return float64(held()) })
	return m
}

// through notes that everything of the shard before t is in the lake.
func (m *metrics) through(shard string, t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.After(m.upTo[shard]) {
		m.upTo[shard] = t
	}
}

// ended forgets a shard that this worker no longer reads.
func (m *metrics) ended(shard string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.upTo, shard)
	delete(m.oldest, shard)
}

// holds notes when the oldest change of a shard was read that is not in the lake, zero if
// there is none.
func (m *metrics) holds(shard string, oldest time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if oldest.IsZero() {
		delete(m.oldest, shard)
		return
	}
	m.oldest[shard] = oldest
}

func (m *metrics) waiting() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var most time.Duration
	for _, t := range m.oldest {
		most = max(most, time.Since(t))
	}
	return most
}

func (m *metrics) lag() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lag time.Duration
	for _, t := range m.upTo {
		lag = max(lag, time.Since(t))
	}
	return lag
}

func (m *metrics) put(took time.Duration, l writer.Link, won bool) {
	if !won {
		m.conflicts.Inc()
		return
	}
	m.putSeconds.Observe(took.Seconds())
	m.fileRows.Observe(float64(l.Rows))
	m.fileBytes.Observe(float64(l.Size))
	m.files.Inc()
	m.rowsOut.Add(float64(l.Rows))
	m.bytesOut.Add(float64(l.Size))
}
