package consumer

import (
	"fmt"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
)

// Limits say when a worker is not ready.
type Limits struct {
	Headroom time.Duration // less time is left until the stream drops what is not in the lake; 0: any is enough
	Stall    time.Duration // a shard is behind and has not moved for so long, or the ledger was not read
	Idle     time.Duration // what a shard that is well may be behind, for its batch and for being asked seldom
	Lease    time.Duration // the lease table may be out of reach for so long
	Keeps    time.Duration // how long the stream keeps a record
	Repairs  bool          // this worker takes part in repairing gaps
}

// Reason is why a worker is not ready.
type Reason struct {
	Code string `json:"code"` // one of Codes
	Text string `json:"text"` // what is wrong and what to do, in a line
}

// Codes of reasons.
const (
	TableFails = "table"    // one of several tables is not read, after an error
	NotBegun   = "starting" // it has not begun to read
	IsLeaving  = "leaving"  // it hands its shards over
	LeasesAway = "leases"   // the lease table is out of reach
	LedgerAway = "ledger"   // the ledger is
	IsStuck    = "stuck"    // the loop that runs the shards stands still
	IsStalled  = "stalled"  // a shard is behind and does not move
	LowOnTime  = "headroom" // the stream soon drops what is not in the lake
	GapIsOpen  = "gap"      // something is lost and nobody repairs it
)

// Codes are all codes of reasons that one table has.
func Codes() []string {
	return []string{NotBegun, IsLeaving, LeasesAway, LedgerAway, IsStuck, IsStalled, LowOnTime, GapIsOpen}
}

const (
	stuckAfter = 2 * time.Minute // the library asks which shards to run every second or so
	repairTime = 24 * time.Hour  // a gap that is repaired is closed by then
)

// Ready says why a worker is not ready, in the order of [Codes]; nothing is that it is. It is
// about what a worker is there for: one that runs, and answers, and brings nothing into the
// lake is not ready.
func Ready(f Facts, l Limits) []Reason {
	if !f.Reading {
		return []Reason{{NotBegun, "no stream is being read yet"}}
	}
	reasons := leaseReasons(f.Leases, l)
	if f.LedgerAge >= l.Stall {
		reasons = append(reasons, Reason{LedgerAway, fmt.Sprintf("the ledger could not be read for %s; look whether the lake can be reached", secs(f.LedgerAge))})
	}
	if r := Alive(f); r != nil {
		reasons = append(reasons, *r)
	}
	reasons = append(reasons, shardReasons(f, l)...)
	for _, g := range f.Gaps {
		if text := gapText(g, f.Leases.Now, l.Repairs); text != "" {
			reasons = append(reasons, Reason{GapIsOpen, text})
		}
	}
	return reasons
}

// Alive says why a worker has to be started anew, which is all that a start cures. Nil is
// that it lives.
func Alive(f Facts) *Reason {
	if !f.Reading || f.Silent < stuckAfter {
		return nil
	}
	return &Reason{IsStuck, fmt.Sprintf("the loop that runs the shards stands still for %s; start the worker anew", secs(f.Silent))}
}

func leaseReasons(p checkpoint.Pulse, l Limits) []Reason {
	switch {
	case p.Failing >= l.Lease:
		return []Reason{{LeasesAway, fmt.Sprintf("the lease table could not be read for %s; look whether DynamoDB can be reached", secs(p.Failing))}}
	case !p.Begun:
		return []Reason{{NotBegun, "the worker is about to join its fleet"}}
	case p.Leaving:
		return []Reason{{IsLeaving, "the worker was told to stop, and hands its shards over"}}
	case !p.Trusted:
		return []Reason{{LeasesAway, "no beat came through in time, so all leases are given up; look whether DynamoDB can be reached, and whether the worker is short of CPU"}}
	}
	return nil
}

// shardReasons tell of the worst shard, and how many more there are.
func shardReasons(f Facts, l Limits) (reasons []Reason) {
	var stalled, late, halted crowd
	for _, h := range f.Leases.Held {
		lag := lagOf(h, f.Leases.Now, l.Keeps)
		switch {
		case h.Halted:
			halted.add(h.Shard, lag)
			continue // it is behind for that
		case min(lag, h.Still) >= l.Stall+l.Idle:
			stalled.add(h.Shard, h.Still)
		}
		if l.Keeps-lag < l.Headroom {
			late.add(h.Shard, lag)
		}
	}
	if stalled.n > 0 {
		why := f.Standing[stalled.worst]
		if why == "" {
			why = "nothing is known to keep it"
		}
		reasons = append(reasons, Reason{IsStalled, fmt.Sprintf("shard %s is behind and has not moved for %s%s: %s", stalled.worst, secs(stalled.most), stalled.others(), why)})
	}
	if late.n > 0 {
		left := fmt.Sprintf("drops in %s what is not in the lake", secs(l.Keeps-late.most))
		if late.most >= l.Keeps {
			left = "may have dropped what is not in the lake"
		}
		reasons = append(reasons, Reason{LowOnTime, fmt.Sprintf("the stream %s of shard %s%s; start more workers, or see what keeps these", left, late.worst, late.others())})
	}
	if halted.n > 0 {
		reasons = append(reasons, Reason{GapIsOpen, fmt.Sprintf("shard %s%s is halted at a gap; start the fleet with --on-gap=continue to go on without what is lost", halted.worst, halted.others())})
	}
	return reasons
}

// gapText says what is wrong with a gap; nothing, while it is about to be repaired.
func gapText(g ledger.Gap, now time.Time, repairs bool) string {
	switch {
	case g.State == ledger.GapLost:
		return fmt.Sprintf("gap %d is lost, nothing has it any more: make a new full export with dynamolake bootstrap", g.Number)
	case !repairs:
		return fmt.Sprintf("gap %d is %s and this worker repairs none: run dynamolake incremental, or start with --repair=on", g.Number, g.State)
	case now.Sub(g.Seen) >= repairTime:
		return fmt.Sprintf("gap %d is %s and was not closed within %s: see what the log says of its exports", g.Number, g.State, secs(repairTime))
	}
	return ""
}

// lagOf is how far a shard is behind. One of which nothing is known is as far as its birth
// allows.
func lagOf(h checkpoint.Held, now time.Time, keeps time.Duration) time.Duration {
	if !h.CurrentTo.IsZero() {
		return now.Sub(h.CurrentTo)
	}
	return min(now.Sub(born(h.Shard)), keeps)
}

// crowd is the worst of several shards.
type crowd struct {
	n     int
	worst string
	most  time.Duration
}

func (c *crowd) add(shard string, d time.Duration) {
	if c.n++; c.n == 1 || d > c.most {
		c.worst, c.most = shard, d
	}
}

func (c crowd) others() string {
	if c.n < 2 {
		return ""
	}
	return fmt.Sprintf(" and %d more", c.n-1)
}

func secs(d time.Duration) string { return d.Round(time.Second).String() }
