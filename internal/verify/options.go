package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// Depth is how closely each file is looked at.
type Depth string

// The depths. Each does what those before it do.
const (
	DepthNames   Depth = "names"   // listings and object metadata
	DepthFooters Depth = "footers" // each file is fetched, and its footer and checksum compared
	DepthRows    Depth = "rows"    // each row is read
)

// Store is what is needed of a lake's store.
type Store interface {
	Head(ctx context.Context, key string) (writer.Object, error)
	Get(ctx context.Context, key string) ([]byte, writer.Object, error)
	Open(ctx context.Context, key string) (io.ReadCloser, writer.Object, error)
	List(ctx context.Context, prefix string) iter.Seq2[writer.Object, error]
}

// Options of a run. Start from [Defaults].
type Options struct {
	Store  Store
	Prefix string // of the table's part of the lake: writer.TablePrefix
	Table  string // name, for the report
	Keys   transform.KeySchema
	Ledger *ledger.Store
	// Leases reads the lease table; nil where there is none, as in a lake of exports.
	Leases func(ctx context.Context) ([]checkpoint.Row, error)

	Depth Depth
	// Dataset is the only one to look at; empty: all of the schema.
	Dataset string
	// ChangesOnly accepts a lake without a full export.
	ChangesOnly bool
	MaxRejects  int64         // more are a doubt; below 0: none is
	Skew        time.Duration // that clocks may differ by, see [ledger.Timing]

	// At most one of the two is compared with.
	AgainstTable  *Table
	AgainstExport *Export
	// Salt is that of the schema's hashes, and Lookups the files that its filters look things up
	// in, by name: without them, datasets that have these cannot be compared.
	Salt    []byte
	Lookups map[string][]byte

	Memory   int64 // bytes for what is remembered of items, and for files that are being read
	Parallel int   // files at once
	// Progress is called now and then, from any goroutine, one call at a time.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	Stage string // what is being done
	Done  int64  // files or items
	Total int64  // 0: unknown
}

// Defaults of Options.
func Defaults() Options {
	return Options{
		Depth: DepthFooters, MaxRejects: -1, Skew: ledger.RealTiming().Skew,
		Memory: 1 << 30, Parallel: 4 * runtime.GOMAXPROCS(0),
	}
}

func (o *Options) check() error {
	var missing []error
	need := func(ok bool, what string) {
		if !ok {
			missing = append(missing, fmt.Errorf("verify: no %s", what))
		}
	}
	need(o.Store != nil, "store")
	need(o.Ledger != nil, "ledger")
	need(o.Keys.Hash.Name != "", "key schema")
	need(o.Memory > 0 && o.Parallel > 0, "positive limits: start from Defaults")
	need(o.Depth == DepthNames || o.Depth == DepthFooters || o.Depth == DepthRows, "depth")
	if o.AgainstTable != nil && o.AgainstExport != nil {
		missing = append(missing, errors.New("verify: compare with the table or with an export, not with both"))
	}
	return errors.Join(missing...)
}
