package lakecheck

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"dynamolake/transform"
	"dynamolake/writer"
)

// Store is what the check needs of a lake's store.
type Store interface {
	Get(ctx context.Context, key string) ([]byte, writer.Object, error)
	List(ctx context.Context, prefix string) iter.Seq2[writer.Object, error]
}

// Lake is everything under a table's changes/ and snapshot/, decoded.
type Lake struct {
	Chains []*Chain
	// Exports are those that have a record, by their ids.
	Exports []*Export
	// Orphans are the objects that no walk along a chain explains, and that are of no
	// export.
	Orphans []*Object
	// Objects are all of the stream, orphans included, in key order; Exported those of exports.
	Objects, Exported []*Object
}

// Chain is the objects of one shard in one dataset, in the order of the walk.
type Chain struct {
	Prefix  string // of the keys, with the slash at its end
	Dataset string
	Shard   string
	Objects []*Object
	Ended   bool // the last object says that the shard is closed and read
}

// Rows is the number of rows in all objects.
func (l *Lake) Rows() int {
	n := 0
	for _, o := range l.Objects {
		n += len(o.Rows)
	}
	return n
}

// Read takes in all objects under <tablePrefix>changes/ and snapshot/, and the records of
// exports. What a store refuses is an error; an object that does not decode is kept with its Err.
func Read(ctx context.Context, store Store, tablePrefix string) (*Lake, error) {
	if tablePrefix != "" && !strings.HasSuffix(tablePrefix, "/") {
		tablePrefix += "/"
	}
	lake := &Lake{}
	chains := map[string]*Chain{}
	for listed, err := range store.List(ctx, tablePrefix+"changes/") {
		if err != nil {
			return nil, fmt.Errorf("list %schanges/: %w", tablePrefix, err)
		}
		body, got, err := store.Get(ctx, listed.Key)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", listed.Key, err)
		}
		o := &Object{Key: listed.Key, Dataset: datasetOf(tablePrefix, listed.Key), Modified: listed.Modified, Size: int64(len(body))}
		if isWindow(tablePrefix, listed.Key) {
			lake.Exported = append(lake.Exported, o)
			o.Err = o.decodeExport(tablePrefix, body, got.Meta)
			continue
		}
		lake.Objects = append(lake.Objects, o)
		place, ok := parsePlace(tablePrefix, listed.Key)
		if !ok {
			lake.Orphans = append(lake.Orphans, o)
			continue
		}
		o.Shard, o.After = place.shard, place.after
		o.Err = o.decode(body, got.Meta)
		c := chains[place.prefix]
		if c == nil {
			c = &Chain{Prefix: place.prefix, Dataset: o.Dataset, Shard: place.shard}
			chains[place.prefix] = c
			lake.Chains = append(lake.Chains, c)
		}
		c.Objects = append(c.Objects, o)
	}
	for _, c := range lake.Chains {
		lake.Orphans = append(lake.Orphans, c.walk()...)
	}
	if err := lake.readSnapshots(ctx, store, tablePrefix); err != nil {
		return nil, err
	}
	return lake, lake.readRecords(ctx, store, tablePrefix)
}

// place is what a chain object's key says.
type place struct {
	prefix, shard string
	after         transform.Seq
}

// parsePlace reads <table prefix>changes/<dataset>/shard_day=<day>/<shard>/after-<cursor>.parquet.
func parsePlace(tablePrefix, key string) (place, bool) {
	parts := strings.Split(strings.TrimPrefix(key, tablePrefix), "/")
	if len(parts) != 5 {
		return place{}, false
	}
	dataset, shard, name := parts[1], parts[3], parts[4]
	digits, isLink := strings.CutPrefix(name, "after-")
	digits, isParquet := strings.CutSuffix(digits, ".parquet")
	after, err := transform.ParseSeq(digits)
	prefix := writer.ChainPrefix(tablePrefix, dataset, shard)
	// The name must be the one that its parts make: another spelling of the same
	// cursor, or another day, would be a second place in the chain.
	if !isLink || !isParquet || err != nil || key != prefix+"after-"+after.String()+".parquet" {
		return place{}, false
	}
	return place{prefix, shard, after}, true
}

// walk keeps the objects that follow one another from the smallest cursor on and
// returns the rest.
func (c *Chain) walk() (orphans []*Object) {
	at := map[transform.Seq]*Object{}
	for _, o := range c.Objects {
		at[o.After] = o
	}
	next := c.Objects[0].After // keys are listed in order, so the smallest
	all := c.Objects
	c.Objects = nil
	for !c.Ended {
		o := at[next]
		if o == nil {
			break
		}
		delete(at, next)
		c.Objects = append(c.Objects, o)
		c.Ended, next = o.ShardEnd, o.End
	}
	for _, o := range all {
		if at[o.After] == o {
			orphans = append(orphans, o)
		}
	}
	return orphans
}
