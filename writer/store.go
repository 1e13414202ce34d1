package writer

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Errors that a caller branches on. Stores wrap them.
var (
	// ErrExists: an object of that name is there already; nothing was written.
	ErrExists = errors.New("object exists")
	// ErrNotFound: no object of that name.
	ErrNotFound = errors.New("object not found")
)

// Object is what a store knows of an object without its content.
type Object struct {
	Key      string // relative to the lake
	Size     int64  // bytes
	Meta     map[string]string
	Modified time.Time
}

// Store is where the lake lies: S3 or a folder. Keys are relative to the lake,
// slash-separated, and no key is a proper path prefix of another.
type Store interface {
	// PutNew writes an object that must not exist, durably, or returns
	// ErrExists. A store retries what is worth retrying; after any other error
	// the object may or may not be there.
	PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error
	// Head returns ErrNotFound where there is none.
	Head(ctx context.Context, key string) (Object, error)
	// Get returns the whole object.
	Get(ctx context.Context, key string) ([]byte, Object, error)
	// List yields the objects under a prefix in key order. Meta is not set.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
}

// StoreError is an error that trying again does not cure: access denied, no such
// bucket, a full disk. Its text is one line that says what to do.
type StoreError struct {
	Op     string // what was attempted: "write", "read", "list"
	Object string // on what: an s3:// or file:// address
	Hint   string // what is wrong and what to do
	Err    error
}

func (e *StoreError) Error() string {
	return e.Op + " " + e.Object + ": " + e.Hint + ": " + e.Err.Error()
}

func (e *StoreError) Unwrap() error { return e.Err }
