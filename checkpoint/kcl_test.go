package checkpoint

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	kcl "github.com/vmware/vmware-go-kcl-v2/clientlibrary/checkpoint"
	"github.com/vmware/vmware-go-kcl-v2/clientlibrary/partition"
)

// status is what the Worker makes of a listed shard.
func status(shard string, generation int64) *partition.ShardStatus {
	return &partition.ShardStatus{ID: shard, Mux: &sync.RWMutex{}, StartingSequenceNumber: fmt.Sprint(generation)}
}

// alone is a keeper whose driver the test itself drives.
func alone(t *testing.T, shards int, test func(t *testing.T, f *fleet, d *Driver)) {
	t.Helper()
	inBubble(t, newStream(numbered(shards)...), func(t *testing.T, f *fleet) {
		k, err := Open(t.Context(), Options{Client: f.client("a"), App: "app", Worker: "a", Stream: f.stream})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go k.Run(ctx)
		test(t, f, NewDriver(k))
	})
}

// granted polls until so many shards are wanted.
func (f *fleet) granted(d *Driver, n int) []Grant {
	f.t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; {
		if grants := d.Wanted(f.t.Context()); len(grants) == n {
			return grants
		}
	}
	f.t.Fatalf("never %d grants", n)
	return nil
}

func TestAGrantStartsOneConsumer(t *testing.T) {
	alone(t, 1, func(t *testing.T, f *fleet, d *Driver) {
		g := f.granted(d, 1)[0]
		s := status(g.Shard, g.Generation)
		if err := d.GetLease(s, "a"); err != nil || s.GetLeaseOwner() != "a" {
			t.Fatalf("acquire: %v, owner %q", err, s.GetLeaseOwner())
		}
		if err := d.GetLease(s, "a"); err != nil {
			t.Errorf("renew: %v", err)
		}
		refused := func(what string, s *partition.ShardStatus) {
			t.Helper()
			if err := d.GetLease(s, "a"); err != (kcl.ErrLeaseNotAcquired{}) {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("a second consumer of the same grant", status(g.Shard, g.Generation))
		refused("a grant that never was", status(g.Shard, g.Generation+1))
		refused("a shard that is not ours", status("shardId-x", 1))

		// The consumer ends by itself. The Worker still knows the shard.
		s.SetLeaseOwner("")
		refused("the event loop, before the release", s)
		d.RemoveLeaseOwner(g.Shard)
		refused("the event loop, after the release", s)
		s.SetLeaseOwner("a")
		refused("a renewal that was under way", s)

		// It comes again after one listing without it.
		if n := len(d.Wanted(t.Context())); n != 0 {
			t.Errorf("%d grants right after the end", n)
		}
		next := f.granted(d, 1)[0]
		if next.Generation <= g.Generation {
			t.Errorf("generation %d after %d", next.Generation, g.Generation)
		}
		refused("the old grant", status(g.Shard, g.Generation))
		if err := d.GetLease(status(g.Shard, next.Generation), "a"); err != nil {
			t.Errorf("the new grant: %v", err)
		}
	})
}

// The Worker keeps what it knows of a shard while it is listed, so a lease that is
// lost and taken again between two listings must be left out of one.
func TestANewGenerationIsPrecededByAListingWithoutTheShard(t *testing.T) {
	alone(t, 1, func(t *testing.T, f *fleet, d *Driver) {
		old := f.granted(d, 1)[0]
		f.setCut("a", true)
		time.Sleep(10 * time.Second)
		f.setCut("a", false)
		f.until(20*time.Second, "taken again", func() bool {
			l, ok := d.k.held(old.Shard)
			return ok && l.Generation() != old.Generation
		})
		if grants := d.Wanted(t.Context()); len(grants) != 0 {
			t.Errorf("listed %v, while the Worker knows generation %d", grants, old.Generation)
		}
		began := time.Now()
		if grants := d.Wanted(t.Context()); len(grants) != 1 || grants[0].Generation == old.Generation {
			t.Errorf("then %v", grants)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the answer took %s", waited)
		}
	})
}

func TestWantedAnswersAtOnceWhileThereIsSomethingToStart(t *testing.T) {
	alone(t, 50, func(t *testing.T, f *fleet, d *Driver) {
		f.granted(d, 50)
		began := time.Now()
		for i, g := range f.granted(d, 50) {
			if err := d.GetLease(status(g.Shard, g.Generation), "a"); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				began = time.Now()
			}
			if i < 49 {
				d.Wanted(t.Context())
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("50 consumers were started in %s of virtual time", took)
		}
		began = time.Now()
		d.Wanted(t.Context())
		d.Wanted(t.Context())
		if took := time.Since(began); took < time.Second {
			t.Errorf("two listings without news took %s", took)
		}
		go d.k.Drain(t.Context())
		began = time.Now()
		d.Wanted(t.Context())
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("a drain was noticed after %s", took)
		}
		for _, g := range f.granted(d, 50) {
			d.RemoveLeaseOwner(g.Shard)
		}
	})
}

func TestTheWorkersCheckpointsStoreNothing(t *testing.T) {
	alone(t, 1, func(t *testing.T, f *fleet, d *Driver) {
		g := f.granted(d, 1)[0]
		s := status(g.Shard, g.Generation)
		if err := d.GetLease(s, "a"); err != nil {
			t.Fatal(err)
		}
		l, _ := d.Session(g.Shard)
		s.SetCheckpoint("99")
		if err := d.CheckpointSequence(s); err == nil {
			t.Error("a sequence number was taken")
		}
		s.SetCheckpoint(kcl.ShardEnd)
		if err := d.CheckpointSequence(s); err == nil {
			t.Error("an end that was not stored was confirmed")
		}
		if err := d.FetchCheckpoint(s); err != nil || s.GetCheckpoint() != "" {
			t.Errorf("fetch: %v, %q", err, s.GetCheckpoint())
		}
		if err := l.Commit(t.Context(), "7", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := d.FetchCheckpoint(s); err != nil || s.GetCheckpoint() != "7" {
			t.Errorf("fetch: %v, %q", err, s.GetCheckpoint())
		}
		if err := d.RemoveLeaseInfo(g.Shard); err != nil || f.row(g.Shard).Checkpoint.Seq != "7" {
			t.Errorf("a listing without the shard: %v, row %+v", err, f.row(g.Shard))
		}
		if err := l.End(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		s.SetCheckpoint(kcl.ShardEnd)
		if err := d.CheckpointSequence(s); err != nil {
			t.Errorf("a stored end: %v", err)
		}
		other := status("shardId-x", 1)
		other.SetCheckpoint("5")
		if err := d.FetchCheckpoint(other); err != kcl.ErrSequenceIDNotFound || other.GetCheckpoint() != "" {
			t.Errorf("fetch of a foreign shard: %v, %q", err, other.GetCheckpoint())
		}
	})
}
