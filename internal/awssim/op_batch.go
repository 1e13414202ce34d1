package awssim

import (
	"errors"
	"maps"
	"time"
)

// A transaction is remembered by its token, so that a repeated request is answered
// and not applied again.
type transaction struct {
	at   time.Time
	in   string
	body []byte
}

const tokenLife = 10 * time.Minute

func (c *Cloud) batchWriteItem(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*mutation
	for _, f := range call.in.get("RequestItems").fields() {
		for _, r := range f.node.items() {
			op, in := "Put", r.get("PutRequest")
			if !in.there() {
				op, in = "Delete", r.get("DeleteRequest")
			}
			in.obj = append(in.obj, field{"TableName", node{kind: '"', str: f.name}})
			m, err := c.prepare(op, in)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	if len(all) == 0 || len(all) > 25 {
		return nil, invalid("1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
	}
	if twice(all) {
		return nil, invalid("Provided list of item keys contains duplicates")
	}
	for _, m := range all {
		old, next, err := m.next()
		if err != nil {
			return nil, err
		}
		c.commit(call.Operation, m, old, next, 1)
	}
	return []byte(`{"UnprocessedItems":{}}`), nil
}

func twice(all []*mutation) bool {
	type id struct {
		t *table
		h string
		s string
	}
	seen := map[id]bool{}
	for _, m := range all {
		k := id{m.t, m.k.hash.s, m.k.sort.s}
		if seen[k] {
			return true
		}
		seen[k] = true
	}
	return false
}

func (c *Cloud) batchGetItem(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := body{'{'}
	out.name("Responses")
	out = append(out, '{')
	var rest []byte
	size, total := 0, 0
	for i, f := range call.in.get("RequestItems").fields() {
		in := f.node
		in.obj = append(in.obj, field{"TableName", node{kind: '"', str: f.name}})
		t, err := c.table(in)
		if err != nil {
			return nil, err
		}
		b, exprs, err := c.bind(in, "ProjectionExpression")
		if err != nil {
			return nil, err
		}
		var found []item
		var left []item
		seen := map[string]bool{}
		for _, n := range in.get("Keys").items() {
			k, err := t.exactKey(n)
			if err != nil {
				return nil, err
			}
			ki := t.keyItem(k)
			if seen[ki.String()] {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			seen[ki.String()] = true
			if total++; total > 100 {
				return nil, invalid("Too many items requested for the BatchGetItem call")
			}
			if size > 16*maxPageBytes {
				left = append(left, ki)
				continue
			}
			it := t.find(k)
			c.count("dynamodb", call.Operation, t.name).Units += int64(max(1, readUnits(it.size(), in.get("ConsistentRead").isTrue())))
			if it == nil {
				continue
			}
			size += it.size()
			if exprs[0] != nil {
				it = project(it, bindAll(b, exprs[0].paths))
			}
			found = append(found, it)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = appendString(out, f.name)
		out = append(out, ":["...)
		for j, it := range found {
			if j > 0 {
				out = append(out, ',')
			}
			out = it.append(out)
		}
		out = append(out, ']')
		if left != nil {
			if rest != nil {
				rest = append(rest, ',')
			}
			keys := body{'{'}
			keys.items("Keys", left)
			rest = append(appendString(rest, f.name), ':')
			rest = append(append(rest, keys...), '}')
		}
	}
	out = append(out, `},"UnprocessedKeys":{`...)
	out = append(out, rest...)
	return append(out, "}}"...), nil
}

func (c *Cloud) transactWriteItems(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	token := call.in.get("ClientRequestToken").text()
	if done, ok := c.tokens[token]; ok && token != "" && time.Since(done.at) < tokenLife {
		if done.in != string(call.in.append(nil)) {
			return nil, fail(400, "IdempotentParameterMismatchException", "The request uses the same client token as a previous, but non-identical request.")
		}
		return done.body, nil
	}
	var all []*mutation
	for _, entry := range call.in.get("TransactItems").items() {
		for _, f := range entry.fields() {
			m, err := c.prepare(f.name, f.node)
			if err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	if len(all) == 0 || len(all) > 100 {
		return nil, invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")
	}
	if twice(all) {
		return nil, invalid("Transaction request cannot include multiple operations on one item")
	}
	type effect struct{ old, next item }
	effects := make([]effect, len(all))
	reasons := make([]*apiError, len(all))
	cancelled := false
	for i, m := range all {
		old, next, err := m.next()
		effects[i] = effect{old, next}
		if err != nil {
			cancelled = true
			if !errors.As(err, &reasons[i]) {
				return nil, err
			}
		}
	}
	if cancelled {
		return nil, cancellation(reasons)
	}
	for i, m := range all {
		c.commit(call.Operation, m, effects[i].old, effects[i].next, 2)
	}
	if token != "" {
		maps.DeleteFunc(c.tokens, func(_ string, done transaction) bool { return time.Since(done.at) >= tokenLife })
		c.tokens[token] = transaction{at: time.Now(), in: string(call.in.append(nil)), body: []byte("{}")}
	}
	return []byte("{}"), nil
}

func cancellation(reasons []*apiError) error {
	e := &apiError{status: 400, code: "TransactionCanceledException", message: "Transaction cancelled, please refer cancellation reasons for specific reasons ["}
	more := []byte(`,"CancellationReasons":[`)
	for i, r := range reasons {
		code := "None"
		if i > 0 {
			e.message += ", "
			more = append(more, ',')
		}
		if r != nil {
			code = map[string]string{"ConditionalCheckFailedException": "ConditionalCheckFailed", "ValidationException": "ValidationError"}[r.code]
		}
		e.message += code
		more = append(more, `{"Code":"`+code+`"`...)
		if r != nil {
			more = appendField(more, "Message", r.message)
			more = append(more, r.more...)
		}
		more = append(more, '}')
	}
	e.message += "]"
	e.more = append(more, ']')
	return e
}
