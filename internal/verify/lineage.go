package verify

import (
	"slices"
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
)

// parents takes from the lease rows what no footer told.
func parents(rows []checkpoint.Row, all shards) {
	known := map[string]string{}
	for _, r := range rows {
		if len(r.Parents) > 0 {
			known[r.Key] = r.Parents[0]
		}
	}
	for s := range all.each() {
		if parent, ok := known[s.shard]; ok && !s.parentOK {
			s.parent, s.parentOK = parent, true
		}
	}
}

// unfinished are shards that have a parent in the lake which has not ended, in a dataset that
// there still is: others stop anywhere.
func unfinished(all shards, current []string) (children []*shard) {
	for s := range all.each() {
		if p := all.parent(s); p != nil && !p.ended && !p.unsure && slices.Contains(current, s.dataset) {
			children = append(children, s)
		}
	}
	return children
}

// lineage says where a child was read before its parent's end.
func lineage(all shards, current []string, skew time.Duration) []Doubt {
	var d found
	for _, s := range unfinished(all, current) {
		d.add(Lineage, s.String(), "it has files, and its parent %s has not ended (up to %s): the parent's last files are missing, or were not waited for; if the fleet runs, verify again", s.parent, all.parent(s).tip.Digits())
	}
	for s := range all.each() {
		p := all.parent(s)
		if p == nil || !p.ended || s.first == 0 || p.last == 0 {
			continue
		}
		if first, last := time.UnixMicro(s.first), time.UnixMicro(p.last); first.Add(skew).Before(last) {
			d.add(Lineage, s.String(), "its first change is of %s, before the last of its parent %s, of %s: the order of an item's changes is not kept; report this", stamp(first), s.parent, stamp(last))
		}
	}
	return d
}

// leases says where a checkpoint is ahead of the files of a dataset, and which shards wait at a gap.
// The rows were read before the files were listed.
func leases(rows []checkpoint.Row, all shards, c *catalog, current []string) []Doubt {
	var d found
	for _, r := range rows {
		if r.Gap != "" {
			d.add(Halted, r.Key, "the shard waits at a gap: changes are missing, and none that follow are read; start the fleet with --on-gap=continue, then run dynamolake incremental")
		}
		ended := r.Checkpoint.Sentinel == checkpoint.ShardEnd
		at, err := transform.ParseSeq(r.Checkpoint.Seq)
		if !ended && (r.Checkpoint.Seq == "" || err != nil) {
			continue
		}
		if len(all[r.Key]) == 0 {
			d.add(Tail, r.Key, "%s", noFile(ended, at))
			continue
		}
		for _, dataset := range current {
			id := chainID{dataset, r.Key}
			s := all[r.Key][dataset]
			switch {
			case s == nil:
				if since, due := c.due(id, all); due && (ended || at.Compare(since) > 0) {
					d.add(Tail, id.String(), "%s", noFile(ended, at))
				}
			case s.unsure:
			case ended && !s.ended:
				d.add(Tail, id.String(), "its lease says that all of it is in the lake, and its files go up to %s only; bring the last files back from a copy or an older version", s.tip.Digits())
			case ended:
			case at.Compare(s.tip) > 0:
				d.add(Tail, id.String(), "its lease says that it is in the lake up to %s, and its files go up to %s only; bring the last files back from a copy or an older version", at.Digits(), s.tip.Digits())
			case s.parted:
				d.add(Tail, id.String(), "its lease says that it is in the lake up to %s, and no file begins or ends there: whoever goes on from there writes rows twice; stop the fleet and report this", at.Digits())
			}
		}
	}
	return d
}

func noFile(ended bool, at transform.Seq) string {
	if ended {
		return "its lease says that all of it is in the lake, and there is no file of it; bring its files back from a copy or an older version (or it was read by another application on the same lease table, before the fleet was started: then make a full export)"
	}
	return "its lease says that it is in the lake up to " + at.Digits() + ", and there is no file of it; bring its files back from a copy or an older version"
}

// unleased says that the ends of chains cannot be checked.
func unleased(rows []checkpoint.Row, l ledger.Ledger) []Doubt {
	var d found
	if len(rows) == 0 && l.Streaming() != nil {
		d.add(Tail, "leases", "the stream is read into the lake, and there is no lease of it: whether the last files of its shards are there is not known; name the lease table with --app")
	}
	return d
}

// epochs says which shards have rows under an epoch that the ledger does not give them. Zero
// is that of a version without a ledger.
func epochs(l ledger.Ledger, all shards) []Doubt {
	var d found
	for s := range all.each() {
		e := l.Epoch(s.epoch)
		switch {
		case s.epoch == 0 || s.unsure:
		case e == nil:
			d.add(EpochKind, s.String(), "it has rows of epoch %d, which the ledger does not know: the ledger was replaced by another or an older one; bring %s back", s.epoch, ledger.Key)
		case e.Source != ledger.Stream:
			d.add(EpochKind, s.String(), "it has rows of epoch %d, which is one of exports (%s); report this", s.epoch, e.Source)
		}
	}
	return d
}
