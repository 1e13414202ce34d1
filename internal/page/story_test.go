package page

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/fleet"
	"dynamolake/internal/scene"
)

// shown is what a page of a story's end shows.
type shown struct {
	report  fleet.Report
	reasons []consumer.Reason
	history *History
}

func (s shown) options() Options {
	return Options{
		Worker: "worker-3", Headroom: 2 * time.Hour, History: s.history,
		Read:  func(context.Context) (fleet.Report, error) { return s.report, nil },
		Ready: func() []consumer.Reason { return s.reasons },
	}
}

// told are the stories that a test has told already.
var told = map[bool]shown{}

// tell plays a fleet in virtual time: the table is seeded and read, its shards roll, the fleet is
// down for longer than the stream keeps, goes on, repairs the gap, and loses a worker. With another gap at
// the end a shard halts at it.
func tell(t *testing.T, halts bool) (end shown) {
	t.Helper()
	if end, ok := told[halts]; ok {
		return end
	}
	defer func() { told[halts] = end }()
	bubble.Run(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)))
		s, err := scene.Open(t.Context(), awssim.New(awssim.Config{}), 3)
		must(t, err)
		must(t, s.Cloud.SetPITR(scene.TableName, 35))
		author := s.Author(1, 60)
		write := func(n int) {
			t.Helper()
			for range n {
				must(t, author.Step(t.Context()))
			}
		}
		var ends []func()
		stopAll := func() {
			for _, end := range ends {
				end()
			}
			ends = nil
		}
		start := func(name string, onGap consumer.GapPolicy) (*consumer.State, func()) {
			o := s.Worker(name, zap.NewNop())
			o.Registerer, o.State, o.OnGap = prometheus.NewRegistry(), &consumer.State{}, onGap
			o.PollMax, o.Lease, o.Renew, o.Settle = time.Minute, time.Minute, time.Minute, 5*time.Second
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); consumer.Run(ctx, o) }() //nolint:errcheck // one is cut off on purpose
			end := func() { cancel(); <-done }
			ends = append(ends, end)
			return o.State, end
		}
		exporter := func(name string) bootstrap.Options {
			o := s.Exporter(name, zap.NewNop())
			o.Registerer = prometheus.NewRegistry()
			return o
		}

		start("worker-1", consumer.GapContinue)
		start("worker-2", consumer.GapContinue)
		write(60)
		time.Sleep(10 * time.Minute)
		_, err = bootstrap.Bootstrap(t.Context(), exporter("seed"), bootstrap.Seed{})
		must(t, err)
		write(60)
		time.Sleep(30 * time.Minute)
		must(t, s.Cloud.RollAll(scene.TableName))
		write(60)
		time.Sleep(30 * time.Minute)
		stopAll()

		write(60)
		time.Sleep(30 * time.Hour)
		write(60)
		state, _ := start("worker-3", consumer.GapContinue)
		_, cut := start("worker-4", consumer.GapContinue)
		end.history = &History{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go end.history.Run(ctx, state.Reach)
		time.Sleep(5 * time.Minute)
		repairer, err := bootstrap.NewRepairer(exporter("worker-3"))
		must(t, err)
		repaired, stop := context.WithTimeout(ctx, 40*time.Minute)
		defer stop()
		if err := repairer.Run(repaired); err != nil && repaired.Err() == nil {
			t.Fatal(err)
		}
		must(t, s.Cloud.RollAll(scene.TableName))
		write(60)
		time.Sleep(20 * time.Minute)
		open := s.Cloud.Shards(scene.TableName)
		must(t, s.Cloud.Split(scene.TableName, open[len(open)-1].ID))
		write(60)
		time.Sleep(10 * time.Minute)
		remove := s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client == "worker-4" {
				return awssim.Fault{Status: 503, Code: "ServiceUnavailable"}
			}
			return awssim.Fault{}
		})
		cut()
		time.Sleep(5 * time.Minute)
		if halts {
			stopAll()
			write(20)
			time.Sleep(30 * time.Hour)
			state, _ = start("worker-5", consumer.GapStop)
			time.Sleep(3 * time.Minute)
		}

		w := fleet.NewWatcher(fleet.Place{
			DynamoDB: dynamodb.NewFromConfig(s.Cloud.AWSConfig("observer")), Table: s.Table, App: scene.App,
			Store: s.Store("observer"), Ledger: s.Ledger("observer"),
		})
		end.report, err = w.Report(t.Context())
		must(t, err)
		end.reasons = consumer.Ready(state.Facts(), consumer.Limits{
			Headroom: 2 * time.Hour, Stall: 5 * time.Minute, Idle: 5 * time.Minute, Lease: time.Minute,
			Keeps: ledger.RealTiming().Retention, Repairs: true,
		})
		remove()
		stopAll()
	})
	return end
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
