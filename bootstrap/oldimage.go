package bootstrap

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
)

// oldImages checks the old images of a window against what the export right before
// it left: the free detector of windows that are missing or out of order.
//
// It remembers digests only, 16 bytes for a key and 16 for an item, and only where
// that export is small enough, ended exactly where the window begins, and is known to this process or has a
// record. The nil *oldImages checks nothing.
type oldImages struct {
	keys  transform.KeySchema
	left  map[digest]digest // the zero digest: no item of that key
	whole bool              // what is not in left does not exist: a full export
	trust bool
	what  string

	checked, mismatched atomic.Int64
}

type digest [md5.Size]byte

// Mismatch: an old image is not what the lake holds. Nothing may go on behind it.
type Mismatch struct {
	What string
	Key  string // hash of the first item's key
}

func (m *Mismatch) Error() string {
	return m.What + ": the old image of the item with the key hash " + m.Key + " is not what the export before it left; a window is missing or out of order, and nothing goes on behind it: make a new full export, or go on with the explicit word to trust the windows"
}

// Lasting is as for [Advice].
func (*Mismatch) Lasting() bool { return true }

// check compares those of some changes.
func (o *oldImages) check(changes []transform.Change) error {
	if o == nil {
		return nil
	}
	for i := range changes {
		c := &changes[i]
		key, ok := keyDigest(o.keys, c.Hash, c.Range)
		if !ok {
			continue
		}
		left, known := o.left[key]
		if !known && !o.whole {
			continue
		}
		var old digest
		if c.Old != nil {
			text, err := transform.Canonical(c.Old)
			if err != nil {
				continue // an attribute twice: no rule of ours
			}
			old = md5.Sum(text)
		}
		o.checked.Add(1)
		if old == left || o.same(c, left) {
			continue
		}
		if o.mismatched.Add(1); !o.trust {
			return &Mismatch{What: o.what, Key: hex.EncodeToString(key[:8])}
		}
	}
	return nil
}

// same tells of a write in the very microsecond of a full export's time, which may be in both.
func (o *oldImages) same(c *transform.Change, left digest) bool {
	if !o.whole {
		return false
	}
	var now digest
	if c.New != nil {
		text, err := transform.Canonical(c.New)
		if err != nil {
			return true
		}
		now = md5.Sum(text)
	}
	return now == left
}

func (o *oldImages) counts() (checked, mismatched int64) {
	if o == nil {
		return 0, 0
	}
	return o.checked.Load(), o.mismatched.Load()
}

// keyDigest is that of a key as its columns hold it. False where they do not.
func keyDigest(keys transform.KeySchema, hash, rng transform.KeyValue) (digest, bool) {
	h := md5.New()
	part := func(t transform.KeyType, v transform.KeyValue) bool {
		bytes := v.Bytes
		if t == 'N' {
			bytes = v.Dec[:]
		}
		n := len(bytes)
		h.Write([]byte{byte(n >> 8), byte(n)})
		h.Write(bytes)
		return v.Exact
	}
	ok := part(keys.Hash.Type, hash)
	if keys.HasRange() {
		ok = part(keys.Range.Type, rng) && ok
	}
	var d digest
	h.Sum(d[:0])
	return d, ok
}

// oldImages remembers what the export right before a window left. That must have a dataset with all of the
// table, as it is.
func (w *workshop) oldImages(ctx context.Context, epoch ledger.Epoch, x ledger.Export, m *manifest) (*oldImages, error) {
	if m.view() != transform.ViewNewAndOld || m.Items == 0 || w.CheckRows <= 0 {
		return nil, nil
	}
	r, err := w.rightBefore(ctx, epoch, x)
	if err != nil || r == nil || !r.Exact {
		return nil, err
	}
	files, rows, err := w.plainFiles(ctx, r)
	if err != nil || files == nil || rows > w.CheckRows {
		return nil, err
	}
	o := &oldImages{
		keys: w.Table.Keys, left: make(map[digest]digest, rows), whole: r.Source == ledger.Full,
		trust: w.Trust, what: "window " + described(x) + " of table " + w.Table.Name,
	}
	for _, key := range files {
		if err := w.remember(ctx, o, key); err != nil {
			return nil, fmt.Errorf("read back %s to check old images: %w", key, err)
		}
	}
	return o, nil
}

// plainFiles are the Parquet files of a dataset that has all of the table, as it is; none where there is no such dataset, or
// something of it was rejected.
func (w *workshop) plainFiles(ctx context.Context, r *record) (files []string, rows int64, err error) {
	set, err := w.set(ctx, r.Schema, r.Source)
	if err != nil {
		if lasting(err) { // a schema that is not to be used any more, and only this needs it
			w.Log.Warn("old images are not checked", zap.Error(err))
			err = nil
		}
		return nil, 0, err
	}
	for i, p := range set.Parts {
		if !takesOf(set, p.Name).plain {
			continue
		}
		rejects := int64(0)
		for _, f := range r.Files {
			// The first dataset counts the lines that make no sense.
			if f.Dataset == p.Name || i > 0 && f.Dataset == set.Parts[0].Name {
				rejects += f.Rejects
			}
			if f.Dataset == p.Name && f.Parquet != "" {
				files, rows = append(files, f.Parquet), rows+f.Rows
			}
		}
		if rejects > 0 {
			return nil, 0, nil
		}
		return files, rows, nil
	}
	return nil, 0, nil
}

// rightBefore finds the record of the export that ended where the window begins: the
// window before it, or the full export that the windows follow.
func (w *workshop) rightBefore(ctx context.Context, epoch ledger.Epoch, x ledger.Export) (*record, error) {
	fits := func(r *record) bool {
		return r.To.Equal(x.From) && (r.Epoch == epoch.Number || r.Source == ledger.Full && r.Epoch < epoch.Number && x.From.Equal(epoch.From))
	}
	if r := w.before[epoch.Number]; r != nil && fits(r) {
		return r, nil
	}
	var found *record
	seen := 0
	err := records(ctx, w.Store, w.prefix(), func(r *record) bool {
		if seen++; fits(r) {
			found = r
		}
		return found == nil && seen < lookedBack
	})
	return found, err
}

// lookedBack is how many of the newest records are read to find the one before.
const lookedBack = 100
