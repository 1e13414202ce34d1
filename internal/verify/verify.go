package verify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// run is one verification under way.
type run struct {
	Options
	notes  notes
	report Report
	ledger ledger.Ledger
	rows   []checkpoint.Row // of the lease table
	// checkpoints are those of the rows that are positions, by shard.
	checkpoints map[string]transform.Seq

	catalog catalog
	current []string // datasets of the schema that are looked at
	sets    []*set   // those of them that are compared

	records []Record
	files   map[string]*exportFile // those that records name, by key
	gaps    map[string]shardGap    // by gapName
	stray   []string               // objects that nothing explains yet
	rejects map[string]int64       // by export
	// rejected are some rejects: one at least of each shard and export.
	rejected []string

	mu      sync.Mutex // guards what follows, and the counts of report
	shards  shards
	extent  extent
	newest  int64           // _ts of the last row, microseconds
	damaged map[string]bool // files that cannot be decoded
	// datasets are those of the schema, and those that there are files of.
	datasets map[string]*Dataset

	progress sync.Mutex
}

// exportFile is a Parquet file that a record names.
type exportFile struct {
	record  *Record
	file    *RecordFile
	overlap bool
	there   bool
}

// Run verifies a lake. An error is that it could not be read; what is wrong with it is in
// the report.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.check(); err != nil {
		return Report{}, err
	}
	v := newRun(o)
	if err := v.read(ctx); err != nil {
		return Report{}, fmt.Errorf("verify the lake of table %s: %w", o.Table, err)
	}
	if o.AgainstTable != nil || o.AgainstExport != nil {
		if err := v.compare(ctx); err != nil {
			return Report{}, fmt.Errorf("compare the lake of table %s: %w", o.Table, err)
		}
	}
	v.notes.conclude(&v.report)
	return v.report, nil
}

func newRun(o Options) *run {
	return &run{
		Options: o, report: Report{Table: o.Table, Depth: o.Depth},
		files: map[string]*exportFile{}, gaps: map[string]shardGap{}, rejects: map[string]int64{}, shards: shards{},
		extent: newExtent(), damaged: map[string]bool{}, datasets: map[string]*Dataset{}, checkpoints: map[string]transform.Seq{},
		catalog: catalog{versions: map[int]*schema.Schema{}},
	}
}

// read goes through all objects, in the order that the package comment gives.
func (v *run) read(ctx context.Context) error {
	var err error
	if v.Leases != nil {
		if v.rows, err = v.Leases(ctx); err != nil {
			return err
		}
	}
	for _, r := range v.rows {
		if at, err := transform.ParseSeq(r.Checkpoint.Seq); err == nil && r.Checkpoint.Sentinel == "" {
			v.checkpoints[r.Key] = at
		}
	}
	if v.ledger, err = v.Ledger.Read(ctx); err != nil {
		return err
	}
	v.notes.all(timeline(v.ledger, v.ChangesOnly, v.AgainstTable != nil || v.AgainstExport != nil))
	v.count()
	if err := v.readLedgerFolder(ctx); err != nil {
		return err
	}
	if err := v.choose(); err != nil {
		return err
	}
	v.notes.all(gapsKnown(v.ledger, v.gaps))
	v.notes.all(recorded(v.ledger, v.records))
	v.expect()
	if err := v.prepare(); err != nil {
		return err
	}
	if err := v.inspectAll(ctx); err != nil {
		return err
	}
	parents(v.rows, v.shards)
	v.missing()
	if err := v.lookAgain(ctx); err != nil {
		return err
	}
	born, err := births(v.shards, &v.catalog, v.begins(ctx))
	if err != nil {
		return err
	}
	v.notes.all(born)
	v.notes.all(lineage(v.shards, v.current, v.Skew))
	v.notes.all(leases(v.rows, v.shards, &v.catalog, v.current))
	v.notes.all(unleased(v.rows, v.ledger))
	v.notes.all(epochs(v.ledger, v.shards))
	v.conclude()
	return nil
}

// count takes the ledger's own numbers.
func (v *run) count() {
	v.report.Epochs = len(v.ledger.Epochs)
	for _, e := range v.ledger.Epochs {
		v.report.Windows += e.Windows
		if e.Source == ledger.Full && e.Exports[0].Status == ledger.Converted {
			v.report.Exports++
		}
	}
	for _, g := range v.ledger.Gaps {
		if g.State == ledger.GapClosed || g.State == ledger.GapReseeded {
			v.report.Gaps++
		}
	}
}

// conclude sums up what was read.
func (v *run) conclude() {
	r := &v.report
	r.Shards = len(v.shards)
	for s := range v.shards.each() {
		switch {
		case s.passed:
		case s.ended:
			r.ChainsEnded++
		default:
			r.ChainsOpen++
		}
	}
	v.tellDatasets()
	if v.MaxRejects >= 0 && r.Rejects > v.MaxRejects {
		v.notes.add(Rejects, v.Prefix+"rejects/", "%d records could not be placed, and %d are allowed; look at their reasons", r.Rejects, v.MaxRejects)
	}
	r.Since, r.Reach = reachOf(v.ledger, v.through())
}

// through is up to when the stream is in the lake: as the leases say, or the time of the newest
// change where there are none.
func (v *run) through() time.Time {
	if v.rows != nil {
		if through, _ := checkpoint.Through(v.rows); !through.IsZero() {
			return through
		}
	}
	if v.newest == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v.newest).UTC()
}

// tell reports progress.
func (v *run) tell(p Progress) {
	if v.Progress != nil {
		v.progress.Lock()
		defer v.progress.Unlock()
		v.Progress(p)
	}
}
