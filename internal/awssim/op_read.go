package awssim

import (
	"slices"
	"strings"
)

const maxPageBytes = 1 << 20

func (c *Cloud) getItem(call *Call) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.table(call.in)
	if err != nil {
		return nil, err
	}
	b, exprs, err := c.bind(call.in, "ProjectionExpression")
	if err != nil {
		return nil, err
	}
	k, err := t.exactKey(call.in.get("Key"))
	if err != nil {
		return nil, err
	}
	it := t.find(k)
	units := readUnits(it.size(), call.in.get("ConsistentRead").isTrue())
	c.count("dynamodb", call.Operation, t.name).Units += int64(max(1, units))
	if it != nil && exprs[0] != nil {
		it = project(it, bindAll(b, exprs[0].paths))
	}
	out := body{'{'}
	out.item("Item", it)
	out.consumed(call.in, t.name, units)
	return append(out, '}'), nil
}

func bindAll(b *binding, paths []path) []path {
	out := make([]path, len(paths))
	for i, p := range paths {
		out[i] = p.bind(b)
	}
	return out
}

func (c *Cloud) scan(call *Call) ([]byte, error)  { return c.read(call, false) }
func (c *Cloud) query(call *Call) ([]byte, error) { return c.read(call, true) }

// read is Query and Scan, on the table or on an index.
func (c *Cloud) read(call *Call, isQuery bool) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := call.in
	t, err := c.table(in)
	if err != nil {
		return nil, err
	}
	b, exprs, err := c.bind(in, "FilterExpression", "ProjectionExpression", "KeyConditionExpression")
	if err != nil {
		return nil, err
	}
	filter, projection, keys := exprs[0], exprs[1], exprs[2]
	r := &reading{cloud: c, t: t, ix: index{hash: t.hash, sort: t.sort}, in: in, b: b, reverse: in.get("ScanIndexForward").kind == 'f'}
	if name := in.get("IndexName").text(); name != "" {
		i := slices.IndexFunc(t.indexes, func(ix index) bool { return ix.name == name })
		if i < 0 {
			return nil, invalid("The table does not have the specified index: %s", name)
		}
		r.ix, r.indexed = t.indexes[i], true
	}
	if isQuery {
		if keys == nil {
			return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
		}
		if err := r.setKeys(keys.cond); err != nil {
			return nil, err
		}
		if filter != nil {
			if err := r.apartFrom(filter.cond); err != nil {
				return nil, err
			}
		}
	}
	if err := r.setStart(); err != nil {
		return nil, err
	}
	limit := in.get("Limit").int(0)
	if in.get("Limit").there() && limit < 1 {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", limit)
	}
	var out []item
	var last item
	scanned, count, size := 0, 0, 0
	full := false
	r.each(func(it item) bool {
		scanned++
		size += it.size()
		last = it
		if filter == nil || filter.cond.holds(b, it) {
			count++
			switch {
			case projection != nil:
				it = project(it, bindAll(b, projection.paths))
			case r.indexed:
				it = r.projected(it)
			}
			out = append(out, it)
		}
		full = limit > 0 && scanned == limit || size > maxPageBytes
		return !full
	})
	units := readUnits(size, in.get("ConsistentRead").isTrue())
	c.count("dynamodb", call.Operation, t.name).Units += int64(max(1, units))
	resp := body{'{'}
	if in.get("Select").text() != "COUNT" {
		resp.items("Items", out)
	}
	resp.int("Count", count)
	resp.int("ScannedCount", scanned)
	if full {
		resp.item("LastEvaluatedKey", r.keyOf(last))
	}
	resp.consumed(in, t.name, units)
	return append(resp, '}'), nil
}

// A reading is one page of a Query or a Scan.
type reading struct {
	cloud   *Cloud
	t       *table
	ix      index // the table's own key, or an index
	indexed bool
	in      node
	b       *binding
	reverse bool
	hash    *value // of a query
	sort    *cond  // on the sort key, nil for all
	start   item   // ExclusiveStartKey
	after   *key   // the primary key in it
}

// setKeys takes a key condition apart: equality on the hash key and at most one
// condition on the sort key.
func (r *reading) setKeys(c *cond) error {
	var parts []*cond
	var flatten func(*cond)
	flatten = func(c *cond) {
		if c.op == "and" {
			flatten(c.kids[0])
			flatten(c.kids[1])
			return
		}
		parts = append(parts, c)
	}
	flatten(c)
	for _, p := range parts {
		if len(p.args) == 0 || p.args[0].op != 'p' || !strings.Contains(" = < <= > >= between begins_with ", " "+p.op+" ") {
			return invalid("Invalid operator used in KeyConditionExpression: %s", strings.ToUpper(p.op))
		}
		name := p.args[0].path.bind(r.b)[0].name
		for _, a := range p.args[1:] {
			v, ok := a.get(r.b, nil)
			if want := map[string]kind{r.ix.hash.name: r.ix.hash.kind, r.ix.sort.name: r.ix.sort.kind}[name]; ok && want != "" && v.t != want {
				return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
			}
		}
		switch {
		case name == r.ix.hash.name && p.op == "=" && r.hash == nil:
			v, _ := p.args[1].get(r.b, nil)
			r.hash = &v
		case name == r.ix.sort.name && name != "" && r.sort == nil:
			r.sort = p
		case name == r.ix.hash.name && p.op != "=":
			return invalid("Query key condition not supported")
		case name == r.ix.hash.name || name == r.ix.sort.name:
			return invalid("KeyConditionExpressions must only contain one condition per key")
		default:
			return invalid("Query condition missed key schema element: %s", r.ix.sort.name)
		}
	}
	if r.hash == nil {
		return invalid("Query condition missed key schema element: %s", r.ix.hash.name)
	}
	return nil
}

// apartFrom refuses a filter that looks at the key, which is for the key condition.
func (r *reading) apartFrom(filter *cond) error {
	for _, p := range bindAll(r.b, filter.paths(nil)) {
		if name := p[0].name; name == r.ix.hash.name || name == r.ix.sort.name {
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
	}
	return nil
}

func (r *reading) setStart() error {
	n := r.in.get("ExclusiveStartKey")
	if !n.there() {
		return nil
	}
	it, err := parseItem(n)
	if err != nil {
		return err
	}
	k, err := r.t.keyOf(it)
	if err != nil {
		return invalid("The provided starting key is invalid")
	}
	r.start, r.after = it, &k
	return nil
}

// keyOf is LastEvaluatedKey: the primary key, and that of the index.
func (r *reading) keyOf(it item) item {
	var out item
	for _, name := range []string{r.t.hash.name, r.t.sort.name, r.ix.hash.name, r.ix.sort.name} {
		if v, ok := it.get(name); ok && name != "" {
			out = out.with(name, v)
		}
	}
	return out
}

func (r *reading) projected(it item) item {
	if r.ix.projection == "ALL" || r.ix.projection == "" {
		return it
	}
	out := r.keyOf(it)
	for _, name := range r.ix.include {
		if v, ok := it.get(name); ok {
			out = out.with(name, v)
		}
	}
	return out
}

// each visits the items of the page in order, until yield says stop.
func (r *reading) each(yield func(item) bool) {
	seed := r.cloud.cfg.Seed
	if !r.indexed && r.hash == nil {
		segment, total := r.in.get("Segment").int(0), r.in.get("TotalSegments").int(1)
		r.t.scan(seed, r.after, func(p *partition, it item) bool {
			if total > 1 && int(p.hash>>32*uint64(total)>>32) != segment {
				return true
			}
			return yield(it)
		})
		return
	}
	for _, it := range r.ordered() {
		if !yield(it) {
			return
		}
	}
}

// ordered is what a query selects, after its start, in its direction.
func (r *reading) ordered() []item {
	var all []item
	if !r.indexed {
		if p := r.t.parts[r.hash.s]; p != nil {
			all = p.rows
		}
	} else {
		r.t.scan(r.cloud.cfg.Seed, nil, func(_ *partition, it item) bool {
			h, ok := it.get(r.ix.hash.name)
			if ok && h.t == r.ix.hash.kind && (r.hash == nil || h.s == r.hash.s) {
				if s, ok := it.get(r.ix.sort.name); r.ix.sort.name == "" || ok && s.t == r.ix.sort.kind {
					all = append(all, it)
				}
			}
			return true
		})
		slices.SortFunc(all, r.compare)
	}
	var out []item
	for _, it := range all {
		if r.sort != nil && !r.sort.holds(r.b, it) {
			continue
		}
		if r.start != nil {
			if c := r.compare(it, r.start); c == 0 || c < 0 != r.reverse {
				continue
			}
		}
		out = append(out, it)
	}
	if r.reverse {
		slices.Reverse(out)
	}
	return out
}

// compare orders items as the index keeps them; the primary key breaks ties.
func (r *reading) compare(a, b item) int {
	for _, name := range []string{r.ix.hash.name, r.ix.sort.name, r.t.hash.name, r.t.sort.name} {
		x, _ := a.get(name)
		y, _ := b.get(name)
		if x.t == "" || y.t == "" {
			continue
		}
		if c := compareScalars(x, y); c != 0 {
			return c
		}
	}
	return 0
}
