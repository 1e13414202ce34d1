package verify

import (
	"context"
	"errors"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// rowFault is the first row of a file that breaks a rule; a file with one bad row often has
// many.
type rowFault struct {
	kind Kind
	row  int64
	text string
	more int64
}

func (f *rowFault) add(kind Kind, row int64, text string) {
	if f.kind == "" {
		*f = rowFault{kind: kind, row: row, text: text}
	} else {
		f.more++
	}
}

// streamRows reads the rows of a chain's file.
func (v *run) streamRows(ctx context.Context, p place, l *link, f *writer.RowFile) error {
	var fault rowFault
	last, n := l.after, int64(0)
	err := each(ctx, f, writer.AllFields&^writer.FieldOld, func(r *writer.Row) error {
		switch {
		case r.Seq.Compare(last) <= 0:
			fault.add(Order, n, "its sequence number is not above that of the row before, or of the file before")
		case r.Seq.Compare(l.end) > 0:
			fault.add(Order, n, "its sequence number is beyond the end that the file gives")
		case r.Epoch != l.epoch:
			fault.add(EpochKind, n, "its _epoch is not the footer's")
		case string(r.Shard) != p.shard || r.Source != string(ledger.Stream) || r.Op == transform.Snapshot:
			fault.add(Order, n, "its _shard, _source or _op are not those of a change of this shard")
		case r.TS != 0 && (r.TS < l.minTS || r.TS > l.maxTS):
			fault.add(Order, n, "its _ts is not within the footer's bounds")
		default:
			v.rebuild(row{Row: r, file: f}, n, &fault)
		}
		last, n = r.Seq, n+1
		return nil
	})
	return v.judge(l.key, n, l.rows, fault, err)
}

// exportRows reads the rows of an export's file.
func (v *run) exportRows(ctx context.Context, key string, x *exportFile, f *writer.RowFile) error {
	var fault rowFault
	n, full := int64(0), x.record.Source == ledger.Full
	from, to := x.record.From.Add(-v.Skew).UnixMicro(), x.record.To.Add(v.Skew).UnixMicro()
	err := each(ctx, f, writer.AllFields&^writer.FieldOld, func(r *writer.Row) error {
		switch {
		case r.Epoch != x.record.Epoch:
			fault.add(EpochKind, n, "its _epoch is not that of the export")
		case r.Source != string(x.record.Source) || full != (r.Op == transform.Snapshot):
			fault.add(Order, n, "its _source or _op are not those of the export")
		case x.overlap && r.Op != transform.Remove:
			fault.add(Order, n, "it is no REMOVE, and the overlap holds nothing else")
		case !x.overlap && !full && r.TS != 0 && (r.TS < from || r.TS >= to):
			fault.add(Order, n, "its _ts, "+time.UnixMicro(r.TS).UTC().Format(time.RFC3339)+", is not within the window")
		default:
			v.rebuild(row{Row: r, file: f}, n, &fault)
		}
		n++
		return nil
	})
	return v.judge(key, n, x.file.Rows, fault, err)
}

// rebuild sees whether the item can be put together.
func (v *run) rebuild(r row, n int64, fault *rowFault) {
	if _, err := v.item(r); err != nil {
		fault.add(RowKind, n, err.Error())
		return
	}
	if r.Op != transform.Remove {
		return
	}
	more := r.Rest != nil && r.Hash.Exact && (r.Range.Exact || !v.Keys.HasRange())
	for _, cells := range r.Cells {
		more = more || cells[0].Def > 0
	}
	if more {
		fault.add(RowKind, n, "a REMOVE holds more than its key")
	}
}

// judge notes what was found in a file.
func (v *run) judge(key string, rows, want int64, fault rowFault, err error) error {
	var bad *damage
	if errors.As(err, &bad) {
		v.unread(key, err)
		return nil
	}
	if err != nil {
		return err
	}
	if rows != want {
		v.notes.add(Counts, key, "%d rows can be read, and it should have %d; bring it back from a copy or an older version", rows, want)
	}
	if fault.kind != "" {
		v.notes.add(fault.kind, key, "row %d: %s (and %d more rows of this file); bring it back from a copy or an older version, and report this if they have the same", fault.row, fault.text, fault.more)
	}
	return nil
}
