package writer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
)

// probes is how many objects all workers' probes share. Nobody deletes them, so a worker that starts over and over
// must not leave one each time; and they are some, so that a fleet that starts at once does not wait for one.
const probes = 16

// Probe checks that the store keeps the promises that the chain and the ledger
// stand on. It writes a small object, "_ledger/probe/<number>", until that is refused because it is there: the
// second time at the latest. Where the store has [Documents] it then changes
// the object from one version twice: the second change must be refused.
// Others may probe the same object meanwhile.
func Probe(ctx context.Context, store Store, worker string) error {
	key := probeKey(worker)
	if err := probeNew(ctx, store, key); err != nil {
		return fmt.Errorf("probe the lake: %w", err)
	}
	if docs, ok := store.(Documents); ok {
		if err := probeSwap(ctx, docs, key); err != nil {
			return fmt.Errorf("probe the lake: %w", err)
		}
	}
	return nil
}

func probeKey(worker string) string {
	h := fnv.New32a()
	h.Write([]byte(worker)) //nolint:errcheck // never fails
	return fmt.Sprintf("_ledger/probe/%02d", h.Sum32()%probes)
}

const conditional = "use a store that has conditional writes (Amazon S3, MinIO, Ceph, versitygw, R2) or a local folder"

func probeNew(ctx context.Context, store Store, key string) error {
	for try := range 2 {
		err := store.PutNew(ctx, key, []byte("{}\n"), nil)
		switch {
		case errors.Is(err, ErrExists):
			return nil // also the first time: of an earlier start, or an own write that landed, sent again
		case err != nil:
			return err
		case try == 1:
			return fmt.Errorf("the store wrote %s twice, so it ignores If-None-Match: * on PUT, and two workers could overwrite each other's files; %s", key, conditional)
		}
	}
	return nil
}

// probeSwap changes the object to what nobody else writes: equal content could have equal versions.
func probeSwap(ctx context.Context, docs Documents, key string) error {
	swap := func(version string) error {
		_, err := docs.Swap(ctx, key, []byte("{\"probe\":\""+rand.Text()+"\"}\n"), version)
		return err
	}
	_, version, err := docs.Load(ctx, key)
	if err != nil {
		return err
	}
	if err := swap(version); errors.Is(err, ErrChanged) {
		_, now, look := docs.Load(ctx, key)
		switch {
		case look != nil && !errors.Is(look, ErrNotFound):
			return look
		case look == nil && now == version:
			return fmt.Errorf("the store does not change %s although nobody else has: %w", key, err)
		}
		return nil // another's probe was faster, and ours was refused
	} else if err != nil {
		return err
	}
	switch err := swap(version); {
	case errors.Is(err, ErrChanged):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("the store changed %s twice from one version, so it ignores If-Match on PUT, and two processes could lose each other's entries in the ledger; %s", key, conditional)
}
