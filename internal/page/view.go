package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/consumer"
	"dynamolake/internal/fleet"
)

// view is all that the templates write down.
type view struct {
	fleet.Report
	Worker   string // who serves the page
	Reasons  []consumer.Reason
	Problem  string // why the report is not of now
	Mood     string // good, warn or bad: the fleet's
	Tight    string // the same of the headroom
	Timeline []titledBars
	Spans    []ledger.Span
	Lag, Hed curve
	Since    time.Time // of the curves
	Points   int
	Lineage  graph
	Watch    []fleet.Shard // that somebody should look at
}

type titledBars struct {
	Title string
	bars
}

// watched is how many shards are listed at most.
const watched = 20

// newView is pure but for the clock of the history.
func newView(r fleet.Report, problem error, o Options) view {
	v := view{Report: r, Worker: o.Worker, Reasons: o.Ready(), Mood: mood(r), Tight: tight(r, o.Headroom)}
	if problem != nil {
		v.Problem = problem.Error()
	}
	if r.At.IsZero() {
		return v
	}
	if r.Lake != nil {
		v.Spans = r.Lake.Coverage
		if from := begins(v.Spans, r.At); len(v.Spans) > 0 {
			v.Timeline = append(v.Timeline, titledBars{"everything", timeline(v.Spans, from, r.At)})
			if day := r.At.Add(-24 * time.Hour); r.At.Sub(from) > 30*time.Hour {
				v.Timeline = append(v.Timeline, titledBars{"the last 24 hours", timeline(v.Spans, day, r.At)})
			}
		}
	}
	v.Lineage = lineage(r.Shards)
	v.Watch = slices.DeleteFunc(slices.Clone(r.Shards), func(s fleet.Shard) bool { return s.State != fleet.ShardHalted && s.State != fleet.ShardFree })
	slices.SortStableFunc(v.Watch, func(a, b fleet.Shard) int {
		return cmp.Or(cmp.Compare(weight(a), weight(b)), cmp.Compare(b.Lag, a.Lag))
	})
	v.Watch = v.Watch[:min(len(v.Watch), watched)]
	v.curves(o)
	return v
}

func (v *view) curves(o Options) {
	points := o.History.Points()
	v.Points = len(points)
	if len(points) == 0 {
		return
	}
	keeps := ledger.RealTiming().Retention.Seconds()
	behind := func(p Point) float64 { return p.Lag.Seconds() }
	left := func(p Point) float64 { return keeps - p.Lag.Seconds() }
	v.Since = points[0].At
	v.Lag = spark(points, behind, v.Since, v.At, most(points, behind), -1)
	v.Hed = spark(points, left, v.Since, v.At, keeps, o.Headroom.Seconds())
}

func mood(r fleet.Report) string {
	switch {
	case r.Fleet == fleet.Alive && r.Free == 0:
		return "good"
	case r.Fleet == fleet.Alive || r.Fleet == fleet.Unknown:
		return "warn"
	}
	return "bad"
}

func tight(r fleet.Report, limit time.Duration) string {
	switch {
	case r.Lag < 0:
		return "warn"
	case r.Headroom < limit.Seconds() || r.Headroom <= 0:
		return "bad"
	case r.Headroom < 12*time.Hour.Seconds():
		return "warn"
	}
	return "good"
}

// span is a number of seconds for people, in its two largest units; below 0 it is not known.
func span(seconds float64) string {
	if seconds < 0 {
		return "unknown"
	}
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}
