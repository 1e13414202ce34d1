package verify

import (
	"context"
	"fmt"
	"slices"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// missing are files that records name, and rejects that they count, which are not there.
func (v *run) missing() {
	for key, f := range v.files {
		if f.there {
			continue
		}
		what := fmt.Sprintf("%d rows of data file %s", f.file.Rows, f.file.DataFile)
		if f.overlap {
			what = fmt.Sprintf("%d rows of the overlap", f.file.Rows)
		}
		v.notes.add(Missing, key, "it held %s, and is not there; bring it back from a copy or an older version, else make a new full export with dynamolake bootstrap --again", what)
	}
	for _, r := range v.records {
		if n := v.rejects[r.Export]; n < r.Rejects {
			v.notes.add(Counts, r.Key, "%d items of the export went to rejects/, and %d are there; bring them back from a copy or an older version", r.Rejects, n)
		}
	}
}

// lookAgain is for what may only have looked wrong because the lake grew while it was
// listed: files of an export that was planned or recorded meanwhile, and parents that ended.
func (v *run) lookAgain(ctx context.Context) error {
	for _, s := range unfinished(v.shards, v.current) {
		p := v.shards.parent(s)
		end, ended, err := writer.NewChain(chainStore{v.Store}, p.chain).Tip(ctx, p.tip)
		if err == nil && ended {
			p.tip, p.ended = end, true
		} else if ctx.Err() != nil {
			return err
		}
	}
	for _, key := range v.rejected {
		if p := parsePlace(v.Prefix, key); p.shard != "" && len(v.shards[p.shard]) == 0 && !v.leased(p.shard) || p.export != "" && !v.recordedExport(p.export) {
			v.stray = append(v.stray, key)
		}
	}
	if len(v.stray) == 0 {
		return nil
	}
	now, err := v.Ledger.Read(ctx)
	if err != nil {
		return err
	}
	late, err := v.lateFiles(ctx)
	if err != nil {
		return err
	}
	for _, key := range v.stray {
		p := parsePlace(v.Prefix, key)
		switch {
		case late[key] || late[p.export] || underWay(v.ledger, p) || underWay(now, p):
			v.report.UnderWay++
		default:
			v.report.Orphans++
			v.notes.add(Orphan, key, "%s", orphanText(p))
		}
	}
	return nil
}

func orphanText(p place) string {
	switch p.role {
	case roleWindow, roleSnapshot:
		return "no record in _ledger/exports/ names it, and no export is under way that it could be of: readers count its rows. If the record was lost, bring that back; else move the file out of the lake"
	case roleReject:
		return "it is of a shard or an export of which the lake has nothing; move it out of the lake"
	}
	return "no object of the lake has such a name; move it out of the lake"
}

// lateFiles are the files, and the ids, of exports that were recorded since the records were read.
func (v *run) lateFiles(ctx context.Context) (map[string]bool, error) {
	late := map[string]bool{}
	for o, err := range v.Store.List(ctx, v.Prefix+ledger.RecordsPrefix) {
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(v.records, func(r Record) bool { return r.Key == o.Key }) || parsePlace(v.Prefix, o.Key).role != roleRecord {
			continue
		}
		body, _, err := v.Store.Get(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		if r, err := parseRecord(o.Key, body); err == nil {
			late[r.Export] = true
			for _, f := range r.Files {
				late[f.Parquet] = true
			}
			for _, f := range r.Overlaps {
				late[f.Parquet] = true
			}
		}
	}
	delete(late, "")
	return late, nil
}

func (v *run) leased(shard string) bool {
	return slices.ContainsFunc(v.rows, func(r checkpoint.Row) bool { return r.Key == shard })
}

// recordedExport tells whether an export is known: by a record, or to the ledger as one under way.
func (v *run) recordedExport(id string) bool {
	return slices.ContainsFunc(v.records, func(r Record) bool { return r.Export == id }) ||
		slices.ContainsFunc(v.ledger.Epochs, func(e ledger.Epoch) bool {
			return slices.ContainsFunc(e.Exports, func(x ledger.Export) bool { return x.ID() == id })
		})
}

// chainStore lets a chain be walked, and refuses to write.
type chainStore struct{ Store }

func (chainStore) PutNew(context.Context, string, []byte, map[string]string) error {
	panic("verify writes nothing")
}
