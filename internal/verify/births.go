package verify

import (
	"context"
	"errors"

	"dynamolake/transform"
	"dynamolake/writer"
)

// births says which chains begin where nothing explains it. A dataset may be younger than a shard: its chain
// begins where the checkpoint stood, and there the chains of all other datasets that the shard
// had then have a boundary. ends tells whether a file of a chain begins at a position.
func births(all shards, c *catalog, ends func(chain string, at transform.Seq) (bool, error)) ([]Doubt, error) {
	var d found
	for s := range all.each() {
		if !s.late {
			continue
		}
		if since, due := c.due(s.chainID, all); due && since.Compare(s.begin) < 0 {
			d.add(Start, s.head, "the first file of this shard in dataset %s begins after %s, and another dataset has files of a schema with both from %s on: earlier files are missing; bring them back from a copy or an older version", s.dataset, s.begin.Digits(), since.Digits())
			continue
		}
		known := false
		for _, other := range all.of(s.shard) {
			if other.begin == s.begin && !other.late {
				known = true // what explains that one is of the shard, and this has no row to tell it by
				continue
			}
			if other.begin.Compare(s.begin) >= 0 || !other.unsure && other.tip.Compare(s.begin) < 0 {
				continue // it was not there then, or was there no more
			}
			if known = true; other.unsure || other.tip == s.begin {
				continue
			}
			there, err := ends(other.chain, s.begin)
			if err != nil {
				return nil, err
			}
			if !there {
				d.add(Start, s.head, "the first file of this shard in dataset %s begins after %s, within a file of dataset %s, where no dataset can begin: earlier files are missing; bring them back from a copy or an older version", s.dataset, s.begin.Digits(), other.dataset)
				break
			}
		}
		if !known {
			d.add(Start, s.head, "the shard's first file begins after %s and not at its beginning, and nothing says why: earlier files are missing; bring them back from a copy or an older version", s.begin.Digits())
		}
	}
	return d, nil
}

// begins tells whether a file of a chain begins at a position.
func (v *run) begins(ctx context.Context) func(string, transform.Seq) (bool, error) {
	return func(chain string, at transform.Seq) (bool, error) {
		_, err := v.Store.Head(ctx, chain+"after-"+at.String()+".parquet")
		if errors.Is(err, writer.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
}

// younger are the datasets that began later than a shard that they might have been in, and the first change
// that they have of the stream, microseconds; 0 if they have none.
func younger(all shards, current []string) map[string]int64 {
	young := map[string]int64{}
	for _, dataset := range current {
		late, first := false, int64(0)
		for _, chains := range all {
			s := chains[dataset]
			if late = late || s == nil || s.late; s != nil && s.first != 0 && (first == 0 || s.first < first) {
				first = s.first
			}
		}
		if late {
			young[dataset] = first
		}
	}
	return young
}
