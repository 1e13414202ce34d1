package writer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Probe checks that the store keeps the chain's promise: it writes one small
// object, "_ledger/probe/<worker>-<time>", twice. The second write must be refused.
func Probe(ctx context.Context, store Store, worker string) error {
	key := "_ledger/probe/" + url.PathEscape(worker) + "-" + time.Now().UTC().Format("20060102T150405.000000000Z")
	for try := range 2 {
		err := store.PutNew(ctx, key, []byte("{}\n"), nil)
		switch {
		case errors.Is(err, ErrExists):
			return nil // also the first time: an own write that landed, sent again
		case err != nil:
			return fmt.Errorf("probe the lake: %w", err)
		case try == 1:
			return fmt.Errorf("probe the lake: the store wrote %s twice, so it ignores If-None-Match: * on PUT, and two workers could overwrite each other's files; use a store that has conditional writes (Amazon S3, MinIO, Ceph, versitygw, R2) or a local folder", key)
		}
	}
	return nil
}
