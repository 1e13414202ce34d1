package checkpoint

import (
	"context"

	kcl "github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
)

// Grant is one shard that the KCL Worker is to run, once.
type Grant struct {
	Shard      string
	Generation int64
}

// Driver lets the KCL Worker run the sessions of a Keeper's leases.
type Driver struct{}

var _ kcl.Checkpointer = (*Driver)(nil)

func NewDriver(k *Keeper) *Driver                                          { panic("todo") }
func (d *Driver) Wanted(ctx context.Context) []Grant                       { panic("todo") }
func (d *Driver) Session(shard string) (*Lease, bool)                      { panic("todo") }
func (d *Driver) Lookup(shard string, generation int64) (*Lease, bool)     { panic("todo") }
func (d *Driver) Init() error                                              { panic("todo") }
func (d *Driver) GetLease(s *partition.ShardStatus, worker string) error   { panic("todo") }
func (d *Driver) CheckpointSequence(s *partition.ShardStatus) error        { panic("todo") }
func (d *Driver) FetchCheckpoint(s *partition.ShardStatus) error           { panic("todo") }
func (d *Driver) RemoveLeaseInfo(shard string) error                       { panic("todo") }
func (d *Driver) RemoveLeaseOwner(shard string) error                      { panic("todo") }
func (d *Driver) GetLeaseOwner(shard string) (string, error)               { panic("todo") }
func (d *Driver) ClaimShard(s *partition.ShardStatus, worker string) error { panic("todo") }
func (d *Driver) ListActiveWorkers(map[string]*partition.ShardStatus) (map[string][]*partition.ShardStatus, error) {
	panic("todo")
}
