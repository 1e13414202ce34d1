package verify

import (
	"context"
	"sync"

	"dynamolake/writer"
)

// shownItems is of how many items that differ the attributes are named.
const shownItems = 20

// pair is an item of both sides, whole.
type pair struct {
	order       order
	lake, other []byte
}

// names says in which attributes items differ. It reads both sides again, for a few.
func (c *comparison) names(ctx context.Context) (map[digest][]string, error) {
	pairs := map[digest]*pair{}
	for key, s := range c.suspects {
		if s.known && s.lake.live() && s.other != (digest{}) && len(pairs) < shownItems {
			pairs[key] = &pair{}
		}
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	var mu sync.Mutex
	v := c.v
	err := v.eachRow(ctx, "differences", func(place, string) bool { return true }, func(text []byte, r *writer.Row) error {
		p, e := pairs[digestOf(text)], entryOf(r)
		if p == nil {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if p.lake == nil || p.order.compare(e.order) < 0 {
			item, err := v.item(r)
			if err != nil {
				return nil //nolint:nilerr // the digest of nothing: it differs, without names
			}
			p.order, p.lake = e.order, item
			if !e.live() {
				p.lake = []byte("{}")
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t := v.AgainstTable; t != nil {
		err = c.fetch(ctx, t, func(key digest) bool { return pairs[key] != nil }, func(key digest, item []byte) { pairs[key].other = item })
	} else {
		err = c.with.each(ctx, func(int64) {}, func(key, item []byte) error {
			if p := pairs[digestOf(key)]; p != nil {
				mu.Lock()
				defer mu.Unlock()
				p.other = append([]byte{}, item...)
			}
			return nil
		})
	}
	names := map[digest][]string{}
	for key, p := range pairs {
		names[key] = differing(p.lake, p.other)
	}
	return names, err
}
