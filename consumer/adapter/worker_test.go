package adapter_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/config"
	kcl "github.com/vmware/vmware-go-kcl-v2/clientlibrary/interfaces"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/worker"
	"github.com/vmware/vmware-go-kcl-v2/logger"

	"dynamolake/consumer/adapter"
	"dynamolake/internal/bubble"
)

func TestMain(m *testing.M) {
	logrus.SetOutput(io.Discard) // the library logs renewals past its configured logger
	os.Exit(m.Run())
}

// leases is a Checkpointer in memory, as plain as the library's own.
type leases struct {
	mu    sync.Mutex
	owner map[string]string
	at    map[string]string
}

func (*leases) Init() error { return nil }

func (l *leases) GetLease(s *partition.ShardStatus, worker string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if owner := l.owner[s.ID]; owner != "" && owner != worker {
		return checkpoint.ErrLeaseNotAcquired{}
	}
	l.owner[s.ID] = worker
	s.SetLeaseOwner(worker)
	return nil
}

func (l *leases) CheckpointSequence(s *partition.ShardStatus) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[s.ID] = s.GetCheckpoint()
	return nil
}

func (l *leases) FetchCheckpoint(s *partition.ShardStatus) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.SetLeaseOwner(l.owner[s.ID])
	at, ok := l.at[s.ID]
	if !ok {
		return checkpoint.ErrSequenceIDNotFound
	}
	s.SetCheckpoint(at)
	return nil
}

func (l *leases) RemoveLeaseInfo(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.at, id)
	delete(l.owner, id)
	return nil
}

func (l *leases) RemoveLeaseOwner(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.owner, id)
	return nil
}

func (l *leases) GetLeaseOwner(id string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owner[id], nil
}

func (*leases) ListActiveWorkers(map[string]*partition.ShardStatus) (map[string][]*partition.ShardStatus, error) {
	return nil, checkpoint.ErrShardNotAssigned
}
func (*leases) ClaimShard(*partition.ShardStatus, string) error { return nil }

func (l *leases) finished(_ context.Context, id string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at[id] == checkpoint.ShardEnd, nil
}

// seen is what the processors of all workers were given, in order.
type seen struct {
	mu      sync.Mutex
	records []seenRecord
}

type seenRecord struct{ shard, key, seq string }

func (s *seen) CreateProcessor() kcl.IRecordProcessor { return &processor{seen: s} }

type processor struct {
	seen  *seen
	shard string
}

func (p *processor) Initialize(in *kcl.InitializationInput) { p.shard = in.ShardId }

func (p *processor) ProcessRecords(in *kcl.ProcessRecordsInput) {
	p.seen.mu.Lock()
	for _, r := range in.Records {
		p.seen.records = append(p.seen.records, seenRecord{p.shard, *r.PartitionKey, *r.SequenceNumber})
	}
	p.seen.mu.Unlock()
	if err := in.Checkpointer.Checkpoint(in.Records[len(in.Records)-1].SequenceNumber); err != nil {
		log.Print(err)
	}
}

func (p *processor) Shutdown(in *kcl.ShutdownInput) {
	if in.ShutdownReason == kcl.TERMINATE {
		if err := in.Checkpointer.Checkpoint(nil); err != nil {
			log.Print(err)
		}
	}
}

// TestStockWorkersReadEachRecordOnceAndInOrder runs real Workers over a live
// stream that rolls and splits under them, with one restart on the way.
func TestStockWorkersReadEachRecordOnceAndInOrder(t *testing.T) {
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				f := newFake(t)
				f.life = 15 * time.Minute
				f.add("", 0, 128)
				f.add("", 128, 256)
				written := map[string][]string{} // by item, in order
				rng := rand.New(rand.NewPCG(7, uint64(workers)))
				write := func(n int) {
					for range n {
						slot := rng.IntN(256)
						key := fmt.Sprintf(`{"pk":{"S":"<%d>"},"sk":{"N":"7"}}`, slot)
						written[key] = append(written[key], f.put(slot, n))
					}
				}
				// The stream has a history: closed shards with open children.
				for range 3 {
					write(300)
					for _, s := range f.leaves() {
						f.roll(s, 1)
					}
				}

				table := &leases{owner: map[string]string{}, at: map[string]string{}}
				got := &seen{}
				run := func(id string) *worker.Worker {
					cfg := config.NewKinesisClientLibConfig("app", "orders", "eu-west-1", id).
						WithInitialPositionInStream(config.TRIM_HORIZON).
						WithShardSyncIntervalMillis(1000).
						WithLogger(silent{})
					w := worker.NewWorker(got, cfg).WithCheckpointer(table).
						WithKinesis(adapter.New(f.client(), streamARN, adapter.Options{Finished: table.finished}))
					if err := w.Start(); err != nil {
						t.Fatal(err)
					}
					return w
				}
				var running []*worker.Worker
				for i := range workers {
					running = append(running, run(fmt.Sprintf("w%d", i)))
				}
				for minute := range 10 {
					write(200)
					time.Sleep(time.Minute)
					switch leaves := f.leaves(); minute {
					case 2, 6:
						f.roll(leaves[rng.IntN(len(leaves))], 1)
					case 3, 5:
						f.roll(leaves[rng.IntN(len(leaves))], 2)
					case 4:
						running[0].Shutdown()
						running[0] = run("w9")
					}
				}
				time.Sleep(2 * time.Minute)
				for _, w := range running {
					w.Shutdown()
				}

				read := map[string][]string{}
				for _, r := range got.records {
					read[r.key] = append(read[r.key], r.seq)
				}
				if want := 3*300 + 10*200; len(got.records) != want {
					t.Errorf("%d records read, %d written", len(got.records), want)
				}
				for key, want := range written {
					if strings.Join(read[key], ",") != strings.Join(want, ",") {
						t.Errorf("item %s: read %v, written %v", key, read[key], want)
					}
				}
			})
		})
	}
}

// silent is the library's logger, for those who do not listen.
type silent struct{}

func (silent) Debugf(string, ...any)                    {}
func (silent) Infof(string, ...any)                     {}
func (silent) Warnf(string, ...any)                     {}
func (silent) Errorf(string, ...any)                    {}
func (silent) Fatalf(format string, args ...any)        { panic(fmt.Sprintf(format, args...)) }
func (silent) Panicf(format string, args ...any)        { panic(fmt.Sprintf(format, args...)) }
func (s silent) WithFields(logger.Fields) logger.Logger { return s }
