package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// Options of one worker. Start from [Defaults].
type Options struct {
	DynamoDB *dynamodb.Client
	// S3 reaches the bucket of the exports, which may be in another region than
	// the lake. It is not needed to import from a folder.
	S3     *s3.Client
	Store  writer.Lake
	Ledger *ledger.Store
	Timing ledger.Timing
	Table  Table
	Into   string // the place of a replay that all goes to; empty: the table's own part of the lake
	Worker string // unique among live workers

	Raw Raw // where AWS puts exports
	// DropRaw deletes the objects of an export when its rows are in the lake, and
	// counted there. Imported ones are left alone.
	DropRaw bool

	OldImage bool // keep old images, in _old
	// Filter is of a snapshot, which needs a place of its own: Into, with a ledger of that place.
	Filter *Filter
	// Datasets are what the table is split into, and their columns; nil: one, with all in _rest.
	Datasets *dataset.Live
	// MaxRejects is how many records may go to rejects/ beyond those that are there; -1: any number.
	MaxRejects int64
	// Follow makes windows that go on from the newest export, where no stream is read.
	Follow bool
	// Window is the length of windows that is wished for, InFlight how many exports
	// may be under way at once.
	Window   time.Duration
	InFlight int
	// Adopted tells whether all shards of the stream write under an epoch already,
	// and the time of the last row of an older one; it asks the lease table. Nil
	// where there is none: then gaps of the stream wait for somebody who has one.
	Adopted func(ctx context.Context, epoch int64) (done bool, through time.Time, err error)

	// CheckRows is up to how many rows of the export before a window are remembered
	// to check its old images; 0: none. A row takes about 70 bytes.
	CheckRows int64
	// Trust goes on where old images differ from the lake: they are counted and logged.
	Trust bool

	Memory int64         // bytes for conversion; see [Options.files]
	Turns  Turns         // shared by those whose conversions share the memory; nil: nobody else's do
	Poll   time.Duration // how often AWS is asked whether an export is done
	Retry  time.Duration // between looks at what a person must mend, and before the first new try of an export
	Tries  int           // of an export that failed for a reason that may pass

	Log        *zap.Logger // with the field table
	Registerer prometheus.Registerer
	// Progress is called while files are converted, by one goroutine at a time.
	Progress func(Progress)
}

// Raw is where AWS is told to put exports.
type Raw struct {
	Bucket string
	Prefix string // without slashes around it; empty for none
	Owner  string // account of the bucket, where it is another
	SSE    types.S3SseAlgorithm
	KMSKey string
}

// Progress of the conversion of one export.
type Progress struct {
	Export       string // its id
	Epoch        int64
	From, To     time.Time // From is zero for a full export
	Items, Total int64     // as the manifest counts
	Bytes        int64     // compressed, read by this worker
	Files, Of    int
}

// Defaults of Options.
func Defaults() Options {
	return Options{
		Timing:     ledger.RealTiming(),
		Window:     24 * time.Hour,
		InFlight:   8,
		MaxRejects: -1,
		CheckRows:  1_000_000,
		Memory:     256 << 20,
		Poll:       20 * time.Second,
		Retry:      10 * time.Minute,
		Tries:      4,
		Log:        zap.NewNop(),
		Registerer: prometheus.NewRegistry(),
	}
}

// check reports all that is missing at once.
func (o *Options) check(export bool) error {
	var missing []error
	need := func(ok bool, what string) {
		if !ok {
			missing = append(missing, fmt.Errorf("bootstrap: no %s", what))
		}
	}
	need(o.Store != nil, "store")
	need(o.Ledger != nil, "ledger")
	need(o.Table.Name != "" && o.Table.ARN != "" && o.Table.Keys.Hash.Name != "", "table facts")
	need(o.Worker != "", "worker name")
	if export {
		need(o.DynamoDB != nil, "DynamoDB client")
		need(o.S3 != nil, "S3 client")
		need(o.Raw.Bucket != "", "bucket for exports")
	}
	need(o.Window > 0 && o.InFlight > 0 && o.Poll > 0 && o.Retry > 0 && o.Tries > 0 && o.Memory > 0, "positive limits: start from Defaults")
	if o.Filter != nil {
		need(o.Into != "" && export && !o.Follow, "place for a filtered export: it is a snapshot, and no part of the table's lake")
		missing = append(missing, o.Filter.Check())
	}
	return errors.Join(missing...)
}

// prefix is where the table's part of the lake lies.
func (o *Options) prefix() string {
	return writer.PlacePrefix(o.Table.Account, o.Table.Region, o.Table.Name, o.Into)
}

// key of an object under the prefix of the exports.
func (r Raw) key(parts ...string) string {
	if p := strings.Trim(r.Prefix, "/"); p != "" {
		parts = append([]string{p}, parts...)
	}
	return strings.Join(parts, "/")
}
