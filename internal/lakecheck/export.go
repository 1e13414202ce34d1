package lakecheck

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dynamolake/transform"
	"dynamolake/writer"
)

// Export is an export of which all rows are in the lake, as its record says.
type Export struct {
	Key      string // of the record
	ID       string
	Source   string // full or incremental
	Epoch    int64
	From, To time.Time // From is zero for a full export
	Objects  []*Object
	// Overlap holds REMOVE rows for items that came and went unseen; nil where there are none.
	Overlap  *Object
	Err      error     // the record and the files disagree
	overlaps []*Object // one for each dataset that has some
}

// recordOfExport is its JSON, as far as it is looked at.
type recordOfExport struct {
	Export   string
	Source   string
	Epoch    int64
	From, To time.Time
	Files    []recordedFile
	Overlaps []recordedFile
}

type recordedFile struct {
	Parquet string
	Rows    int
}

// isWindow tells whether a key under changes/ is that of a file of an export.
func isWindow(tablePrefix, key string) bool {
	parts := strings.Split(strings.TrimPrefix(key, tablePrefix), "/")
	return len(parts) == 4 && strings.HasPrefix(parts[2], "window=")
}

func (lake *Lake) readSnapshots(ctx context.Context, store Store, tablePrefix string) error {
	for listed, err := range store.List(ctx, tablePrefix+"snapshot/") {
		if err != nil {
			return fmt.Errorf("list %ssnapshot/: %w", tablePrefix, err)
		}
		body, got, err := store.Get(ctx, listed.Key)
		if err != nil {
			return fmt.Errorf("read %s: %w", listed.Key, err)
		}
		o := &Object{Key: listed.Key, Dataset: datasetOf(tablePrefix, listed.Key), Modified: listed.Modified, Size: int64(len(body))}
		o.Err = o.decodeExport(tablePrefix, body, got.Meta)
		lake.Exported = append(lake.Exported, o)
	}
	return nil
}

// readRecords takes in which files are of which export.
func (lake *Lake) readRecords(ctx context.Context, store Store, tablePrefix string) error {
	files := map[string]*Object{}
	for _, o := range lake.Exported {
		files[o.Key] = o
	}
	for listed, err := range store.List(ctx, tablePrefix+"_ledger/exports/") {
		if err != nil {
			return fmt.Errorf("list %s_ledger/exports/: %w", tablePrefix, err)
		}
		body, _, err := store.Get(ctx, listed.Key)
		if err != nil {
			return fmt.Errorf("read %s: %w", listed.Key, err)
		}
		var rec recordOfExport
		x := &Export{Key: listed.Key}
		if x.Err = json.Unmarshal(body, &rec); x.Err == nil {
			x.take(&rec, files)
		}
		lake.Exports = append(lake.Exports, x)
	}
	slices.SortFunc(lake.Exports, func(a, b *Export) int { return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), a.From.Compare(b.From)) })
	return nil
}

func (x *Export) take(rec *recordOfExport, files map[string]*Object) {
	x.ID, x.Source, x.Epoch, x.From, x.To = rec.Export, rec.Source, rec.Epoch, rec.From, rec.To
	for _, f := range rec.Overlaps {
		if o := files[f.Parquet]; o != nil {
			x.Overlap = o
			x.overlaps = append(x.overlaps, o)
		}
		rec.Files = append(rec.Files, f)
	}
	var problems []error
	for _, f := range rec.Files {
		if f.Parquet == "" {
			continue
		}
		o := files[f.Parquet]
		if o == nil {
			problems = append(problems, fmt.Errorf("%s is not there", f.Parquet))
			continue
		}
		if len(o.Rows) != f.Rows || o.Epoch != x.Epoch || o.Source != x.Source || !strings.HasSuffix(o.Export, "/"+x.ID) {
			problems = append(problems, fmt.Errorf("%s has %d rows of %s, epoch %d, export %s", f.Parquet, len(o.Rows), o.Source, o.Epoch, o.Export))
		}
		if !slices.Contains(x.overlaps, o) {
			if !o.From.Equal(x.From) || !o.To.Equal(x.To) {
				problems = append(problems, fmt.Errorf("%s is of %v to %v", f.Parquet, o.From, o.To))
			}
			x.Objects = append(x.Objects, o)
		}
	}
	x.Err = errors.Join(problems...)
}

// decodeExport fills o from the file of an export and says what is wrong with it.
func (o *Object) decodeExport(tablePrefix string, body []byte, meta map[string]string) error {
	f, err := readFile(body)
	if err != nil {
		return err
	}
	if o.Source = f.footer["source"]; o.Source != full && o.Source != incremental {
		return fmt.Errorf("footer: source is %q", o.Source)
	}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	o.Export, o.DataFile = f.footer["export"], f.footer["data-file"]
	o.Epoch, err = strconv.ParseInt(f.footer["epoch"], 10, 64)
	note(err)
	o.To, err = time.Parse(time.RFC3339Nano, f.footer["to"])
	note(err)
	if o.Dataset != f.footer["dataset"] {
		note(fmt.Errorf("footer: dataset is %q", f.footer["dataset"]))
	}
	prefix := writer.SnapshotPrefix(tablePrefix, f.footer["dataset"], o.Export[strings.LastIndexByte(o.Export, '/')+1:])
	if o.Source == incremental {
		o.From, err = time.Parse(time.RFC3339Nano, f.footer["from"])
		note(err)
		prefix = writer.WindowPrefix(tablePrefix, f.footer["dataset"], o.From, o.To)
	}
	if want := prefix + writer.ExportFileName(o.DataFile); o.Key != want {
		note(fmt.Errorf("the footer is that of %s", want))
	}
	if f.footer["rows"] != strconv.Itoa(f.rows) {
		note(fmt.Errorf("footer: rows is %q, the object has %d", f.footer["rows"], f.rows))
	}
	for _, name := range []string{"source", "epoch", "items"} {
		if got, ok := meta[name]; ok && got != f.footer[name] {
			note(fmt.Errorf("metadata: %s is %q, the footer has %q", name, got, f.footer[name]))
		}
	}
	note(o.readRows(f))
	return errors.Join(problems...)
}

// rowOfExport is what rows of exports alone have.
func (o *Object) rowOfExport(r *Row, seq, shard *string) error {
	switch {
	case seq != nil || shard != nil:
		return errors.New("it has a _seq or a _shard")
	case r.Source != o.Source || r.Epoch != o.Epoch:
		return fmt.Errorf("it is of %s, epoch %d; the footer says %s, epoch %d", r.Source, r.Epoch, o.Source, o.Epoch)
	case (r.Op == transform.Snapshot.String()) != (o.Source == full):
		return fmt.Errorf("it is a %s", r.Op)
	}
	return nil
}
