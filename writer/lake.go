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
	Uploads
	Documents
	Contents
}

// Uploads are objects that are written while they are made.
type Uploads interface {
	// Create starts an object. Nothing has its name before Commit. ctx must last
	// until then.
	Create(ctx context.Context, key string, meta map[string]string) (Upload, error)
}

// Upload is an object on its way, of one goroutine. It holds up to two parts of 8
// MiB, and what has left costs money, until one of the last two is called.
type Upload interface {
	// Write does not keep b. An error may be that of an earlier piece.
	io.Writer
	// Commit gives the object its name, durably, or returns ErrExists where another
	// has it. The own object is recognized when a reply is lost; what remains
	// is an error after which it may or may not be there. In any case the upload is over.
	Commit(ctx context.Context) error
	// Abort drops what was written, also when ctx has ended. After Commit it does
	// nothing.
	Abort(ctx context.Context) error
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
