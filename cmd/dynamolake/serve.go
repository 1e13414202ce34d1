package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dynamolake/consumer"
	"dynamolake/internal/advise"
	"dynamolake/internal/page"
)

// watching are the settings of what a worker serves to those who watch it.
type watching struct {
	listen          string
	pprof           bool
	headroom, stall time.Duration // readiness
}

func (c *watching) watchFlags(s *settings) {
	s.listen(&c.listen, "", "serve the status page, /healthz, /startz, /readyz and /metrics on this address, like :9090 or 127.0.0.1:9090; off when empty")
	s.boolean(&c.pprof, "pprof", "serve Go's profiles too, under /debug/pprof/")
	s.duration(&c.headroom, "ready-headroom", 2*time.Hour, 0, 23*time.Hour, "not ready when less time is left until the stream drops what is not in the lake; 0 never")
	s.duration(&c.stall, "ready-stall", 5*time.Minute, 30*time.Second, 24*time.Hour, "not ready when a shard is behind and does not move for so long")
	s.check(func() error {
		if c.pprof && c.listen == "" {
			return errors.New("--pprof needs an address: give --listen too")
		}
		return nil
	})
}

// listen takes an address to listen on, and looks at it before anything else is done.
func (s *settings) listen(dst *string, def, usage string) {
	s.parsed(dst, "listen", "text", def, usage, func(t string) error {
		_, port, err := net.SplitHostPort(t)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil {
			return errors.New("want an address like :9090 or 127.0.0.1:9090")
		}
		return nil
	})
}

// serve answers on an address until it is stopped.
func serve(addr string, mux *http.ServeMux) (stop func(), err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", addr, err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener) //nolint:errcheck // ends with Close
	return func() { server.Close() }, nil
}

// metricsOf serves what is registered.
func metricsOf(registry *prometheus.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

// bare is for commands that have no fleet: metrics, and that the process answers.
func bare(registry *prometheus.Registry) *http.ServeMux {
	mux := metricsOf(registry)
	for _, path := range []string{"/healthz", "/startz"} {
		mux.HandleFunc(path, page.Probe(func() []consumer.Reason { return nil }))
	}
	return mux
}

// site is what a worker serves until ctx ends: the page of its fleet, the probes, its metrics.
func (c *watching) site(ctx context.Context, registry *prometheus.Registry, t oneTable) *http.ServeMux {
	mux := see(ctx, registry, t).mux
	if c.pprof {
		profiles(mux)
	}
	return mux
}

// limits are those of readiness. A shard that is well is behind by its batch, by two polls, and by
// what is not in its row yet.
func (c *watching) limits(o consumer.Options, repairs bool) consumer.Limits {
	return consumer.Limits{
		Headroom: c.headroom, Stall: c.stall, Idle: o.Limits.Age + 2*o.PollMax + o.Renew,
		Lease: o.Lease, Keeps: o.Timing.Retention, Repairs: repairs,
	}
}

// pollDollars is the list price of one GetRecords call.
func pollDollars() float64 {
	for _, p := range advise.DefaultPrices().List {
		if p.Name == "stream_read_million" {
			return p.Amount / 1e6
		}
	}
	return 0
}

// profiles are all of Go's but the command line, which may have secrets.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}
