package awssim

import (
	"fmt"
	"strconv"
	"time"
)

// getRecords cuts the page under the lock and writes it out without: records
// never change.
func (c *Cloud) getRecords(call *Call) ([]byte, error) {
	limit := call.in.get("Limit").int(1000)
	if limit < 1 || limit > 1000 {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 1000", limit)
	}
	it, err := parseIterator(call.in.get("ShardIterator").text())
	if err != nil {
		return nil, err
	}
	view, page, next, err := c.page(it, limit, time.Now())
	if err != nil {
		return nil, err
	}
	size := 64
	for _, r := range page {
		size += 400 + 2*r.size(view)
	}
	b := append(make([]byte, 0, size), `{"Records":[`...)
	for i, r := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.append(b, view, c.cfg.Region)
	}
	b = append(b, ']')
	if next != nil {
		b = appendField(b, "NextShardIterator", next.String())
	}
	return append(b, '}'), nil
}

// page returns what an iterator yields and where to go on; nil at the end of a
// closed shard.
func (c *Cloud) page(it iterator, limit int, now time.Time) (view string, page []*record, next *iterator, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.stream(it.arn, now)
	if err != nil {
		return "", nil, nil, err
	}
	sh := s.byID[it.shard]
	if sh == nil {
		return "", nil, nil, fail(400, "ResourceNotFoundException", "Requested resource not found: Shard does not exist")
	}
	if now.Sub(it.issued) > c.cfg.IteratorLife {
		return "", nil, nil, fail(400, "ExpiredIteratorException", "Iterator expired. The iterator was created at time %s while now is %s",
			it.issued.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if it.at < sh.firstKept(c.horizon(s, now)) {
		return "", nil, nil, errTrimmed
	}
	chance := mix(c.cfg.Seed^uint64(it.at)<<20^uint64(it.empties), sh.start.lo)
	// Who has been at the tip for long is kept from a record by one empty page at most.
	waited := it.empties > 8 && it.at < len(sh.records) && sh.records[it.at].created.Before(it.issued)
	if n := uint64(c.cfg.EmptyPages); n > 0 && chance%n == 0 && !waited {
		limit = int(chance >> 32 % uint64(min(limit, 10))) // empty or short
	}
	end, bytes := it.at, 0
	for end < len(sh.records) && end-it.at < limit {
		if bytes += sh.records[end].size(s.view); bytes > maxPageBytes && end > it.at {
			break
		}
		end++
	}
	next = &iterator{arn: it.arn, shard: it.shard, at: end, issued: now}
	if end == it.at {
		next.empties = it.empties + 1
	}
	atEnd := end == len(sh.records) && !sh.closed.IsZero()
	// With EmptyPages some shards end with an empty page after the last record.
	if atEnd && (end == it.at || c.cfg.EmptyPages == 0 || chance>>16&1 == 0) {
		next = nil
	}
	return s.view, sh.records[it.at:end:end], next, nil
}

// images are what the view shows of a record.
func (r *record) images(view string) (old, new item) {
	switch view {
	case "NEW_IMAGE":
		return nil, r.new
	case "OLD_IMAGE":
		return r.old, nil
	case "NEW_AND_OLD_IMAGES":
		return r.old, r.new
	}
	return nil, nil
}

func (r *record) size(view string) int {
	old, new := r.images(view)
	return r.keys.size() + old.size() + new.size()
}

func (r *record) eventID() string { return fmt.Sprintf("%016x%016x", r.id, mix(r.id, r.seq.lo)) }

// append writes the record as GetRecords does.
func (r *record) append(b []byte, view, region string) []byte {
	old, new := r.images(view)
	b = append(b, `{"awsRegion":`...)
	b = appendString(b, region)
	b = append(b, `,"dynamodb":{"ApproximateCreationDateTime":`...)
	b = appendTime(b, r.created.Truncate(time.Second))
	b = append(b, `,"Keys":`...)
	b = r.keys.append(b)
	if new != nil {
		b = append(b, `,"NewImage":`...)
		b = new.append(b)
	}
	if old != nil {
		b = append(b, `,"OldImage":`...)
		b = old.append(b)
	}
	b = appendField(b, "SequenceNumber", r.seq.String())
	b = append(b, `,"SizeBytes":`...)
	b = strconv.AppendInt(b, int64(r.size(view)), 10)
	b = appendField(b, "StreamViewType", view)
	b = append(b, '}')
	b = appendField(b, "eventID", r.eventID())
	b = appendField(b, "eventName", r.event)
	b = append(b, `,"eventSource":"aws:dynamodb","eventVersion":"1.1"`...)
	if r.ttl {
		b = append(b, `,"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`...)
	}
	return append(b, '}')
}
