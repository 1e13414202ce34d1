package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
)

// Options of a Keeper. What is zero and has a default gets it.
type Options struct {
	Client *dynamodb.Client
	App    string // name of the lease table
	Worker string // unique in the fleet
	Stream Stream
	// Label tells the stream from others of its table: later ones have greater labels. Rows
	// of another label are not this worker's. Empty: there is only one.
	Label string
	// Scope is the table, where the lease table serves several. It needs a Label.
	Scope Scope
	// Process is shared by the keepers of a process; default: one of its own.
	Process *Process

	Initial   Initial       // default TrimHorizon
	Duration  time.Duration // a worker silent for so long is dead; default 10 s
	Heartbeat time.Duration // default 1 s
	Renew     time.Duration // an idle row is written so often; default 20 s
	ListEvery time.Duration // default 60 s
	Margin    time.Duration // how long before Duration the owner stops; default Duration/10
	MaxLeases int           // most leases this worker takes; 0 means no limit

	Log        *zap.Logger           // says itself which worker it is of; default: none
	Wall       func() time.Time      // for times that are stored for people; default time.Now
	Registerer prometheus.Registerer // default: none
}

func (o *Options) complete() error {
	if o.Initial.Position == "" {
		o.Initial.Position = TrimHorizon
	}
	fill := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	fill(&o.Duration, 10*time.Second)
	fill(&o.Heartbeat, time.Second)
	fill(&o.Renew, 20*time.Second)
	fill(&o.ListEvery, time.Minute)
	fill(&o.Margin, o.Duration/10)
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Process == nil {
		o.Process = NewProcess()
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	p := o.Initial.Position
	refuse(o.App == "", "application name is empty")
	refuse(o.Worker == "", "worker id is empty")
	refuse(o.Scope != (Scope{}) && o.Label == "", "a lease table of several tables needs the stream's label")
	refuse(p != TrimHorizon && p != Latest && p != AtTimestamp, "initial position %q: must be %s, %s or %s", p, TrimHorizon, Latest, AtTimestamp)
	refuse(p == AtTimestamp && o.Initial.At.IsZero(), "initial position %s: no time given", AtTimestamp)
	refuse(o.Heartbeat < 0 || o.Renew < 0 || o.ListEvery < 0 || o.Margin < 0 || o.MaxLeases < 0, "a setting of the leases is negative")
	refuse(o.Duration < 4*o.Heartbeat, "lease duration %s: must be at least 4 heartbeats of %s", o.Duration, o.Heartbeat)
	refuse(o.Margin > o.Duration/2, "lease margin %s: must be at most half the duration %s", o.Margin, o.Duration)
	return errors.Join(errs...)
}

const (
	writers   = 32               // lease rows written at once
	scanEvery = 30 * time.Second // for up to scanRows rows, longer in proportion
	scanRows  = 10_000
)

// Keeper holds the leases of one worker. Nothing is written but conditionally,
// and no lock is held while a call is under way.
type Keeper struct {
	o   Options
	t   *tables
	log *zap.Logger
	m   *metrics
	p   *Process

	slots    chan struct{} // writers, bounded
	wake     chan struct{} // for assign: something changed
	wanting  chan struct{} // for wanted: the grants changed
	posting  chan struct{} // for post: there is somebody to knock on
	dropped  chan struct{} // for Drain: a lease or a take is over
	scanning turn          // one scan of the lease table at a time

	mu       sync.Mutex
	ctx      context.Context // of Run, nil while it does not run
	tasks    sync.WaitGroup  // what Run started beside its loops
	draining bool
	left     bool // the worker row tells of this table no more, for good

	// The trust window. epoch counts how often it passed: what was begun in one
	// epoch must not become a lease in the next.
	born     time.Time // the first beat was through
	deadline time.Time
	epoch    int
	passed   bool // the deadline passed, and no beat since

	inbox    int64
	members  map[string]member
	departed map[string]bool // left in order: they hold nothing
	polled   time.Time       // when the poll left that tells of both

	rows     map[string]Row
	counters map[string]sighting[int64]
	scanned  time.Time // when the last scan left
	server   time.Time // what the service's clock said then
	scanAt   time.Time // when the next is due
	blind    fails     // of scans
	deaf     fails     // of polls
	rescan   bool      // something is stale: scan now
	stray    []Row     // rows of earlier streams, to be removed
	replan   bool      // what the plan is made of has changed
	orphans  map[string]int64

	leases     map[string]*Lease
	taking     map[string]bool
	knocks     map[string]bool // workers to knock on
	generation int64
	listed     map[string]int64 // the generations in the KCL Worker's last listing
	fresh      bool             // it has something to learn
}

// Open makes sure that the tables are there. Nothing is held before Run.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if err := o.Process.join(o); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	k := &Keeper{
		o: o, t: &tables{client: o.Client, app: o.App, of: o.Scope.stream(o.Label)}, log: o.Log, m: m,
		p:     o.Process,
		slots: make(chan struct{}, writers), scanning: newTurn(),
		wake: make(chan struct{}, 1), wanting: make(chan struct{}, 1), posting: make(chan struct{}, 1), dropped: make(chan struct{}, 1),
		members: map[string]member{}, departed: map[string]bool{},
		counters: map[string]sighting[int64]{},
		leases:   map[string]*Lease{}, taking: map[string]bool{}, knocks: map[string]bool{},
	}
	if err := k.t.setup(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// ErrReplaced ends a process whose worker id another process has taken up.
var ErrReplaced = errors.New("another process uses this worker id; give each process its own")

// Run keeps leases until ctx ends, and then lets go of everything at once: no row
// is written any more, every lease is lost. For an orderly end, Drain first. It
// returns an error only if another process has taken up the worker id.
func (k *Keeper) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	k.mu.Lock()
	k.ctx = ctx
	k.mu.Unlock()
	g.Go(func() error { return k.beats(ctx) })
	g.Go(func() error { k.watch(ctx); return nil })
	g.Go(func() error { k.assign(ctx); return nil })
	g.Go(func() error { k.renewals(ctx); return nil })
	g.Go(func() error { k.listings(ctx); return nil })
	g.Go(func() error { k.posts(ctx); return nil })
	err := g.Wait()
	k.mu.Lock()
	k.ctx = nil
	for _, l := range k.leases {
		k.lose(l, lostAtStop, "the worker stopped")
	}
	// Nothing is written any more, so the next beat of the process does not tell of this table.
	k.left = true
	k.p.end(k.o.Scope.name())
	k.mu.Unlock()
	k.tasks.Wait()
	signal(k.wanting)
	return err
}

// task runs f beside the loops, with one of the slots for writers. The caller
// holds mu.
func (k *Keeper) task(f func(ctx context.Context)) {
	ctx := k.ctx
	if ctx == nil {
		return
	}
	k.tasks.Go(func() {
		select {
		case k.slots <- struct{}{}:
			defer func() { <-k.slots }()
			f(ctx)
		case <-ctx.Done():
		}
	})
}

// signal wakes the one that waits on c, now or when it next looks.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// pause waits for d, for a signal on wake (which may be nil), or for the end of
// ctx, which it reports.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// trouble logs a failing loop once when it begins to fail and once when it is
// well again.
type trouble struct{ on bool }

func (t *trouble) note(log *zap.Logger, what string, err error) {
	switch {
	case err != nil && !t.on:
		t.on = true
		log.Warn(what+" fails; trying on", zap.Error(err))
	case err == nil && t.on:
		t.on = false
		log.Info(what + " works again")
	}
}
