package main

import (
	"context"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/lakecheck"
	"dynamolake/writer"
)

var soakLength = flag.Duration("soak", 40*time.Second, "how long BenchmarkSoak keeps the fleet under load")

const fleetSize = 3

// freshness is what a fleet under load was found to do. Times are reported, never judged.
type freshness struct {
	lags   []time.Duration // acknowledged to readable, of each row, ascending
	widths []time.Duration // what the reader's polling may have added to each, ascending
	report lakecheck.Report
}

// underLoad runs a fleet under a steady load for as long as the play takes, and then proves that each
// write is in the lake once.
func underLoad(t testing.TB, w served, bin string, perSecond int, args []string, play func(*workers)) (*workers, freshness) {
	t.Helper()
	ws := startWorkers(t, w.world, bin, fleetSize, args...)
	awaitOwned(t, w)
	table, err := consumer.Describe(t.Context(), dynamodb.NewFromConfig(w.cfg), w.table)
	if err != nil {
		t.Fatal(err)
	}
	r := &reading{w: w, prefix: writer.TablePrefix(table.Account, table.Region, table.Name), files: map[string]arrival{}}
	looking, stopLooking := context.WithCancel(t.Context())
	defer stopLooking()
	looked := make(chan struct{})
	go func() { defer close(looked); r.run(looking) }()
	l := &load{}
	writing, stopWriting := context.WithCancel(t.Context())
	defer stopWriting()
	wrote := make(chan struct{})
	go func() { defer close(wrote); l.run(writing, w.world, perSecond) }()

	play(ws)
	stopWriting()
	<-wrote
	if l.err != nil {
		t.Fatal(l.err)
	}
	r.await(t, l.written())
	ws.end()
	stopLooking()
	<-looked
	return ws, proveFresh(t, w, ws, l, r)
}

// awaitOwned waits until each shard has a worker: what is measured is not how a fleet begins.
func awaitOwned(t testing.TB, w served) {
	t.Helper()
	shards := len(w.cloud.Shards(w.table))
	for deadline := time.Now().Add(time.Minute); statusOf(t, w.world).Reading < shards; time.Sleep(lookEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute not all of %d shards are read: %+v", shards, statusOf(t, w.world))
		}
	}
}

// proveFresh compares the lake with the stream, with the table and with what the writer
// wrote, and joins what was acknowledged with what could be read.
func proveFresh(t testing.TB, w served, ws *workers, l *load, r *reading) (f freshness) {
	t.Helper()
	lake, err := lakecheck.Read(t.Context(), w.store(), r.prefix)
	if err != nil {
		t.Fatal(err)
	}
	journal, _ := streamJournal(t, w.world)
	f.report = lakecheck.Check(lake, journal, tableItems(t, w.world))
	if !f.report.OK() || f.report.Changes != l.written() {
		t.Errorf("%d writes, and the lake is not the stream: %s\n%s", l.written(), f.report, strings.Join(f.report.Problems, "\n"))
	}
	rows := make([]int, l.written())
	worst, where := time.Duration(0), ""
	for _, o := range lake.Objects {
		a, seen := r.files[o.Key]
		if !seen {
			t.Errorf("%s is in the lake, and no reader of the chain found it", o.Key)
			continue
		}
		for _, row := range o.Rows {
			n := numberOf(t, row)
			rows[n]++
			lag := a.seen.Sub(l.acked[n])
			f.lags, f.widths = append(f.lags, lag), append(f.widths, a.seen.Sub(a.missed))
			if lag > worst {
				worst, where = lag, a.writer+" "+o.Shard+", acknowledged "+l.acked[n].UTC().Format(time.StampMilli)
			}
		}
	}
	for n, times := range rows {
		if times != 1 {
			t.Errorf("write %d is in the lake %d times", n, times)
		}
	}
	slices.Sort(f.lags)
	slices.Sort(f.widths)
	t.Logf("%s; least fresh: %s, written by %s", f.report, worst.Round(time.Millisecond), where)
	for i, at := range ws.stops {
		t.Logf("SIGTERM at %s, ended after %s", at.UTC().Format(time.StampMilli), ws.handovers[i].Round(time.Millisecond))
	}
	return f
}

// quantile of ascending times, in seconds.
func quantile(ascending []time.Duration, q float64) float64 {
	return ascending[int(q*float64(len(ascending)-1))].Seconds()
}

func (f freshness) metrics(b *testing.B) {
	b.ReportMetric(0, "ns/op") // the length is set by the play
	b.ReportMetric(quantile(f.lags, 0.5), "p50-s")
	b.ReportMetric(quantile(f.lags, 0.99), "p99-s")
	b.ReportMetric(quantile(f.lags, 1), "max-s")
	b.ReportMetric(quantile(f.widths, 0.5), "poll-s")
	b.ReportMetric(float64(len(f.lags)), "rows")
	b.ReportMetric(float64(f.report.Lost), "lost")
	b.ReportMetric(float64(f.report.Doubled), "doubled")
}

// TestRollingRestartLosesAndDoublesNothing replaces each of three real processes, one after the other,
// under load. The times are those of the benchmarks below.
func TestRollingRestartLosesAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of real processes")
	}
	w := openServed(t, awssim.Config{Shards: 4})
	ws, _ := underLoad(t, w, build(t, "-race"), 100, nil, func(ws *workers) {
		for i := range fleetSize {
			ws.restart(i)
		}
	})
	noRaces(t, ws.logs, fleetSize)
	for i, p := range ws.seats {
		if p.lives != 2 {
			t.Errorf("worker-%d had %d lives, want 2", i, p.lives)
		}
	}
}

// BenchmarkFreshness is a fleet that nothing happens to: acknowledged to readable.
func BenchmarkFreshness(b *testing.B) {
	bin := build(b)
	for b.Loop() {
		w := openServed(b, awssim.Config{Shards: 4})
		_, f := underLoad(b, w, bin, 300, nil, func(*workers) { pass(b, 30*time.Second) })
		f.metrics(b)
	}
}

// BenchmarkRollingRestart replaces all processes, four times over.
func BenchmarkRollingRestart(b *testing.B) {
	bin := build(b)
	for b.Loop() {
		w := openServed(b, awssim.Config{Shards: 4})
		ws, f := underLoad(b, w, bin, 300, nil, func(ws *workers) {
			pass(b, 5*time.Second)
			for range 4 {
				for i := range fleetSize {
					ws.restart(i)
				}
			}
			pass(b, 5*time.Second)
		})
		f.metrics(b)
		slices.Sort(ws.handovers)
		slices.Sort(ws.readies)
		b.ReportMetric(float64(len(ws.stops)), "restarts")
		b.ReportMetric(quantile(ws.handovers, 1), "handover-max-s")
		b.ReportMetric(quantile(ws.readies, 1), "ready-max-s")
	}
}

// BenchmarkSoak keeps a fleet under load while shards roll and one of the three workers is replaced every
// half minute, so that shards come to the other two and leave them. It reports what the first takes
// in the second quarter of the time and in the last.
func BenchmarkSoak(b *testing.B) {
	bin := build(b)
	for b.Loop() {
		w := openServed(b, awssim.Config{Shards: 4, RollEvery: time.Minute})
		var samples []sample
		_, f := underLoad(b, w, bin, 300, nil, func(ws *workers) {
			every := *soakLength / 40
			replaced := time.Now()
			for range 40 {
				pass(b, every)
				samples = append(samples, ws.sample(0))
				if time.Since(replaced) > 30*time.Second {
					replaced = time.Now()
					ws.restart(fleetSize - 1)
				}
			}
		})
		f.metrics(b)
		for name, of := range map[string]func(sample) float64{
			"rss-MB":     func(s sample) float64 { return s.rss },
			"heap-MB":    func(s sample) float64 { return s.heap },
			"goroutines": func(s sample) float64 { return s.goroutines },
		} {
			b.ReportMetric(median(samples[10:20], of), name+"-early")
			b.ReportMetric(median(samples[30:], of), name+"-late")
		}
	}
}

func median(samples []sample, of func(sample) float64) float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, of(s))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// pass lets time go by: real processes live in real time.
func pass(b *testing.B, d time.Duration) {
	select {
	case <-b.Context().Done():
	case <-time.After(d):
	}
}
