package bootstrap

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// turned is an object under rejects/exports/.
type turned struct {
	key, dataset string // dataset is the one that refused the line; empty where it is nobody's
	line         int64
}

// Restore takes every line in a table's rejects/exports/ through the datasets of a place ([Options.Into]) again.
// What now passes becomes rows in files of the place that are named as the export's own, what does not a
// reject of the place, with the reason there is now. A line that one dataset refused goes to that one
// only. of is the table's ledger, prefix its part of the lake, which is only read. Called again it
// goes on where it was. It returns how many objects it read.
func Restore(ctx context.Context, o Options, prefix string, of *ledger.Ledger) (read int64, err error) {
	if err := o.check(false); err != nil {
		return 0, err
	}
	w := newWorkshop(o)
	exports := map[string]map[string][]turned{} // by id, and by the name of the data file
	for o, err := range w.Store.List(ctx, prefix+"rejects/exports/") {
		if err != nil {
			return 0, err
		}
		id := path.Base(path.Dir(o.Key))
		name, ds, _ := strings.Cut(strings.TrimSuffix(path.Base(o.Key), ".json"), "@")
		cut := strings.LastIndexByte(name, '-')
		line, err := strconv.ParseInt(name[cut+1:], 10, 64)
		if cut < 0 || err != nil {
			return 0, fmt.Errorf("%s is no name of a reject", o.Key)
		}
		if exports[id] == nil {
			exports[id] = map[string][]turned{}
		}
		exports[id][name[:cut]] = append(exports[id][name[:cut]], turned{o.Key, ds, line})
		read++
	}
	for id, files := range exports {
		if err := w.restore(ctx, prefix, of, id, files); err != nil {
			return 0, fmt.Errorf("restore rejects of export %s: %w", id, err)
		}
	}
	return read, nil
}

// restore is that of one export.
func (w *workshop) restore(ctx context.Context, prefix string, of *ledger.Ledger, id string, files map[string][]turned) error {
	if done, err := readRecord(ctx, w.Store, recordKey(w.prefix(), id)); done != nil || err != nil {
		return err
	}
	was, err := readRecord(ctx, w.Store, recordKey(prefix, id))
	if err != nil {
		return err
	}
	if was == nil {
		return errors.New("its record is not there: it is not converted yet; try again when it is")
	}
	epoch := ledger.Epoch{Number: was.Epoch, Source: was.Source, Exports: []ledger.Export{{To: was.To, ARN: was.ARN, Bucket: was.Bucket, Manifest: was.Manifest, Foreign: was.Foreign}}}
	if _, err := w.update(ctx, func(l *ledger.Ledger) error {
		l.Restore(epoch, of.Begin())
		return nil
	}); err != nil {
		return err
	}
	set, err := w.set(ctx, w.Datasets.Set().Version, was.Source)
	if err != nil {
		return err
	}
	r := *was
	r.Schema, r.Restored, r.Drop, r.Worker, r.Converted = set.Version, true, false, w.Worker, time.Now().UTC()
	r.Items, r.Rows, r.Rejects, r.Checked, r.Mismatched, r.Files, r.Overlaps = 0, 0, 0, 0, 0, nil, nil
	parts := w.partsOf(set, ledger.Export{From: was.From, To: was.To, ARN: was.ARN})
	for _, base := range slices.Sorted(maps.Keys(files)) {
		dataFile := base
		for _, f := range was.Files {
			if path.Base(f.DataFile) == base {
				dataFile = f.DataFile
			}
		}
		x := &restoring{w: w, was: was, set: set, parts: parts, dataFile: dataFile}
		if err := x.run(ctx, files[base]); err != nil {
			return err
		}
		for _, f := range x.done {
			r.Rows, r.Rejects, r.Files = r.Rows+f.Rows, r.Rejects+f.Rejects, append(r.Files, f)
		}
		r.Items += x.done[0].Items
	}
	_, err = putRecord(ctx, w.Store, recordKey(w.prefix(), id), &r)
	return err
}

// restoring is one data file.
type restoring struct {
	w        *workshop
	was      *record
	set      *dataset.Set
	parts    []part
	dataFile string
	done     []recordedFile

	items  int64
	shares []share
	page   transform.Page
}

const restoreLines = 500

func (x *restoring) run(ctx context.Context, list []turned) error {
	slices.SortFunc(list, func(a, b turned) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.dataset, b.dataset)) })
	for i := range list {
		if i == 0 || list[i].line != list[i-1].line {
			x.items++
		}
	}
	x.done, x.shares = make([]recordedFile, len(x.parts)), make([]share, len(x.parts))
	todo := make([]*share, len(x.parts))
	for i := range x.parts {
		p := &x.parts[i]
		x.done[i] = recordedFile{DataFile: x.dataFile, Dataset: p.Name, Items: x.items, Parquet: p.prefix + writer.ExportFileName(x.dataFile)}
		x.shares[i] = share{part: p, done: &x.done[i]}
		todo[i] = &x.shares[i]
	}
	defer drop(ctx, todo)
	info := writer.ExportInfo{
		ARN: x.was.ARN, From: x.was.From, To: x.was.To, Epoch: x.was.Epoch, DataFile: x.dataFile, Items: x.items, Writer: x.w.Worker,
	}
	for _, s := range todo {
		up, err := x.w.Store.Create(ctx, s.done.Parquet, s.Encoder.ExportMeta(info))
		if err != nil {
			return err
		}
		s.up, s.file = up, s.Encoder.Export(up, info)
	}
	for len(list) > 0 {
		n := min(restoreLines, len(list))
		for n < len(list) && list[n].line == list[n-1].line {
			n++
		}
		if err := x.some(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return x.complete(ctx, todo)
}

// some takes a few lines, all objects of one together.
func (x *restoring) some(ctx context.Context, list []turned) error {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].key
	}
	read, err := writer.ReadRejects[reject](ctx, x.w.Store, keys)
	if err != nil {
		return err
	}
	for n := 0; n < len(list); {
		end := n + 1
		for end < len(list) && list[end].line == list[n].line {
			end++
		}
		if err := x.line(ctx, read[n], list[n:end]); err != nil {
			return err
		}
		n = end
	}
	return nil
}

// line takes one; of are the objects there are of it.
func (x *restoring) line(ctx context.Context, r reject, of []turned) error {
	text := []byte(r.Record)
	if len(text) == 0 {
		text = r.Base64
	}
	text = bytes.TrimSpace(text)
	if err := x.w.decoder.DecodeExport(text, viewOf(x.was), &x.page); err != nil {
		return err
	}
	r.DataFile = x.dataFile
	again := func(dataset, reason string) error {
		r.Dataset, r.Reason = dataset, reason
		return x.w.putReject(ctx, r)
	}
	if len(x.page.Changes) == 0 {
		x.done[0].Rejects++
		reason := "the line is empty"
		if len(x.page.Rejects) > 0 {
			reason = x.page.Rejects[0].Reason
		}
		return again("", reason)
	}
	all := slices.ContainsFunc(of, func(t turned) bool { return t.dataset == "" })
	if why := x.set.Homeless(&x.page.Changes[0]); all && why != "" {
		x.done[0].Rejects++
		if err := again("", why); err != nil {
			return err
		}
	}
	for _, t := range of {
		if _, err := x.set.Part(t.dataset); t.dataset != "" && err != nil {
			x.done[0].Rejects++
			if err := again(t.dataset, "the schema has no dataset "+t.dataset); err != nil {
				return err
			}
		}
	}
	for i := range x.shares {
		s := &x.shares[i]
		if !all && !slices.ContainsFunc(of, func(t turned) bool { return t.dataset == s.Name }) {
			continue
		}
		if err := s.file.Add(x.page.Changes); err != nil {
			return err
		}
		for _, refused := range s.file.Refused() {
			s.done.Rejects++
			if err := again(s.Name, refused.Reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete gives the files their names. One that is there already an earlier run has made of the same lines.
func (x *restoring) complete(ctx context.Context, todo []*share) error {
	for _, s := range todo {
		stats, err := s.file.Close()
		if err != nil {
			return err
		}
		s.done.Rows, s.done.Size = stats.Rows, stats.Bytes
		if err := s.up.Commit(ctx); errors.Is(err, writer.ErrExists) {
			s.done.Rows, s.done.Size, err = x.w.footer(ctx, s.done.Parquet)
			if err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// viewOf is how the lines of an export are to be read.
func viewOf(r *record) transform.View {
	if r.Source == ledger.Full {
		return transform.ViewFull
	}
	return (&manifest{Type: "INCREMENTAL_EXPORT", View: r.View}).view()
}
