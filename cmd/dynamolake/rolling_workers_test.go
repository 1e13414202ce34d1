package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// workers are real processes of one fleet. A seat keeps its number over restarts.
type workers struct {
	testing.TB
	bin   string
	env   []string
	args  []string // of each
	logs  string
	seats []*seat

	handovers, readies []time.Duration // SIGTERM to its end; start to ready
	stops              []time.Time     // of each SIGTERM
}

type seat struct {
	cmd    *exec.Cmd
	lives  int
	listen string
}

// startWorkers starts so many, all at once.
func startWorkers(t testing.TB, w world, bin string, n int, args ...string) *workers {
	t.Helper()
	ws := &workers{
		TB: t, bin: bin, env: w.env, logs: t.TempDir(),
		args: append([]string{"consume", "--table", w.table, "--lake", "s3://" + w.bucket, "--flush-interval", "1s", "--pprof"}, args...),
	}
	t.Cleanup(func() {
		for _, p := range ws.seats {
			p.cmd.Process.Kill() //nolint:errcheck // it may have ended
			p.cmd.Wait()         //nolint:errcheck // it was killed
		}
		if t.Failed() {
			showLogs(t, ws.logs)
		}
	})
	for range n {
		ws.seats = append(ws.seats, &seat{})
		ws.start(len(ws.seats) - 1)
	}
	for i := range ws.seats {
		ws.awaitReady(i)
	}
	return ws
}

// start gives a seat a new process: an id is never used twice.
func (ws *workers) start(i int) {
	ws.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		ws.Fatal(err)
	}
	p := ws.seats[i]
	p.listen = l.Addr().String()
	l.Close()
	p.lives++
	f, err := os.OpenFile(filepath.Join(ws.logs, fmt.Sprintf("worker-%d.log", i)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		ws.Fatal(err)
	}
	defer f.Close()
	p.cmd = exec.Command(ws.bin, append(slices.Clone(ws.args), "--worker-id", fmt.Sprintf("worker-%d-%d", i, p.lives), "--listen", p.listen)...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = ws.env, f, f
	if err := p.cmd.Start(); err != nil {
		ws.Fatal(err)
	}
}

// awaitReady waits for /readyz, as a platform does before it goes on to the next.
func (ws *workers) awaitReady(i int) {
	ws.Helper()
	last := error(nil)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(lookEvery) {
		if _, last = ask(ws.Context(), ws.seats[i].listen, "/readyz"); last == nil {
			return
		}
	}
	ws.Fatalf("worker-%d does not become ready: %v", i, last)
}

// restart is what a rolling restart does with one seat: SIGTERM, its end, a successor, ready.
func (ws *workers) restart(i int) {
	ws.Helper()
	ws.stop(i)
	began := time.Now()
	ws.start(i)
	ws.awaitReady(i)
	ws.readies = append(ws.readies, time.Since(began))
}

func (ws *workers) stop(i int) {
	ws.Helper()
	c := ws.seats[i].cmd
	began := time.Now()
	ws.stops = append(ws.stops, began)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		ws.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		ws.Errorf("worker-%d did not end cleanly on SIGTERM: %v", i, err)
	}
	ws.handovers = append(ws.handovers, time.Since(began))
}

// end stops all at once. The last has nobody to hand over to.
func (ws *workers) end() {
	ws.Helper()
	for _, p := range ws.seats {
		p.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // Wait tells
	}
	for i, p := range ws.seats {
		if err := p.cmd.Wait(); err != nil {
			ws.Errorf("worker-%d did not end cleanly on SIGTERM: %v", i, err)
		}
	}
}

// sample is what a worker takes.
type sample struct {
	rss, heap  float64 // MB; the heap after a collection
	goroutines float64
}

func (ws *workers) sample(i int) (s sample) {
	ws.Helper()
	p := ws.seats[i]
	s.goroutines = ws.number(fmt.Sprintf("http://%s/debug/pprof/goroutine?debug=1", p.listen), "goroutine profile: total ")
	s.heap = ws.number(fmt.Sprintf("http://%s/debug/pprof/heap?gc=1&debug=1", p.listen), "# HeapAlloc = ") / 1e6
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		ws.Fatal(err)
	}
	s.rss = numberAfter(ws, string(status), "VmRSS:") * 1024 / 1e6
	return s
}

func (ws *workers) number(url, label string) float64 {
	ws.Helper()
	ctx, cancel := context.WithTimeout(ws.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		ws.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		ws.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		ws.Fatal(err)
	}
	return numberAfter(ws, string(body), label)
}

// numberAfter reads the number behind a label.
func numberAfter(t testing.TB, text, label string) float64 {
	t.Helper()
	_, after, ok := strings.Cut(text, label)
	fields := strings.Fields(after)
	if !ok || len(fields) == 0 {
		t.Fatalf("no %q in %.200s", label, text)
	}
	n, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
