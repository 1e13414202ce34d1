package verify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Dataset is one of the schema, or one that was.
type Dataset struct {
	Name string `json:"name"`
	// Retired: the schema has it no more. Its files stay, and may stop anywhere.
	Retired    bool  `json:"retired,omitempty"`
	AppendOnly bool  `json:"append_only,omitempty"` // it is no state, so nothing is compared
	Files      int64 `json:"files"`
	Rows       int64 `json:"rows"`
	// Younger: it came when the lake was there, so it lacks what was before Begins, which is
	// zero where it has no change yet.
	Younger bool      `json:"younger,omitempty"`
	Begins  time.Time `json:"begins,omitzero"`
	// Unseeded: the full export that the state begins with is not in it.
	Unseeded bool      `json:"unseeded,omitempty"`
	Compared *Compared `json:"compared,omitempty"`
	// Refusals are the first objects in rejects/ that explain why items differ.
	Refusals []string `json:"refusals,omitempty"`
}

// choose says which datasets are looked at.
func (v *run) choose() error {
	v.current = v.catalog.current()
	if v.Dataset != "" {
		if !slices.Contains(v.current, v.Dataset) {
			return fmt.Errorf("there is no dataset %q: the schema has %s", v.Dataset, strings.Join(v.current, ", "))
		}
		v.current = []string{v.Dataset}
	}
	for _, name := range v.current {
		d := &Dataset{Name: name}
		if s := v.catalog.dataset(v.catalog.latest, name); s != nil {
			d.AppendOnly = s.AppendOnly
		}
		base := v.baseRecord()
		d.Unseeded = base != nil && !v.catalog.has(base.Schema, name)
		v.datasets[name] = d
	}
	return nil
}

// selects tells whether a dataset's files are looked at.
func (v *run) selects(dataset string) bool { return v.Dataset == "" || v.Dataset == dataset }

// baseRecord is that of the full export which the state begins with; nil if there is none.
func (v *run) baseRecord() *Record {
	base := v.ledger.Base()
	for i := range v.records {
		if r := &v.records[i]; base != nil && r.Epoch == base.Number && r.From.IsZero() {
			return r
		}
	}
	return nil
}

// tellDatasets reports the datasets, those of the schema first. A table without a schema has none
// to tell of.
func (v *run) tellDatasets() {
	if v.catalog.latest == 0 {
		return
	}
	for name, first := range younger(v.shards, v.current) {
		d := v.datasets[name]
		if d.Younger = true; first != 0 {
			d.Begins = time.UnixMicro(first).UTC()
		}
	}
	for name, d := range v.datasets {
		for _, r := range v.records {
			if d.Unseeded && !r.From.IsZero() && v.catalog.has(r.Schema, name) && (d.Begins.IsZero() || r.From.Before(d.Begins)) {
				d.Begins = r.From
			}
		}
		d.Younger = d.Younger || d.Unseeded
	}
	rank := func(d *Dataset) int {
		if i := slices.Index(v.current, d.Name); i >= 0 {
			return i
		}
		return len(v.current)
	}
	v.report.Datasets = slices.SortedFunc(maps.Values(v.datasets), func(a, b *Dataset) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	})
}
