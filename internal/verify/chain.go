package verify

import (
	"iter"
	"maps"
	"slices"
	"time"

	"dynamolake/transform"
)

// link is one file of a shard's chain, as its metadata or its footer say.
type link struct {
	key   string
	after transform.Seq // of its name
	size  int64
	bad   bool // it could not be read; a doubt says why

	end          transform.Seq
	shardEnd     bool
	rows         int64
	minTS, maxTS int64 // microseconds; 0 without rows
	epoch        int64
	schema       int // version; below 0 where it is not told
	// Of the footer only:
	footer            bool
	parent, gapBefore string
}

// chain is the files of a shard in one dataset, in the order of their names.
type chain struct {
	prefix, dataset, shard string
	links                  []link
}

// chainID names a chain.
type chainID struct{ dataset, shard string }

// String is the shard, and its dataset where that is not the only one there ever is.
func (c chainID) String() string {
	if c.dataset == allItems {
		return c.shard
	}
	return c.dataset + "/" + c.shard
}

// shard is what remains of a shard's chain in a dataset when it has been walked.
type shard struct {
	chainID
	chain    string // prefix of its files
	parent   string
	head     string        // key of the first file
	begin    transform.Seq // the cursor in its name
	late     bool          // nothing that the chain itself says explains why it begins there
	tip      transform.Seq // the chain's end
	ended    bool
	first    int64 // _ts of the earliest row, microseconds; 0 without rows
	last     int64 // of the latest
	epoch    int64 // the highest
	unsure   bool  // a file could not be read: its end is not known
	parentOK bool  // parent is known, be it empty
	// versions are the schema's that files were written under, and the cursor of the first of each.
	versions map[int]transform.Seq
	parted   bool // the checkpoint lies within a file
	passed   bool // it is of a dataset that is not looked at
}

// shards are the chains by shard and dataset.
type shards map[string]map[string]*shard

func (all shards) add(s *shard) {
	if all[s.shard] == nil {
		all[s.shard] = map[string]*shard{}
	}
	all[s.shard][s.dataset] = s
}

// of are the chains of a shard, in the order of their datasets' names.
func (all shards) of(id string) (chains []*shard) {
	for _, dataset := range slices.Sorted(maps.Keys(all[id])) {
		chains = append(chains, all[id][dataset])
	}
	return chains
}

func (all shards) each() iter.Seq[*shard] {
	return func(yield func(*shard) bool) {
		for _, chains := range all {
			for _, s := range chains {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// parent is the chain of a shard's parent in the same dataset; nil if there is none.
func (all shards) parent(s *shard) *shard {
	if s.parent == "" {
		return nil
	}
	return all[s.parent][s.dataset]
}

// walk follows a chain from its first file to its last. streamFrom tells from when on
// the ledger wants all of the stream in an epoch; zero if it does not say. Whether a chain may begin where
// it does is for [births] to say.
func walk(c chain, streamFrom func(epoch int64) time.Time) (shard, []Doubt) {
	var d found
	s := shard{chain: c.prefix, chainID: chainID{c.dataset, c.shard}, versions: map[int]transform.Seq{}}
	if len(c.links) == 0 {
		return s, nil
	}
	s.head, s.begin, s.tip = c.links[0].key, c.links[0].after, c.links[0].after
	for i := range c.links {
		l := &c.links[i]
		order, apart := l.after.Compare(s.tip), false
		switch {
		case s.unsure:
			// What a file that cannot be read covers is unknown.
		case s.ended:
			apart = true
			d.add(Fork, l.key, "it follows the shard's end; its rows may be in other files as well. Look who wrote it (dynamolake.writer in its footer), and move it out of changes/")
		case order < 0:
			apart = true
			d.add(Fork, l.key, "it begins at %s, within the file before it, which goes up to %s: rows are twice in the lake. Two fleets with different --app write one lake, or files were copied in; move the younger one out of changes/", l.after.Digits(), s.tip.Digits())
		case order > 0:
			d.add(Broken, l.key, "the file of this shard that follows %s is missing, up to %s; bring after-%s.parquet back from a copy or an older version, else repair the time from %s to %s with dynamolake bootstrap --again", s.tip.Digits(), l.after.Digits(), s.tip, stampMicros(s.last), stampMicros(l.minTS))
		}
		if apart {
			continue // the chain goes on without it
		}
		if l.bad {
			s.unsure = true
			continue
		}
		s.late = s.late || i == 0 && !explained(l, streamFrom)
		if _, known := s.versions[l.schema]; !known && l.schema >= 0 {
			s.versions[l.schema] = l.after
		}
		if l.epoch < s.epoch {
			d.add(EpochKind, l.key, "it is of epoch %d, and a file before it of %d: the order of changes is not kept; report this", l.epoch, s.epoch)
		}
		s.epoch = max(s.epoch, l.epoch)
		s.tip, s.ended, s.unsure = l.end, l.shardEnd, false
		if l.minTS != 0 && (s.first == 0 || l.minTS < s.first) {
			s.first = l.minTS
		}
		s.last = max(s.last, l.maxTS)
		if l.footer && !s.parentOK {
			s.parent, s.parentOK = l.parent, true
		}
	}
	return s, d
}

// explained tells whether a chain may begin with this file: at the shard's beginning,
// behind a gap that it names, or where what is missing is older than what the ledger
// wants. That is so in a fleet that took over the leases of a Java application.
func explained(l *link, streamFrom func(int64) time.Time) bool {
	if l.after.IsZero() || l.gapBefore != "" {
		return true
	}
	from := streamFrom(l.epoch)
	return !from.IsZero() && l.minTS != 0 && time.UnixMicro(l.minTS).Before(from)
}

func stampMicros(micros int64) string {
	if micros == 0 {
		return "an unknown time"
	}
	return stamp(time.UnixMicro(micros))
}
