package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// The demo's world is impatient, so that half a minute shows what days would.
const (
	demoShards  = 4
	demoWorkers = 3
	demoLease   = 2 * time.Second
	demoFlush   = 500 * time.Millisecond
	demoFreeze  = 3 * demoLease // others have taken over and written by then
	demoReplies = 5             // so many replies to PUTs are lost
	demoPoll    = 250 * time.Millisecond
)

// demoTiming is the ledger's: a day is six seconds.
func demoTiming() ledger.Timing {
	t := ledger.RealTiming()
	t.Skew, t.Overlap, t.Safe = time.Second, time.Second, time.Second
	t.MinWindow, t.Retention = 2*time.Second, 6*time.Second
	return t
}

// demoCloud keeps to it.
func demoCloud(seed uint64) awssim.Config {
	t := demoTiming()
	return awssim.Config{
		Seed: seed, EmptyPages: 20, Latency: demoLatency,
		Retention: t.Retention, TrimEvery: time.Second, ExportTakes: time.Second, ExportWindow: t.MinWindow, BackupsAfter: -1,
	}
}

// demoLatency is that of a service near by, for the workers; the author is in a hurry.
func demoLatency(call *awssim.Call) time.Duration {
	if call.Client == "author" || call.Client == "observer" {
		return 0
	}
	return 3 * time.Millisecond
}

// network is what is between the workers and AWS, and what goes wrong there.
type network struct {
	say func(format string, args ...any)

	mu      sync.Mutex
	killed  string    // nothing of this worker's comes through, for ever
	frozen  string    // what this worker sends comes through after the thaw
	thaw    time.Time // zero while it waits for a PUT, to be frozen with it on the way
	replies int       // replies to PUTs that will be lost
}

// fault is called for each request. A worker that is cut off for good is as good
// as killed, and harder: it goes on as a zombie. The frozen one's requests are on the
// wire: they have their effect at the thaw.
func (n *network) fault(call *awssim.Call) awssim.Fault {
	n.mu.Lock()
	defer n.mu.Unlock()
	put := call.Operation == "PutObject" && strings.Contains(call.Target, "/shard_day=")
	switch {
	case call.Client == "" || call.Client == "author" || call.Client == "observer":
		return awssim.Fault{}
	case call.Client == n.killed:
		return awssim.Fault{Status: 503, Code: "ServiceUnavailable", Message: "killed"}
	case call.Client == n.frozen:
		if n.thaw.IsZero() && put {
			n.thaw = time.Now().Add(demoFreeze)
			n.say("%s is FROZEN for three times its lease, with a file on the way", n.frozen)
		}
		if wait := time.Until(n.thaw); wait > 0 {
			return awssim.Fault{Delay: wait, Linger: true}
		}
	case put && n.replies > 0:
		n.replies--
		return awssim.Fault{DropReply: true}
	}
	return awssim.Fault{}
}

func (n *network) isThawed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.thaw.IsZero() && time.Since(n.thaw) > 0
}

// crew is the running workers. Names go on: no two workers have the same.
type crew struct {
	p       *play
	log     *zap.Logger
	names   int
	cancel  []context.CancelFunc // of those that run
	running sync.WaitGroup
}

// start adds workers, each with a repairer beside it, as `consume` does.
func (f *crew) start(ctx context.Context) {
	for range demoWorkers {
		f.names++
		name := "worker-" + strconv.Itoa(f.names)
		ctx, cancel := context.WithCancel(ctx)
		f.cancel = append(f.cancel, cancel)
		f.running.Go(func() {
			// A worker that was cut off cannot hand over, and says so; the proof
			// does not depend on it.
			if err := f.p.work(ctx, name, f.log.With(zap.String("worker", name))); err != nil {
				f.log.Info("worker stopped", zap.String("worker", name), zap.Error(err))
			}
		})
	}
}

// bury ends worker-1, which has been cut off: nobody waits for it later.
func (f *crew) bury() { f.cancel[0]() }

// stop ends those that still live, and lets them hand over.
func (f *crew) stop() {
	for _, cancel := range f.cancel {
		cancel()
	}
	f.running.Wait()
	f.cancel = nil
}

// work runs one worker until ctx ends.
func (p *play) work(ctx context.Context, name string, log *zap.Logger) error {
	o := p.scene.Worker(name, log)
	o.Lease, o.Renew, o.Settle, o.PollMax = demoLease, demoLease, demoLease, time.Second
	o.Limits.Age, o.OnGap = demoFlush, consumer.GapContinue
	o.Timing, o.LedgerEvery = demoTiming(), demoPoll
	if p.sabotage != "" && p.sabotage != scene.WindowTooShort {
		o.Store = scene.Break(p.life, p.sabotage, o.Store)
	}
	datasets, err := p.datasets(ctx, name)
	if err != nil {
		return err
	}
	o.Datasets = datasets
	o.Store = &counting{Store: o.Store, rows: &p.durable}
	repairing := p.exporter(name, log)
	repairing.Datasets = datasets
	repairer, err := bootstrap.NewRepairer(repairing)
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- repairer.Run(work) }()
	err = consumer.Run(ctx, o)
	stop()
	return errors.Join(err, <-ended)
}

// datasets are columns that come with what is met, as they do unless a schema is given.
func (p *play) datasets(ctx context.Context, name string) (*dataset.Live, error) {
	return dataset.Open(ctx, dataset.NewCatalog(p.scene.Lake(name), p.scene.Prefix()), nil,
		dataset.Options{Table: scene.TableName, Keys: p.scene.Table.Keys, Source: writer.SourceStream}, schema.DefaultLimits)
}

func (p *play) exporter(name string, log *zap.Logger) bootstrap.Options {
	o := p.scene.Exporter(name, log)
	o.Timing, o.Poll, o.Retry = demoTiming(), demoPoll, time.Second
	if p.sabotage == scene.WindowTooShort {
		o.Ledger = p.scene.ShortLedger(name)
	}
	return o
}

// counting counts the rows that became durable, for the progress line.
type counting struct {
	writer.Store
	rows *atomic.Int64
}

func (c *counting) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	err := c.Store.PutNew(ctx, key, body, meta)
	if err == nil {
		if n, err := strconv.ParseInt(meta["rows"], 10, 64); err == nil {
			c.rows.Add(n)
		}
	}
	return err
}
