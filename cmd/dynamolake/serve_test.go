package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
)

// answer is what a site says at a path.
func answer(mux *http.ServeMux, path string) (code int, body string) {
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// TestAWorkerServesWhatItsOperatorNeeds runs a worker behind its site, in virtual time.
func TestAWorkerServesWhatItsOperatorNeeds(t *testing.T) {
	onStage(t, 2, func(s *stage) {
		c := watching{headroom: 2 * time.Hour, stall: 5 * time.Minute}
		registry := prometheus.NewRegistry()
		o := s.Worker("worker-1", zap.NewNop())
		o.Registerer, o.State, o.Limits.Age, o.Settle = registry, &consumer.State{}, time.Second, time.Second
		ctx, cancel := context.WithCancel(s.Context())
		limits := c.limits(o, true)
		o.State.Register(registry, limits, pollDollars())
		mux := c.site(ctx, registry, oneTable{Options: o, limits: limits})
		if code, body := answer(mux, "/readyz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "starting: ") {
			t.Errorf("before it reads: %d %s", code, body)
		}
		if code, body := answer(mux, "/startz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "starting: ") {
			t.Errorf("it has not begun: %d %s", code, body)
		}
		done := make(chan error, 1)
		go func() { done <- consumer.Run(ctx, o) }()
		s.stop = append(s.stop, func() { cancel(); <-done })
		s.write(50)
		time.Sleep(3 * time.Minute)
		for _, path := range []string{"/healthz", "/startz", "/readyz"} {
			if code, body := answer(mux, path); code != http.StatusOK || body != "ok\n" {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
		if code, body := answer(mux, "/"); code != http.StatusOK || !strings.Contains(body, "worker-1") || !strings.Contains(body, "lag over time") || strings.Count(body, `<g class="reading">`) != 2 {
			t.Errorf("the page: %d\n%s", code, body)
		}
		if code, body := answer(mux, "/metrics"); code != http.StatusOK || !strings.Contains(body, "\ndynamolake_consumer_unready{reason=\"gap\"} 0\n") || !strings.Contains(body, "\ndynamolake_consumer_polling_dollars_per_hour 0.000") {
			t.Errorf("the metrics: %d\n%s", code, body)
		}
		if code, _ := answer(mux, "/debug/pprof/"); code != http.StatusNotFound {
			t.Errorf("profiles are served though nobody asked for them: %d", code)
		}

		remove := s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Operation == "GetRecords" {
				return awssim.Fault{Status: 400, Code: "LimitExceededException"}
			}
			return awssim.Fault{}
		})
		time.Sleep(10 * time.Minute)
		if code, body := answer(mux, "/readyz"); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "stalled: shard ") {
			t.Errorf("after ten minutes of refusals: %d %s", code, body)
		}
		for _, path := range []string{"/healthz", "/startz"} {
			if code, _ := answer(mux, path); code != http.StatusOK {
				t.Errorf("%s: a start would cure nothing, and is asked for", path)
			}
		}
		if _, body := answer(mux, "/"); !strings.Contains(body, "is not ready") {
			t.Errorf("the page does not say why its worker is not ready:\n%s", body)
		}
		remove()
		time.Sleep(time.Minute)
		if code, body := answer(mux, "/readyz"); code != http.StatusOK {
			t.Errorf("when it is let again: %d %s", code, body)
		}
	})
}

func TestAWorkerThatHasBegunStaysSo(t *testing.T) {
	begins := consumer.Reason{Code: consumer.NotBegun, Text: "no stream is being read yet"}
	late := consumer.Reason{Code: consumer.LowOnTime, Text: "late"}
	fails := consumer.Reason{Code: consumer.TableFails, Text: "users: there is none"}
	stuck := consumer.Reason{Code: consumer.IsStuck, Text: "stands still"}
	type at struct{ ready, alive, want []consumer.Reason }
	for _, c := range []struct {
		name   string
		tables int
		asked  []at
	}{
		{"never for what is late", 1, []at{
			{[]consumer.Reason{begins}, nil, []consumer.Reason{begins}},
			{[]consumer.Reason{late}, nil, nil},
		}},
		{"not between two streams", 1, []at{
			{nil, nil, nil},
			{[]consumer.Reason{begins}, nil, nil},
		}},
		{"but when it hangs", 1, []at{
			{nil, nil, nil},
			{[]consumer.Reason{stuck}, []consumer.Reason{stuck}, []consumer.Reason{stuck}},
		}},
		{"one of two tables fails", 2, []at{
			{[]consumer.Reason{begins, fails}, nil, []consumer.Reason{begins}},
			{[]consumer.Reason{fails}, nil, nil},
		}},
		{"both do", 2, []at{
			{[]consumer.Reason{fails, fails}, nil, []consumer.Reason{fails, fails}},
			{[]consumer.Reason{fails}, nil, nil},
			{[]consumer.Reason{fails, fails}, nil, nil},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var now at
			asked := started(c.tables, func() []consumer.Reason { return now.ready }, func() []consumer.Reason { return now.alive })
			for i, a := range c.asked {
				if now = a; !slices.Equal(asked(), a.want) {
					t.Errorf("%d: %v, want %v", i, asked(), a.want)
				}
			}
		})
	}
}

func TestProfilesAreServedWhenAskedFor(t *testing.T) {
	mux := http.NewServeMux()
	profiles(mux)
	if code, body := answer(mux, "/debug/pprof/"); code != http.StatusOK || !strings.Contains(body, "goroutine") {
		t.Errorf("%d %s", code, body)
	}
	// The command line may have --hash-salt.
	if code, body := answer(mux, "/debug/pprof/cmdline"); code != http.StatusNotFound {
		t.Errorf("the command line is shown: %d %q", code, body)
	}
}

func TestAnAddressToListenOnIsLookedAtFirst(t *testing.T) {
	for _, command := range []string{"consume", "incremental"} {
		for address, fits := range map[string]bool{":9090": true, "127.0.0.1:0": true, "[::1]:9090": true, "9090": false, "localhost": false, ":90900": false, "http://:9090": false} {
			var out, failed bytes.Buffer
			code := run(t.Context(), []string{"config", command, "--listen=" + address}, []string{"DYNAMOLAKE_TABLE=orders", "DYNAMOLAKE_LAKE=s3://lake"}, streams{out: &out, err: &failed})
			if (code == 0) != fits || !fits && !strings.Contains(failed.String(), `want an address like :9090 or 127.0.0.1:9090`) {
				t.Errorf("%s --listen=%s: exit code %d: %s", command, address, code, failed.String())
			}
		}
	}
}

func TestACommandWithoutAFleetAnswersItsHealthCheck(t *testing.T) {
	stop, err := serve("127.0.0.1:0", bare(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	stop()
	for _, path := range []string{"/healthz", "/startz"} {
		if code, body := answer(bare(prometheus.NewRegistry()), path); code != http.StatusOK || body != "ok\n" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if _, err := serve("nowhere:x", http.NewServeMux()); err == nil || !strings.HasPrefix(err.Error(), "--listen nowhere:x: ") {
		t.Errorf("error %v", err)
	}
}
