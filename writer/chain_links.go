package writer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"dynamolake/transform"
)

// Links are all files of the chain, in the order of their names, whether or not they follow one
// another. One that says nothing usable of itself is an error, as in Next.
func (c *Chain) Links(ctx context.Context) ([]Link, error) {
	var cursors []transform.Seq
	for o, err := range c.store.List(ctx, c.prefix) {
		if err != nil {
			return nil, fmt.Errorf("list the chain: %w", err)
		}
		name, _ := strings.CutPrefix(o.Key, c.prefix+"after-")
		digits, _ := strings.CutSuffix(name, ".parquet")
		if after, err := transform.ParseSeq(digits); err == nil && linkKey(c.prefix, after) == o.Key {
			cursors = append(cursors, after)
		}
	}
	links, errs := make([]Link, len(cursors)), make([]error, len(cursors))
	turns := make(chan struct{}, linkReaders)
	var wg sync.WaitGroup
	for i, after := range cursors {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			link, ok, err := c.Next(ctx, after)
			if err == nil && !ok {
				err = fmt.Errorf("%s was there, and is gone: %w", linkKey(c.prefix, after), ErrNotFound)
			}
			links[i], errs[i] = link, err
		})
	}
	wg.Wait()
	return links, errors.Join(errs...)
}

// linkReaders is how many files are asked for what they cover at once.
const linkReaders = 16
