package awssim

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// stream finds a stream that can still be read, brought up to date.
func (c *Cloud) stream(arn string, now time.Time) (*stream, error) {
	s := c.streams[arn]
	if s != nil {
		c.advance(s, now)
		if !s.disabled.IsZero() && s.disabled.Before(c.horizon(s, now)) {
			delete(c.streams, arn)
			s = nil
		}
	}
	if s == nil {
		return nil, fail(400, "ResourceNotFoundException", "Requested resource not found: Stream: %s not found", arn)
	}
	return s, nil
}

func (c *Cloud) listStreams(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	table := call.in.get("TableName").text()
	after := call.in.get("ExclusiveStartStreamArn").text()
	limit := call.in.get("Limit").int(100)
	var arns []string
	for arn, s := range c.streams {
		if table == "" || s.table == table {
			arns = append(arns, arn)
		}
	}
	slices.Sort(arns)
	out := []byte(`{"Streams":[`)
	n := 0
	last := ""
	for _, arn := range arns {
		s, err := c.stream(arn, time.Now())
		if err != nil || arn <= after {
			continue
		}
		if n == limit {
			out = append(out, ']')
			out = appendField(out, "LastEvaluatedStreamArn", last)
			return append(out, '}'), nil
		}
		if n > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"StreamArn":`...)
		out = appendString(out, arn)
		out = appendField(out, "TableName", s.table)
		out = appendField(out, "StreamLabel", s.label)
		out = append(out, '}')
		last = arn
		n++
	}
	return append(out, "]}"...), nil
}

func (c *Cloud) describeStream(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.stream(call.in.get("StreamArn").text(), time.Now())
	if err != nil {
		return nil, err
	}
	limit := call.in.get("Limit").int(100)
	if limit < 1 || limit > 100 {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100", limit)
	}
	list := s.order
	after := call.in.get("ExclusiveStartShardId").text()
	if f := call.in.get("ShardFilter"); f.there() {
		if f.get("Type").text() != "CHILD_SHARDS" || f.get("ShardId").text() == "" {
			return nil, invalid("ShardFilter needs Type CHILD_SHARDS and a ShardId")
		}
		list = nil
		for _, sh := range s.children[f.get("ShardId").text()] {
			if s.byID[sh.id] != nil {
				list = append(list, sh)
			}
		}
		slices.SortFunc(list, func(a, b *shard) int { return strings.Compare(a.id, b.id) })
	}
	list = list[sort.Search(len(list), func(i int) bool { return list[i].id > after }):]
	status := "ENABLED"
	if !s.disabled.IsZero() {
		status = "DISABLED"
	}
	b := append([]byte(`{"StreamDescription":{"StreamArn":`), appendString(nil, s.arn)...)
	b = appendField(b, "StreamLabel", s.label)
	b = appendField(b, "StreamStatus", status)
	b = appendField(b, "StreamViewType", s.view)
	b = appendField(b, "TableName", s.table)
	b = append(b, `,"CreationRequestDateTime":`...)
	b = appendTime(b, s.created)
	b = append(b, `,"KeySchema":`...)
	b = appendKeySchema(b, s.hash, s.sort)
	b = append(b, `,"Shards":[`...)
	shown := 0
	for i, sh := range list[:min(limit, len(list))] {
		if s.hidden[sh.id] > 0 {
			s.hidden[sh.id]--
			continue
		}
		if shown > 0 {
			b = append(b, ',')
		}
		shown++
		b = append(b, `{"ShardId":`...)
		b = appendString(b, list[i].id)
		b = append(b, `,"SequenceNumberRange":{"StartingSequenceNumber":`...)
		b = appendString(b, sh.start.String())
		if s.shownOpen[sh.id] > 0 {
			s.shownOpen[sh.id]--
		} else if !sh.closed.IsZero() {
			b = appendField(b, "EndingSequenceNumber", sh.end.String())
		}
		b = append(b, '}')
		if sh.parent != "" {
			b = appendField(b, "ParentShardId", sh.parent)
		}
		b = append(b, '}')
	}
	b = append(b, ']')
	// A full page may be the last: its LastEvaluatedShardId proves nothing, as in AWS.
	if len(list) >= limit {
		b = appendField(b, "LastEvaluatedShardId", list[limit-1].id)
	}
	return append(b, "}}"...), nil
}

func (c *Cloud) getShardIterator(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	s, err := c.stream(call.in.get("StreamArn").text(), now)
	if err != nil {
		return nil, err
	}
	sh := s.byID[call.in.get("ShardId").text()]
	if sh == nil {
		return nil, fail(400, "ResourceNotFoundException", "Requested resource not found: Shard does not exist")
	}
	at, err := c.position(s, sh, call.in, now)
	if err != nil {
		return nil, err
	}
	it := iterator{arn: s.arn, shard: sh.id, at: at, issued: now}
	return append(appendString([]byte(`{"ShardIterator":`), it.String()), '}'), nil
}

// position is the index of the first record that the request asks for.
func (c *Cloud) position(s *stream, sh *shard, in node, now time.Time) (int, error) {
	kept := sh.firstKept(c.horizon(s, now))
	switch how := in.get("ShardIteratorType").text(); how {
	case "TRIM_HORIZON":
		return kept, nil
	case "LATEST":
		return len(sh.records), nil
	case "AT_TIMESTAMP":
		secs, err := strconv.ParseFloat(in.get("Timestamp").text(), 64)
		if err != nil {
			return 0, invalid("AT_TIMESTAMP needs a Timestamp")
		}
		at := time.UnixMilli(int64(math.Round(secs * 1000)))
		if at.After(now) {
			return 0, invalid("Timestamp is in the future")
		}
		i := sort.Search(len(sh.records), func(i int) bool { return !sh.records[i].created.Truncate(time.Second).Before(at) })
		return max(i, kept), nil
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		q, ok := parseSequence(in.get("SequenceNumber").text())
		if !ok || q.less(sh.start) || !sh.closed.IsZero() && sh.end.less(q) {
			return 0, invalid("Invalid SequenceNumber: %q is not of shard %s", in.get("SequenceNumber").text(), sh.id)
		}
		i := sort.Search(len(sh.records), func(i int) bool {
			if how == "AT_SEQUENCE_NUMBER" {
				return !sh.records[i].seq.less(q)
			}
			return q.less(sh.records[i].seq)
		})
		if i < kept {
			return 0, errTrimmed
		}
		return i, nil
	default:
		return 0, invalid("1 validation error detected: Value '%s' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set", how)
	}
}

var errTrimmed = fail(400, "TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard.")
