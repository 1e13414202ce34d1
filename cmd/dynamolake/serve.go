package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// watching are the settings of what a worker serves to those who watch it.
type watching struct {
	listen          string
	pprof           bool
	headroom, stall time.Duration // readiness
}

func (c *watching) watchFlags(s *settings) {
	s.text(&c.listen, "listen", "", "serve the status page, /healthz, /readyz and /metrics on this address, like :9090 or 127.0.0.1:9090; off when empty")
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

func (c *watching) serve(registry *prometheus.Registry) (stop func(), err error) {
	mux := metricsOf(registry)
	if c.pprof {
		profiles(mux)
	}
	return serve(c.listen, mux)
}

func profiles(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}
