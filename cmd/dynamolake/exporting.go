package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// exporting are the settings that bootstrap, incremental and the repair of consume
// have in common.
type exporting struct {
	place
	raw               bootstrap.Raw
	sse               string
	keepRaw, oldImage bool
	window, poll      time.Duration
	inFlight          int
	memory            int64
	schema            schemaFlags
}

// rawFlags declares where AWS puts exports, and how.
func (c *exporting) rawFlags(s *settings) {
	s.text(&c.raw.Bucket, "export-bucket", "", "bucket that AWS exports to; the lake's when empty")
	s.text(&c.raw.Prefix, "export-prefix", "", "prefix of exports in that bucket; the lake's when empty")
	s.text(&c.raw.Owner, "export-bucket-owner", "", "account of that bucket, if it is another's")
	s.choice(&c.sse, "export-sse", "", "how AWS encrypts exports; the bucket's default when empty", "AES256", "KMS")
	s.text(&c.raw.KMSKey, "export-kms-key", "", "id of the key for --export-sse=KMS")
	c.keepRaw = true
	s.add("keep-raw", "bool", "true", "keep what AWS exported; false deletes it once its rows are in the lake and counted there", func(t string) error {
		switch t {
		case "true", "false":
			c.keepRaw = t == "true"
			return nil
		}
		return errors.New("want true or false")
	})
	s.check(func() error {
		if c.raw.KMSKey != "" && c.sse != "KMS" {
			return errors.New("--export-kms-key (DYNAMOLAKE_EXPORT_KMS_KEY) needs --export-sse=KMS")
		}
		return nil
	})
}

// windowFlags declares how windows are made.
func (c *exporting) windowFlags(s *settings) {
	d := bootstrap.Defaults()
	s.duration(&c.window, "window", d.Window, d.Timing.MinWindow, d.Timing.MaxWindow, "length of an incremental export")
	s.count(&c.inFlight, "in-flight", d.InFlight, 1, 100, "the most exports that AWS is asked for at once")
}

// convertFlags declares how exports become rows.
func (c *exporting) convertFlags(s *settings) {
	d := bootstrap.Defaults()
	s.boolean(&c.oldImage, "old-image", "keep the old image of each change, in the column _old")
	s.size(&c.memory, "memory", d.Memory, 64<<20, 1<<40, "bound on the memory for conversion")
	s.duration(&c.poll, "export-poll", d.Poll, time.Second, 10*time.Minute, "how often AWS is asked whether an export is done")
}

// open puts together what an export needs: the table's facts, the lake, its ledger.
func (c *exporting) open(ctx context.Context, cfg aws.Config, log *zap.Logger, reg prometheus.Registerer) (bootstrap.Options, error) {
	store, err := openLake(c.lake, cfg)
	if err != nil {
		return bootstrap.Options{}, err
	}
	db := dynamodb.NewFromConfig(cfg)
	table, err := bootstrap.Describe(ctx, db, c.table)
	if err != nil {
		return bootstrap.Options{}, err
	}
	prefix := writer.PlacePrefix(table.Account, table.Region, table.Name, c.into)
	kept, err := openLedger(ctx, c.state, c.lake, store, db, prefix, table.ARN)
	if err != nil {
		return bootstrap.Options{}, err
	}
	log = log.With(zap.String("table", c.table))
	o, err := c.options(cfg, db, store, kept, log, reg)
	if err != nil {
		return o, err
	}
	o.Table, o.Worker, o.Into = table, workerName(), c.into
	if o.MaxRejects, err = c.schema.tolerated(ctx, store, prefix); err != nil {
		return o, err
	}
	o.Datasets, err = c.schema.open(ctx, cfg, store, prefix, dataset.Options{
		Table: table.Name, Keys: table.Keys, OldImage: c.oldImage, Source: writer.SourceIncremental,
	})
	if err == nil {
		o.Datasets.Added = logColumns(log)
	}
	return o, err
}

// options are those of what is open already; the table and the worker's name are left to the caller.
func (c *exporting) options(cfg aws.Config, db *dynamodb.Client, store writer.Lake, kept *ledger.Store, log *zap.Logger, reg prometheus.Registerer) (bootstrap.Options, error) {
	o := bootstrap.Defaults()
	o.DynamoDB, o.S3, o.Store, o.Ledger = db, newS3(cfg), store, kept
	o.Adopted = checkpoint.AskAdopted(o.DynamoDB, leaseTable(c.app, c.table), c.table)
	raw, err := c.rawPlace()
	if err != nil {
		return o, err
	}
	o.Raw = raw
	o.DropRaw, o.OldImage = !c.keepRaw, c.oldImage
	set(&o.Window, c.window)
	set(&o.InFlight, c.inFlight)
	set(&o.Memory, c.memory)
	set(&o.Poll, c.poll)
	o.Log, o.Registerer = log, reg
	return o, nil
}

// start opens for a command that shows its progress: logs and the bar share the
// screen. The store is probed.
func (c *exporting) start(ctx context.Context, io streams, level, format string, reg prometheus.Registerer) (bootstrap.Options, *meter, error) {
	bar := &meter{screen: newScreen(io.err)}
	log, err := newLog(bar.screen, level, format)
	if err != nil {
		return bootstrap.Options{}, nil, err
	}
	cfg, err := loadAWS(ctx)
	if err != nil {
		return bootstrap.Options{}, nil, err
	}
	o, err := c.open(ctx, cfg, log, reg)
	if err == nil {
		err = writer.Probe(ctx, o.Store, o.Worker)
	}
	o.Progress = bar.show
	return o, bar, err
}

// set leaves the default where a command has no such flag.
func set[V comparable](dst *V, v V) {
	var zero V
	if v != zero {
		*dst = v
	}
}

// rawPlace says where AWS is told to put exports: beside the lake, unless told otherwise.
func (c *exporting) rawPlace() (bootstrap.Raw, error) {
	r := c.raw
	r.SSE = ddbtypes.S3SseAlgorithm(c.sse)
	bucket, prefix, inS3 := strings.Cut(strings.TrimPrefix(c.lake, "s3://"), "/")
	if !strings.HasPrefix(c.lake, "s3://") {
		bucket, prefix, inS3 = "", "", false
	}
	if r.Bucket == "" {
		if bucket == "" {
			return r, errors.New("AWS exports to S3 only: with a lake in a folder, --export-bucket (DYNAMOLAKE_EXPORT_BUCKET) must name a bucket")
		}
		r.Bucket = bucket
		if r.Prefix == "" && inS3 {
			r.Prefix = prefix
		}
	}
	r.Prefix = strings.Trim(r.Prefix, "/")
	return r, nil
}

// meter shows how far the conversion of an export is.
type meter struct {
	screen *screen
	began  time.Time
	export string
	last   time.Time
}

// show is called by one goroutine at a time.
func (m *meter) show(p bootstrap.Progress) {
	now := time.Now()
	if p.Export != m.export || m.began.IsZero() {
		m.export, m.began, m.last = p.Export, now, time.Time{}
	}
	every := 5 * time.Second
	if m.screen.terminal {
		every = 200 * time.Millisecond
	}
	if now.Sub(m.last) < every && p.Files < p.Of {
		return
	}
	m.last = now
	done := 1.0
	if p.Total > 0 {
		done = float64(p.Items) / float64(p.Total)
	}
	m.screen.progress("converting  ", done, m.text(p, now.Sub(m.began)))
}

func (m *meter) text(p bootstrap.Progress, took time.Duration) string {
	text := fmt.Sprintf("%d of %d items  %d of %d files  %s read", p.Items, p.Total, p.Files, p.Of, roughSize(p.Bytes))
	if took < time.Second || p.Items == 0 {
		return text
	}
	rate := float64(p.Items) / took.Seconds()
	text += fmt.Sprintf("  %.0f items/s", rate)
	if rest := p.Total - p.Items; rest > 0 {
		text += fmt.Sprintf("  %s left", formatSpan(time.Duration(float64(rest)/rate*float64(time.Second))))
	}
	return text
}

// seeded is what a command that brought an export into the lake ends with.
type seeded struct {
	Table   string    `json:"table"`
	Export  string    `json:"export"`
	Epoch   int64     `json:"epoch"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to"`
	Items   int64     `json:"items"`
	Rejects int64     `json:"rejects"`
	Already bool      `json:"already"`
	// Streamed is from when on the stream has everything, of a lake that was to have none before.
	Streamed time.Time `json:"streamed_from,omitzero"`
}

func (r seeded) print(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	what := "the table at " + formatTime(r.To)
	if !r.From.IsZero() {
		what = "changes from " + formatTime(r.From) + " to " + formatTime(r.To)
	}
	verb := "is in the lake"
	if r.Already {
		verb = "was in the lake already"
	}
	_, err := fmt.Fprintf(out, "%s: %s %s: %d items, %d rejects, export %s, epoch %d\n", r.Table, what, verb, r.Items, r.Rejects, r.Export, r.Epoch)
	if err == nil && !r.Streamed.IsZero() {
		_, err = fmt.Fprintf(out, "%s: the stream is on, and has every change from %s on: start dynamolake consume within 24 h. "+
			"What is between the lake and that is exported by it, or by dynamolake incremental; no window follows any more\n", r.Table, formatTime(r.Streamed))
	}
	return err
}
