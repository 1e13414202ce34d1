package writer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Probe checks that the store keeps the promises that the chain and the ledger
// stand on. It writes one small object, "_ledger/probe/<worker>-<time>", twice: the
// second write must be refused. Where the store has [Documents] it then changes
// the object from one version twice: again the second change must be refused.
func Probe(ctx context.Context, store Store, worker string) error {
	key := "_ledger/probe/" + url.PathEscape(worker) + "-" + time.Now().UTC().Format("20060102T150405.000000000Z")
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

const conditional = "use a store that has conditional writes (Amazon S3, MinIO, Ceph, versitygw, R2) or a local folder"

func probeNew(ctx context.Context, store Store, key string) error {
	for try := range 2 {
		err := store.PutNew(ctx, key, []byte("{}\n"), nil)
		switch {
		case errors.Is(err, ErrExists):
			return nil // also the first time: an own write that landed, sent again
		case err != nil:
			return err
		case try == 1:
			return fmt.Errorf("the store wrote %s twice, so it ignores If-None-Match: * on PUT, and two workers could overwrite each other's files; %s", key, conditional)
		}
	}
	return nil
}

func probeSwap(ctx context.Context, docs Documents, key string) error {
	_, version, err := docs.Load(ctx, key)
	if err != nil {
		return err
	}
	if _, err := docs.Swap(ctx, key, []byte("{\"version\":2}\n"), version); err != nil {
		return fmt.Errorf("the store does not change %s although nobody else has: %w", key, err)
	}
	_, err = docs.Swap(ctx, key, []byte("{\"version\":3}\n"), version)
	switch {
	case errors.Is(err, ErrChanged):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("the store changed %s twice from one version, so it ignores If-Match on PUT, and two processes could lose each other's entries in the ledger; %s", key, conditional)
}
