package verify

import (
	"time"

	"dynamolake/checkpoint/ledger"
)

// shardGap is what an object of _ledger/gaps/ says of a loss.
type shardGap struct {
	Seen   time.Time `json:"seen"`
	Reason string    `json:"reason"`
	Gap    int64     `json:"gap"` // its number in the ledger; 0: it is in none
}

// gapKnown says whether the ledger takes care of what a shard lost. What it says of
// that gap is the ledger's matter.
func gapKnown(l ledger.Ledger, key, shard string, g shardGap) []Doubt {
	var d found
	if base := l.Base(); base != nil && base.To.After(g.Seen) {
		return nil // what was lost is older than the full export
	}
	switch {
	case g.Gap == 0:
		d.add(GapKind, key, "shard %s lost changes (%s), and the ledger has no repair for them; start the fleet with --on-gap=continue, then run dynamolake incremental", shard, g.Reason)
	case l.Gap(g.Gap) == nil:
		d.add(GapKind, key, "shard %s lost changes (%s), in gap %d, which the ledger does not know: the ledger was replaced by another or an older one; bring %s back", shard, g.Reason, g.Gap, ledger.Key)
	}
	return d
}

// unrecorded says which files name a gap before them of which there is no object.
func unrecorded(c chain, gaps map[string]bool) []Doubt {
	var d found
	for _, l := range c.links {
		if l.gapBefore != "" && !gaps[gapName(c.shard, l.after.String())] {
			d.add(GapKind, l.key, "changes before its first row are lost (%s), and _ledger/gaps/%s says nothing of that; bring the object back from a copy or an older version", l.gapBefore, gapName(c.shard, l.after.String()))
		}
	}
	return d
}

func gapName(shard, after string) string { return shard + "/after-" + after + ".json" }
