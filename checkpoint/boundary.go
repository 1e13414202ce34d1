package checkpoint

import (
	"slices"
	"time"
)

// Link is one file of a shard's chain (package writer), as far as a rewind asks. Positions are
// sequence numbers in digits; "" is the shard's beginning.
type Link struct {
	After, End string
	Last       bool      // it ends the shard
	Epoch      int64     // of its rows; 0 without rows
	Newest     time.Time // of its youngest row; zero without rows
}

// Chain is the files of one dataset in a shard, in the order of their names.
type Chain struct {
	Dataset string
	Links   []Link
}

// run is the end of a chain that holds together. Whoever begins at one of its stops walks past every
// file that lies behind it, to the tip, and so writes nothing that any file has. From anywhere else
// rows would be written again: inside a file, where none has that name, or before a file that is missing.
type run struct {
	stops []string // in order
	tip   string
	ended bool   // the tip is the shard's end, and no stop: from there nobody sees that nothing follows
	apart string // where the files before it stop to hold together; "" if none are before it
}

func (c Chain) run() run {
	first := max(0, len(c.Links)-1)
	for first > 0 && c.Links[first-1].End == c.Links[first].After && !c.Links[first-1].Last {
		first--
	}
	var r run
	for _, l := range c.Links[:first] {
		if r.apart == "" || seqBefore(r.apart, l.End) {
			r.apart = l.End
		}
	}
	for _, l := range c.Links[first:] {
		if !seqBefore(l.After, r.apart) {
			r.stops = append(r.stops, l.After)
		}
		r.tip, r.ended = l.End, l.Last
	}
	if len(c.Links) > 0 && !r.ended && !seqBefore(r.tip, r.apart) {
		r.stops = append(r.stops, r.tip)
	}
	return r
}

// boundaries are the positions that are stops of all chains, in order. A chain without files begins
// wherever it is begun.
func boundaries(chains []Chain) []string {
	var both []string
	begun := false
	for _, c := range chains {
		if len(c.Links) == 0 {
			continue
		}
		stops := c.run().stops
		if !begun {
			both, begun = stops, true
			continue
		}
		both = slices.DeleteFunc(slices.Clone(both), func(p string) bool { return !slices.Contains(stops, p) })
	}
	if !begun {
		return []string{""}
	}
	return both
}

// resumed is where the stream is read from when a session begins at a boundary: after what all
// chains have. ended tells that all of the shard is there.
func resumed(chains []Chain, from string) (at string, ended bool) {
	ended = len(chains) > 0
	for i, c := range chains {
		tip, end := from, false
		if len(c.Links) > 0 {
			r := c.run()
			tip, end = r.tip, r.ended
		}
		if i == 0 || seqBefore(tip, at) {
			at = tip
		}
		ended = ended && end
	}
	return at, ended
}

// Tip is where the files end, "" where there are none, and whether the shard ends there.
func (c Chain) Tip() (end string, ended bool) {
	r := c.run()
	return r.tip, r.ended
}
