package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// record is the object that says how an export became rows. It is written once, by
// whoever was first, before the ledger calls the export converted.
type record struct {
	Format int           `json:"format"`
	Export string        `json:"export"`
	ARN    string        `json:"arn"`
	Source ledger.Source `json:"source"`
	Epoch  int64         `json:"epoch"`
	// From is zero for a full export. Both are those of the ledger; Exact tells that the
	// manifest's time of a full export was not rounded for that.
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to"`
	Exact bool      `json:"exact"`

	Bucket   string `json:"bucket,omitempty"`
	Manifest string `json:"manifest"`
	Foreign  bool   `json:"foreign,omitempty"`
	Drop     bool   `json:"drop,omitempty"` // its objects are to be deleted
	View     string `json:"view,omitempty"`
	Layout   string `json:"layout"` // DYNAMODB_JSON or ION

	Items   int64          `json:"items"`
	Rows    int64          `json:"rows"`
	Rejects int64          `json:"rejects"`
	Files   []recordedFile `json:"files"`
	// Overlap holds the REMOVE rows of items that no window of the epoch mentions.
	Overlap *recordedFile `json:"overlap,omitempty"`
	// Checked and Mismatched count old images that were compared by Worker.
	Checked    int64     `json:"checked,omitempty"`
	Mismatched int64     `json:"mismatched,omitempty"`
	Worker     string    `json:"worker"`
	Converted  time.Time `json:"converted"`
}

// recordedFile is one data file and what became of it.
type recordedFile struct {
	DataFile string `json:"data_file,omitempty"` // as the manifest has it
	MD5      string `json:"md5,omitempty"`
	Items    int64  `json:"items"`
	Rows     int64  `json:"rows"`
	Rejects  int64  `json:"rejects"`
	// Parquet is relative to the lake; empty where there are no items.
	Parquet string `json:"parquet,omitempty"`
	Size    int64  `json:"size,omitempty"`
}

func recordsPrefix(tablePrefix string) string { return tablePrefix + "_ledger/exports/" }

func recordKey(tablePrefix, id string) string { return recordsPrefix(tablePrefix) + id + ".json" }

// readRecord returns nil where there is none.
func readRecord(ctx context.Context, store writer.Store, key string) (*record, error) {
	body, _, err := store.Get(ctx, key)
	if errors.Is(err, writer.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("record of an export %s: %w", key, err)
	}
	return r, nil
}

// put writes the record, or returns the one that another worker has written.
func (r *record) put(ctx context.Context, store writer.Store, key string) (*record, error) {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("record of export %s: %w", r.Export, err)
	}
	err = store.PutNew(ctx, key, append(body, '\n'), nil)
	if errors.Is(err, writer.ErrExists) {
		return readRecord(ctx, store, key)
	}
	return r, err
}

// records yields those that there are, the newest export first, as long as more
// is wanted.
func records(ctx context.Context, store writer.Store, tablePrefix string, more func(*record) bool) error {
	var keys []string
	for o, err := range store.List(ctx, recordsPrefix(tablePrefix)) {
		if err != nil {
			return err
		}
		keys = append(keys, o.Key)
	}
	for i := len(keys) - 1; i >= 0; i-- {
		r, err := readRecord(ctx, store, keys[i])
		if err != nil {
			return err
		}
		if r != nil && !more(r) {
			break
		}
	}
	return nil
}
