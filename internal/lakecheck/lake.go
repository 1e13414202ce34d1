package lakecheck

import (
	"context"
	"errors"
	"iter"
	"time"

	"dynamolake/transform"
	"dynamolake/writer"
)

// Store is what the check needs of a lake's store.
type Store interface {
	Get(ctx context.Context, key string) ([]byte, writer.Object, error)
	List(ctx context.Context, prefix string) iter.Seq2[writer.Object, error]
}

// Lake is everything under a table's changes/, decoded.
type Lake struct {
	Chains []*Chain
	// Orphans are the objects that no walk along a chain explains.
	Orphans []*Object
	// Objects are all of them, orphans included, in key order.
	Objects []*Object
}

// Chain is the objects of one shard in one dataset, in the order of the walk.
type Chain struct {
	Prefix  string // of the keys, with the slash at its end
	Shard   string
	Objects []*Object
	Ended   bool // the last object says that the shard is closed and read
}

// Object is one Parquet file.
type Object struct {
	Key      string
	Modified time.Time // as the store has it
	Size     int64     // bytes
	Shard    string
	After    transform.Seq
	End      transform.Seq
	ShardEnd bool
	Rows     []Row
	// Err says why the object could not be decoded, or where its name, its
	// footer, the store's metadata and its rows disagree.
	Err error
}

// Row is one change as its columns hold it.
type Row struct {
	Op      string // INSERT, MODIFY or REMOVE
	Seq     transform.Seq
	Created time.Time
	Shard   string
	EventID string
	Source  string
	Epoch   int64
	TTL     bool
	Key     string  // canonical DynamoDB JSON of the primary key
	Image   string  // canonical DynamoDB JSON of the new image; empty for a REMOVE
	Old     *string // DynamoDB JSON as stored
	Rest    *string // DynamoDB JSON as stored
}

// Rows is the number of rows in all objects.
func (l *Lake) Rows() int {
	n := 0
	for _, o := range l.Objects {
		n += len(o.Rows)
	}
	return n
}

// Read takes in all objects under <tablePrefix>/changes/. What a store refuses is
// an error; an object that does not decode is kept with its Err.
func Read(ctx context.Context, store Store, tablePrefix string) (*Lake, error) {
	return nil, errors.ErrUnsupported
}
