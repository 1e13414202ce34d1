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
}

// Journal returns every stream record ever written for the table, in order.
func (c *Cloud) Journal(table string) []Record {
	c.mu.Lock()
	var all []*record
	if t := c.tables[table]; t != nil {
		all = t.journal[:len(t.journal):len(t.journal)]
	}
	c.mu.Unlock()
	out := make([]Record, len(all))
	for i, r := range all {
		out[i] = Record{
			Shard: r.shard, Seq: r.seq.String(), EventID: r.eventID(), Event: r.event,
			Key: r.keys.String(), Created: r.created, Micros: r.micros, TTL: r.ttl,
		}
		if r.new != nil {
			out[i].New = r.new.String()
		}
		if r.old != nil {
			out[i].Old = r.old.String()
		}
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
