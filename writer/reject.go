package writer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"dynamolake/transform"
)

// rejectRecord is the content of a reject's object.
type rejectRecord struct {
	Reason  string `json:"reason"`
	Dataset string `json:"dataset,omitempty"` // that refused it; empty for a record that is of none
	Shard   string `json:"shard"`
	Seq     string `json:"seq,omitempty"`
	// Record is the record as the service wrote it. One that is not JSON is in
	// Base64 instead.
	Record json.RawMessage `json:"record,omitempty"`
	Base64 []byte          `json:"base64,omitempty"`
}

// PutRejects writes each reject as "<prefix>rejects/stream/<shard>/<name>.json",
// named after its sequence number or, without one, the SHA-256 of its bytes. prefix
// is a [TablePrefix]. A replay lands on the same names: what is there is left.
func PutRejects(ctx context.Context, store Store, prefix, shard string, rejects []transform.Reject) error {
	for _, r := range rejects {
		rec := rejectRecord{Reason: r.Reason, Shard: shard}
		var name string
		if r.Seq.IsZero() {
			sum := sha256.Sum256(r.Raw)
			name = hex.EncodeToString(sum[:])
		} else {
			name = r.Seq.String()
			rec.Seq = name
		}
		if json.Valid(r.Raw) {
			rec.Record = r.Raw
		} else {
			rec.Base64 = r.Raw
		}
		if _, err := PutReject(ctx, store, prefix+"rejects/stream/"+shard+"/"+name+".json", rec); err != nil {
			return err
		}
	}
	return nil
}

// PutRefused writes what a dataset refused of a shard's changes, or, where dataset is empty, what no
// dataset takes, and returns how many were not there before. The names are those of
// [PutRejects], with "@<dataset>" behind the sequence number.
func PutRefused(ctx context.Context, store Store, prefix, shard, dataset string, refused []Refusal) (written int, err error) {
	for i := range refused {
		c := &refused[i].Change
		name := c.Seq.String()
		rec := rejectRecord{Reason: refused[i].Reason, Dataset: dataset, Shard: shard, Seq: name, Record: c.AppendRecord(nil)}
		if dataset != "" {
			name += "@" + dataset
		}
		added, err := PutReject(ctx, store, prefix+"rejects/stream/"+shard+"/"+name+".json", rec)
		if err != nil {
			return written, err
		}
		if added {
			written++
		}
	}
	return written, nil
}

// ReadRejects reads rejects, some at a time, in the order of their keys.
func ReadRejects[R any](ctx context.Context, store Store, keys []string) ([]R, error) {
	out := make([]R, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i, key := range keys {
		group.Go(func() error {
			body, _, err := store.Get(ctx, key)
			if err == nil {
				err = json.Unmarshal(body, &out[i])
			}
			if err != nil {
				return fmt.Errorf("read reject %s: %w", key, err)
			}
			return nil
		})
	}
	return out, group.Wait()
}

// PutReject writes a reject as JSON, and tells whether it was not there before.
func PutReject(ctx context.Context, store Store, key string, rec any) (added bool, err error) {
	var body bytes.Buffer
	text := json.NewEncoder(&body)
	text.SetEscapeHTML(false)
	if err := text.Encode(rec); err != nil {
		return false, fmt.Errorf("write reject %s: %w", key, err)
	}
	switch err := store.PutNew(ctx, key, body.Bytes(), nil); {
	case errors.Is(err, ErrExists):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("write reject %s: %w", key, err)
	}
	return true, nil
}
