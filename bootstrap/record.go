package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// What the ledger keeps of an export that is done, as this package calls it.
type (
	record       = ledger.Record
	recordedFile = ledger.RecordFile
)

func recordsPrefix(tablePrefix string) string { return tablePrefix + ledger.RecordsPrefix }

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

// putRecord writes a record, or returns the one that another worker has written.
func putRecord(ctx context.Context, store writer.Store, key string, r *record) (*record, error) {
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
