package verify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"dynamolake/checkpoint/ledger"
)

// Record says how an export became rows, and where that is said.
type Record struct {
	Key string `json:"-"`
	ledger.Record
}

// RecordFile is a data file of an export, and the Parquet file that it became.
type RecordFile = ledger.RecordFile

func parseRecord(key string, body []byte) (Record, error) {
	r := Record{Key: key}
	if err := json.Unmarshal(body, &r.Record); err != nil {
		return r, fmt.Errorf("it is not readable: %w", err)
	}
	if r.Export == "" || r.Epoch == 0 || r.To.IsZero() {
		return r, fmt.Errorf("it lacks export, epoch or to")
	}
	return r, nil
}

// recorded holds the records against what the ledger calls converted.
func recorded(l ledger.Ledger, records []Record) []Doubt {
	var d found
	byEpoch := map[int64][]Record{}
	base := l.Base()
	for _, r := range records {
		byEpoch[r.Epoch] = append(byEpoch[r.Epoch], r)
		if r.Mismatched > 0 && (base == nil || r.Epoch > base.Number) {
			d.add(Records, r.Key, "%d old images were not what the export before it had left, and it was converted all the same: a window was missing or out of order; make a new full export with dynamolake bootstrap --again", r.Mismatched)
		}
		if e := l.Epoch(r.Epoch); e == nil || e.Source != r.Source {
			d.add(Records, r.Key, "it is of epoch %d, which the ledger does not know or knows as of another source; bring %s back", r.Epoch, ledger.Key)
		}
	}
	for _, e := range l.Epochs {
		subject := fmt.Sprintf("epoch %d", e.Number)
		switch e.Source {
		case ledger.Full:
			if e.Exports[0].Status != ledger.Converted {
				continue
			}
			i := slices.IndexFunc(byEpoch[e.Number], func(r Record) bool { return r.Export == e.Exports[0].ID() })
			if i < 0 {
				d.add(Records, subject, "the record _ledger/exports/%s.json of the full export at %s is missing; bring it back from a copy or an older version", e.Exports[0].ID(), stamp(e.To))
				continue
			}
			r := byEpoch[e.Number][i]
			if want := e.Exports[0].Schema; r.Schema != want {
				d.add(Records, r.Key, "it is of schema version %d, and the ledger wants the export in version %d; bring it back as it was written", r.Schema, want)
			}
			d = append(d, agree(subject, e, r.Items, r.Rejects)...)
		case ledger.Incremental:
			d = append(d, tile(subject, e, byEpoch[e.Number], l.Gaps)...)
		}
	}
	return d
}

// tile sees whether an epoch's windows each begin where the last one ends.
func tile(subject string, e ledger.Epoch, records []Record, gaps []ledger.Gap) []Doubt {
	var d found
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b Record) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Export, b.Export)) })
	at := e.From
	var items, rejects int64
	windows := 0
	for _, r := range records {
		if r.To.After(e.To) {
			continue // it is being converted
		}
		if !r.From.Equal(at) && !slices.ContainsFunc(gaps, func(g ledger.Gap) bool { return onWord(g) && g.From.Equal(at) && g.To.Equal(r.From) }) {
			d.add(Records, subject, "the record of the window from %s is missing: the next one known begins at %s; bring it back to _ledger/exports/ from a copy or an older version", stamp(at), stamp(r.From))
		}
		at, items, rejects = r.To, items+r.Items, rejects+r.Rejects
		windows++
	}
	switch {
	case len(d) > 0:
	case at.Before(e.To):
		d.add(Records, subject, "the record of the window from %s is missing, and the ledger calls it converted; bring it back to _ledger/exports/ from a copy or an older version", stamp(at))
	case windows != e.Windows:
		d.add(Records, subject, "the ledger counts %d windows, and there are %d records; report this", e.Windows, windows)
	default:
		d = append(d, agree(subject, e, items, rejects)...)
	}
	return d
}

func agree(subject string, e ledger.Epoch, items, rejects int64) []Doubt {
	var d found
	if items != e.Items || rejects != e.Rejects {
		d.add(Counts, subject, "the ledger counts %d items and %d rejects, and its records %d and %d; one of them was changed: bring them back as they were written", e.Items, e.Rejects, items, rejects)
	}
	return d
}

// underWay tells whether a file without a record belongs to an export that is being converted, or
// to a repair that a full export made needless.
func underWay(l ledger.Ledger, p place) bool {
	for _, e := range l.Epochs {
		for _, x := range e.Exports {
			switch {
			case x.Status == ledger.Converted || x.ARN == "":
			case p.role == roleSnapshot && x.ID() == p.export:
				return true
			// The overlap is in the folder of the epoch's first window.
			case p.role == roleWindow && (x.From.Equal(p.from) && x.To.Equal(p.to) || e.From.Equal(p.from)):
				return true
			}
		}
	}
	for _, g := range l.Gaps {
		e := l.Epoch(g.Epoch)
		if p.role == roleWindow && g.State == ledger.GapReseeded && e != nil && !p.from.Before(e.To) && !p.to.After(g.To) {
			return true
		}
	}
	return false
}
