package verify

import (
	"maps"
	"slices"
	"time"

	"dynamolake/checkpoint/ledger"
)

// shardGap is what the objects of _ledger/gaps/ say of a loss: one when it was found, another when
// a shard that had halted went on.
type shardGap struct {
	Seen   time.Time `json:"seen"`
	Reason string    `json:"reason"`
	Gap    int64     `json:"gap"` // its number in the ledger; 0: it is in none
}

// gapsKnown says whether the ledger takes care of what shards lost, by [gapName]. What it
// says of its gaps is its own matter.
func gapsKnown(l ledger.Ledger, gaps map[string]shardGap) []Doubt {
	var d found
	base := l.Base()
	for _, name := range slices.Sorted(maps.Keys(gaps)) {
		g, key := gaps[name], "_ledger/gaps/"+name
		switch {
		case base != nil && base.To.After(g.Seen):
			// What was lost is older than the full export.
		case g.Gap == 0:
			d.add(GapKind, key, "the shard lost changes (%s), and the ledger has no repair for them; start the fleet with --on-gap=continue, then run dynamolake incremental", g.Reason)
		case l.Gap(g.Gap) == nil:
			d.add(GapKind, key, "the shard lost changes (%s), in gap %d, which the ledger does not know: the ledger was replaced by another or an older one; bring %s back", g.Reason, g.Gap, ledger.Key)
		}
	}
	return d
}

// unrecorded says which files name a gap before them of which there is no object.
func unrecorded(c chain, gaps map[string]shardGap) []Doubt {
	var d found
	for _, l := range c.links {
		if l.gapBefore == "" {
			continue
		}
		name := gapName(c.shard, l.after.String())
		if _, ok := gaps[name]; !ok {
			d.add(GapKind, l.key, "changes before its first row are lost (%s), and there is no _ledger/gaps/%s that says so; bring the object back from a copy or an older version", l.gapBefore, name)
		}
	}
	return d
}

func gapName(shard, after string) string { return shard + "/after-" + after + ".json" }
