package awssim

import "time"

// A Record is a stream record as it was written, whatever the view type and
// whether or not it has been trimmed since. Images and keys are canonical DynamoDB
// JSON (attributes sorted by name), "" where there is none.
type Record struct {
	Shard, Seq, EventID string
	Event               string // INSERT, MODIFY or REMOVE
	Key                 string
	New, Old            string
	Created             time.Time // exact; readers see the second
	Micros              int64     // WriteTimestampMicros in exports, by the partition's clock
	TTL                 bool      // deleted by the service
	Kept                bool      // for exports: point-in-time recovery was on
}

// Journal returns every stream record ever written for the table, in order.
func (c *Cloud) Journal(table string) []Record {
	return c.recorded(table, func(r *record) bool { return r.shard != "" })
}

// Writes returns every write to the table in order, those made while it had no
// stream too: they have no shard and no sequence number.
func (c *Cloud) Writes(table string) []Record {
	return c.recorded(table, func(*record) bool { return true })
}

func (c *Cloud) recorded(table string, wanted func(*record) bool) []Record {
	c.mu.Lock()
	var all []*record
	if t := c.tables[table]; t != nil {
		all = t.journal[:len(t.journal):len(t.journal)]
	}
	c.mu.Unlock()
	out := make([]Record, 0, len(all))
	for _, r := range all {
		if !wanted(r) {
			continue
		}
		rec := Record{
			Shard: r.shard, Event: r.event, Key: r.keys.String(), Created: r.created, Micros: r.micros, TTL: r.ttl, Kept: r.kept,
		}
		if r.shard != "" {
			rec.Seq, rec.EventID = r.seq.String(), r.eventID()
		}
		if r.new != nil {
			rec.New = r.new.String()
		}
		if r.old != nil {
			rec.Old = r.old.String()
		}
		out = append(out, rec)
	}
	return out
}

// Items returns the table's items by key, both as canonical DynamoDB JSON.
func (c *Cloud) Items(table string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]string{}
	t := c.tables[table]
	if t == nil {
		return out
	}
	t.scan(c.cfg.Seed, nil, func(_ *partition, it item) bool {
		out[t.keyPart(it).String()] = it.String()
		return true
	})
	return out
}
