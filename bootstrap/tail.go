package bootstrap

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// tail settles the overlap at the end of an epoch of windows that repairs the stream, for each dataset
// that has a state.
//
// The epoch begins a little before what was lost. An item that the stream
// inserted after that, and whose deletion is among what was lost, came and went within the windows:
// they do not mention it, and the lake would keep it for ever. So: of
// the items whose newest row below the epoch is young enough and no REMOVE, and
// which no window mentions, the table is asked. What it does not have gets
// a REMOVE in the epoch. What it has again is in the stream above. No clock is needed for that.
//
// From a dataset with a filter an item also goes when it stops matching: what the windows show of that is an item
// that is new, and not of this dataset, and so nothing at all. There the table is asked for the item itself, and what
// does not match gets a REMOVE too. If that came later, it is in the stream above once more.
//
// Memory is bounded by taking the keys in parts, by their digest.
func (w *workshop) tail(ctx context.Context, epoch ledger.Epoch, last *record, parts []part) (done []recordedFile, err error) {
	windows, err := w.windowsOf(ctx, epoch, last)
	if err != nil {
		return nil, err
	}
	for i := range parts {
		p := &parts[i]
		if p.append {
			continue
		}
		gone, err := w.unmentioned(ctx, epoch, windows, p)
		if err != nil {
			return nil, err
		}
		if len(gone) == 0 {
			continue
		}
		f, err := w.removes(ctx, epoch, windows, last, p, gone)
		if err != nil {
			return nil, err
		}
		done = append(done, *f)
	}
	return done, nil
}

// unmentioned are the items that a dataset must forget although no window says so.
func (w *workshop) unmentioned(ctx context.Context, epoch ledger.Epoch, windows []*record, p *part) (gone []string, err error) {
	limit := epoch.From.Add(-w.Timing.Skew)
	below, rows, err := w.below(ctx, epoch.Number, limit, p.Name)
	if err != nil {
		return nil, err
	}
	for _, r := range windows {
		for _, f := range r.Files {
			if f.Dataset == p.Name {
				rows += f.Rows
			}
		}
	}
	count := uint16(rows/tailRows + 1)
	for n := range count {
		t := overlap{w: w, of: p, epoch: epoch.Number, limit: limit.UnixMicro(), part: n, parts: count, items: map[digest]*overlapping{}}
		some, err := t.gone(ctx, below, windows)
		if err != nil {
			return nil, err
		}
		gone = append(gone, some...)
	}
	return gone, nil
}

const (
	tailRows = 1_000_000 // that are remembered at once
	// tailMargin is how much older than its rows an object may seem.
	tailMargin = time.Hour
	heads      = 16 // at once
)

// windowsOf are the records of an epoch's windows, the first one first.
func (w *workshop) windowsOf(ctx context.Context, epoch ledger.Epoch, last *record) ([]*record, error) {
	byEnd := map[int64]*record{}
	all := []*record{last}
	next := func() *record {
		for !all[0].From.Equal(epoch.From) {
			r := byEnd[all[0].From.UnixNano()]
			if r == nil {
				return nil
			}
			all = slices.Insert(all, 0, r)
		}
		return all[0]
	}
	if next() != nil {
		return all, nil
	}
	err := records(ctx, w.Store, w.prefix(), func(r *record) bool {
		if r.Epoch == epoch.Number && r.Source == ledger.Incremental {
			byEnd[r.To.UnixNano()] = r
		}
		return next() == nil
	})
	if err == nil && next() == nil {
		err = &Advice{
			What: fmt.Sprintf("windows of epoch %d", epoch.Number),
			Fix:  fmt.Sprintf("the record of the window that ends at %s is missing in %s; bring it back", all[0].From.Format(time.RFC3339), recordsPrefix(w.prefix())),
		}
	}
	return all, err
}

// below are the files of changes of lower epochs that may have rows since limit.
func (w *workshop) below(ctx context.Context, epoch int64, limit time.Time, dataset string) (keys []string, rows int64, err error) {
	var mu sync.Mutex
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(heads)
	for o, err := range w.Store.List(ctx, w.prefix()+"changes/"+dataset+"/") {
		if err != nil {
			return nil, 0, err
		}
		if o.Modified.Before(limit.Add(-tailMargin)) || gctx.Err() != nil {
			continue
		}
		group.Go(func() error {
			head, err := w.Store.Head(gctx, o.Key)
			if err != nil {
				return err
			}
			number := func(name string) (int64, bool) {
				n, err := strconv.ParseInt(head.Meta[name], 10, 64)
				return n, err == nil
			}
			of, known := number("epoch")
			young, told := number("max-ts")
			if known && of >= epoch || told && young != 0 && young < limit.UnixMicro() {
				return nil
			}
			n, told := number("rows")
			if !told {
				n, _ = number("items")
			}
			mu.Lock()
			defer mu.Unlock()
			keys, rows = append(keys, o.Key), rows+n
			return nil
		})
	}
	return keys, rows, group.Wait()
}

// overlap is one part of the keys.
type overlap struct {
	w           *workshop
	of          *part
	epoch       int64
	limit       int64 // microseconds
	part, parts uint16
	items       map[digest]*overlapping
}

// overlapping is the newest row of an item below the epoch.
type overlapping struct {
	epoch, ts int64
	seq       transform.Seq
	key       string // canonical DynamoDB JSON; empty for a REMOVE, and for what is too old
}

// gone are the keys of this part that the dataset must forget.
func (t *overlap) gone(ctx context.Context, below []string, windows []*record) ([]string, error) {
	for _, key := range below {
		err := t.each(ctx, key, func(dg digest, row *writer.Row) error {
			if row.Epoch >= t.epoch || row.Op == transform.Snapshot {
				return nil
			}
			old := t.items[dg]
			if old != nil && (old.epoch > row.Epoch || old.epoch == row.Epoch && (old.seq.Compare(row.Seq) > 0 || old.seq == row.Seq && old.ts > row.TS)) {
				return nil
			}
			it := &overlapping{epoch: row.Epoch, ts: row.TS, seq: row.Seq}
			if row.Op != transform.Remove && (row.TS == 0 || row.TS >= t.limit) {
				key, err := transform.RebuildKey(t.w.Table.Keys, row.Hash, row.Range, row.Rest)
				if err != nil {
					return err
				}
				it.key = string(key)
			}
			t.items[dg] = it
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	maps.DeleteFunc(t.items, func(_ digest, it *overlapping) bool { return it.key == "" })
	for _, r := range windows {
		for _, f := range r.Files {
			if f.Dataset != t.of.Name || f.Parquet == "" || len(t.items) == 0 {
				continue
			}
			err := t.each(ctx, f.Parquet, func(dg digest, _ *writer.Row) error {
				delete(t.items, dg)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	var asked []string
	for _, it := range t.items {
		if !strings.Contains(it.key, `\ud`) { // no UTF-8, so nothing that could be asked for
			asked = append(asked, it.key)
		}
	}
	slices.Sort(asked)
	return t.w.absent(ctx, t.of, asked)
}

// each calls f with the rows of a file whose keys are of this part.
func (t *overlap) each(ctx context.Context, key string, f func(digest, *writer.Row) error) error {
	file, _, done, err := openRows(ctx, t.w.Store, key)
	if err != nil {
		return err
	}
	defer done()
	keys := t.w.Table.Keys
	fields := writer.FieldOp | writer.FieldSeq | writer.FieldTS | writer.FieldEpoch | writer.FieldKeys
	for {
		again := false
		for row, err := range file.All(ctx, fields) {
			if err != nil {
				return fmt.Errorf("read back %s: %w", key, err)
			}
			dg, ok := keyDigest(keys, row.Hash, row.Range)
			if !ok {
				if fields&writer.FieldRest == 0 {
					again = true // the rest has the key: once more, with it
					break
				}
				text, err := transform.RebuildKey(keys, row.Hash, row.Range, row.Rest)
				if err != nil {
					return fmt.Errorf("read back %s: %w", key, err)
				}
				dg = md5.Sum(text)
			}
			if (uint16(dg[0])<<8|uint16(dg[1]))%t.parts != t.part {
				continue
			}
			if err := f(dg, row); err != nil {
				return fmt.Errorf("read back %s: %w", key, err)
			}
		}
		if !again {
			return nil
		}
		fields |= writer.FieldRest
	}
}

// removes writes the file of the items that are gone, beside the epoch's first window. Another epoch
// may have a window of the same times.
func (w *workshop) removes(ctx context.Context, epoch ledger.Epoch, windows []*record, last *record, p *part, gone []string) (*recordedFile, error) {
	slices.Sort(gone)
	name := fmt.Sprintf("overlap-%d", epoch.Number)
	done := &recordedFile{
		Dataset: p.Name, Items: int64(len(gone)), Rows: int64(len(gone)),
		Parquet: writer.WindowPrefix(w.prefix(), p.Name, epoch.From, windows[0].To) + writer.ExportFileName(name),
	}
	info := writer.ExportInfo{
		ARN: last.ARN, From: epoch.From, To: windows[0].To, Epoch: epoch.Number,
		DataFile: name, Items: done.Items, Writer: w.Worker,
	}
	up, err := w.Store.Create(ctx, done.Parquet, p.Encoder.ExportMeta(info))
	if err != nil {
		return nil, err
	}
	defer up.Abort(ctx) //nolint:errcheck // what matters is why; after Commit it does nothing
	file := p.Encoder.Export(up, info)
	var page transform.Page
	for some := range slices.Chunk(gone, 1000) {
		var lines bytes.Buffer
		for _, key := range some {
			fmt.Fprintf(&lines, `{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":%s}`+"\n", epoch.From.UnixMicro(), key)
		}
		if err := w.decoder.DecodeExport(lines.Bytes(), transform.ViewNew, &page); err != nil {
			return nil, err
		}
		if len(page.Rejects) > 0 {
			return nil, fmt.Errorf("a key of the lake makes no sense: %s", page.Rejects[0].Reason)
		}
		if err := file.Add(page.Changes); err != nil {
			return nil, err
		}
	}
	stats, err := file.Close()
	if err == nil && stats.Rows != done.Items {
		err = fmt.Errorf("dataset %s has %d of %d removals of the overlap", p.Name, stats.Rows, done.Items)
	}
	if err == nil {
		done.Size = stats.Bytes
		err = up.Commit(ctx)
	}
	if isThere(err) { // another worker asked; his answer counts
		done.Rows, done.Size, err = w.footer(ctx, done.Parquet)
		done.Items = done.Rows
	}
	if err != nil {
		return nil, err
	}
	w.metrics.overlap.Add(float64(done.Rows))
	w.Log.Info("items of the overlap were deleted unseen", zap.Int64("epoch", epoch.Number), zap.String("dataset", p.Name), zap.Int64("items", done.Rows))
	return done, nil
}
