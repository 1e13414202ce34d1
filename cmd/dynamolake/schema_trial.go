package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"dynamolake/bootstrap"
	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

// trial is a schema that items are tried on, as a conversion of an export would treat them, without a file.
type trial struct {
	parts    []trialPart
	homeless int64 // items that no dataset takes
}

// trialPart is what becomes of items in one dataset.
type trialPart struct {
	rule    writer.Rule // nil: everything is taken as it is
	run     *schema.Run
	tally   *schema.Tally
	refused map[string]int64 // by reason
}

func newTrial(s *schema.Schema, table bootstrap.Table, rules rule.Options) (*trial, error) {
	set, err := dataset.Compile(s, dataset.Options{Table: table.Name, Keys: table.Keys, Source: writer.SourceFull, Rules: rules})
	if err != nil {
		return nil, err
	}
	t := new(trial)
	for _, p := range set.Parts {
		t.parts = append(t.parts, trialPart{p.Encoder.NewRule(), p.Plan.NewRun(), p.Plan.NewTally(), map[string]int64{}})
	}
	return t, nil
}

func (t *trial) take(c *transform.Change) {
	home := false
	for i := range t.parts {
		before := t.parts[i].tally.Rows
		why := t.parts[i].take(c)
		if why != "" {
			t.parts[i].refused[why]++
		}
		home = home || why != "" || t.parts[i].tally.Rows > before
	}
	if !home {
		t.homeless++
	}
}

// take says why an item is refused; empty if it is not, or has no place here.
func (p *trialPart) take(c *transform.Change) (why string) {
	out := c
	if p.rule != nil {
		p.rule.Begin()
		if out, why = p.rule.Admit(c); out == nil {
			return why
		}
	}
	p.run.Reset()
	p.run.Shred(out.New, out.Hash.Exact, out.Range.Exact)
	if p.rule != nil {
		if why = p.rule.Finish(p.run, c); why != "" {
			return why
		}
	}
	p.tally.Add(p.run, 0)
	return ""
}

// print shows it all. It is an error if items would be rejects.
func (t *trial) print(out io.Writer, s *schema.Schema) error {
	rejects := int64(0)
	if s.Unmatched == schema.Reject {
		rejects = t.homeless
	}
	for i, p := range t.parts {
		d := &s.Datasets[i]
		n := int64(0)
		for _, count := range p.refused {
			n += count
		}
		rejects += n
		fmt.Fprintf(out, "\ndataset %s: %d rows, %d refused\n", d.Name, p.tally.Rows, n)
		reasons := slices.SortedFunc(maps.Keys(p.refused), func(a, b string) int {
			return cmp.Or(cmp.Compare(p.refused[b], p.refused[a]), cmp.Compare(a, b))
		})
		for _, why := range reasons {
			fmt.Fprintf(out, "  %d refused: %s\n", p.refused[why], why)
		}
		if err := printColumns(out, d, p.tally); err != nil {
			return err
		}
	}
	switch {
	case t.homeless > 0 && s.Unmatched == schema.Drop:
		fmt.Fprintf(out, "\n%d items are in no dataset, and are dropped\n", t.homeless)
	case t.homeless > 0:
		fmt.Fprintf(out, "\n%d items are in no dataset, and become rejects; \"unmatched: drop\" lets them go\n", t.homeless)
	}
	if rejects > 0 {
		return fmt.Errorf("%d rejects: what no dataset takes, and what one refuses, goes to rejects/", rejects)
	}
	return nil
}
