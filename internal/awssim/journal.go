package awssim

import "time"

// A Record is a stream record as it was written, whatever the view type and
// whether or not it has been trimmed since. Images and keys are canonical DynamoDB
// JSON (attributes sorted by name), "" where there is none.
type Record struct {
	Shard, Seq, EventID string
	Event               string // INSERT, MODIFY or REMOVE
	Key                 string
	New, Old            string
	Created             time.Time // exact; readers see the second
	TTL                 bool      // deleted by the service
}
