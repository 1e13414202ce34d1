package verify

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// readLedgerFolder takes in the records, the gaps and the versions of the schema.
func (v *run) readLedgerFolder(ctx context.Context) error {
	defer func() { v.notes.all(v.catalog.dense()) }()
	for o, err := range v.Store.List(ctx, v.Prefix+"_ledger/") {
		if err != nil {
			return err
		}
		switch p := parsePlace(v.Prefix, o.Key); p.role {
		case roleLedger, roleReplay:
		case roleRecord:
			r, err := v.readRecord(ctx, o.Key)
			if err != nil {
				return err
			}
			if r != nil {
				v.records = append(v.records, *r)
			}
		case roleSchema:
			body, _, err := v.Store.Get(ctx, o.Key)
			if err != nil {
				return err
			}
			v.notes.all(v.catalog.add(p.version, body))
			v.catalog.latest = max(v.catalog.latest, p.version)
		case roleGap:
			if err := v.readGap(ctx, o.Key, p); err != nil {
				return err
			}
		default:
			v.stray = append(v.stray, o.Key)
		}
	}
	return nil
}

// readRecord returns nil where it makes no sense.
func (v *run) readRecord(ctx context.Context, key string) (*Record, error) {
	body, _, err := v.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	r, err := parseRecord(key, body)
	if err != nil {
		v.notes.add(Records, key, "%v; bring it back from a copy or an older version", err)
		return nil, nil
	}
	return &r, nil
}

// readGap takes in what a shard lost.
func (v *run) readGap(ctx context.Context, key string, p place) error {
	body, _, err := v.Store.Get(ctx, key)
	if err != nil {
		return err
	}
	var g shardGap
	if err := json.Unmarshal(body, &g); err != nil {
		v.notes.add(Unread, key, "it is not readable: %v; bring it back from a copy or an older version", err)
		return nil
	}
	name := gapName(p.shard, p.after.String())
	if known, ok := v.gaps[name]; !ok || g.Gap > known.Gap {
		v.gaps[name] = g
	}
	return nil
}

// expect notes the files that records name, those of exports that the ledger does not call
// converted yet included.
func (v *run) expect() {
	for i := range v.records {
		r := &v.records[i]
		take := func(f *RecordFile, overlap bool) {
			if f.Dataset == "" { // as the first versions wrote it
				f.Dataset = allItems
			}
			if f.Parquet != "" && v.selects(f.Dataset) {
				v.files[f.Parquet] = &exportFile{record: r, file: f, overlap: overlap}
			}
		}
		for j := range r.Files {
			take(&r.Files[j], false)
		}
		for j := range r.Overlaps {
			take(&r.Overlaps[j], true)
		}
		v.notes.all(r.sums(&v.catalog))
	}
}

// inspectAll lists the lake and has every file looked at.
func (v *run) inspectAll(ctx context.Context) error {
	files, ctx := errgroup.WithContext(ctx)
	files.SetLimit(v.Parallel)
	var chains sync.WaitGroup
	var done atomic.Int64
	look := func(task func() error) {
		files.Go(func() error {
			err := task()
			v.tell(Progress{Stage: "files", Done: done.Add(1)})
			return err
		})
	}
	var c *openChain
	list := func() error {
		for _, folder := range folders {
			for o, err := range v.Store.List(ctx, v.Prefix+folder) {
				if err != nil {
					return err
				}
				p := parsePlace(v.Prefix, o.Key)
				if c != nil && (p.role != roleLink || p.prefix != c.prefix) {
					chains.Go(c.finish)
					c = nil
				}
				if p.role != roleReject && p.dataset != "" && !v.selects(p.dataset) {
					v.pass(p)
					continue
				}
				switch p.role {
				case roleLink:
					if c == nil {
						c = &openChain{v: v, chain: chain{prefix: p.prefix, dataset: p.dataset, shard: p.shard}}
					}
					l, open := c.add(o, p), c
					look(func() error {
						defer open.busy.Done()
						return v.inspectLink(ctx, p, l)
					})
				case roleWindow, roleSnapshot:
					if f := v.listed(o); f != nil && v.Depth != DepthNames {
						look(func() error { return v.inspectExport(ctx, o.Key, f) })
					}
				case roleReject:
					v.reject(o.Key, p)
				default:
					v.stray = append(v.stray, o.Key)
				}
			}
		}
		return nil
	}
	listErr := list()
	if c != nil {
		chains.Go(c.finish)
	}
	err := files.Wait()
	chains.Wait()
	if err == nil || listErr != nil && ctx.Err() == nil {
		err = listErr
	}
	return err
}

// openChain is a chain that is still listed, or whose files are still looked at.
type openChain struct {
	chain
	v     *run
	parts []*link
	busy  sync.WaitGroup
}

func (c *openChain) add(o writer.Object, p place) *link {
	l := &link{key: o.Key, after: p.after, size: o.Size}
	c.parts = append(c.parts, l)
	c.busy.Add(1)
	return l
}

// finish walks the chain when all its files have been looked at.
func (c *openChain) finish() {
	c.busy.Wait()
	v := c.v
	for _, l := range c.parts {
		c.links = append(c.links, *l)
	}
	s, doubts := walk(c.chain, v.streamFrom)
	s.parted = v.catalog.latest > 0 && within(c.links, &s, v.checkpoints[c.shard])
	v.notes.all(doubts)
	v.notes.all(unrecorded(c.chain, v.gaps))
	v.mu.Lock()
	defer v.mu.Unlock()
	v.shards.add(&s)
	v.extent.links[c.prefix] = c.links[len(c.links)-1].after
	v.newest = max(v.newest, s.last)
	for _, l := range c.links {
		v.take(c.dataset, l.rows, l.size)
	}
}

// take counts a file. The caller holds mu.
func (v *run) take(dataset string, rows, bytes int64) {
	d := v.datasets[dataset]
	if d == nil {
		d = &Dataset{Name: dataset, Retired: true}
		v.datasets[dataset] = d
	}
	d.Files, d.Rows = d.Files+1, d.Rows+rows
	v.report.Files++
	v.report.Rows += rows
	v.report.Bytes += bytes
}

// pass takes in of a file in a dataset that is not looked at that it is there.
func (v *run) pass(p place) {
	if p.role != roleLink {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.shards[p.shard][p.dataset]
	if s == nil {
		s = &shard{chainID: chainID{p.dataset, p.shard}, chain: p.prefix, begin: p.after, unsure: true, passed: true}
		v.shards.add(s)
	}
	s.tip = p.after
}

// within tells whether a checkpoint lies within a file: no boundary of the chain is there.
func within(links []link, s *shard, at transform.Seq) bool {
	return !at.IsZero() && at.Compare(s.begin) > 0 && at.Compare(s.tip) < 0 &&
		!slices.ContainsFunc(links, func(l link) bool { return l.after == at })
}

func (v *run) streamFrom(epoch int64) time.Time {
	if e := v.ledger.Epoch(epoch); e != nil && e.Source == ledger.Stream {
		return e.From
	}
	return time.Time{}
}

// listed takes a file of an export; nil where no record names it.
func (v *run) listed(o writer.Object) *exportFile {
	v.extent.exports[o.Key] = true
	f := v.files[o.Key]
	if f == nil {
		v.stray = append(v.stray, o.Key)
		return nil
	}
	f.there = true
	v.mu.Lock()
	v.take(f.file.Dataset, f.file.Rows, o.Size)
	v.mu.Unlock()
	if f.file.Size > 0 && f.file.Size != o.Size {
		v.notes.add(Content, o.Key, "it has %d bytes, and %d were written; bring it back from a copy or an older version", o.Size, f.file.Size)
	}
	return f
}

func (v *run) reject(key string, p place) {
	v.report.Rejects++
	switch {
	case p.export != "":
		if v.rejects[p.export]++; v.rejects[p.export] == 1 {
			v.rejected = append(v.rejected, key)
		}
	case len(v.rejected) == 0 || parsePlace(v.Prefix, v.rejected[len(v.rejected)-1]).shard != p.shard:
		v.rejected = append(v.rejected, key)
	}
}
