package consumer

import (
	"fmt"
	"slices"
	"time"

	"dynamolake/checkpoint"
)

// Part is what a replay reads of a stream. A shard whose parent is not of it waits for nobody.
type Part struct {
	// Shards are the only ones; none: all.
	Shards []string
	// Done are shards that are left out: what they had lies before the beginning.
	Done []string
	// After are the sequence numbers behind which shards begin of which nothing is in the place yet. The
	// first file's name says the shard's beginning nevertheless: it is where the place begins in the shard.
	After map[string]string
	// From is a time from which on all of the part is read; zero: what Options.Initial says.
	From time.Time
}

// has tells whether a shard is of the part.
func (p *Part) has(shard string) bool {
	return (len(p.Shards) == 0 || slices.Contains(p.Shards, shard)) && !slices.Contains(p.Done, shard)
}

// Of are those of the part, without parents that are not.
func (p *Part) Of(shards []checkpoint.Shard) []checkpoint.Shard {
	shards = slices.DeleteFunc(shards, func(s checkpoint.Shard) bool { return !p.has(s.ID) })
	for i := range shards {
		if !p.has(shards[i].Parent) {
			shards[i].Parent = ""
		}
	}
	return shards
}

// begin goes to where the part begins in the shard, if nothing of it is in the lake.
func (s *session) begin() error {
	text := s.part.After[s.shard]
	if text == "" || s.begun() {
		return nil
	}
	after, err := cursorOf(text)
	if err != nil {
		return fmt.Errorf("where shard %s begins: %w", s.shard, err)
	}
	s.reader.seek(after)
	return nil
}

// Leaves are the shards of the part that no other shard follows, as the stream lists them now.
func Leaves(shards []checkpoint.Shard) (leaves []string) {
	parents := map[string]bool{}
	for _, s := range shards {
		parents[s.Parent] = true
	}
	for _, s := range shards {
		if !parents[s.ID] {
			leaves = append(leaves, s.ID)
		}
	}
	return leaves
}
