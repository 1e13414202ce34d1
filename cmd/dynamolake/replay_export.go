package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// parseSpan reads --window.
func parseSpan(text string) (from, to time.Time, err error) {
	bad := errors.New("want <from>_<to>: two names as in window=2026-11-23-08-00-00-000000_2026-11-23-09-00-00-000000, or two times like 2026-11-23T08:00:00Z")
	a, b, two := strings.Cut(text, "_")
	parse := func(text string) (time.Time, error) {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.UTC(), nil
		}
		return writer.ParseTimeName(text)
	}
	if from, err = parse(a); !two || err != nil {
		return from, to, bad
	}
	if to, err = parse(b); err != nil || !from.Before(to) {
		return from, to, bad
	}
	return from, to, nil
}

// convert makes rows of a raw export once more.
func (r *replay) convert(ctx context.Context) error {
	x, err := r.found(ctx)
	if err != nil {
		return err
	}
	if err := r.raws(ctx, x); err != nil {
		return err
	}
	if err := r.take(ctx, claim{Of: ofExports}); err != nil {
		return err
	}
	if err := r.sameSchemaOf(ctx, x); err != nil {
		return err
	}
	from := x.Manifest
	if x.Bucket != "" {
		from = "s3://" + x.Bucket + "/" + x.Manifest
	}
	return r.exported(ctx, func(o bootstrap.Options) (bootstrap.Result, error) {
		return bootstrap.FromExport(ctx, o, bootstrap.Import{From: from, Same: true, Alone: true})
	})
}

// exported brings an export into the place, shows how far that is, and reports it.
func (r *replay) exported(ctx context.Context, bring func(bootstrap.Options) (bootstrap.Result, error)) error {
	bar := &meter{screen: r.screen}
	o, err := r.exporting.open(ctx, r.cfg, r.log, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	o.Progress = bar.show
	done, err := bring(o)
	bar.screen.done()
	if err != nil {
		return err
	}
	r.report.From, r.report.Until, r.report.Export, r.report.Items = done.From, done.To, done.Export, done.Items
	return nil
}

// found is the record of the export that is meant.
func (r *replay) found(ctx context.Context) (ledger.Record, error) {
	if r.export != "" {
		x, err := r.record(ctx, r.live+ledger.RecordsPrefix+r.export+".json")
		if errors.Is(err, writer.ErrNotFound) {
			err = fmt.Errorf("the lake has no record of an export %s; the names in %s%s are those of the exports that it has", r.export, r.live, ledger.RecordsPrefix)
		}
		return x, err
	}
	from, to, err := parseSpan(r.span)
	if err != nil {
		return ledger.Record{}, err
	}
	var found []ledger.Record
	for o, err := range r.store.List(ctx, r.live+ledger.RecordsPrefix) {
		if err != nil {
			return ledger.Record{}, err
		}
		x, err := r.record(ctx, o.Key)
		if err != nil {
			return ledger.Record{}, err
		}
		if x.From.Equal(from) && x.To.Equal(to) {
			found = append(found, x)
		}
	}
	switch len(found) {
	case 0:
		return ledger.Record{}, fmt.Errorf("the lake has no window from %s to %s; its folders changes/<dataset>/window=... name those that it has", formatTime(from), formatTime(to))
	case 1:
		return found[0], nil
	}
	return ledger.Record{}, fmt.Errorf("the lake has %d exports of that window; give one as --export: %s or %s", len(found), found[0].Export, found[1].Export)
}

func (r *replay) record(ctx context.Context, key string) (x ledger.Record, err error) {
	body, _, err := r.store.Get(ctx, key)
	if err == nil {
		err = json.Unmarshal(body, &x)
	}
	if err != nil {
		return x, fmt.Errorf("record of an export %s: %w", key, err)
	}
	return x, nil
}

// raws sees whether what AWS exported is still there.
func (r *replay) raws(ctx context.Context, x ledger.Record) error {
	var err error
	at := x.Manifest
	if path, inFolder := strings.CutPrefix(x.Manifest, "file://"); inFolder && x.Bucket == "" {
		if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			err = writer.ErrNotFound
		}
	} else {
		at = "s3://" + x.Bucket + "/" + x.Manifest
		_, err = writer.NewS3(newS3(r.cfg), x.Bucket, "").Head(ctx, x.Manifest)
	}
	if errors.Is(err, writer.ErrNotFound) {
		why := "somebody deleted it"
		if x.Drop {
			why = "it was deleted when its rows were in the lake (--keep-raw=false)"
		}
		return fmt.Errorf("what AWS exported as %s is gone, %s: %s; there is nothing to convert again, so take the state anew with dynamolake bootstrap --again", x.Export, at, why)
	}
	return err
}
