package dataset

import (
	"fmt"

	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// All is the dataset of a table that no schema splits.
const All = "all"

// Options are what a set needs beside a schema.
type Options struct {
	Table    string
	Keys     transform.KeySchema
	OldImage bool         // keep old images, in _old
	Source   string       // of the rows: writer.SourceStream, ...
	Rules    rule.Options // salt, lookups, limits
}

// Set is the datasets of one version of a table's schema. Any number of goroutines may share it.
type Set struct {
	Version int            // 0: there is no schema
	Schema  *schema.Schema // nil: the same
	Parts   []Part
	rules   *rule.Rules
	// filtered tells that every dataset has a filter, so that there may be items that none takes.
	filtered bool
}

// Part is one dataset.
type Part struct {
	Name    string
	Encoder *writer.Encoder
	Plan    *schema.Plan // nil without a schema
}

// Whole is the set of a table without a schema: one dataset, with all but the key in _rest.
func Whole(o Options) *Set {
	return &Set{Parts: []Part{{Name: All, Encoder: writer.NewEncoder(writer.Schema{
		Table: o.Table, Dataset: All, Keys: o.Keys, OldImage: o.OldImage,
	})}}}
}

// Compile makes the set of a schema. An error is [schema.Problems], with the lines of the schema's
// file.
func Compile(s *schema.Schema, o Options) (*Set, error) {
	rules, err := rule.Compile(s, o.Keys, o.Rules)
	if err != nil {
		return nil, err
	}
	set := &Set{Version: s.Version, Schema: s, rules: rules, filtered: s.Unmatched == schema.Reject}
	for i := range s.Datasets {
		d, r := &s.Datasets[i], rules.Datasets[i]
		plan, err := d.Plan(o.Keys)
		if err != nil {
			return nil, err
		}
		set.filtered = set.filtered && d.Filter != nil
		w := writer.Schema{
			Table: o.Table, Dataset: d.Name, Version: s.Version, Keys: o.Keys, Plan: plan,
			OldImage: o.OldImage && !d.AppendOnly,
		}
		if f := newFactory(d, r, plan, o); f != nil {
			w.Rule = f
		}
		set.Parts = append(set.Parts, Part{Name: d.Name, Encoder: writer.NewEncoder(w), Plan: plan})
	}
	return set, nil
}

// Homeless tells why a change belongs to no dataset although its item is to be in one; empty
// for all others.
func (s *Set) Homeless(c *transform.Change) (why string) {
	if !s.filtered || c.Op == transform.Remove {
		return ""
	}
	for _, d := range s.rules.Datasets {
		// One that cannot tell has refused it, and so it is not lost.
		if takes, err := d.Takes(c); err != nil || takes {
			return ""
		}
	}
	return "no dataset takes the item"
}

// RoutesAs tells whether another version sends each change to the same datasets. Of changes that some datasets have
// by one version and others by another, nobody could say that each is where it belongs.
func (s *Set) RoutesAs(other *Set) bool {
	if s.Schema == nil || other.Schema == nil {
		return s.Schema == other.Schema
	}
	return s.Schema.RoutesAs(other.Schema)
}

// Names are those of the datasets.
func (s *Set) Names() (names []string) {
	for _, p := range s.Parts {
		names = append(names, p.Name)
	}
	return names
}

// Part returns the dataset of that name.
func (s *Set) Part(name string) (Part, error) {
	for _, p := range s.Parts {
		if p.Name == name {
			return p, nil
		}
	}
	return Part{}, fmt.Errorf("schema version %d has no dataset %s", s.Version, name)
}
