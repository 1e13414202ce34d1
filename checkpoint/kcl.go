package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	kcl "github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
)

// Driver is a Keeper as the KCL Worker wants its Checkpointer. The Worker decides
// nothing: it starts a consumer for each grant, and the consumer ends when its
// session says so.
//
// The Worker mixes up the consumers of one shard that follow each other: one that
// has gone may renew, release or checkpoint for its successor. So each grant has
// a generation, which travels as the StartingSequenceNumber of the listed shard,
// starts one consumer, and is nothing afterwards.
type Driver struct{ k *Keeper }

var _ kcl.Checkpointer = (*Driver)(nil)

func NewDriver(k *Keeper) *Driver { return &Driver{k: k} }

// Wanted answers ListShards.
func (d *Driver) Wanted(ctx context.Context) []Grant { return d.k.wanted(ctx) }

// Session is the lease that a shard's consumer works under.
func (d *Driver) Session(shard string) (*Lease, bool) {
	l, ok := d.k.held(shard)
	if !ok {
		return nil, false
	}
	d.k.mu.Lock()
	defer d.k.mu.Unlock()
	return l, l.state == live
}

// Lookup is the lease of one generation, started or not.
func (d *Driver) Lookup(shard string, generation int64) (*Lease, bool) {
	l, ok := d.k.held(shard)
	return l, ok && l.generation == generation
}

// Init has nothing to do: Open did it.
func (d *Driver) Init() error { return nil }

func generationOf(s *partition.ShardStatus) int64 {
	n, _ := strconv.ParseInt(s.StartingSequenceNumber, 10, 64)
	return n
}

// GetLease is asked to acquire, by the event loop, and to renew, by the consumer.
// Both are answered from memory.
func (d *Driver) GetLease(s *partition.ShardStatus, worker string) error {
	gen := generationOf(s)
	if s.GetLeaseOwner() == worker {
		if l, ok := d.Lookup(s.ID, gen); !ok || l.Check() != nil {
			return kcl.ErrLeaseNotAcquired{}
		}
		return nil
	}
	l, ok := d.k.start(s.ID, gen)
	if !ok {
		return kcl.ErrLeaseNotAcquired{}
	}
	s.SetLeaseOwner(worker)
	s.SetCheckpoint(l.Checkpoint().Seq)
	return nil
}

// FetchCheckpoint always sets the checkpoint: the Worker keeps one in memory that
// nobody stored.
func (d *Driver) FetchCheckpoint(s *partition.ShardStatus) error {
	l, ok := d.Lookup(s.ID, generationOf(s))
	if !ok {
		s.SetCheckpoint("")
		return kcl.ErrSequenceIDNotFound
	}
	at := l.Checkpoint()
	if at.Sentinel == ShardEnd {
		s.SetCheckpoint(kcl.ShardEnd)
		return nil
	}
	s.SetCheckpoint(at.Seq)
	return nil
}

// CheckpointSequence stores nothing. Sessions commit through their lease, and the
// end of a shard is checked to have been stored by Lease.End.
func (d *Driver) CheckpointSequence(s *partition.ShardStatus) error {
	if s.GetCheckpoint() != kcl.ShardEnd {
		return fmt.Errorf("checkpoint shard %s: sessions commit through their lease", s.ID)
	}
	l, ok := d.Lookup(s.ID, generationOf(s))
	if !ok || l.Checkpoint().Sentinel != ShardEnd {
		return fmt.Errorf("checkpoint shard %s: its end is not stored", s.ID)
	}
	return nil
}

// RemoveLeaseInfo is called for each shard that a listing leaves out, which says
// nothing about the shard.
func (d *Driver) RemoveLeaseInfo(string) error { return nil }

// RemoveLeaseOwner is the last thing that a consumer does.
func (d *Driver) RemoveLeaseOwner(shard string) error {
	d.k.stopped(shard)
	return nil
}

// GetLeaseOwner is this worker or an error.
func (d *Driver) GetLeaseOwner(shard string) (string, error) {
	if _, ok := d.k.held(shard); !ok {
		return "", kcl.ErrShardNotAssigned
	}
	return d.k.o.Worker, nil
}

var errStealing = errors.New("lease stealing must be off: leases are assigned by the keeper")

func (d *Driver) ListActiveWorkers(map[string]*partition.ShardStatus) (map[string][]*partition.ShardStatus, error) {
	return nil, errStealing
}

func (d *Driver) ClaimShard(*partition.ShardStatus, string) error { return errStealing }
