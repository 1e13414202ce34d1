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

// Rule has its say on each change on its way into a file. It belongs to one goroutine. What a
// method says of why is for people, holds no item content, and makes the change a [Refusal].
type Rule interface {
	// Begin comes before some changes. What Admit gave out before is not used any more.
	Begin()
	// Admit returns the change to write in place of c, which may be c itself, or nil for none,
	// and then why, or nothing where c is just not of this dataset.
	Admit(c *transform.Change) (out *transform.Change, why string)
	// Finish looks at the row that was just added to the run, from the image that Admit gave, or blank for a
	// removal: it may give computed columns their values ([schema.Run.Set]). Where it says why,
	// the row is taken back. c is what Admit was given.
	Finish(run *schema.Run, c *transform.Change) (why string)
}

// Refusal is a change that the rule kept out of a file although it is of its dataset. It aliases
// what the change does.
type Refusal struct {
	Change transform.Change
	Reason string
}

// Notes are what the making of a file showed, for a schema's sake.
type Notes struct {
	Refused []Refusal
	// Misfits counts values that their columns did not take; nil without a plan.
	Misfits *schema.Tally
	// Fresh tells that there was an attribute, or a map's field, without a column, which
	// this writer had not met before.
	Fresh bool
}

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
	Notes
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
