package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dynamolake/transform"
	"dynamolake/writer"
)

// inspectLink looks at a file of a chain and fills in what it covers.
func (v *run) inspectLink(ctx context.Context, p place, l *link) error {
	if v.Depth == DepthNames {
		o, err := v.Store.Head(ctx, l.key)
		if err != nil {
			return v.vanished(l, err)
		}
		if o.Meta["end"] != "" {
			v.covers(l, o.Meta, "metadata")
			return nil
		}
		// The metadata was lost in a copy: the footer says the same.
	}
	c, err := v.fetch(ctx, l.key)
	if err != nil {
		return v.vanished(l, err)
	}
	defer c.close()
	f, err := c.rows()
	if err != nil {
		l.bad = true
		v.unread(l.key, err)
		return nil
	}
	v.covers(l, f.Meta, "footer")
	l.footer, l.parent, l.gapBefore = true, f.Meta["parent"], f.Meta["gap-before"]
	doubts := footerOfLink(p, l, f, c, v.Keys)
	more, err := v.schemaOf(ctx, l.key, p.dataset, f)
	if err != nil {
		return err
	}
	doubts = append(doubts, more...)
	v.notes.all(doubts)
	if l.bad || len(doubts) > 0 || v.Depth != DepthRows {
		return nil
	}
	return v.streamRows(ctx, p, l, f)
}

// vanished is for an object that was listed and is not there.
func (v *run) vanished(l *link, err error) error {
	if !errors.Is(err, writer.ErrNotFound) {
		return err
	}
	l.bad = true
	v.notes.add(Missing, l.key, "it was listed, and is not there any more: somebody deletes files of the lake; find out who, and bring it back")
	return nil
}

// covers reads what a link covers from its metadata or its footer.
func (v *run) covers(l *link, meta map[string]string, where string) {
	var bad []string
	number := func(name string, least int64) int64 {
		n, err := strconv.ParseInt(meta[name], 10, 64)
		if err != nil || n < least {
			bad = append(bad, name)
		}
		return n
	}
	format := number("format", 0)
	end, err := transform.ParseSeq(meta["end"])
	if err != nil {
		bad = append(bad, "end")
	}
	if l.shardEnd, err = strconv.ParseBool(meta["shard-end"]); err != nil {
		bad = append(bad, "shard-end")
	}
	l.end, l.rows, l.epoch = end, number("rows", 0), number("epoch", 0)
	l.minTS, l.maxTS = number("min-ts", 0), number("max-ts", 0)
	if l.schema = -1; meta["schema"] != "" { // what was copied may have lost it
		l.schema = int(number("schema", 0))
	}
	if after := meta["after"]; after != l.after.String() {
		bad = append(bad, "after")
	}
	if len(bad) == 0 && (end.Compare(l.after) < 0 || end == l.after && !l.shardEnd) {
		bad = append(bad, "end")
	}
	switch {
	case len(bad) > 0:
		l.bad = true
		v.notes.add(Footer, l.key, "its %s has no usable %s; bring the file back from a copy or an older version", where, strings.Join(bad, ", "))
	case format != writer.FormatVersion:
		l.bad = true
		v.notes.add(Footer, l.key, "it is of format %d, this program knows %d; use a newer dynamolake", format, writer.FormatVersion)
	}
}

// saidTwice are the names that are in a link's footer and in its object's metadata.
var saidTwice = []string{"format", "after", "end", "shard-end", "rows", "min-ts", "max-ts", "writer", "attempt", "epoch", "schema"}

// footerOfLink holds a footer against the name, the object's metadata and the content.
func footerOfLink(p place, l *link, f *writer.RowFile, c *content, keys transform.KeySchema) []Doubt {
	var d found
	for _, name := range saidTwice {
		if got, ok := c.meta[name]; ok && got != f.Meta[name] {
			d.add(Footer, l.key, "its metadata says %s %q, and its footer %q; bring the file back from a copy or an older version", name, got, f.Meta[name])
		}
	}
	if sum, ok := c.meta["sha256"]; ok && sum != c.sha256 {
		d.add(Content, l.key, "its content is not that which was written (SHA-256); bring the file back from a copy or an older version")
	}
	d = append(d, same(l.key, f, map[string]string{"shard": p.shard, "dataset": p.dataset}, l.rows, keys)...)
	return d
}

// same holds a footer against what is known of the file.
func same(key string, f *writer.RowFile, want map[string]string, rows int64, keys transform.KeySchema) []Doubt {
	var d found
	for _, name := range []string{"source", "export", "epoch", "from", "to", "data-file", "data-md5", "items", "shard", "dataset", "schema"} {
		if text, ok := want[name]; ok && text != f.Meta[name] {
			d.add(Footer, key, "its footer says %s %q, and it should be %q; another file lies in its place, bring it back from a copy or an older version", name, f.Meta[name], text)
		}
	}
	if f.Rows != rows {
		d.add(Counts, key, "it has %d rows, and should have %d; bring it back from a copy or an older version", f.Rows, rows)
	}
	if f.Keys != keys {
		d.add(Footer, key, "its key is %s, and the table's %s: it is of another table", keyWords(f.Keys), keyWords(keys))
	}
	return d
}

func keyWords(k transform.KeySchema) string {
	words := fmt.Sprintf("%q (%c)", k.Hash.Name, k.Hash.Type)
	if k.HasRange() {
		words += fmt.Sprintf(", %q (%c)", k.Range.Name, k.Range.Type)
	}
	return words
}

// inspectExport looks at a file of an export.
func (v *run) inspectExport(ctx context.Context, key string, x *exportFile) error {
	c, err := v.fetch(ctx, key)
	if errors.Is(err, writer.ErrNotFound) {
		x.there = false
		return nil
	}
	if err != nil {
		return err
	}
	defer c.close()
	f, err := c.rows()
	if err != nil {
		v.unread(key, err)
		return nil
	}
	want := map[string]string{"epoch": strconv.FormatInt(x.record.Epoch, 10), "source": string(x.record.Source), "dataset": x.file.Dataset}
	if !x.overlap {
		want["schema"] = strconv.Itoa(x.record.Schema)
		want["export"], want["data-file"], want["data-md5"] = x.record.ARN, x.file.DataFile, x.file.MD5
		want["items"] = strconv.FormatInt(x.file.Items, 10)
		want["to"], want["from"] = x.record.To.UTC().Format(time.RFC3339Nano), ""
		if !x.record.From.IsZero() {
			want["from"] = x.record.From.UTC().Format(time.RFC3339Nano)
		}
	}
	doubts := same(key, f, want, x.file.Rows, v.Keys)
	more, err := v.schemaOf(ctx, key, x.file.Dataset, f)
	if err != nil {
		return err
	}
	doubts = append(doubts, more...)
	v.notes.all(doubts)
	if len(doubts) > 0 || v.Depth != DepthRows {
		return nil
	}
	return v.exportRows(ctx, key, x, f)
}

// unread notes a file that cannot be decoded, once.
func (v *run) unread(key string, err error) {
	v.mu.Lock()
	known := v.damaged[key]
	v.damaged[key] = true
	v.mu.Unlock()
	if !known {
		v.notes.add(Unread, key, "%v; bring it back from a copy or an older version", err)
	}
}
