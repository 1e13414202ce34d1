package verify

import (
	"context"
	"sync"
)

// shownItems is of how many items that differ the attributes are named.
const shownItems = 20

// pair is an item of both sides, whole.
type pair struct {
	order       order
	age         uint16
	lake, other []byte
}

// names says in which attributes items differ. It reads both sides again, for a few.
func (c *comparison) names(ctx context.Context) (map[itemKey][]string, error) {
	pairs := map[itemKey]*pair{}
	for key, s := range c.suspects {
		if s.known && s.lake.live() && s.other != nil && len(pairs) < shownItems {
			pairs[key] = &pair{}
		}
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	var mu sync.Mutex
	v := c.v
	err := v.eachRow(ctx, "differences", func(place, string) bool { return true }, func(text []byte, r row) error {
		p, e := pairs[itemKey{digestOf(text), r.set}], entryOf(r)
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
			p.order, p.age, p.lake = e.order, e.age, item
			if !e.live() {
				p.lake = []byte("{}")
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	take := func(key digest, item []byte) (err error) {
		mu.Lock()
		defer mu.Unlock()
		for i, set := range v.sets {
			if p := pairs[itemKey{key, uint16(i)}]; p != nil && err == nil {
				p.other, err = set.masked(item, p.age)
			}
		}
		return err
	}
	if t := v.AgainstTable; t != nil {
		err = c.fetch(ctx, t, func(key itemKey) bool { return pairs[key] != nil }, take)
	} else {
		err = c.with.each(ctx, func(int64) {}, func(key, item []byte) error { return take(digestOf(key), item) })
	}
	names := map[itemKey][]string{}
	for key, p := range pairs {
		names[key] = differing(p.lake, p.other)
	}
	return names, err
}
