package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthIsWhatTheWorkerAnswers(t *testing.T) {
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive\nand more") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "1h0m0s of headroom left", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/startz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "begun") })
	worker := httptest.NewServer(mux)
	defer worker.Close()
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	defer close(release)
	gone := httptest.NewServer(mux)
	gone.Close()
	at := func(s *httptest.Server) string { return "DYNAMOLAKE_LISTEN=" + strings.TrimPrefix(s.URL, "http://") }
	port := worker.URL[strings.LastIndex(worker.URL, ":"):]

	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		want string // in what is printed
	}{
		{"alive", nil, []string{at(worker)}, 0, "alive\n"},
		{"a worker that listens on all addresses", []string{"--listen=0.0.0.0" + port}, nil, 0, "alive\n"},
		{"and says only the port", []string{"--listen=" + port}, nil, 0, "alive\n"},
		{"not ready", []string{"--ready"}, []string{at(worker)}, 1, "/readyz: 503 Service Unavailable: 1h0m0s of headroom left\n"},
		{"begun, however late", []string{"--started"}, []string{at(worker)}, 0, "begun\n"},
		{"a worker that hangs", []string{"--timeout=100ms"}, []string{at(hanging)}, 1, "in time"},
		{"no worker", nil, []string{at(gone)}, 1, "nobody answers; is there a worker with --listen 127.0.0.1:"},
		{"no address", []string{"--listen=9090"}, nil, 1, "want an address like :9090"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"health"}, c.args...), c.env, streams{out: &out, err: &errs})
			text := out.String() + errs.String()
			if code != c.code || !strings.Contains(text, c.want) || strings.Count(text, "\n") != 1 {
				t.Errorf("exit code %d, want %d, and one line with %q; got\n%s", code, c.code, c.want, text)
			}
		})
	}
}

func TestHealthAsksOneQuestion(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"health", "--started", "--ready"}, nil, streams{out: &out, err: &errs})
	if code != 2 || !strings.Contains(errs.String(), "--ready and --started are two questions: ask one") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
