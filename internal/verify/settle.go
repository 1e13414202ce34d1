package verify

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/internal/attribute"
)

// settle looks at suspects again: the table is written to while it is read, and the
// lake follows. An item has settled when the table and the lake's newest row agree; or when
// the lake has a newer row with what the table had at the look before, which is how
// items that are written all the time do.
func (c *comparison) settle(ctx context.Context, t *Table) error {
	if len(c.suspects) == 0 {
		return nil
	}
	if err := c.findKeys(ctx); err != nil {
		return err
	}
	for look := 1; look <= t.Looks && len(c.suspects) > 0; look++ {
		c.v.tell(Progress{Stage: "settle", Done: int64(look), Total: int64(t.Looks)})
		if err := pause(ctx, t.Settle); err != nil {
			return err
		}
		if err := c.newer(ctx); err != nil {
			return err
		}
		now := map[itemKey]wanted{}
		err := c.fetch(ctx, t, func(itemKey) bool { return true }, func(key digest, item []byte) error {
			for i, set := range c.v.sets {
				at := itemKey{key, uint16(i)}
				if c.suspects[at] == nil {
					continue
				}
				w, err := set.wants(item)
				if err != nil {
					return err
				}
				now[at] = w
			}
			return nil
		})
		if err != nil {
			return err
		}
		for key, s := range c.suspects {
			s.other = now[key]
			if c.agrees(key, s, s.lake, s.known) {
				c.settled(key)
			}
		}
	}
	return nil
}

// agrees tells whether a row of the lake is what the other side has, or had at the last
// look.
func (c *comparison) agrees(key itemKey, s *suspect, e entry, known bool) bool {
	return s.other.agrees(e, known, c.v.sets[key.set].from)
}

func (c *comparison) settled(key itemKey) {
	delete(c.suspects, key)
	c.v.sets[key.set].out.Settled++
}

// newer takes in the rows of suspects that came since. The whole lake is not read again: only
// what was not there when it was listed.
func (c *comparison) newer(ctx context.Context) error {
	v := c.v
	var mu sync.Mutex
	caught := map[itemKey]bool{}
	fresh := newExtent()
	wanted := func(p place, key string) bool {
		if v.extent.has(p, key) {
			return false
		}
		fresh.add(p, key)
		return true
	}
	err := v.eachRow(ctx, "newest files", wanted, func(text []byte, r row) error {
		mu.Lock()
		defer mu.Unlock()
		key, e := itemKey{digestOf(text), r.set}, entryOf(r)
		s := c.suspects[key]
		if s == nil {
			return nil
		}
		if item, err := v.item(r); err == nil && e.live() {
			e.item = digestOf(item)
		}
		if c.agrees(key, s, e, true) {
			caught[key] = true
		}
		if !s.known || s.lake.compare(e.order) < 0 {
			s.lake, s.known = e, true
		}
		return nil
	})
	if err != nil {
		return err
	}
	v.extent.merge(fresh)
	for key := range caught {
		c.settled(key)
	}
	return nil
}

// findKeys reads the keys of items that only the lake has.
func (c *comparison) findKeys(ctx context.Context) error {
	unknown := 0
	for _, s := range c.suspects {
		if s.key == nil {
			unknown++
		}
	}
	if unknown == 0 {
		return nil
	}
	var mu sync.Mutex
	return c.v.eachRow(ctx, "keys", c.v.extent.has, func(text []byte, r row) error {
		mu.Lock()
		defer mu.Unlock()
		if s := c.suspects[itemKey{digestOf(text), r.set}]; s != nil && s.key == nil {
			s.key = append([]byte{}, text...)
		}
		return nil
	})
}

// fetch reads suspects from the table, consistently, each key once.
func (c *comparison) fetch(ctx context.Context, t *Table, wanted func(itemKey) bool, take func(key digest, item []byte) error) error {
	asked := map[digest]bool{}
	var keys []map[string]types.AttributeValue
	flush := func() error {
		for left := keys; len(left) > 0; {
			n := min(len(left), 100)
			items, unread, err := t.get(ctx, left[:n])
			if err != nil {
				return err
			}
			for _, item := range items {
				key, text, err := texts(c.v.Keys, item)
				if err != nil {
					return err
				}
				if err := take(digestOf(key), text); err != nil {
					return err
				}
			}
			left = append(unread, left[n:]...)
		}
		keys = keys[:0]
		return nil
	}
	for key, s := range c.suspects {
		if s.key == nil || !wanted(key) || asked[key.key] {
			continue
		}
		asked[key.key] = true
		k, err := attribute.Parse(s.key)
		if err != nil {
			return err
		}
		if keys = append(keys, k); len(keys) == 100 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// get is BatchGetItem.
func (t *Table) get(ctx context.Context, keys []map[string]types.AttributeValue) (items, unread []map[string]types.AttributeValue, err error) {
	out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{t.Name: {Keys: keys, ConsistentRead: aws.Bool(true)}},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, nil, explain("read items of table "+t.Name, "BatchGetItem", err)
	}
	units := float64(len(keys))
	if len(out.ConsumedCapacity) > 0 && out.ConsumedCapacity[0].CapacityUnits != nil {
		units = *out.ConsumedCapacity[0].CapacityUnits
	}
	return out.Responses[t.Name], out.UnprocessedKeys[t.Name].Keys, t.limit.spend(ctx, units)
}

func pause(ctx context.Context, d time.Duration) error {
	if err := context.Cause(ctx); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
