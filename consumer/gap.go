package consumer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dynamolake/transform"
	"dynamolake/writer"
)

// GapPolicy says what to do with a shard whose position the stream has lost.
type GapPolicy string

// The policies.
const (
	// GapStop halts the shard: owned, not advanced, visible in status.
	GapStop GapPolicy = "stop"
	// GapContinue records the gap and goes on with what the stream still has.
	GapContinue GapPolicy = "continue"
)

// Gap is a stretch of a shard that the stream no longer has and the lake never
// got. It is stored as _ledger/gaps/<shard>/after-<cursor>.json.
type Gap struct {
	StreamARN string    `json:"stream_arn"`
	Shard     string    `json:"shard"`
	After     string    `json:"after"` // the cursor whose successor is lost, 40 digits
	Seen      time.Time `json:"seen"`
	Since     time.Time `json:"since,omitzero"` // what is lost is younger than this, or than the stream keeps
	Reason    string    `json:"reason"`
	Policy    GapPolicy `json:"policy"`
	Worker    string    `json:"worker"`
}

// Reasons of a gap.
const (
	reasonTrimmed   = "the position is older than the stream keeps"
	reasonShardGone = "the shard is no longer in the stream"
)

func (g Gap) key(tablePrefix string) string {
	return tablePrefix + "_ledger/gaps/" + g.Shard + "/after-" + g.After + ".json"
}

// JSON is the stored form.
func (g Gap) JSON() []byte {
	b, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		panic(err) // a struct of strings and times
	}
	return b
}

// record makes the gap durable. A gap that is already recorded stays as it was
// first seen.
func (g Gap) record(ctx context.Context, store writer.Store, tablePrefix string) error {
	err := store.PutNew(ctx, g.key(tablePrefix), g.JSON(), nil)
	if err != nil && !errors.Is(err, writer.ErrExists) {
		return fmt.Errorf("recording the gap of shard %s after %s: %w", g.Shard, g.After, err)
	}
	return nil
}

// Gaps reads the recorded gaps of a table.
func Gaps(ctx context.Context, store writer.Store, tablePrefix string) ([]Gap, error) {
	var gaps []Gap
	for obj, err := range store.List(ctx, tablePrefix+"_ledger/gaps/") {
		if err != nil {
			return nil, fmt.Errorf("listing gaps: %w", err)
		}
		if !strings.HasSuffix(obj.Key, ".json") {
			continue
		}
		body, _, err := store.Get(ctx, obj.Key)
		if err != nil {
			return nil, fmt.Errorf("reading gap %s: %w", obj.Key, err)
		}
		var g Gap
		if err := json.Unmarshal(body, &g); err != nil {
			return nil, fmt.Errorf("gap %s is not readable: %w", obj.Key, err)
		}
		gaps = append(gaps, g)
	}
	return gaps, nil
}

// cursorOf reads a checkpoint's sequence number; a sentinel is the zero cursor.
func cursorOf(digits string) (transform.Seq, error) {
	if digits == "" {
		return transform.Seq{}, nil
	}
	return transform.ParseSeq(digits)
}
