package fleet

import (
	"cmp"
	"slices"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/consumer"
)

// Report is a fleet at a moment. Spans are in seconds; -1 means unknown.
type Report struct {
	At       time.Time      `json:"at"`
	Table    string         `json:"table"`
	Stream   string         `json:"stream"`
	Fleet    string         `json:"fleet"`
	Workers  []Worker       `json:"workers"`
	Shards   []Shard        `json:"shards"`
	Reading  int            `json:"reading"` // shards that have a worker which may be alive
	Free     int            `json:"free"`    // that could be read and have none
	Waiting  int            `json:"waiting"` // for their parent
	Ended    int            `json:"ended"`
	Halted   int            `json:"halted"`
	Lag      float64        `json:"lag_seconds"` // of the shard that is farthest behind
	Headroom float64        `json:"headroom_seconds"`
	Gaps     []consumer.Gap `json:"gaps"`
	// Lake is what the lake covers; nil where nobody asked.
	Lake *Lake `json:"lake,omitempty"`
}

// Worker is one row of the worker table, or an owner that has none there.
type Worker struct {
	ID     string    `json:"id"`
	State  string    `json:"state"`
	Shards int       `json:"shards"`
	Lag    float64   `json:"lag_seconds"`
	Beat   time.Time `json:"beat,omitzero"` // by the worker's own clock
}

// Shard is one lease.
type Shard struct {
	ID         string   `json:"id"`
	State      string   `json:"state"`
	Owner      string   `json:"owner,omitempty"`
	Lag        float64  `json:"lag_seconds"`
	Checkpoint string   `json:"checkpoint"`
	Parents    []string `json:"parents,omitempty"`
}

// States of the fleet, of a worker, and of a shard.
const (
	Alive   = "alive"
	Halted  = "alive, with shards halted at a gap"
	Dead    = "DEAD: no worker beats, and nothing is read"
	Unknown = "unknown: its workers are the Java library's, and have no beat"

	WorkerReading = "reading"
	WorkerLeaving = "leaving"
	WorkerDead    = "no beat"
	WorkerForeign = "Java library"

	ShardReading = "reading"
	ShardFree    = "free"
	ShardWaiting = "waits for its parent"
	ShardEnded   = "ended"
	ShardHalted  = "halted at a gap"
)

// New is a pure view of the tables at a moment. alive are the workers whose beat was seen
// to move, keeps is how long the stream keeps a record.
func New(t consumer.Table, table checkpoint.Table, alive map[string]bool, gaps []consumer.Gap, now time.Time, keeps time.Duration) Report {
	r := Report{
		At: now, Table: t.Name, Stream: t.StreamARN, Lag: -1, Headroom: -1,
		Workers: []Worker{}, Shards: []Shard{}, Gaps: append([]consumer.Gap{}, gaps...),
	}
	ended, known := map[string]bool{}, map[string]bool{}
	for _, l := range table.Leases {
		known[l.Key], ended[l.Key] = true, l.Checkpoint.Sentinel == checkpoint.ShardEnd
	}
	workers := map[string]*Worker{}
	for _, w := range table.Workers {
		workers[w.ID] = &Worker{ID: w.ID, Beat: w.Updated, State: workerState(w, alive[w.ID]), Lag: -1}
	}
	for _, l := range table.Leases {
		s := Shard{ID: l.Key, Owner: l.Owner, Checkpoint: cmp.Or(l.Checkpoint.Seq, l.Checkpoint.Sentinel), Lag: lagOf(l, now), Parents: l.Parents}
		w := workers[l.Owner]
		if w == nil && l.Owner != "" && !ended[l.Key] {
			w = &Worker{ID: l.Owner, State: WorkerDead, Lag: -1}
			workers[l.Owner] = w
		}
		waits := slices.ContainsFunc(l.Parents, func(p string) bool { return !ended[p] && (known[p] || !l.ParentGone) })
		switch {
		case ended[l.Key]:
			s.State = ShardEnded
			r.Ended++
		case l.Gap != "":
			s.State = ShardHalted
			r.Halted++
		case waits:
			s.State = ShardWaiting
			r.Waiting++
		case w == nil || w.State == WorkerDead:
			s.State = ShardFree
			r.Free++
		default:
			s.State = ShardReading
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
	slices.SortFunc(r.Workers, func(a, b Worker) int { return cmp.Compare(a.ID, b.ID) })
	r.Fleet = fleetState(r)
	if r.Lag >= 0 {
		r.Headroom = keeps.Seconds() - r.Lag
	}
	return r
}

func workerState(w checkpoint.Worker, alive bool) string {
	switch {
	case w.Beat == 0:
		return WorkerForeign
	case !alive:
		return WorkerDead
	case w.Leaving:
		return WorkerLeaving
	}
	return WorkerReading
}

func fleetState(r Report) string {
	state := Dead
	for _, w := range r.Workers {
		switch {
		case w.State == WorkerForeign && state == Dead:
			state = Unknown
		case w.State == WorkerReading || w.State == WorkerLeaving:
			state = Alive
		}
	}
	if state == Alive && r.Halted > 0 {
		return Halted
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
