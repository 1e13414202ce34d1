package verify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
)

// set is a dataset that is compared: of each item of the other side it says what it should hold.
//
// A filter or a mask may change from one version of the schema to the next, and rows that are there stay as
// they are. So the rules have ages, and a row is held against those of its own.
type set struct {
	name  string
	rules []*rule.Dataset // by age; nil: every item, as it is
	ages  []uint16        // by version of the schema
	from  uint16          // the age of the full export that the state begins with
	out   Compared
}

// age of a version, as a footer has it. One that came later than the catalog was read is the latest.
func (s *set) age(version string) uint16 {
	n, err := strconv.Atoi(version)
	if err != nil || n < 0 {
		return 0
	}
	return s.ages[min(n, len(s.ages)-1)]
}

// wanted is what a dataset should hold of an item, by age: the digest of its canonical form, or zero if the
// filter does not take it. Nil: there is no item.
type wanted []digest

// takes tells whether an item is in the dataset as it is now.
func (w wanted) takes() bool { return w != nil && w[len(w)-1] != digest{} }

// agrees tells whether a key's newest row is what the other side has. No row, or a REMOVE, is
// right if the item is not there, or if the dataset did not take it then or later.
func (w wanted) agrees(e entry, known bool, from uint16) bool {
	if known && e.live() {
		return w != nil && e.item != digest{} && w[e.age] == e.item
	}
	if known {
		from = e.age
	}
	return w == nil || slices.Contains(w[from:], digest{})
}

// wants says what the dataset should hold of an item, DynamoDB JSON.
func (s *set) wants(item []byte) (wanted, error) {
	w := make(wanted, len(s.rules))
	for age := range s.rules {
		text, err := s.masked(item, uint16(age))
		if err != nil {
			return nil, err
		}
		if text != nil {
			w[age] = digestOf(text)
		}
	}
	return w, nil
}

// masked is an item as the dataset holds it, canonical; nil if it does not. An item on which the filter
// fails went to rejects/.
func (s *set) masked(item []byte, age uint16) ([]byte, error) {
	if r := s.rules[age]; r != nil {
		takes, err := r.Takes(&transform.Change{Op: transform.Snapshot, New: item})
		if err != nil || !takes {
			return nil, nil //nolint:nilerr // see above
		}
		item = r.Mask(nil, item)
	}
	return transform.Canonical(item)
}

// setOf is the index of a dataset that is compared, or -1.
func (v *run) setOf(dataset string) int {
	return slices.IndexFunc(v.sets, func(s *set) bool { return s.name == dataset })
}

// prepare compiles the rules of the datasets that are to be compared. What the options lack for that is
// an error.
func (v *run) prepare() error {
	if v.AgainstTable == nil && v.AgainstExport == nil {
		return nil
	}
	for _, name := range v.current {
		if d := v.datasets[name]; d.AppendOnly || d.Unseeded {
			continue
		}
		s, last := &set{name: name}, ""
		for n := range v.catalog.latest + 1 {
			d := v.catalog.dataset(n, name)
			if text := rulesText(d); v.catalog.has(n, name) && (text != last || len(s.rules) == 0) {
				r, err := v.compile(d, n)
				if err != nil {
					return err
				}
				s.rules, last = append(s.rules, r), text
			}
			s.ages = append(s.ages, uint16(max(len(s.rules), 1)-1))
		}
		if r := v.baseRecord(); r != nil {
			s.from = s.age(strconv.Itoa(r.Schema))
		}
		v.sets = append(v.sets, s)
	}
	return nil
}

// rulesText is what two versions of a dataset with the same rules have in common; empty: all items as
// they are.
func rulesText(d *schema.Dataset) string {
	if d == nil || d.Filter == nil && len(d.Drop)+len(d.Redact)+len(d.Hash) == 0 {
		return ""
	}
	filter := ""
	if d.Filter != nil {
		filter = d.Filter.Text
	}
	return fmt.Sprintf("%q %q %q %q", filter, d.Drop, d.Redact, d.Hash)
}

// compile makes the rules of a dataset that say what it holds; nil if that is every item as it is.
func (v *run) compile(d *schema.Dataset, version int) (*rule.Dataset, error) {
	if rulesText(d) == "" {
		return nil, nil
	}
	if len(d.Hash) > 0 && len(v.Salt) == 0 {
		return nil, fmt.Errorf("dataset %s cannot be compared without the salt of its hashes: give --hash-salt (DYNAMOLAKE_HASH_SALT), or choose another dataset with --dataset", d.Name)
	}
	one := *d
	one.Columns = nil // the rest says which items, and what of them
	s := &schema.Schema{Unmatched: schema.Drop, Datasets: []schema.Dataset{one}}
	for _, l := range v.catalog.version(version).Lookups {
		if v.Lookups[l.Name] != nil {
			s.Lookups = append(s.Lookups, l)
		} else if d.Filter != nil && strings.Contains(d.Filter.Text, "lookup(") {
			return nil, fmt.Errorf("dataset %s cannot be compared: its filter looks up in %s; give the schema file that names it as --schema, or choose another dataset with --dataset", d.Name, l.File)
		}
	}
	rules, err := rule.Compile(s, v.Keys, rule.Options{Salt: v.Salt, Lookups: v.Lookups})
	if err != nil {
		return nil, fmt.Errorf("dataset %s of schema version %d: %w", d.Name, version, err)
	}
	return rules.Datasets[0], nil
}
