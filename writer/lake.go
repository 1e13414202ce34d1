package writer

import (
	"context"
	"errors"
	"io"
)

// ErrChanged: the document is not at the version that its writer had read;
// nothing was written. Stores wrap it.
var ErrChanged = errors.New("document changed meanwhile")

// Lake is all that S3 and a folder can do. Who needs less asks for less.
type Lake interface {
	Store
	Documents
	Contents
}

// Documents are objects that change: small, and written whole.
type Documents interface {
	// Load returns ErrNotFound where there is none. version stands for the
	// content: a document that was changed and changed back has not changed.
	Load(ctx context.Context, key string) (body []byte, version string, err error)
	// Swap replaces a document that is at a version, durably; at version "" it
	// must not exist. It returns ErrChanged when it is not, with nothing written.
	// After any other error the document may or may not have been replaced: Load
	// it and look.
	Swap(ctx context.Context, key string, body []byte, version string) (newVersion string, err error)
}

// Contents are objects of any size.
type Contents interface {
	// Open returns ErrNotFound where there is none. The content comes as it is
	// read; an error on the way is the reader's to resume from. ctx must last as
	// long.
	Open(ctx context.Context, key string) (io.ReadCloser, Object, error)
	// Delete leaves no object of that name; where none was, that is no error.
	Delete(ctx context.Context, key string) error
}
