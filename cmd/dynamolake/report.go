package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
)

// report is what status prints. Spans are in seconds; -1 means unknown.
type report struct {
	Table    string         `json:"table"`
	Stream   string         `json:"stream"`
	Fleet    string         `json:"fleet"`
	Workers  []workerReport `json:"workers"`
	Shards   []shardReport  `json:"shards"`
	Reading  int            `json:"reading"` // shards that have a worker which may be alive
	Free     int            `json:"free"`    // that could be read and have none
	Waiting  int            `json:"waiting"` // for their parent
	Ended    int            `json:"ended"`
	Halted   int            `json:"halted"`
	Lag      float64        `json:"lag_seconds"` // of the shard that is farthest behind
	Headroom float64        `json:"headroom_seconds"`
	Gaps     []consumer.Gap `json:"gaps"`
	// What the lake covers; nil without --lake.
	Lake *lakeReport `json:"lake,omitempty"`

	now time.Time
}

// lakeReport is what the ledger says.
type lakeReport struct {
	// Base is the full export that the state starts from; empty while there is none.
	Base      string `json:"base"`
	BaseEpoch int64  `json:"base_epoch"`
	// From and To: the lake has the table's state at any time between.
	From     time.Time     `json:"from,omitzero"`
	To       time.Time     `json:"to,omitzero"`
	Coverage []ledger.Span `json:"coverage"`
	Missing  []ledger.Gap  `json:"missing"` // gaps that are not closed
}

type workerReport struct {
	ID     string    `json:"id"`
	State  string    `json:"state"`
	Shards int       `json:"shards"`
	Lag    float64   `json:"lag_seconds"`
	Beat   time.Time `json:"beat,omitzero"` // by the worker's own clock
}

type shardReport struct {
	ID         string  `json:"id"`
	State      string  `json:"state"`
	Owner      string  `json:"owner,omitempty"`
	Lag        float64 `json:"lag_seconds"`
	Checkpoint string  `json:"checkpoint"`
}

// States of the fleet, of a worker, and of a shard.
const (
	fleetAlive   = "alive"
	fleetHalted  = "alive, with shards halted at a gap"
	fleetDead    = "DEAD: no worker beats, and nothing is read"
	fleetUnknown = "unknown: its workers are the Java library's, and have no beat"

	workerReading = "reading"
	workerLeaving = "leaving"
	workerDead    = "no beat"
	workerForeign = "Java library"

	shardReading = "reading"
	shardFree    = "free"
	shardWaiting = "waits for its parent"
	shardEnded   = "ended"
	shardHalted  = "halted at a gap"
)

// retention is how long DynamoDB keeps a stream's records.
var retention = ledger.RealTiming().Retention

// newReport is a pure view of the tables at a moment. alive are the workers whose
// beat was seen to move.
func newReport(t consumer.Table, table checkpoint.Table, alive map[string]bool, gaps []consumer.Gap, now time.Time) report {
	r := report{
		Table: t.Name, Stream: t.StreamARN, Lag: -1, Headroom: -1, now: now,
		Workers: []workerReport{}, Shards: []shardReport{}, Gaps: append([]consumer.Gap{}, gaps...),
	}
	ended, known := map[string]bool{}, map[string]bool{}
	for _, l := range table.Leases {
		known[l.Key], ended[l.Key] = true, l.Checkpoint.Sentinel == checkpoint.ShardEnd
	}
	workers := map[string]*workerReport{}
	for _, w := range table.Workers {
		workers[w.ID] = &workerReport{ID: w.ID, Beat: w.Updated, State: workerState(w, alive[w.ID]), Lag: -1}
	}
	for _, l := range table.Leases {
		s := shardReport{ID: l.Key, Owner: l.Owner, Checkpoint: cmp.Or(l.Checkpoint.Seq, l.Checkpoint.Sentinel), Lag: lagOf(l, now)}
		w := workers[l.Owner]
		if w == nil && l.Owner != "" && !ended[l.Key] {
			w = &workerReport{ID: l.Owner, State: workerDead, Lag: -1}
			workers[l.Owner] = w
		}
		waits := slices.ContainsFunc(l.Parents, func(p string) bool { return !ended[p] && (known[p] || !l.ParentGone) })
		switch {
		case ended[l.Key]:
			s.State = shardEnded
			r.Ended++
		case l.Gap != "":
			s.State = shardHalted
			r.Halted++
		case waits:
			s.State = shardWaiting
			r.Waiting++
		case w == nil || w.State == workerDead:
			s.State = shardFree
			r.Free++
		default:
			s.State = shardReading
			r.Reading++
		}
		if !ended[l.Key] {
			r.Lag = max(r.Lag, s.Lag)
		}
		if w != nil && !ended[l.Key] {
			w.Shards++
			w.Lag = max(w.Lag, s.Lag)
		}
		r.Shards = append(r.Shards, s)
	}
	for _, w := range workers {
		r.Workers = append(r.Workers, *w)
	}
	slices.SortFunc(r.Workers, func(a, b workerReport) int { return cmp.Compare(a.ID, b.ID) })
	r.Fleet = fleetState(r)
	if r.Lag >= 0 {
		r.Headroom = retention.Seconds() - r.Lag
	}
	return r
}

// cover adds what the ledger says. The stream that is read is in the lake up to where its
// slowest shard is.
func (r *report) cover(l *ledger.Ledger, leases []checkpoint.Row) {
	through, reading := checkpoint.Through(leases)
	if !reading && len(leases) > 0 || through.After(r.now) {
		through = r.now
	}
	r.Lake = &lakeReport{Coverage: append([]ledger.Span{}, l.Coverage(through)...), Missing: append([]ledger.Gap{}, l.Missing()...)}
	if base := l.Base(); base != nil {
		r.Lake.Base, r.Lake.BaseEpoch = base.Exports[0].ID(), base.Number
		r.Lake.From, r.Lake.To = base.To, l.Reach(through)
	}
}

func workerState(w checkpoint.Worker, alive bool) string {
	switch {
	case w.Beat == 0:
		return workerForeign
	case !alive:
		return workerDead
	case w.Leaving:
		return workerLeaving
	}
	return workerReading
}

func fleetState(r report) string {
	state := fleetDead
	for _, w := range r.Workers {
		switch {
		case w.State == workerForeign && state == fleetDead:
			state = fleetUnknown
		case w.State == workerReading || w.State == workerLeaving:
			state = fleetAlive
		}
	}
	if state == fleetAlive && r.Halted > 0 {
		return fleetHalted
	}
	return state
}

// lagOf is how long ago everything of the shard was in the lake. A shard of which
// nothing ever was lags since its lease was made, at least.
func lagOf(l checkpoint.Row, now time.Time) float64 {
	since := l.CurrentTo
	if since.IsZero() {
		since = l.Checkpoint.Created
	}
	switch {
	case l.Checkpoint.Sentinel == checkpoint.ShardEnd:
		return 0
	case since.IsZero():
		return -1
	}
	return max(0, now.Sub(since).Seconds())
}

// print shows every shard, or only those that somebody should look at.
func (r report) print(out io.Writer, all bool) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "table\t%s\n", r.Table)
	fmt.Fprintf(w, "stream\t%s\n", cmp.Or(r.Stream, "off"))
	fmt.Fprintf(w, "fleet\t%s\n", r.Fleet)
	fmt.Fprintf(w, "shards\t%d reading, %d free, %d waiting for their parent, %d halted, %d ended\n", r.Reading, r.Free, r.Waiting, r.Halted, r.Ended)
	fmt.Fprintf(w, "lag\t%s\n", formatSeconds(r.Lag))
	switch {
	case r.Lag >= 0 && r.Headroom <= 0:
		fmt.Fprintf(w, "headroom\tNONE: the stream may have dropped what is not in the lake\n")
	default:
		fmt.Fprintf(w, "headroom\t%s until the stream drops what is not in the lake\n", formatSeconds(r.Headroom))
	}
	fmt.Fprintf(w, "gaps\t%d recorded\n", len(r.Gaps))
	if k := r.Lake; k != nil {
		switch {
		case k.Base == "":
			fmt.Fprintf(w, "lake\tno full export: it has changes, and no state to start from\n")
		default:
			fmt.Fprintf(w, "lake\twhole from %s to %s, from export %s on\n", formatTime(k.From), formatTime(k.To), k.Base)
		}
		for _, g := range k.Missing {
			fmt.Fprintf(w, "GAP %d\t%s, from %s to %s: %s\n", g.Number, g.State, formatTime(g.From), formatTime(g.To), g.Reason)
		}
	}
	table := func(header string, rows int) {
		if rows > 0 {
			w.Flush() // each table has its own columns
			fmt.Fprintf(w, "\n%s\n", header)
		}
	}
	table("WORKER\tSTATE\tSHARDS\tLAG\tLAST BEAT", len(r.Workers))
	for _, x := range r.Workers {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", x.ID, x.State, x.Shards, formatSeconds(x.Lag), formatTime(x.Beat))
	}
	shown := slices.Clone(r.Shards)
	if !all {
		shown = slices.DeleteFunc(shown, func(s shardReport) bool { return s.State != shardHalted && s.State != shardFree })
	}
	table("SHARD\tSTATE\tOWNER\tLAG\tCHECKPOINT", len(shown))
	for _, s := range shown {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.State, cmp.Or(s.Owner, "-"), formatSeconds(s.Lag), s.Checkpoint)
	}
	table("GAP IN SHARD\tAFTER\tSEEN\tPOLICY\tREASON", len(r.Gaps))
	for _, g := range r.Gaps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", g.Shard, g.After, formatTime(g.Seen), g.Policy, g.Reason)
	}
	if err := w.Flush(); err != nil || r.Lake == nil {
		return err
	}
	return printTimeline(out, r.Lake.Coverage, r.now)
}

func formatSeconds(seconds float64) string {
	if seconds < 0 {
		return "unknown"
	}
	return formatSpan(time.Duration(seconds * float64(time.Second)))
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}
