package rule

import (
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"dynamolake/transform"
)

// Route is what a dataset gets of a change.
type Route struct {
	Fate Fate
	Op   transform.Op // of the row; its image is the change's, or none for a Remove
	// Takes tells whether the dataset takes the new image. If none does, the
	// schema's Unmatched says what becomes of an item; a removal is never unmatched.
	Takes  bool
	Reason string // of a Refuse; holds no item content
}

// Route says what the dataset gets of a change. An error is a [Failure]: the record is a
// reject.
func (d *Dataset) Route(c *transform.Change) (Route, error) {
	now, err := d.now(c)
	if err != nil {
		return Route{}, err
	}
	old, err := d.before(c, now)
	if err != nil {
		return Route{}, err
	}
	op, write := Decide(c.Op, old, now)
	r := Route{Op: op, Takes: now == Yes}
	if !write {
		return r, nil
	}
	r.Fate = Write
	if d.append {
		if r.Fate = Append(op, d.deletes); r.Fate == Refuse {
			r.Reason = "dataset " + d.Name + " is append-only, and this is an update"
		}
	}
	return r, nil
}

// Route says what each dataset gets of a change, in dst, which it returns. Not taken: the
// change has an item, and no dataset takes it. What then happens is Unmatched's.
func (r *Rules) Route(dst []Route, c *transform.Change) (routes []Route, taken bool, err error) {
	dst, taken = dst[:0], c.Op == transform.Remove
	for _, d := range r.Datasets {
		route, err := d.Route(c)
		if err != nil {
			return nil, false, err
		}
		dst, taken = append(dst, route), taken || route.Takes
	}
	return dst, taken, nil
}

// Takes tells whether the dataset is to hold the item as a change leaves it. An error is a [Failure].
func (d *Dataset) Takes(c *transform.Change) (bool, error) {
	now, err := d.now(c)
	return now == Yes, err
}

// now is whether the dataset takes the new image.
func (d *Dataset) now(c *transform.Change) (Match, error) {
	switch {
	case c.Op == transform.Remove:
		return No, nil
	case d.filter == nil:
		return Yes, nil
	}
	return d.match(c, c.New)
}

// before is whether the dataset held the item before.
func (d *Dataset) before(c *transform.Change, now Match) (Match, error) {
	switch {
	case c.Op == transform.Insert || c.Op == transform.Snapshot:
		return No, nil
	case d.filter == nil:
		return Yes, nil
	case d.filter.names["item"].within(d.keys):
		// The key never changes, so neither does the answer.
		if c.Op == transform.Modify {
			return now, nil
		}
		return d.match(c, c.Keys)
	case c.Old == nil:
		return Unknown, nil
	}
	// Where the filter fails on it, that item was refused, but the one before it may be there.
	old, err := d.match(c, c.Old)
	if err != nil {
		return Unknown, nil //nolint:nilerr // see above
	}
	return old, nil
}

// match asks the filter of an image.
func (d *Dataset) match(c *transform.Change, image []byte) (Match, error) {
	v, err := d.filter.eval(&variables{change: c, item: object{raw: image}, keys: d.keyObject(c)})
	if err != nil {
		return Unknown, err
	}
	yes, ok := v.(types.Bool)
	switch {
	case !ok:
		return Unknown, d.filter.failure("gives no bool")
	case bool(yes):
		return Yes, nil
	}
	return No, nil
}

// keyObject is the key: from Keys, or from the item of a full export, which has none.
func (d *Dataset) keyObject(c *transform.Change) object {
	if c.Keys != nil {
		return object{raw: c.Keys}
	}
	return object{raw: c.New, only: d.keys}
}

// variables are what an expression sees.
type variables struct {
	change          *transform.Change
	item, old, keys object
	source          string
}

func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "item":
		return &v.item, true
	case "old":
		return &v.old, true
	case "keys":
		return &v.keys, true
	case "op":
		return types.String(v.change.Op.String()), true
	case "ts":
		return types.Timestamp{Time: time.UnixMicro(v.change.Created).UTC()}, true
	case "source":
		return types.String(v.source), true
	}
	return nil, false
}

func (v *variables) Parent() interpreter.Activation { return nil }
