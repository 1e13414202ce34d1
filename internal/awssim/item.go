package awssim

import (
	"slices"
	"sort"
	"strings"
)

// An item is its attributes sorted by name; the same type serves maps. Changing
// one means making another.
type item []attr

type attr struct {
	name string
	v    value
}

func parseItem(n node) (item, error) {
	if n.kind != '{' {
		return nil, fail(400, "SerializationException", "a map of attribute values is not an object")
	}
	it := make(item, 0, len(n.obj))
	for _, f := range n.obj {
		v, err := parseValue(f.node)
		if err != nil {
			return nil, err
		}
		if f.name == "" {
			return nil, invalid("Empty attribute name")
		}
		it = append(it, attr{f.name, v})
	}
	slices.SortFunc(it, func(a, b attr) int { return strings.Compare(a.name, b.name) })
	return it, nil
}

func (it item) find(name string) (int, bool) {
	i := sort.Search(len(it), func(i int) bool { return it[i].name >= name })
	return i, i < len(it) && it[i].name == name
}

func (it item) get(name string) (value, bool) {
	if i, ok := it.find(name); ok {
		return it[i].v, true
	}
	return value{}, false
}

// with returns a copy that has the attribute.
func (it item) with(name string, v value) item {
	i, ok := it.find(name)
	out := make(item, 0, len(it)+1)
	out = append(out, it[:i]...)
	out = append(out, attr{name, v})
	if ok {
		i++
	}
	return append(out, it[i:]...)
}

// without returns a copy that lacks the attribute.
func (it item) without(name string) item {
	i, ok := it.find(name)
	if !ok {
		return it
	}
	return slices.Concat(it[:i], it[i+1:])
}

func equalItems(a, b item) bool {
	return slices.EqualFunc(a, b, func(x, y attr) bool { return x.name == y.name && equalValues(x.v, y.v) })
}

func (it item) size() int {
	n := 0
	for _, a := range it {
		n += len(a.name) + a.v.size()
	}
	return n
}

func (it item) append(b []byte) []byte {
	b = append(b, '{')
	for i, a := range it {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, a.name)
		b = append(b, ':')
		b = a.v.append(b)
	}
	return append(b, '}')
}

// String is the canonical DynamoDB JSON.
func (it item) String() string { return string(it.append(nil)) }

// depth is how deep values nest; DynamoDB allows 32.
func (v value) depth() int {
	d := 0
	for _, e := range v.l {
		d = max(d, e.depth())
	}
	for _, a := range v.m {
		d = max(d, a.v.depth())
	}
	return d + 1
}
