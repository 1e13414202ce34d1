package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"dynamolake/transform"
)

// Chain is the chain of one shard: see the package comment for its rules.
type Chain struct {
	store  Store
	prefix string
}

// NewChain returns the chain under a [ChainPrefix].
func NewChain(store Store, prefix string) *Chain {
	return &Chain{store: store, prefix: prefix}
}

// Next returns the link that follows a cursor, if there is one.
func (c *Chain) Next(ctx context.Context, after transform.Seq) (Link, bool, error) {
	key := linkKey(c.prefix, after)
	o, err := c.store.Head(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return Link{}, false, nil
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("read the chain after %s: %w", after, err)
	}
	l, err := parseLink(o, after)
	if err == nil {
		return l, true, nil
	}
	// A copy of a lake may have lost its object metadata; the Parquet footer
	// says the same.
	if body, o, getErr := c.store.Get(ctx, key); getErr == nil {
		if meta, ok := footerMeta(bytes.NewReader(body), int64(len(body))); ok {
			o.Meta = meta
			if l, err := parseLink(o, after); err == nil {
				return l, true, nil
			}
		}
	} else if !errors.Is(getErr, ErrNotFound) {
		return Link{}, false, fmt.Errorf("read the chain after %s: %w", after, getErr)
	}
	return Link{}, false, err
}

// Tip walks the chain forward and returns the position it ends at, and whether
// it ends with the shard.
func (c *Chain) Tip(ctx context.Context, from transform.Seq) (end transform.Seq, ended bool, err error) {
	for {
		l, ok, err := c.Next(ctx, from)
		if err != nil || !ok {
			return from, false, err
		}
		if l.ShardEnd {
			return l.End, true, nil
		}
		from = l.End
	}
}

// Commit writes a file as the link after its slice's start, or finds the link
// that is there already. won tells which: with won false, the link is another
// writer's, and the caller must carry on after its End.
//
// A reply that was lost is no failure: Commit asks what is there, and writes
// again while nothing is. It gives up when ctx ends (then the link may or may not
// have been written), or at a [StoreError].
func (c *Chain) Commit(ctx context.Context, f File) (link Link, won bool, err error) {
	key := linkKey(c.prefix, f.Link.After)
	for try := 0; ; try++ {
		put := c.store.PutNew(ctx, key, f.Body, f.Meta)
		if put == nil {
			link = f.Link
			link.Key = key
			return link, true, nil
		}
		if fatal(ctx, put) {
			return Link{}, false, fmt.Errorf("write %s: %w", key, put)
		}
		link, ok, err := c.Next(ctx, f.Link.After)
		switch {
		case ok:
			// The attempt is in the footer too, so equal content is our content.
			return link, link.Attempt == f.Link.Attempt && link.SHA256 == f.Link.SHA256, nil
		case err != nil && fatal(ctx, err):
			return Link{}, false, err
		}
		if err := pause(ctx, try); err != nil {
			return Link{}, false, fmt.Errorf("write %s: %w; last: %w", key, err, put)
		}
	}
}

// fatal tells errors that asking again does not cure.
func fatal(ctx context.Context, err error) bool {
	var denied *StoreError
	var broken *LinkError
	return ctx.Err() != nil || errors.As(err, &denied) || errors.As(err, &broken)
}

// pause waits before another try: 50 ms, doubling to 5 s, jittered by half.
func pause(ctx context.Context, try int) error {
	d := min(50*time.Millisecond<<min(try, 10), 5*time.Second)
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
