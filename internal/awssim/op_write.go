package awssim

import "time"

const maxItemSize = 400 << 10

// A mutation is one item write, checked as far as that needs no item.
type mutation struct {
	op     string // Put, Update, Delete or ConditionCheck
	t      *table
	k      key
	b      *binding
	cond   *expression
	update *expression
	put    item
	onFail bool // return the item when the condition fails
}

// prepare reads a write, alone or in a transaction. Called with the lock.
func (c *Cloud) prepare(op string, in node) (*mutation, error) {
	t, err := c.table(in)
	if err != nil {
		return nil, err
	}
	m := &mutation{op: op, t: t, onFail: in.get("ReturnValuesOnConditionCheckFailure").text() == "ALL_OLD"}
	which := []string{"ConditionExpression"}
	if op == "Update" {
		which = append(which, "UpdateExpression")
	}
	b, exprs, err := c.bind(in, which...)
	if err != nil {
		return nil, err
	}
	m.b, m.cond = b, exprs[0]
	switch op {
	case "Put":
		if m.put, err = parseItem(in.get("Item")); err != nil {
			return nil, err
		}
		if m.k, err = t.keyOf(m.put); err != nil {
			return nil, err
		}
		if m.put.size() > maxItemSize {
			return nil, invalid("Item size has exceeded the maximum allowed size")
		}
		return m, checkItem(m.put)
	case "Update":
		if m.update = exprs[1]; m.update != nil {
			if err := m.update.update.check(b, t.isKey); err != nil {
				return nil, err
			}
		}
	case "ConditionCheck":
		if m.cond == nil {
			return nil, invalid("The expression can not be empty;")
		}
	}
	m.k, err = t.exactKey(in.get("Key"))
	return m, err
}

func checkItem(it item) error {
	for _, a := range it {
		if a.v.depth() > 32 {
			return invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
		}
	}
	return nil
}

// next works out the item after the write; nil is none.
func (m *mutation) next() (old, next item, err error) {
	old = m.t.find(m.k)
	if m.cond != nil && !m.cond.cond.holds(m.b, old) {
		e := &apiError{status: 400, code: "ConditionalCheckFailedException", message: "The conditional request failed"}
		if m.onFail && old != nil {
			e.more = old.append([]byte(`,"Item":`))
		}
		return old, nil, e
	}
	switch m.op {
	case "Put":
		return old, m.put, nil
	case "Delete":
		return old, nil, nil
	case "ConditionCheck":
		return old, old, nil
	}
	next = old
	if next == nil {
		next = m.t.keyItem(m.k)
	}
	if m.update != nil {
		if next, err = m.update.update.apply(m.b, next); err != nil {
			return old, nil, err
		}
	}
	if next.size() > maxItemSize {
		return old, nil, invalid("Item size to update has exceeded the maximum allowed size")
	}
	return old, next, checkItem(next)
}

// commit makes the write real: the item, its stream record, its price.
func (c *Cloud) commit(operation string, m *mutation, old, next item, times int64) int64 {
	units := times * writeUnits(max(old.size(), next.size()))
	c.count("dynamodb", operation, m.t.name).Units += units
	if m.op != "ConditionCheck" {
		c.write(m.t, m.k, old, next, false)
	}
	return units
}

// write stores an item and its stream record; a write that changes nothing has none. While
// the stream is off, only the journal gets one.
func (c *Cloud) write(t *table, k key, old, next item, byTTL bool) {
	if old == nil && next == nil || old != nil && next != nil && equalItems(old, next) {
		return
	}
	t.store(c.cfg.Seed, k, next)
	now := time.Now()
	r := &record{
		event: "MODIFY", keys: t.keyItem(k), old: old, new: next, created: now, ttl: byTTL, kept: t.pitr.on,
		micros: c.stamp(t, change{k: k, old: old, new: next}, now),
	}
	switch {
	case old == nil:
		r.event = "INSERT"
	case next == nil:
		r.event = "REMOVE"
	}
	t.journal = append(t.journal, r)
	if s := t.stream; s != nil {
		c.advance(s, now)
		c.ids++
		sh := s.route(hashKey(c.cfg.Seed, k.hash))
		r.shard, r.seq, r.id = sh.id, c.nextSeq(), mix(c.cfg.Seed, c.ids)
		sh.records = append(sh.records, r)
	}
}

func (c *Cloud) putItem(call *Call) ([]byte, error)    { return c.writeOne("Put", call) }
func (c *Cloud) updateItem(call *Call) ([]byte, error) { return c.writeOne("Update", call) }
func (c *Cloud) deleteItem(call *Call) ([]byte, error) { return c.writeOne("Delete", call) }

func (c *Cloud) writeOne(op string, call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ret := call.in.get("ReturnValues").text()
	if err := checkReturn(op, ret); err != nil {
		return nil, err
	}
	m, err := c.prepare(op, call.in)
	if err != nil {
		return nil, err
	}
	old, next, err := m.next()
	if err != nil {
		c.count("dynamodb", call.Operation, m.t.name).Units += writeUnits(old.size())
		return nil, err
	}
	units := c.commit(call.Operation, m, old, next, 1)
	out := body{'{'}
	switch ret {
	case "ALL_OLD":
		out.item("Attributes", old)
	case "ALL_NEW":
		out.item("Attributes", next)
	case "UPDATED_OLD", "UPDATED_NEW":
		from := next
		if ret == "UPDATED_OLD" {
			from = old
		}
		if m.update != nil {
			if it := project(from, m.update.update.paths(m.b)); len(it) > 0 {
				out.item("Attributes", it)
			}
		}
	}
	if call.in.get("ReturnConsumedCapacity").there() {
		out.consumed(call.in, m.t.name, float64(units))
	}
	return append(out, '}'), nil
}

func checkReturn(op, ret string) error {
	switch {
	case ret == "" || ret == "NONE" || ret == "ALL_OLD":
		return nil
	case op == "Update" && (ret == "ALL_NEW" || ret == "UPDATED_OLD" || ret == "UPDATED_NEW"):
		return nil
	}
	return invalid("Return values set to invalid value")
}
