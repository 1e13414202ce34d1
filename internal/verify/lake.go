package verify

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"dynamolake/transform"
	"dynamolake/writer"
)

// extent is which files were there when the lake was listed.
type extent struct {
	links   map[string]transform.Seq // by the chain's prefix: the last cursor in a name
	exports map[string]bool          // files of windows and snapshots, by key
}

func newExtent() extent { return extent{map[string]transform.Seq{}, map[string]bool{}} }

func (e extent) has(p place, key string) bool {
	if p.role == roleLink {
		last, ok := e.links[p.prefix]
		return ok && p.after.Compare(last) <= 0
	}
	return e.exports[key]
}

func (e extent) add(p place, key string) {
	if p.role != roleLink {
		e.exports[key] = true
	} else if last, ok := e.links[p.prefix]; !ok || p.after.Compare(last) > 0 {
		e.links[p.prefix] = p.after
	}
}

func (e extent) merge(more extent) {
	for prefix, last := range more.links {
		e.links[prefix] = last
	}
	for key := range more.exports {
		e.exports[key] = true
	}
}

// row is one of the lake's, and where it is.
type row struct {
	*writer.Row
	file *writer.RowFile
	set  uint16 // index of its dataset
	age  uint16 // of the rules that it was written under
}

// entryOf is a row's, without the digest of the item.
func entryOf(r row) entry {
	e := entry{order: orderOf(r.Epoch, r.Seq, r.TS), ts: r.TS, age: r.age}
	switch r.Op {
	case transform.Remove:
		e.flag = removed
	case transform.Snapshot:
		e.flag = snapshot
	}
	return e
}

// item is a row's item in its canonical form, from _rest and from typed columns; of a REMOVE the key.
func (v *run) item(r row) ([]byte, error) {
	rest, err := r.file.Rebuild(r.Row)
	if err != nil {
		return nil, err
	}
	return transform.RebuildItem(v.Keys, r.Hash, r.Range, rest)
}

// eachRow reads the rows that count for the state, with their canonical keys, in the files that wanted
// says. take is called from several goroutines. What cannot be read is passed over,
// and a doubt.
func (v *run) eachRow(ctx context.Context, stage string, wanted func(place, string) bool, take func(key []byte, r row) error) error {
	base := int64(0)
	if b := v.ledger.Base(); b != nil {
		base = b.Number
	}
	files, ctx := errgroup.WithContext(ctx)
	files.SetLimit(v.Parallel)
	var done atomic.Int64
	list := func() error {
		for _, folder := range []string{"changes/", "snapshot/"} {
			for o, err := range v.Store.List(ctx, v.Prefix+folder) {
				if err != nil {
					return err
				}
				p := parsePlace(v.Prefix, o.Key)
				set := v.setOf(p.dataset)
				if set < 0 || !v.counts(p, o.Key, base) || !wanted(p, o.Key) {
					continue
				}
				files.Go(func() error {
					err := v.fileRows(ctx, o.Key, set, base, take)
					v.tell(Progress{Stage: stage, Done: done.Add(1), Total: v.report.Files})
					return err
				})
			}
		}
		return nil
	}
	listErr := list()
	if err := files.Wait(); err != nil {
		return err
	}
	return listErr
}

// counts tells whether a file may have rows that count for the state: of full exports only the
// one that it begins with, and nothing below that.
func (v *run) counts(p place, key string, base int64) bool {
	f := v.files[key]
	switch p.role {
	case roleLink:
		s := v.shards[p.shard][p.dataset]
		return s == nil || s.unsure || s.epoch >= base || !v.extent.has(p, key)
	case roleWindow:
		if f == nil { // it has no record yet: its end says on which side of the full export it is
			b := v.ledger.Base()
			return b == nil || p.to.After(b.To)
		}
		return f.record.Epoch > base
	case roleSnapshot:
		return f != nil && f.record.Epoch == base
	}
	return false
}

// fileRows reads a file's rows, from an epoch on.
func (v *run) fileRows(ctx context.Context, key string, set int, base int64, take func([]byte, row) error) error {
	c, err := v.fetch(ctx, key)
	if errors.Is(err, writer.ErrNotFound) {
		v.notes.add(Missing, key, "it was listed, and is not there any more: somebody deletes files of the lake; find out who, and bring it back")
		return nil
	}
	if err != nil {
		return err
	}
	defer c.close()
	f, err := c.rows()
	if err == nil {
		n, age := 0, v.sets[set].age(f.Meta["schema"])
		const fields = writer.FieldOp | writer.FieldSeq | writer.FieldTS | writer.FieldEpoch | writer.FieldKeys | writer.FieldRest | writer.FieldColumns
		err = each(ctx, f, fields, func(r *writer.Row) error {
			n++
			if r.Epoch < base {
				return nil
			}
			text, err := transform.RebuildKey(v.Keys, r.Hash, r.Range, r.Rest)
			if err != nil {
				v.notes.add(RowKind, key, "row %d: %v; bring it back from a copy or an older version", n, err)
				return nil
			}
			return take(text, row{r, f, uint16(set), age})
		})
	}
	var bad *damage
	if errors.As(err, &bad) {
		v.unread(key, err)
		return nil
	}
	return err
}
