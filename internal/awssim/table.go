package awssim

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// A table keeps its items by partition key, partitions in hash order as a Scan sees
// them. All of it is under the cloud's lock.
type table struct {
	name, arn, id string
	created       time.Time
	active        time.Time // CREATING before
	hash, sort    keyAttr   // sort.name is "" without one
	indexes       []index
	stream        *stream // nil while disabled
	latestStream  string  // ARN, kept when disabled
	latestLabel   string
	ttl           string // attribute, "" while disabled
	protected     bool
	parts         map[string]*partition
	order         []*partition // by hash; may hold empty ones
	fresh         []*partition // not yet in order
	bytes, count  int
	journal       []*record
	lines         []timeline // at least one; partition keys go to them by hash
	pitr          pitr
}

type keyAttr struct {
	name string
	kind kind
}

// An index is global or local; its items are found by looking at all.
type index struct {
	name       string
	local      bool
	hash, sort keyAttr
	projection string
	include    []string
}

type partition struct {
	hash uint64
	key  value
	rows []item // by sort key
}

// A key is the primary key of one item.
type key struct{ hash, sort value }

func (t *table) isKey(name string) bool {
	return name == t.hash.name || name == t.sort.name && name != ""
}

// keyItem is the key as attributes.
func (t *table) keyItem(k key) item {
	it := item{{t.hash.name, k.hash}}
	if t.sort.name != "" {
		it = it.with(t.sort.name, k.sort)
	}
	return it
}

// keyPart is the key attributes of an item.
func (t *table) keyPart(it item) item {
	var k item
	for _, a := range it {
		if t.isKey(a.name) {
			k = append(k, a)
		}
	}
	return k
}

// keyOf finds the key in a whole item that is to be put.
func (t *table) keyOf(it item) (key, error) {
	var k key
	for _, a := range []struct {
		attr keyAttr
		to   *value
	}{{t.hash, &k.hash}, {t.sort, &k.sort}} {
		if a.attr.name == "" {
			continue
		}
		v, ok := it.get(a.attr.name)
		if !ok {
			return k, invalid("One or more parameter values were invalid: Missing the key %s in the item", a.attr.name)
		}
		if v.t != a.attr.kind {
			return k, invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", a.attr.name, a.attr.kind, v.t)
		}
		*a.to = v
	}
	return k, t.checkKey(k)
}

// exactKey reads a Key parameter, which has the key's attributes and no other.
func (t *table) exactKey(n node) (key, error) {
	it, err := parseItem(n)
	if err != nil {
		return key{}, err
	}
	want := 1
	if t.sort.name != "" {
		want = 2
	}
	h, okHash := it.get(t.hash.name)
	s, okSort := it.get(t.sort.name)
	if len(it) != want || !okHash || h.t != t.hash.kind || want == 2 && (!okSort || s.t != t.sort.kind) {
		return key{}, invalid("The provided key element does not match the schema")
	}
	k := key{hash: h}
	if want == 2 {
		k.sort = s
	}
	return k, t.checkKey(k)
}

func (t *table) checkKey(k key) error {
	for _, a := range []struct {
		attr  keyAttr
		v     value
		limit int
		what  string
	}{
		{t.hash, k.hash, 2048, "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{t.sort, k.sort, 1024, "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
	} {
		if a.attr.name == "" || a.v.t == kindN {
			continue
		}
		if a.v.s == "" {
			word := "string"
			if a.v.t == kindB {
				word = "binary"
			}
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", word, a.attr.name)
		}
		if len(a.v.s) > a.limit {
			return invalid("One or more parameter values were invalid: %s", a.what)
		}
	}
	return nil
}

func (t *table) find(k key) item {
	p := t.parts[k.hash.s]
	if p == nil {
		return nil
	}
	if i, ok := t.row(p, k.sort); ok {
		return p.rows[i]
	}
	return nil
}

func (t *table) row(p *partition, sortKey value) (int, bool) {
	if t.sort.name == "" {
		return 0, len(p.rows) > 0
	}
	i := sort.Search(len(p.rows), func(i int) bool {
		v, _ := p.rows[i].get(t.sort.name)
		return compareScalars(v, sortKey) >= 0
	})
	if i == len(p.rows) {
		return i, false
	}
	v, _ := p.rows[i].get(t.sort.name)
	return i, v.s == sortKey.s
}

// store keeps the item under its key; nil deletes.
func (t *table) store(seed uint64, k key, it item) {
	p := t.parts[k.hash.s]
	if p == nil {
		if it == nil {
			return
		}
		p = &partition{hash: hashKey(seed, k.hash), key: k.hash}
		t.parts[k.hash.s] = p
		t.fresh = append(t.fresh, p)
	}
	i, had := t.row(p, k.sort)
	if had {
		t.bytes -= p.rows[i].size()
		t.count--
	}
	switch {
	case it == nil && had:
		p.rows = slices.Delete(p.rows, i, i+1)
		if len(p.rows) == 0 {
			delete(t.parts, k.hash.s)
		}
	case it != nil && had:
		p.rows[i] = it
	case it != nil:
		p.rows = slices.Insert(p.rows, i, it)
	}
	if it != nil {
		t.bytes += it.size()
		t.count++
	}
}

// sorted is the partitions in hash order, brought up to date.
func (t *table) sorted() []*partition {
	if len(t.fresh) > 0 || len(t.order) > 2*len(t.parts)+16 {
		all := append(t.order, t.fresh...)
		all = slices.DeleteFunc(all, func(p *partition) bool { return len(p.rows) == 0 })
		slices.SortFunc(all, comparePartitions)
		t.order, t.fresh = all, nil
	}
	return t.order
}

func comparePartitions(a, b *partition) int {
	if a.hash != b.hash {
		if a.hash < b.hash {
			return -1
		}
		return 1
	}
	return strings.Compare(a.key.s, b.key.s)
}

// scan visits items in hash order after the given key, until yield says stop.
func (t *table) scan(seed uint64, after *key, yield func(*partition, item) bool) {
	order := t.sorted()
	start := 0
	if after != nil {
		at := &partition{hash: hashKey(seed, after.hash), key: after.hash}
		start = sort.Search(len(order), func(i int) bool { return comparePartitions(order[i], at) >= 0 })
	}
	for i, p := range order[start:] {
		rows := p.rows
		if i == 0 && after != nil && p.key.s == after.hash.s {
			at, found := t.row(p, after.sort)
			if found {
				at++
			}
			rows = rows[at:]
		}
		for _, it := range rows {
			if !yield(p, it) {
				return
			}
		}
	}
}

// hashKey places a partition key in the 64-bit hash range that shards divide.
func hashKey(seed uint64, v value) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(v.s) {
		h = (h ^ uint64(v.s[i])) * 0x100000001b3
	}
	return mix(seed, h)
}

// tableName takes a name or an ARN.
func tableName(s string) string {
	if !strings.HasPrefix(s, "arn:") {
		return s
	}
	return tableOfARN(s)
}

// tableOfARN is the table in the ARN of a table, an index or a stream.
func tableOfARN(arn string) string {
	_, rest, _ := strings.Cut(arn, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func joinUnique(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}
