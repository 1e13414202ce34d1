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
// got. It is stored as _ledger/gaps/<shard>/after-<cursor>.json; once a shard that
// halted goes on, beside that as after-<cursor>-continued.json.
type Gap struct {
	StreamARN string    `json:"stream_arn"`
	Shard     string    `json:"shard"`
	After     string    `json:"after"` // the cursor whose successor is lost, 40 digits
	Seen      time.Time `json:"seen"`
	Since     time.Time `json:"since,omitzero"` // what is lost is younger than this, or than the stream keeps
	Reason    string    `json:"reason"`
	Policy    GapPolicy `json:"policy"`
	Worker    string    `json:"worker"`
	// Number and Epoch are the ledger's: the gap that this loss is part of, and the epoch that
	// the shard went on under. 0 where it did not go on.
	Number int64 `json:"gap,omitempty"`
	Epoch  int64 `json:"epoch,omitempty"`
}

// Reasons of a gap.
const (
	reasonTrimmed      = "the position is older than the stream keeps"
	reasonShardGone    = "the shard is no longer in the stream"
	reasonChildrenGone = "the shards that came after it are no longer in the stream"
)

func gapKey(tablePrefix, shard, after string) string {
	return tablePrefix + "_ledger/gaps/" + shard + "/after-" + after + ".json"
}

func continuedKey(tablePrefix, shard, after string) string {
	return tablePrefix + "_ledger/gaps/" + shard + "/after-" + after + "-continued.json"
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
	err := store.PutNew(ctx, gapKey(tablePrefix, g.Shard, g.After), g.JSON(), nil)
	if errors.Is(err, writer.ErrExists) && g.Number != 0 {
		var first Gap
		if first, err = readGap(ctx, store, gapKey(tablePrefix, g.Shard, g.After)); err == nil && first.Number == 0 {
			err = store.PutNew(ctx, continuedKey(tablePrefix, g.Shard, g.After), g.JSON(), nil)
		}
	}
	if err != nil && !errors.Is(err, writer.ErrExists) {
		return fmt.Errorf("recording the gap of shard %s after %s: %w", g.Shard, g.After, err)
	}
	return nil
}

// recorded is the number of the ledger's gap that a loss was recorded under; 0 if it
// was not.
func recorded(ctx context.Context, store writer.Store, tablePrefix, shard, after string) (int64, error) {
	g, err := readGap(ctx, store, gapKey(tablePrefix, shard, after))
	if err == nil && g.Number == 0 {
		g, err = readGap(ctx, store, continuedKey(tablePrefix, shard, after))
	}
	if errors.Is(err, writer.ErrNotFound) {
		return 0, nil
	}
	return g.Number, err
}

func readGap(ctx context.Context, store writer.Store, key string) (Gap, error) {
	body, _, err := store.Get(ctx, key)
	if err != nil {
		return Gap{}, fmt.Errorf("reading gap %s: %w", key, err)
	}
	var g Gap
	if err := json.Unmarshal(body, &g); err != nil {
		return Gap{}, fmt.Errorf("gap %s is not readable: %w", key, err)
	}
	return g, nil
}

// Gaps reads the recorded gaps of a table. Of one that halted its shard and was continued
// later there is one record, the later.
func Gaps(ctx context.Context, store writer.Store, tablePrefix string) ([]Gap, error) {
	var gaps []Gap
	for obj, err := range store.List(ctx, tablePrefix+"_ledger/gaps/") {
		if err != nil {
			return nil, fmt.Errorf("listing gaps: %w", err)
		}
		if !strings.HasSuffix(obj.Key, ".json") {
			continue
		}
		g, err := readGap(ctx, store, obj.Key)
		if err != nil {
			return nil, err
		}
		// "-continued" sorts before what it continues.
		if n := len(gaps); n > 0 && gaps[n-1].Shard == g.Shard && gaps[n-1].After == g.After {
			continue
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
