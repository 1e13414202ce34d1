package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

const (
	// fileBytes is what the conversion of one data file takes at most, whatever its
	// size: a row group on its way, parts of the upload, and text.
	fileBytes = 96 << 20
	// partBytes is what each dataset but the first takes beside that.
	partBytes = 64 << 20
)

// files is how many are converted at once, into so many datasets.
func (o *Options) files(datasets int) int {
	return max(1, min(2, runtime.GOMAXPROCS(0), int(o.Memory/int64(fileBytes+(datasets-1)*partBytes))))
}

// together is how many datasets a data file is converted into at once. Where memory is not enough for
// all, the file is read more than once.
func (o *Options) together() int { return max(1, 1+int((o.Memory-fileBytes)/partBytes)) }

// Turns bound the conversions that are under way at once in a process, whatever their tables: each takes
// Options.Memory for itself.
type Turns chan struct{}

// NewTurns lets so many convert at once.
func NewTurns(n int) Turns { return make(Turns, n) }

// take waits for a turn, which is over when leave is called.
func (t Turns) take(ctx context.Context) (leave func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the conversions of other tables: %w", ctx.Err())
	}
}

// conversion is an export on its way to being rows.
type conversion struct {
	w     *workshop
	epoch ledger.Epoch
	x     ledger.Export
	m     *manifest
	from  raw
	view  transform.View
	set   *dataset.Set
	parts []part
	olds  *oldImages

	mu       sync.Mutex
	progress Progress
}

// convert brings all rows of an export into the lake and records that. Where
// another worker has been faster, whatever went wrong here does not matter.
func (w *workshop) convert(ctx context.Context, epoch ledger.Epoch, x ledger.Export) (outcome, error) {
	if s, ok := w.stuck[x.ARN]; ok && time.Since(s.at) < w.Retry {
		return outcome{wait: w.Poll}, s.err
	}
	delete(w.stuck, x.ARN)
	leave, err := w.Turns.take(ctx)
	if err != nil {
		return outcome{}, err
	}
	began := time.Now()
	r, err := w.rows(ctx, epoch, x)
	leave()
	if err != nil {
		if l, lerr := w.read(ctx); lerr == nil && ctx.Err() == nil {
			if now := l.Find(epoch.Number, x.From); now == nil || now.Status != ledger.Exported || now.ARN != x.ARN {
				return outcome{changed: true}, nil
			}
		}
		if lasting(err) {
			w.stuck[x.ARN] = stuck{err, time.Now()}
		}
		return outcome{wait: w.Poll}, err
	}
	first := false
	err = w.change(ctx, epoch.Number, x, func(l *ledger.Ledger, _ *ledger.Export) error {
		first = true
		return l.Convert(epoch.Number, x.From, ledger.Done{Items: r.Items, Rejects: r.Rejects, To: r.To}, time.Now(), w.Timing)
	})
	if err != nil {
		return outcome{}, err
	}
	w.before[epoch.Number] = r
	if first {
		w.metrics.converted.Inc()
		w.Log.Info("an export is in the lake", append(named(epoch.Number, x), zap.Int64("items", r.Items),
			zap.Int64("rejects", r.Rejects), zap.Int("files", len(r.Files)), zap.Duration("took", time.Since(began)))...)
	}
	if r.Drop {
		w.drop(ctx, x, r)
	}
	return outcome{changed: true}, nil
}

// rows converts what is not converted, and returns the record of all.
func (w *workshop) rows(ctx context.Context, epoch ledger.Epoch, x ledger.Export) (*record, error) {
	key := recordKey(w.prefix(), x.ID())
	if r, err := readRecord(ctx, w.Store, key); r != nil || err != nil {
		return r, err
	}
	place, path := w.place(x)
	m, from, err := readManifest(ctx, place, path)
	if err != nil {
		return nil, err
	}
	set, err := w.set(ctx, x.Schema, epoch.Source)
	if err != nil {
		return nil, err
	}
	c := &conversion{
		w: w, epoch: epoch, x: x, m: m, from: from, view: m.view(), set: set, parts: w.partsOf(set, x),
		progress: Progress{Export: x.ID(), Epoch: epoch.Number, From: x.From, To: x.To, Total: m.Items, Of: len(m.Files)},
	}
	if c.olds, err = w.oldImages(ctx, epoch, x, m); err != nil {
		return nil, err
	}
	files, err := c.all(ctx)
	if err != nil {
		return nil, err
	}
	r := &record{
		Format: writer.FormatVersion, Export: x.ID(), ARN: x.ARN, Source: epoch.Source, Epoch: epoch.Number,
		From: x.From, To: x.To, Exact: m.exact(w.Timing),
		Bucket: x.Bucket, Manifest: x.Manifest, Foreign: x.Foreign, Drop: w.DropRaw && !x.Foreign, View: m.View, Layout: m.Format, Schema: x.Schema,
		Items: m.Items, Files: files, Worker: w.Worker,
	}
	for _, f := range files {
		r.Rows, r.Rejects = r.Rows+f.Rows, r.Rejects+f.Rejects
	}
	if r.Checked, r.Mismatched = c.olds.counts(); r.Mismatched > 0 {
		w.Log.Error("old images differ from what the lake holds; going on, as was asked for", append(named(epoch.Number, x), zap.Int64("mismatched", r.Mismatched))...)
	}
	if !epoch.Until.IsZero() && !x.To.Before(epoch.Until) {
		if r.Overlaps, err = w.tail(ctx, epoch, r, c.parts); err != nil {
			return nil, err
		}
	}
	r.Converted = time.Now().UTC()
	return putRecord(ctx, w.Store, key, r)
}

// all converts the data files, in random order, so that workers seldom meet.
func (c *conversion) all(ctx context.Context) ([]recordedFile, error) {
	done := make([]recordedFile, len(c.m.Files)*len(c.parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.w.files(len(c.parts)))
	c.tell(0, 0, false)
	for _, i := range rand.Perm(len(c.m.Files)) {
		group.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			return c.file(ctx, c.m.Files[i], done[i*len(c.parts):(i+1)*len(c.parts)])
		})
	}
	return done, group.Wait()
}

// fileTries is how often a data file is read before it counts as damaged.
const fileTries = 4

// file converts one data file into those datasets that do not have its Parquet file yet.
func (c *conversion) file(ctx context.Context, f dataFile, done []recordedFile) error {
	shares := make([]share, len(c.parts))
	for i := range c.parts {
		p := &c.parts[i]
		done[i] = recordedFile{DataFile: f.Key, MD5: f.MD5, Dataset: p.Name, Items: f.Items}
		shares[i] = share{part: p, done: &done[i]}
	}
	if f.Items == 0 && f.MD5 == emptyMD5 {
		c.tell(0, 0, true)
		return nil
	}
	for i := range done {
		done[i].Parquet = c.parts[i].prefix + writer.ExportFileName(f.Key)
	}
	told := int64(0) // of what is read here; the items of others are told at the end
	for try := 1; ; {
		todo, err := c.missing(ctx, shares)
		if err == nil && len(todo) == 0 {
			c.tell(f.Items-told, 0, true)
			c.w.metrics.files.Inc()
			return nil
		}
		if err == nil {
			c.tell(-told, 0, false)
			told, err = c.read(ctx, f, todo[:min(len(todo), c.w.together())])
		}
		if err == nil {
			continue
		}
		var bad *unlike
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, writer.ErrNotFound):
			return &Damaged{c.from.address(f.Key), "it is not there"}
		case lasting(err):
			return err
		case try >= fileTries && errors.As(err, &bad):
			return &Damaged{c.from.address(f.Key), bad.problem}
		case try >= fileTries:
			return fmt.Errorf("convert %s: %w", c.from.address(f.Key), err)
		}
		c.w.metrics.damaged.Inc()
		c.w.Log.Warn("a data file is read again", zap.String("object", c.from.address(f.Key)), zap.Int("attempt", try), zap.Error(err))
		if err := pause(ctx, backoff(try)); err != nil {
			return err
		}
		try++
	}
}

// tell moves the progress.
func (c *conversion) tell(items, bytes int64, file bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress.Items += items
	c.progress.Bytes += bytes
	if file {
		c.progress.Files++
	}
	if c.w.Progress != nil {
		c.w.Progress(c.progress)
	}
}
