package awssim

import (
	"slices"
	"strconv"
	"strings"
)

// A path leads into an item; names in it may be placeholders until it is bound.
type path []step

type step struct {
	name  string // "" for an index
	index int
}

func (p *parser) path() (path, error) {
	var out path
	for {
		t := p.next()
		switch t.kind {
		case '#':
			p.names = append(p.names, t.text)
		case 'w':
			if keywords[strings.ToLower(t.text)] {
				p.at--
				return nil, p.syntax()
			}
			if reserved()[strings.ToLower(t.text)] {
				return nil, invalid("Invalid %s: Attribute name is a reserved keyword; reserved keyword: %s", p.which, t.text)
			}
		default:
			p.at--
			return nil, p.syntax()
		}
		out = append(out, step{name: t.text})
		for p.take("[") {
			i, err := strconv.Atoi(p.next().text)
			if err != nil || i < 0 {
				p.at--
				return nil, p.syntax()
			}
			out = append(out, step{index: i})
			if err := p.expect("]"); err != nil {
				return nil, err
			}
		}
		if !p.take(".") {
			return out, nil
		}
	}
}

// bind replaces placeholders; the path is shared, so it is copied when it has any.
func (p path) bind(b *binding) path {
	for i, s := range p {
		if strings.HasPrefix(s.name, "#") {
			out := slices.Clone(p)
			for j := i; j < len(out); j++ {
				if strings.HasPrefix(out[j].name, "#") {
					out[j].name = b.names.get(out[j].name).text()
				}
			}
			return out
		}
	}
	return p
}

func (p path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		if parts[i] = s.name; s.name == "" {
			parts[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (p path) in(it item) (value, bool) {
	v, ok := it.get(p[0].name)
	for _, s := range p[1:] {
		if !ok {
			return value{}, false
		}
		if s.name != "" {
			if v.t != kindMap {
				return value{}, false
			}
			v, ok = v.m.get(s.name)
			continue
		}
		if v.t != kindList || s.index >= len(v.l) {
			return value{}, false
		}
		v = v.l[s.index]
	}
	return v, ok
}

var errBadPath = invalid("The document path provided in the update expression is invalid for update")

// set returns the item with the value at the path; an index past the end of a list appends.
func (p path) set(it item, v value) (item, error) {
	if len(p) == 1 {
		return it.with(p[0].name, v), nil
	}
	inner, ok := it.get(p[0].name)
	if !ok {
		return nil, errBadPath
	}
	changed, err := p[1:].setIn(inner, v)
	if err != nil {
		return nil, err
	}
	return it.with(p[0].name, changed), nil
}

func (p path) setIn(c value, v value) (value, error) {
	if p[0].name != "" {
		if c.t != kindMap {
			return c, errBadPath
		}
		m, err := p.set(c.m, v)
		return value{t: kindMap, m: m}, err
	}
	if c.t != kindList {
		return c, errBadPath
	}
	l := slices.Clone(c.l)
	if p[0].index >= len(l) {
		if len(p) > 1 {
			return c, errBadPath
		}
		return value{t: kindList, l: append(l, v)}, nil
	}
	if len(p) > 1 {
		inner, err := p[1:].setIn(l[p[0].index], v)
		if err != nil {
			return c, err
		}
		v = inner
	}
	l[p[0].index] = v
	return value{t: kindList, l: l}, nil
}

// remove returns the item without what the path leads to.
func (p path) remove(it item) (item, error) {
	if len(p) == 1 {
		return it.without(p[0].name), nil
	}
	inner, ok := it.get(p[0].name)
	if !ok {
		return nil, errBadPath
	}
	changed, err := p[1:].removeIn(inner)
	if err != nil {
		return nil, err
	}
	return it.with(p[0].name, changed), nil
}

func (p path) removeIn(c value) (value, error) {
	if p[0].name != "" {
		if c.t != kindMap {
			return c, errBadPath
		}
		m, err := p.remove(c.m)
		return value{t: kindMap, m: m}, err
	}
	if c.t != kindList {
		return c, errBadPath
	}
	if p[0].index >= len(c.l) {
		return c, nil
	}
	l := slices.Clone(c.l)
	if len(p) == 1 {
		return value{t: kindList, l: slices.Delete(l, p[0].index, p[0].index+1)}, nil
	}
	inner, err := p[1:].removeIn(l[p[0].index])
	if err != nil {
		return c, err
	}
	l[p[0].index] = inner
	return value{t: kindList, l: l}, nil
}

// apart refuses paths of which one is inside another.
func apart(which string, paths []path) error {
	for i, p := range paths {
		for _, q := range paths[:i] {
			if p.overlaps(q) {
				return invalid("Invalid %s: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", which, q, p)
			}
		}
	}
	return nil
}

// overlaps says whether one path is a prefix of the other.
func (p path) overlaps(q path) bool {
	n := min(len(p), len(q))
	return slices.Equal(p[:n], q[:n])
}

// project keeps what the paths lead to, maps and lists around it included.
func project(it item, paths []path) item {
	out := item{}
	for _, a := range it {
		var rest []path
		whole := false
		for _, p := range paths {
			if p[0].name == a.name {
				whole = whole || len(p) == 1
				rest = append(rest, p[1:])
			}
		}
		if whole {
			out = append(out, a)
		} else if v, ok := projectIn(a.v, rest); ok {
			out = append(out, attr{a.name, v})
		}
	}
	return out
}

func projectIn(v value, paths []path) (value, bool) {
	if len(paths) == 0 {
		return v, false
	}
	switch v.t {
	case kindMap:
		var named []path
		for _, p := range paths {
			if p[0].name != "" {
				named = append(named, p)
			}
		}
		m := project(v.m, named)
		return value{t: kindMap, m: m}, len(m) > 0
	case kindList:
		var l []value
		for i, e := range v.l {
			var rest []path
			whole := false
			for _, p := range paths {
				if p[0].name == "" && p[0].index == i {
					whole = whole || len(p) == 1
					rest = append(rest, p[1:])
				}
			}
			if whole {
				l = append(l, e)
			} else if x, ok := projectIn(e, rest); ok {
				l = append(l, x)
			}
		}
		return value{t: kindList, l: l}, len(l) > 0
	}
	return v, false
}
