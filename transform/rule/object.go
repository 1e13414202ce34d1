package rule

import (
	"reflect"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"dynamolake/transform/schema"
)

// object is an image, or a map inside one, as CEL sees it. It reads the raw text when it is asked,
// and makes values only of what is asked for.
type object struct {
	raw    []byte   // DynamoDB JSON of attributes; nil is empty
	only   []string // if not nil, there is nothing but these
	want   []string // what an expression names: found together, in one pass
	got    []schema.Value
	finds  int
	index  map[string]schema.Value
	cached map[string]ref.Val
}

// fewFinds is how often an object is searched before it makes an index.
const fewFinds = 8

var _ traits.Mapper = (*object)(nil)

func (o *object) shows(name []byte) bool {
	return o.only == nil || slices.Contains(o.only, string(name))
}

// find returns the raw value of an attribute, nil if there is none.
func (o *object) find(name string) schema.Value {
	if i := slices.Index(o.want, name); i >= 0 && o.only == nil {
		if o.got == nil {
			o.scan()
		}
		return o.got[i]
	}
	if o.finds++; o.finds <= fewFinds && o.index == nil {
		if o.raw == nil {
			return nil
		}
		for n, v := range schema.Attributes(o.raw) {
			if t := n.Text(); string(t) == name && o.shows(t) {
				return v
			}
		}
		return nil
	}
	return o.all()[name]
}

// scan finds what is wanted.
func (o *object) scan() {
	o.got = make([]schema.Value, len(o.want))
	if o.raw == nil {
		return
	}
	for n, v := range schema.Attributes(o.raw) {
		if i := slices.Index(o.want, string(n.Text())); i >= 0 && o.got[i] == nil {
			o.got[i] = v
		}
	}
}

// all is the object's index.
func (o *object) all() map[string]schema.Value {
	if o.index == nil {
		o.index = map[string]schema.Value{}
		if o.raw != nil {
			for n, v := range schema.Attributes(o.raw) {
				t := n.Text()
				if _, twice := o.index[string(t)]; !twice && o.shows(t) {
					o.index[string(t)] = v
				}
			}
		}
	}
	return o.index
}

func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	if v, ok := o.cached[string(name)]; ok {
		return v, true
	}
	raw := o.find(string(name))
	if raw == nil {
		return nil, false
	}
	v := value(raw)
	if o.cached == nil {
		o.cached = map[string]ref.Val{}
	}
	o.cached[string(name)] = v
	return v, true
}

func (o *object) Get(key ref.Val) ref.Val {
	v, ok := o.Find(key)
	switch {
	case ok:
		return v
	case v != nil:
		return v // an error
	}
	return types.NewErr("no such key: %v", key)
}

func (o *object) Contains(key ref.Val) ref.Val {
	_, ok := o.Find(key)
	return types.Bool(ok)
}

func (o *object) Size() ref.Val { return types.Int(len(o.all())) }

// Iterator gives the names, in no order.
func (o *object) Iterator() traits.Iterator { return o.plain().Iterator() }

// plain is the object as one of CEL's own maps.
func (o *object) plain() traits.Mapper {
	m := make(map[ref.Val]ref.Val, len(o.all()))
	for name := range o.all() {
		key := types.String(name)
		m[key], _ = o.Find(key)
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m)
}

func (o *object) Equal(other ref.Val) ref.Val {
	if theirs, ok := other.(*object); ok {
		other = theirs.plain()
	}
	return o.plain().Equal(other)
}

func (o *object) ConvertToNative(t reflect.Type) (any, error) { return o.plain().ConvertToNative(t) }

func (o *object) ConvertToType(t ref.Type) ref.Val { return o.plain().ConvertToType(t) }

func (o *object) Type() ref.Type { return types.MapType }

func (o *object) Value() any { return o }
