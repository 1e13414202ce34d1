package writer

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Schema is what all files of a table's dataset have in common.
type Schema struct {
	Keys     transform.KeySchema
	OldImage bool // keep old images, in _old
	Table    string
	Dataset  string
	Version  int // of the table's schema
	// Plan says which attributes have columns. Where it is nil none has, and all of an
	// item but its key is in _rest.
	Plan *schema.Plan
	// Rule makes the rule of one file writer, which belongs to one goroutine. Where it is
	// nil, or Plan is, there is none.
	Rule func() Rule
}

// Rule has its say on each row that was just added to a run, from an image or, for a
// removal, blank: it may give computed columns their values ([schema.Run.Set]),
// look at what did not fit ([schema.Run.Misfits]), and return false to leave the row out of the file. It
// keeps nothing of the change.
type Rule func(run *schema.Run, c *transform.Change) (keep bool)

// Info is what a file says of its origin, beside its rows.
type Info struct {
	Stream string // ARN
	Shard  string
	Parent string // the shard's parent; empty where there is none
	Epoch  int64  // the ledger's segment; goes to _epoch
	Writer string // worker id
	// Attempt tells this file from any other, also of the same content. Encode
	// makes one up where it is empty.
	Attempt string
	// GapBefore says, where it is not empty, that changes between the slice's
	// After and its first row are lost to the stream, and why.
	GapBefore string
}

// File is an encoded slice, ready for [Chain.Commit].
type File struct {
	Body []byte
	Meta map[string]string // object metadata
	Link Link              // Key is empty until it is committed
}

func newFile(body []byte, l Link, s Schema, epoch string) File {
	sum := sha256.Sum256(body)
	l.SHA256 = hex.EncodeToString(sum[:])
	l.Size = int64(len(body))
	l.Epoch, _ = strconv.ParseInt(epoch, 10, 64)
	meta := l.meta()
	meta["dataset"] = escape(s.Dataset)
	meta["epoch"] = epoch
	return File{Body: body, Meta: meta, Link: l}
}
