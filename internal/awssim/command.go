package awssim

import (
	"fmt"
	"time"
)

// A ShardInfo is what the cloud knows of a shard; trimmed shards are not shown.
type ShardInfo struct {
	ID, Parent string
	Open       bool
	First      string // starting sequence number
	Last       string // ending sequence number, "" while open
	Created    time.Time
	Closed     time.Time // zero while open
	Records    int       // ever written, trimmed ones included
}

// live finds the enabled stream of a table, brought up to date.
func (c *Cloud) live(table string) (*stream, error) {
	t := c.tables[table]
	if t == nil || t.stream == nil {
		return nil, fmt.Errorf("awssim: table %q has no enabled stream", table)
	}
	c.advance(t.stream, time.Now())
	return t.stream, nil
}

func (c *Cloud) divideOne(table, id string, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.live(table)
	if err != nil {
		return err
	}
	sh := s.byID[id]
	if sh == nil || !sh.closed.IsZero() {
		return fmt.Errorf("awssim: table %q has no open shard %q", table, id)
	}
	c.divide(s, sh, n, time.Now())
	return nil
}

// Roll closes an open shard and opens one child for its hash range.
func (c *Cloud) Roll(table, shard string) error { return c.divideOne(table, shard, 1) }

// Split closes an open shard and opens two children, each for half of its hash range.
func (c *Cloud) Split(table, shard string) error { return c.divideOne(table, shard, 2) }

// RollAll rolls every open shard of the table's stream.
func (c *Cloud) RollAll(table string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.live(table)
	if err != nil {
		return err
	}
	for _, sh := range append([]*shard(nil), s.open...) {
		c.divide(s, sh, 1, time.Now())
	}
	return nil
}

// Shards returns the shards of the table's newest stream by id, also after it was disabled.
func (c *Cloud) Shards(table string) []ShardInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[table]
	if t == nil || c.streams[t.latestStream] == nil {
		return nil
	}
	s := c.streams[t.latestStream]
	c.advance(s, time.Now())
	out := make([]ShardInfo, len(s.order))
	for i, sh := range s.order {
		out[i] = ShardInfo{
			ID: sh.id, Parent: sh.parent, Open: sh.closed.IsZero(), First: sh.start.String(),
			Created: sh.created, Closed: sh.closed, Records: len(sh.records),
		}
		if !out[i].Open {
			out[i].Last = sh.end.String()
		}
	}
	return out
}

// TrimBefore makes everything written before t unreadable in all streams of the
// table, as if the retention had passed: records, and shards that closed before t.
func (c *Cloud) TrimBefore(table string, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := false
	for _, s := range c.streams {
		if s.table != table {
			continue
		}
		found = true
		if t.After(s.trim) {
			s.trim = t
		}
	}
	if !found {
		return fmt.Errorf("awssim: table %q has no stream", table)
	}
	return nil
}

// HideShardOnce leaves the shard out of the next listings that would show it.
func (c *Cloud) HideShardOnce(table, shard string, listings int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.live(table)
	if err == nil {
		s.hidden[shard] = listings
	}
	return err
}

// ShowOpenParent shows a closed shard as open in the next listings that show it,
// beside its children.
func (c *Cloud) ShowOpenParent(table, shard string, listings int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.live(table)
	if err == nil {
		s.shownOpen[shard] = listings
	}
	return err
}
