package awssim

import (
	"strconv"
	"time"
)

func (c *Cloud) updateTimeToLive(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.anyTable(call.in)
	if err != nil {
		return nil, err
	}
	spec := call.in.get("TimeToLiveSpecification")
	name, on := spec.get("AttributeName").text(), spec.get("Enabled").isTrue()
	switch {
	case on && t.ttl != "":
		return nil, invalid("TimeToLive is already enabled")
	case !on && t.ttl == "":
		return nil, invalid("TimeToLive is already disabled")
	case on:
		t.ttl = name
	default:
		t.ttl = ""
	}
	b := append([]byte(`{"TimeToLiveSpecification":{"AttributeName":`), appendString(nil, name)...)
	b = append(b, `,"Enabled":`...)
	b = strconv.AppendBool(b, on)
	return append(b, "}}"...), nil
}

func (c *Cloud) describeTimeToLive(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.anyTable(call.in)
	if err != nil {
		return nil, err
	}
	if t.ttl == "" {
		return []byte(`{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`), nil
	}
	b := append([]byte(`{"TimeToLiveDescription":{"AttributeName":`), appendString(nil, t.ttl)...)
	return append(b, `,"TimeToLiveStatus":"ENABLED"}}`...), nil
}

// ExpireTTL deletes what is past its TTL, as the service does, and returns how many items went.
func (c *Cloud) ExpireTTL(table string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tables[table]
	if t == nil || t.ttl == "" {
		return 0
	}
	now := time.Now().Unix()
	var old []item
	t.scan(c.cfg.Seed, nil, func(_ *partition, it item) bool {
		v, ok := it.get(t.ttl)
		at, err := strconv.ParseFloat(v.s, 64)
		if ok && v.t == kindN && err == nil && int64(at) < now {
			old = append(old, it)
		}
		return true
	})
	for _, it := range old {
		k, err := t.keyOf(it)
		if err == nil {
			c.write(t, k, it, nil, true)
		}
	}
	return len(old)
}
