package consumer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/config"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"
	"go.uber.org/zap"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer/adapter"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// Options of one worker. Zero values of the durations and sizes mean the
// defaults of [Defaults].
type Options struct {
	DynamoDB *dynamodb.Client
	Streams  *dynamodbstreams.Client
	Store    writer.Store
	Ledger   *ledger.Store
	Table    Table
	App      string // the lease table's name, shared by the fleet
	Into     string // the place of a replay that all goes to; empty: the table's own part of the lake
	Part     Part   // of the stream that is read; the zero value is all of it
	Worker   string // unique among live workers
	// Many tells that the lease table serves several tables. One that does already is known by its rows.
	Many bool
	// Process and Budget are shared by all tables that the process reads. Nil: it reads this one alone.
	Process *checkpoint.Process
	Budget  *writer.Budget

	Initial checkpoint.Initial
	OnGap   GapPolicy
	// Datasets are what the table is split into, and their columns. Nil: one, without columns but
	// the key's. Its old images are its own options'.
	Datasets *dataset.Live
	OldImage bool
	// MaxRejects ends the worker when it has made more; below 0: any number.
	MaxRejects int64
	Limits     writer.Limits
	Memory     int64 // bytes, for the whole process
	PollMax    time.Duration
	Lease      time.Duration // after so long without a beat a worker is dead
	Renew      time.Duration // each lease row is written at least this often
	Settle     time.Duration // the most that a drain may take

	Timing      ledger.Timing
	LedgerEvery time.Duration // the ledger is read this often

	Log        *zap.Logger // says itself which table and worker it is of
	Registerer prometheus.Registerer
	Wall       func() time.Time // wall clock; only times that are shown or sent come from it
	State      *State           // what can be told of the worker; may be nil
	Begun      func()           // called when a stream begins to be read; may be nil
}

// Defaults of Options.
func Defaults() Options {
	return Options{
		Initial: checkpoint.Initial{Position: "TRIM_HORIZON"},
		OnGap:   GapStop, MaxRejects: -1,
		Limits:  writer.Limits{Rows: 200_000, Bytes: 32 << 20, Age: 15 * time.Second},
		Memory:  256 << 20,
		PollMax: 10 * time.Second,
		Lease:   10 * time.Second,
		Renew:   20 * time.Second,
		Settle:  20 * time.Second,
		Timing:  ledger.RealTiming(), LedgerEvery: 10 * time.Second,
		Wall: time.Now,
	}
}

// shared is what all sessions of a worker have in common.
type shared struct {
	streams     *dynamodbstreams.Client
	lineage     *Lineage
	store       writer.Store
	table       Table
	tablePrefix string
	worker      string
	part        Part
	view        *view
	look        func() // sees to it that the table is asked for its stream soon
	decoder     *transform.Decoder
	datasets    *dataset.Live
	schemas     *schemas
	rejects     *tolerance
	budget      *writer.Budget
	limits      writer.Limits
	pages       *pagePool
	pace        pace
	onGap       GapPolicy
	stopping    <-chan struct{}
	blocked     *atomic.Bool // a permission to read the stream is missing, and that was told
	metrics     *metrics
	log         *zap.Logger
}

// Run reads the table's stream as one member of the fleet until ctx ends, and
// then hands its shards over. It returns nil after a complete hand-over. When the
// stream was turned off and on, it reads the old one to its end, and then the new one.
func Run(ctx context.Context, o Options) error {
	if o.Ledger == nil {
		return errors.New("a worker needs the ledger of its table")
	}
	d := Defaults()
	o.LedgerEvery = cmp.Or(o.LedgerEvery, d.LedgerEvery)
	o.Timing = cmp.Or(o.Timing, d.Timing)
	if o.Datasets == nil {
		o.Datasets = dataset.Fixed(dataset.Whole(dataset.Options{Table: o.Table.Name, Keys: o.Table.Keys, OldImage: o.OldImage}))
	}
	rejects := newTolerance(o.Table.Name, o.MaxRejects)
	st, err := begin(ctx, o)
	for err == nil {
		if err = readStream(ctx, o, st, rejects); !errors.Is(err, errReplaced) {
			return err
		}
		if st, err = next(ctx, &o); ctx.Err() != nil {
			return nil // nothing is held
		}
	}
	return err
}

// readStream reads one stream until ctx ends or, with errReplaced, another takes its place.
func readStream(ctx context.Context, o Options, st start, rejects *tolerance) error {
	o.Table.StreamARN, o.Initial = st.arn, st.initial
	registry := &round{Registerer: o.Registerer}
	o.Registerer = registry
	defer registry.end()
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	lineage := NewLineage(o.Streams, st.arn)
	lineage.part = o.Part
	keeper, err := checkpoint.Open(ctx, checkpoint.Options{
		Client: o.DynamoDB, App: o.App, Worker: o.Worker, Stream: lineage, Label: labelOf(st.arn), Scope: st.scope, Process: o.Process,
		Initial: o.Initial, Duration: o.Lease, Heartbeat: beatEvery(o.Lease), Renew: o.Renew, Log: o.Log, Wall: o.Wall, Registerer: o.Registerer,
	})
	if err != nil {
		return err
	}
	stopping := make(chan struct{})
	f := newFollower(o, newView(o.Ledger, o.Timing, st.arn, st.ledger), lineage)
	src := newSource(o, checkpoint.NewDriver(keeper), f, rejects, stopping)
	kcl := worker.NewWorker(src, kclConfig(o)).
		WithKinesis(adapter.Client(src)).
		WithCheckpointer(ending{Driver: src.driver, source: src})

	kept := make(chan error, 1)
	go func() { kept <- keeper.Run(work) }()
	if err := kcl.Start(); err != nil {
		return fmt.Errorf("starting the worker: %w", err)
	}
	o.Log.Info("reading", zap.String("stream", labelOf(st.arn)), zap.String("app", o.App))
	if o.Begun != nil {
		o.Begun()
	}
	followed := make(chan error, 1)
	go func() { followed <- f.run(work) }()

	var replaced error
	select {
	case <-ctx.Done():
	case err = <-kept:
		kept <- err
	case err = <-rejects.stop:
	case replaced = <-followed:
		followed <- nil
	}
	if sdErr := shutdown(ctx, o, keeper, kcl, stopping, stop, kept); err == nil {
		err = sdErr
	}
	<-followed
	if replaced != nil {
		if err != nil {
			o.Log.Warn("the old stream was not handed over completely", zap.Error(err))
		}
		return replaced
	}
	return err
}

// beatEvery is a second, but less where leases are short, and more where they are so
// long that it would be for nothing.
func beatEvery(lease time.Duration) time.Duration {
	return max(min(time.Second, lease/8), lease/60)
}

func newSource(o Options, driver *checkpoint.Driver, f *follower, rejects *tolerance, stopping <-chan struct{}) *source {
	procs := runtime.GOMAXPROCS(0)
	limits := o.Limits
	// Half of the memory is for pages and rows; encoding takes about as much again
	// as the rows of a file, for as many files as there are processors.
	limits.Bytes = min(limits.Bytes, max(o.Memory/int64(4*procs), 1<<20))
	budget := o.Budget
	if budget == nil {
		budget = writer.NewBudget(o.Memory / 2)
	}
	prefix := writer.PlacePrefix(o.Table.Account, o.Table.Region, o.Table.Name, o.Into)
	common := shared{
		streams: o.Streams, lineage: f.lineage, store: o.Store, view: f.view, look: f.poke,
		table: o.Table, tablePrefix: prefix, worker: o.Worker, part: o.Part,
		decoder:  transform.NewDecoder(o.Table.Keys),
		datasets: o.Datasets, schemas: newSchemas(o.Registerer), rejects: rejects,
		budget: budget, limits: limits, pages: new(pagePool), pace: pace{max: o.PollMax},
		onGap: o.OnGap, stopping: stopping, blocked: new(atomic.Bool), metrics: newMetrics(o.Registerer, budget.Held, o.Timing.Retention),
	}
	open := func(lease *checkpoint.Lease, log *zap.Logger) *session {
		s := &session{shared: common, lease: lease, shard: lease.Key()}
		s.log = log
		for _, name := range o.Datasets.Set().Names() {
			s.chains = append(s.chains, &chain{Chain: writer.NewChain(o.Store, writer.ChainPrefix(prefix, name, s.shard)), dataset: name})
		}
		return s
	}
	return &source{driver: driver, open: open, log: o.Log, state: o.State, sessions: map[string]*session{}}
}

// kclConfig sets the library up to be driven, not to decide.
func kclConfig(o Options) *config.KinesisClientLibConfiguration {
	c := config.NewKinesisClientLibConfig(o.App, o.Table.StreamARN, o.Table.Region, o.Worker)
	c.ShardSyncIntervalMillis = 1 // the listing itself waits for news
	c.IdleTimeBetweenReadsInMillis = 0
	c.LeaseRefreshWaitTime = 1000
	c.MaxRecords = pageRecords
	c.MaxLeasesForWorker = 1 << 30
	c.EnableLeaseStealing = false
	// Every step may have something to write, with or without new records.
	c.CallProcessRecordsEvenForEmptyRecordList = true
	c.Logger = kclLog{o.Log.Named("kcl").Sugar()}
	return c
}
