package dataset

import (
	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
	"dynamolake/writer"
)

// ruling is the rule of one file writer for one dataset.
type ruling struct {
	rule     *rule.Dataset
	plan     *schema.Plan
	keys     *transform.KeySchema
	source   string
	masks    bool
	append   bool
	required bool

	made []*transform.Change // changes of its own, used again after Begin
	used int
	text []byte            // of masked images
	last *transform.Change // that Admit gave out
}

// newFactory returns nil where the dataset takes everything as it is.
func newFactory(d *schema.Dataset, r *rule.Dataset, plan *schema.Plan, o Options) func() writer.Rule {
	required, computed := false, false
	for i := range d.Columns {
		required = required || d.Columns[i].Required
		computed = computed || d.Columns[i].Expr != nil
	}
	if d.Filter == nil && !d.AppendOnly && !r.Masks() && !required && !computed {
		return nil
	}
	keys := o.Keys
	return func() writer.Rule {
		return &ruling{rule: r, plan: plan, keys: &keys, source: o.Source, masks: r.Masks(), append: d.AppendOnly, required: required}
	}
}

func (r *ruling) Begin() { r.used, r.text = 0, r.text[:0] }

func (r *ruling) Admit(c *transform.Change) (*transform.Change, string) {
	route, err := r.rule.Route(c)
	switch {
	case err != nil:
		return nil, err.Error()
	case route.Fate == rule.Refuse:
		return nil, route.Reason
	case route.Fate == rule.Skip:
		return nil, ""
	case route.Op == c.Op && !r.masks && !(r.append && c.Old != nil):
		r.last = c
		return c, ""
	}
	out := r.copy(c)
	switch {
	case route.Op == c.Op:
	case route.Op == transform.Remove:
		*out = r.keys.Removed(c)
	default:
		out.Op = route.Op
		out.Old = nil // the dataset did not have that
	}
	if r.append {
		out.Old = nil
	}
	if r.masks {
		out.New, out.Old = r.masked(out.New), r.masked(out.Old)
	}
	r.last = out
	return out, ""
}

// copy returns a change that Admit may give out in place of c.
func (r *ruling) copy(c *transform.Change) *transform.Change {
	if r.used == len(r.made) {
		r.made = append(r.made, new(transform.Change))
	}
	out := r.made[r.used]
	*out = *c
	r.used++
	return out
}

func (r *ruling) masked(image []byte) []byte {
	if image == nil {
		return nil
	}
	from := len(r.text)
	r.text = r.rule.Mask(r.text, image)
	return r.text[from:len(r.text):len(r.text)]
}

func (r *ruling) Finish(run *schema.Run, c *transform.Change) string {
	if r.last.New == nil { // a removal has nothing to compute
		return ""
	}
	if err := r.rule.Compute(c, r.source, run); err != nil {
		return err.Error()
	}
	if r.required {
		if i := run.Missing(); i >= 0 {
			return "column " + r.plan.Columns[i].Name + " is required, and the item has nothing for it"
		}
	}
	return ""
}
