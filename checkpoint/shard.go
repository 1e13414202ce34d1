package checkpoint

import (
	"context"
	"time"
)

// Sentinels of a row's checkpoint, as the Java library writes them. A
// checkpoint that is none of these is a sequence number.
const (
	TrimHorizon = "TRIM_HORIZON"
	Latest      = "LATEST"
	AtTimestamp = "AT_TIMESTAMP"
	ShardEnd    = "SHARD_END"
)

// Shard is one shard of the stream as a listing shows it.
type Shard struct {
	ID     string
	Parent string // "" if it has none
	Closed bool   // it has an ending sequence number
}

// Stream is what a Keeper asks about the stream itself.
type Stream interface {
	// Shards lists every shard, or returns an error: a listing that ends early
	// is no listing.
	Shards(ctx context.Context) ([]Shard, error)
	// Children lists the children of a closed shard.
	Children(ctx context.Context, parent string) ([]Shard, error)
	// Exists tells whether a shard can still be read.
	Exists(ctx context.Context, shard string) (bool, error)
}

// Initial is where a stream without lease rows is begun.
type Initial struct {
	Position string    // TrimHorizon, Latest or AtTimestamp
	At       time.Time // for AtTimestamp
}

// Checkpoint is how far a shard is done: after Seq, or, when Seq is empty,
// at Sentinel.
type Checkpoint struct {
	Seq      string    // digits, "" while there is only a sentinel
	Sentinel string    // TrimHorizon, Latest, AtTimestamp or ShardEnd; "" when Seq is set
	Start    time.Time // what Latest or AtTimestamp meant; zero if unknown
	Created  time.Time // when the row was made, by the server's clock; zero if unknown
}
