package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"dynamolake/transform"
)

// refusal is a record that a dataset refused, from its object in rejects/.
type refusal struct {
	Seq    string `json:"seq"`    // of the stream
	Export string `json:"export"` // id
	Record struct {
		Stream struct {
			Keys    json.RawMessage
			Created float64 `json:"ApproximateCreationDateTime"` // seconds
		} `json:"dynamodb"`
		Keys     json.RawMessage
		Item     map[string]json.RawMessage
		Metadata struct {
			Written struct{ N string } `json:"WriteTimestampMicros"`
		}
	} `json:"record"`
}

// key is the canonical key of the item; nil where the record does not tell.
func (r *refusal) key(keys transform.KeySchema) []byte {
	text := r.Record.Keys
	if text == nil {
		text = r.Record.Stream.Keys
	}
	if text == nil {
		only := map[string]json.RawMessage{keys.Hash.Name: r.Record.Item[keys.Hash.Name]}
		if keys.HasRange() {
			only[keys.Range.Name] = r.Record.Item[keys.Range.Name]
		}
		text, _ = json.Marshal(only) // what it lacks is null, which Canonical refuses
	}
	key, err := transform.Canonical(text)
	if err != nil {
		return nil
	}
	return key
}

// after tells whether the record may be newer than a row. Between a stream and an export only time tells,
// and a stream rounds it down to a second. full is the time of the full export that the record is of,
// microseconds.
func (r *refusal) after(e entry, full int64) bool {
	if seq, err := transform.ParseSeq(r.Seq); err == nil && !seq.IsZero() {
		if at := orderOf(0, seq, 0); e.hi != 0 { // a row of the stream
			row := e.order
			row.rank %= 100
			return at.compare(row) > 0
		}
	}
	at := full
	if n, err := strconv.ParseInt(r.Record.Metadata.Written.N, 10, 64); err == nil {
		at = n
	} else if r.Record.Stream.Created != 0 {
		at = int64(r.Record.Stream.Created*1e6) + 999_999
	}
	return at >= e.ts
}

// refused sets those suspects aside whose last change is in rejects/: the dataset refused it, so it
// cannot have it, and that is told.
func (c *comparison) refused(ctx context.Context) error {
	if len(c.suspects) == 0 || c.v.catalog.latest == 0 {
		return nil
	}
	v := c.v
	full := int64(0)
	if r := v.baseRecord(); r != nil {
		full = r.To.UnixMicro()
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.Parallel)
	for o, err := range v.Store.List(ctx, v.Prefix+"rejects/") {
		if err != nil {
			group.Wait() //nolint:errcheck // the listing's error comes first
			return err
		}
		set := v.setOf(parsePlace(v.Prefix, o.Key).dataset)
		if set < 0 {
			continue
		}
		group.Go(func() error {
			body, _, err := v.Store.Get(ctx, o.Key)
			if err != nil {
				return err
			}
			var r refusal
			if json.Unmarshal(body, &r) != nil {
				return nil
			}
			key := itemKey{digestOf(r.key(v.Keys)), uint16(set)}
			mu.Lock()
			defer mu.Unlock()
			s := c.suspects[key]
			if s == nil || s.known && !r.after(s.lake, full) {
				return nil
			}
			delete(c.suspects, key)
			v.sets[set].out.Refused++
			if d := v.datasets[v.sets[set].name]; len(d.Refusals) < shown {
				d.Refusals = append(d.Refusals, strings.TrimPrefix(o.Key, v.Prefix))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("look into rejects/: %w", err)
	}
	for _, d := range v.datasets {
		slices.Sort(d.Refusals)
	}
	return nil
}
