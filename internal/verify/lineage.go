package verify

import (
	"time"

	"dynamolake/checkpoint"
	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
)

// parents takes from the lease rows what no footer told.
func parents(rows []checkpoint.Row, shards map[string]*shard) {
	for _, r := range rows {
		if s := shards[r.Key]; s != nil && !s.parentOK && len(r.Parents) > 0 {
			s.parent, s.parentOK = r.Parents[0], true
		}
	}
}

// unfinished are shards that have a parent in the lake which has not ended.
func unfinished(shards map[string]*shard) (children []*shard) {
	for _, s := range shards {
		if p := shards[s.parent]; s.parent != "" && p != nil && !p.ended && !p.unsure {
			children = append(children, s)
		}
	}
	return children
}

// lineage says where a child was read before its parent's end.
func lineage(shards map[string]*shard, skew time.Duration) []Doubt {
	var d found
	for _, s := range unfinished(shards) {
		d.add(Lineage, s.id, "it has files, and its parent %s has not ended (up to %s): the parent's last files are missing, or were not waited for; if the fleet runs, verify again", s.parent, shards[s.parent].tip.Digits())
	}
	for _, s := range shards {
		p := shards[s.parent]
		if s.parent == "" || p == nil || !p.ended || s.first == 0 || p.last == 0 {
			continue
		}
		if first, last := time.UnixMicro(s.first), time.UnixMicro(p.last); first.Add(skew).Before(last) {
			d.add(Lineage, s.id, "its first change is of %s, before the last of its parent %s, of %s: the order of an item's changes is not kept; report this", stamp(first), s.parent, stamp(last))
		}
	}
	return d
}

// leases says where a checkpoint is ahead of the files, and which shards wait at a gap.
// The rows were read before the files were listed.
func leases(rows []checkpoint.Row, shards map[string]*shard) []Doubt {
	var d found
	for _, r := range rows {
		s := shards[r.Key]
		if s != nil && s.unsure {
			continue
		}
		if r.Gap != "" {
			d.add(Halted, r.Key, "the shard waits at a gap: changes are missing, and none that follow are read; start the fleet with --on-gap=continue, then run dynamolake incremental")
		}
		ended := r.Checkpoint.Sentinel == checkpoint.ShardEnd
		switch at, err := transform.ParseSeq(r.Checkpoint.Seq); {
		case ended && s == nil:
			d.add(Tail, r.Key, "its lease says that all of it is in the lake, and there is no file of it; bring its files back from a copy or an older version (or it was read by another application on the same lease table, before the fleet was started: then make a full export)")
		case ended && !s.ended:
			d.add(Tail, r.Key, "its lease says that all of it is in the lake, and its files go up to %s only; bring the last files back from a copy or an older version", s.tip.Digits())
		case ended || r.Checkpoint.Seq == "" || err != nil:
		case s == nil:
			d.add(Tail, r.Key, "its lease says that it is in the lake up to %s, and there is no file of it; bring its files back from a copy or an older version", at.Digits())
		case at.Compare(s.tip) > 0:
			d.add(Tail, r.Key, "its lease says that it is in the lake up to %s, and its files go up to %s only; bring the last files back from a copy or an older version", at.Digits(), s.tip.Digits())
		}
	}
	return d
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
func epochs(l ledger.Ledger, shards map[string]*shard) []Doubt {
	var d found
	for _, s := range shards {
		e := l.Epoch(s.epoch)
		switch {
		case s.epoch == 0 || s.unsure:
		case e == nil:
			d.add(EpochKind, s.id, "it has rows of epoch %d, which the ledger does not know: the ledger was replaced by another or an older one; bring %s back", s.epoch, ledger.Key)
		case e.Source != ledger.Stream:
			d.add(EpochKind, s.id, "it has rows of epoch %d, which is one of exports (%s); report this", s.epoch, e.Source)
		}
	}
	return d
}
