package writer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"dynamolake/transform"
)

// rejectRecord is the content of a reject's object.
type rejectRecord struct {
	Reason string `json:"reason"`
	Shard  string `json:"shard"`
	Seq    string `json:"seq,omitempty"`
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
		var body bytes.Buffer
		text := json.NewEncoder(&body)
		text.SetEscapeHTML(false)
		if err := text.Encode(rec); err != nil {
			return fmt.Errorf("write reject %s of shard %s: %w", name, shard, err)
		}
		key := prefix + "rejects/stream/" + shard + "/" + name + ".json"
		if err := store.PutNew(ctx, key, body.Bytes(), nil); err != nil && !errors.Is(err, ErrExists) {
			return fmt.Errorf("write reject %s of shard %s: %w", name, shard, err)
		}
	}
	return nil
}
