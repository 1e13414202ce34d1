package page

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/bubble"
	"dynamolake/internal/fleet"
)

// get is what a page answers.
func get(p *Page, path string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	p.Serve(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func options(read func(context.Context) (fleet.Report, error)) Options {
	return Options{Worker: "w-1", Headroom: 2 * time.Hour, Read: read, Ready: func() []consumer.Reason { return nil }, History: &History{}}
}

func TestAllWhoLookShareOneReading(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var reads, now, most atomic.Int64
		slow := time.Second
		p := New(options(func(context.Context) (fleet.Report, error) {
			reads.Add(1)
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(slow)
			return fleet.Report{At: time.Now(), Table: "orders"}, nil
		}))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if w := get(p, "/"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "orders") {
					t.Errorf("%d: %s", w.Code, w.Body)
				}
			})
		}
		wg.Wait()
		if reads.Load() != 1 || most.Load() != 1 {
			t.Errorf("50 viewers, %d reads, %d at once", reads.Load(), most.Load())
		}
		time.Sleep(9 * time.Second) // what takes a second is kept for ten
		if get(p, "/"); reads.Load() != 1 {
			t.Errorf("read again after 9 s")
		}
		slow = 0
		time.Sleep(2 * time.Second)
		get(p, "/")
		time.Sleep(4 * time.Second)
		if get(p, "/"); reads.Load() != 2 {
			t.Errorf("%d reads, want 2: what takes no time is kept for 5 s", reads.Load())
		}
		time.Sleep(2 * time.Second)
		if get(p, "/report.json"); reads.Load() != 3 {
			t.Errorf("%d reads, want 3", reads.Load())
		}
	})
}

func TestOneWhoGivesUpDoesNotEndTheReadingOfOthers(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		p := New(options(func(ctx context.Context) (fleet.Report, error) {
			select {
			case <-ctx.Done():
				return fleet.Report{}, ctx.Err()
			case <-time.After(3 * time.Second):
				return fleet.Report{At: time.Now()}, nil
			}
		}))
		first, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := p.look(first); done <- err }()
		time.Sleep(time.Second)
		cancel()
		second, stop := context.WithCancel(t.Context())
		stop()
		if _, err := p.look(second); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone waits: %v", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWhatCannotBeReadIsSaidBesideTheLastReport(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var broken error
		p := New(options(func(context.Context) (fleet.Report, error) {
			return fleet.Report{At: time.Now(), Table: "orders"}, broken
		}))
		get(p, "/")
		broken = errors.New("no route to <DynamoDB>")
		time.Sleep(time.Minute)
		body := get(p, "/").Body.String()
		if !strings.Contains(body, "The fleet cannot be looked at: no route to &lt;DynamoDB&gt;") || !strings.Contains(body, "orders") {
			t.Errorf("page:\n%s", body)
		}
		if w := get(p, "/report.json"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "no route") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestNamesAreEscapedAndNothingComesFromElsewhere(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	r := fleet.Report{
		At: noon, Table: evil, Stream: evil, Fleet: fleet.Halted, Lag: 5, Headroom: 86395,
		Workers: []fleet.Worker{{ID: evil, State: fleet.WorkerReading}},
		Shards:  []fleet.Shard{{ID: evil, State: fleet.ShardHalted, Owner: evil, Checkpoint: evil, Parents: []string{evil}}},
		Gaps:    []consumer.Gap{{Shard: evil, After: evil, Reason: evil}},
		Lake: &fleet.Lake{
			Base: evil, Coverage: []ledger.Span{{From: hours(-1), To: noon, State: ledger.Missing, Note: evil}},
			Missing: []ledger.Gap{{Number: 1, State: ledger.GapOpen, Reason: evil}},
		},
	}
	o := options(func(context.Context) (fleet.Report, error) { return r, nil })
	o.Worker = evil
	o.Ready = func() []consumer.Reason { return []consumer.Reason{{Code: "stalled", Text: evil}} }
	w := get(New(o), "/")
	body := w.Body.String()
	if w.Code != http.StatusOK || strings.Contains(body, "<script>alert") || strings.Count(body, "<script") != 1 {
		t.Errorf("%d: something is not escaped:\n%s", w.Code, body)
	}
	if n := strings.Count(body, "alert(1)"); n < 15 {
		t.Errorf("only %d of the names are shown", n)
	}
	for _, path := range []string{"/", "/style.css", "/script.js"} {
		if text := get(New(o), path).Body.String(); strings.Contains(text, "://") || strings.Contains(text, "@import") {
			t.Errorf("%s names something elsewhere", path)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	var back fleet.Report
	if err := json.Unmarshal(get(New(o), "/report.json").Body.Bytes(), &back); err != nil || back.Table != evil {
		t.Errorf("report.json: %v, %+v", err, back)
	}
}

func TestAProbeIsALineForEachReason(t *testing.T) {
	for _, c := range []struct {
		reasons []consumer.Reason
		code    int
		body    string
	}{
		{nil, 200, "ok\n"},
		{[]consumer.Reason{{Code: "ledger", Text: "away"}, {Code: "gap", Text: "lost"}}, 503, "ledger: away\ngap: lost\n"},
	} {
		w := httptest.NewRecorder()
		Probe(func() []consumer.Reason { return c.reasons })(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if w.Code != c.code || w.Body.String() != c.body {
			t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.code, c.body)
		}
	}
}
