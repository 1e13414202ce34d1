package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
	"go.uber.org/zap/zaptest"
)

// stream is a stream whose shards are what the test says.
type stream struct {
	mu     sync.Mutex
	shards map[string]Shard
	hidden map[string]bool // not listed, but there
}

func newStream(shards ...Shard) *stream {
	s := &stream{shards: map[string]Shard{}, hidden: map[string]bool{}}
	s.add(shards...)
	return s
}

func numbered(n int) []Shard {
	var shards []Shard
	for i := range n {
		shards = append(shards, Shard{ID: born(time.Duration(i)*time.Millisecond, "root")})
	}
	return shards
}

func (s *stream) add(shards ...Shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range shards {
		s.shards[sh.ID] = sh
	}
}

func (s *stream) trim(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.shards, id)
	}
}

// split closes a shard and gives it children.
func (s *stream) split(parent string, children ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.shards[parent]
	p.Closed = true
	s.shards[parent] = p
	for _, c := range children {
		s.shards[c] = Shard{ID: c, Parent: parent}
	}
}

func (s *stream) Shards(context.Context) ([]Shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Shard
	for _, sh := range s.shards {
		if !s.hidden[sh.ID] {
			out = append(out, sh)
		}
	}
	return out, nil
}

func (s *stream) Children(_ context.Context, parent string) ([]Shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Shard
	for _, sh := range s.shards {
		if sh.Parent == parent {
			out = append(out, sh)
		}
	}
	return out, nil
}

func (s *stream) Exists(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.shards[id]
	return ok, nil
}

// fleet is workers over one simulated cloud, in a bubble of virtual time. It fails
// the test when two sessions of one shard may write at the same time, or a session
// runs before its parent's row ended.
type fleet struct {
	t      *testing.T
	cloud  *awssim.Cloud
	stream *stream
	opts   func(*Options)
	flush  time.Duration // what a session takes to stop in order
	begin  time.Time
	quiet  bool // no log

	mu      sync.Mutex
	workers []*worker
	writers map[string]*Lease // the last session of each shard
	fails   map[string]chan struct{}
	done    map[string]bool // parents that were ended, or need not be waited for
	starts  map[string]int  // sessions that ever began, by shard
	cut     map[string]bool // workers without a network
}

type worker struct {
	f      *fleet
	id     string
	k      *Keeper
	d      *Driver
	cancel context.CancelFunc
	err    chan error
}

func newFleet(t *testing.T, s *stream) *fleet {
	f := &fleet{
		t: t, stream: s, flush: 20 * time.Millisecond, begin: time.Now(), opts: func(*Options) {},
		writers: map[string]*Lease{}, starts: map[string]int{}, fails: map[string]chan struct{}{}, done: map[string]bool{}, cut: map[string]bool{},
		cloud: awssim.New(awssim.Config{Seed: 1, Latency: func(*awssim.Call) time.Duration { return 3 * time.Millisecond }}),
	}
	f.cloud.Intercept(func(c *awssim.Call) awssim.Fault {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.cut[c.Client] {
			return awssim.Fault{Delay: time.Hour}
		}
		return awssim.Fault{}
	})
	return f
}

func (f *fleet) client(name string) *dynamodb.Client {
	return dynamodb.NewFromConfig(f.cloud.AWSConfig(name))
}

// start runs a worker with a driver as the KCL Worker drives it.
func (f *fleet) start(id string, opts ...func(*Options)) *worker {
	f.t.Helper()
	o := Options{Client: f.client(id), App: "app", Worker: id, Stream: f.stream, Log: zaptest.NewLogger(f.t)}
	if f.quiet {
		o.Log = nil
	}
	f.opts(&o)
	for _, opt := range opts {
		opt(&o)
	}
	k, err := Open(f.t.Context(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	w := &worker{f: f, id: id, k: k, d: NewDriver(k), cancel: cancel, err: make(chan error, 1)}
	f.mu.Lock()
	f.workers = append(f.workers, w)
	f.mu.Unlock()
	go func() { w.err <- k.Run(ctx) }()
	go w.drive(ctx)
	return w
}

// drive does what the Worker's event loop does, oddities included: a shard's status is
// kept for as long as it is listed, and one consumer is started per listing.
func (w *worker) drive(ctx context.Context) {
	status := map[string]*partition.ShardStatus{}
	for ctx.Err() == nil {
		grants := w.d.Wanted(ctx)
		listed := map[string]bool{}
		for _, g := range grants {
			listed[g.Shard] = true
			if status[g.Shard] == nil {
				status[g.Shard] = &partition.ShardStatus{ID: g.Shard, Mux: &sync.RWMutex{}, StartingSequenceNumber: fmt.Sprint(g.Generation)}
			}
		}
		for id := range status {
			if !listed[id] {
				delete(status, id)
			}
		}
		for _, s := range status {
			if s.GetLeaseOwner() == w.id {
				continue
			}
			if w.d.FetchCheckpoint(s); s.GetCheckpoint() == ShardEnd || w.d.GetLease(s, w.id) != nil {
				continue
			}
			go w.consume(s)
			break
		}
		time.Sleep(time.Millisecond)
	}
}

func (w *worker) consume(s *partition.ShardStatus) {
	l, ok := w.d.Session(s.ID)
	if !ok {
		w.f.t.Errorf("%s: a consumer of %s was started without a session", w.id, s.ID)
		return
	}
	select {
	case <-l.Revoked():
	case <-w.f.enter(l):
	}
	if l.Check() == nil {
		time.Sleep(w.f.flush)
	}
	s.SetLeaseOwner("")
	time.Sleep(time.Millisecond)
	w.d.RemoveLeaseOwner(s.ID)
}

// enter notes that a session begins. A signal on the channel makes it fail.
func (f *fleet) enter(l *Lease) (fail chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before := f.writers[l.Key()]; before != nil && before.Check() == nil {
		f.t.Errorf("two sessions of %s may write: %s generation %d, %s generation %d", l.Key(), before.k.o.Worker, before.Generation(), l.k.o.Worker, l.Generation())
	}
	if parent := l.Parent(); parent != "" && !f.done[parent] {
		f.t.Errorf("%s is read before its parent %s ended", l.Key(), parent)
	}
	fail = make(chan struct{})
	f.writers[l.Key()], f.fails[l.Key()] = l, fail
	f.starts[l.Key()]++
	return fail
}

// kill ends a worker as a power cut does.
func (f *fleet) kill(w *worker) {
	f.setCut(w.id, true)
	w.cancel()
	<-w.err
}

func (f *fleet) setCut(id string, cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut[id] = cut
}

// reading is the number of shards with a session that may write, per worker.
func (f *fleet) reading() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := map[string]int{}
	for _, l := range f.writers {
		if l.Check() == nil && l.Checkpoint().Sentinel != ShardEnd {
			n[l.k.o.Worker]++
		}
	}
	return n
}

func total(n map[string]int) (sum int) {
	for _, v := range n {
		sum += v
	}
	return sum
}

func spread(n map[string]int) int {
	low, high := 1<<30, 0
	for _, v := range n {
		low, high = min(low, v), max(high, v)
	}
	return high - low
}

// until waits for cond in virtual time, looking every 100 ms.
func (f *fleet) until(limit time.Duration, what string, cond func() bool) time.Duration {
	f.t.Helper()
	began := time.Now()
	for !cond() {
		if time.Since(began) > limit {
			f.t.Fatalf("after %s: not %s; reading %v", limit, what, f.reading())
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(began)
}

// even waits until n shards are read by m workers, evenly.
func (f *fleet) even(limit time.Duration, n, m int) time.Duration {
	f.t.Helper()
	return f.until(limit, fmt.Sprintf("%d shards even on %d workers", n, m), func() bool {
		r := f.reading()
		return total(r) == n && len(r) == min(m, n) && spread(r) <= 1
	})
}

// sessions is how many ever began, of one shard or of all.
func (f *fleet) sessions(shard string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts[shard]
}

func (f *fleet) total() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.starts {
		n += s
	}
	return n
}

// leases are the last sessions of all shards.
func (f *fleet) leases() []*Lease {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Values(f.writers))
}

func (f *fleet) lease(shard string) *Lease {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.writers[shard]
	if l == nil {
		f.t.Fatalf("nobody ever read %s", shard)
	}
	return l
}

func (f *fleet) row(shard string) Row {
	f.t.Helper()
	t, err := ReadTable(f.t.Context(), f.client("observer"), "app", "")
	if err != nil {
		f.t.Fatal(err)
	}
	i := slices.IndexFunc(t.Leases, func(r Row) bool { return r.Key == shard })
	if i < 0 {
		return Row{}
	}
	return t.Leases[i]
}

// stop ends all workers and gives what they started the time to end, as a bubble demands.
func (f *fleet) stop() {
	for _, w := range f.workers {
		w.cancel()
	}
	time.Sleep(time.Minute)
}

// inBubble runs a test over a fleet in virtual time.
func inBubble(t *testing.T, s *stream, test func(t *testing.T, f *fleet)) {
	t.Helper()
	bubble.Run(t, func(t *testing.T) {
		f := newFleet(t, s)
		defer f.stop()
		test(t, f)
	})
}

func wantLost(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrLost) {
		t.Errorf("error %v, want ErrLost", err)
	}
}
