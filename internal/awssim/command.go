package awssim

import "time"

// A ShardInfo is what the cloud knows of a shard, trimmed ones excluded.
type ShardInfo struct {
	ID, Parent string
	Open       bool
	First      string // starting sequence number
	Last       string // ending sequence number, "" while open
	Created    time.Time
	Closed     time.Time // zero while open
	Records    int       // ever written, trimmed ones included
}
