package ledger

import (
	"context"
	"errors"
)

// Documents is a store of documents that change, as a lake is one.
type Documents interface {
	Load(ctx context.Context, key string) (body []byte, version string, err error)
	Swap(ctx context.Context, key string, body []byte, version string) (newVersion string, err error)
}

// Key is where the ledger lies in a lake, under the table's prefix.
const Key = "_ledger/ledger.json"

// ReplayKey is where a replay's place says what it is of, under the place's prefix.
const ReplayKey = "_ledger/replay.json"

// Document keeps the ledger as a document of a store. notFound and changed are what
// the store says where there is none, and where another was faster.
func Document(store Documents, key string, notFound, changed error) Register {
	return document{store, key, notFound, changed}
}

type document struct {
	store             Documents
	key               string
	notFound, changed error
}

func (d document) Load(ctx context.Context) ([]byte, string, error) {
	body, version, err := d.store.Load(ctx, d.key)
	if errors.Is(err, d.notFound) {
		return nil, "", nil
	}
	return body, version, err
}

func (d document) Swap(ctx context.Context, body []byte, version string) error {
	_, err := d.store.Swap(ctx, d.key, body, version)
	if errors.Is(err, d.changed) {
		return ErrChanged
	}
	return err
}
