package adapter

import "fmt"

// Gap is a stretch of a shard that the stream no longer has.
type Gap struct {
	ShardID string
	// After is the sequence number that reading stood at, the last one delivered
	// or checkpointed; "" if the shard was to be read from its start.
	After string
	// ShardGone tells that the stream no longer has the shard at all. Otherwise
	// the shard goes on behind the gap.
	ShardGone bool
}

// GapAction is what to do about a [Gap].
type GapAction int

const (
	// Stop fails the call, each time it is made.
	Stop GapAction = iota
	// Continue goes on with the oldest record that is left, or ends the shard if
	// it is gone.
	Continue
)

// GapError is a gap that was not to be continued behind. It unwraps to the
// DynamoDB Streams error.
type GapError struct {
	Gap
	Err error
}

func (e *GapError) Error() string {
	what := "records are gone from the stream"
	if e.ShardGone {
		what = "the shard is gone from the stream"
	}
	from := "its start"
	if e.After != "" {
		from = e.After
	}
	return fmt.Sprintf("adapter: shard %s after %s: %s before they were read (repair from an export or a scan, "+
		"then continue with Options.OnGap): %v", e.ShardID, from, what, e.Err)
}

func (e *GapError) Unwrap() error { return e.Err }
