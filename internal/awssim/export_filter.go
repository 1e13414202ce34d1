package awssim

// An exportFilter is a FilterSpecification: what of the table an export has. Nil takes all.
type exportFilter struct {
	b     *binding
	keys  *reading // selects by key; nil selects all
	where *cond
	paths []path // nil takes whole items
	text  []byte // as it was asked for
}

// The most that the expressions of an export may have of operators and functions.
const mostOperators = 300

// filter reads the FilterSpecification of a request, which outlives the request's body.
func (c *Cloud) filter(in node, t *table) (*exportFilter, error) {
	if !in.there() {
		return nil, nil
	}
	text := in.append(nil)
	in, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	b, exprs, err := c.bind(in, "KeyConditionExpression", "FilterExpression", "ProjectionExpression")
	if err != nil {
		return nil, err
	}
	keys, where, projection := exprs[0], exprs[1], exprs[2]
	if keys == nil && where == nil && projection == nil {
		return nil, invalid("Invalid Request: FilterSpecification must have at least one expression")
	}
	f := &exportFilter{b: b, text: text}
	operators := 0
	if keys != nil {
		operators += keys.cond.operators()
		f.keys = &reading{t: t, ix: index{hash: t.hash, sort: t.sort}, b: b}
		if err := f.keys.setKeys(keys.cond); err != nil {
			return nil, err
		}
	}
	if where != nil {
		f.where = where.cond
		operators += where.cond.operators()
	}
	if keys != nil && where != nil {
		if err := f.keys.apartFrom(where.cond); err != nil {
			return nil, err
		}
	}
	if operators > mostOperators {
		return nil, invalid("Invalid FilterExpression: The expression contains too many operators; operator count: %d", operators)
	}
	if projection != nil {
		f.paths = bindAll(b, projection.paths)
	}
	return f, nil
}

// operators counts those of a condition, functions included.
func (c *cond) operators() int {
	n := 1
	for _, a := range c.args {
		if a.op == 's' {
			n++
		}
	}
	for _, k := range c.kids {
		n += k.operators()
	}
	return n
}

// takes tells whether an item is exported.
func (f *exportFilter) takes(it item) bool {
	if f == nil {
		return true
	}
	if k := f.keys; k != nil {
		hash, _ := it.get(k.ix.hash.name)
		if !equalValues(hash, *k.hash) || k.sort != nil && !k.sort.holds(f.b, it) {
			return false
		}
	}
	return f.where == nil || f.where.holds(f.b, it)
}

// takesChange judges a change by its new image, and a deletion by the old one.
func (f *exportFilter) takesChange(ch change) bool {
	if ch.new == nil {
		return f.takes(ch.old)
	}
	return f.takes(ch.new)
}

// cut leaves of an item what the projection names.
func (f *exportFilter) cut(it item) item {
	if f == nil || f.paths == nil || it == nil {
		return it
	}
	return project(it, f.paths)
}
