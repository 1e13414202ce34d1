package schema

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"
)

// Sample is what a number of items have: which attributes, how often, of which
// types. Show it the images that [Run.Shred] is shown, masked where the dataset
// masks. The zero Sample is ready.
type Sample struct {
	Items   int64
	attrs   map[string]*facts
	tracked int // names, in all objects
}

// How much of wild items a sample remembers.
const (
	mostNamed   = 2000   // names in one object
	mostTracked = 50_000 // names in all
	deepest     = 8      // maps and lists
)

// facts are what is known of an attribute, a map's field, or the elements of a list or
// set.
type facts struct {
	first int64 // the order in which the names of an object were met
	count int64
	tags  map[tag]int64
	plain int64 // values that are plain JSON
	// Of strings: those of each form.
	iso [7]int64 // timestamps, by digits
	day int64
	// Of numbers.
	int64s          int64
	whole, fraction int               // most digits of canonical ones
	odd             int64             // those that are not canonical
	seconds, millis int64             // int64s that could be an epoch of 2001 to 2096
	elems           *facts            // of lists
	members         map[tag]*facts    // of sets, by their tag
	fields          map[string]*facts // of maps
	more            bool              // maps have more names than are tracked
}

// Observe adds an image, which transform's decoder must have passed.
func (s *Sample) Observe(image []byte) {
	s.Items++
	if s.attrs == nil {
		s.attrs = map[string]*facts{}
	}
	s.object(image, 0, s.attrs, 0)
}

// name returns the facts of a name in an object; nil if there are too many names.
func (s *Sample) name(attrs map[string]*facts, name string) *facts {
	f := attrs[name]
	if f == nil && len(attrs) < mostNamed && s.tracked < mostTracked {
		s.tracked++
		f = &facts{first: int64(len(attrs))}
		attrs[name] = f
	}
	return f
}

// object adds the members of an object, and returns the position behind it. There are
// more if not all of its names are tracked.
func (s *Sample) object(b []byte, i int, attrs map[string]*facts, depth int) (end int, more bool) {
	for i = space(b, i+1); b[i] != '}'; {
		nameEnd, escaped := strEnd(b, i+1)
		name, ok := b[i+1:nameEnd], true
		if escaped {
			name, ok = unescape(nil, name)
		}
		var f *facts
		if ok && utf8.Valid(name) && len(name) <= longestName {
			f = s.name(attrs, string(name))
		}
		more = more || f == nil
		i = colon(b, nameEnd+1)
		if f == nil {
			i = valueEnd(b, i)
		} else {
			i = s.value(f, b, i, depth)
		}
		i = next(b, i)
	}
	return i + 1, more
}

// value adds the typed value at i.
func (s *Sample) value(f *facts, b []byte, i, depth int) (end int) {
	t, content := open(b, i)
	end = valueEnd(b, i)
	if t == tagNULL && !bytes.HasPrefix(b[content:], []byte("true")) {
		t = tagNotNULL
	}
	f.note(t)
	if _, _, why := plain(nil, b, i); why == Fits {
		f.plain++
	}
	switch t {
	case 'S', 'N':
		text, _, ok := new(arena).text(b, content)
		f.scalar(t, text, ok)
	case tagSS, tagNS, tagBS:
		for i = space(b, content+1); b[i] != ']'; {
			text, stringEnd, ok := new(arena).text(b, i)
			m := f.set(t)
			m.note(t &^ 0x20)
			m.scalar(t&^0x20, text, ok)
			i = next(b, stringEnd)
		}
	case 'L':
		if depth == deepest {
			break
		}
		for i = space(b, content+1); b[i] != ']'; {
			i = next(b, s.value(f.inside(), b, i, depth+1))
		}
	case 'M':
		if f.fields == nil {
			f.fields = map[string]*facts{}
		}
		if depth == deepest {
			f.more = true
			break
		}
		_, more := s.object(b, content, f.fields, depth+1)
		f.more = f.more || more
	}
	return end
}

func (f *facts) inside() *facts {
	if f.elems == nil {
		f.elems = &facts{}
	}
	return f.elems
}

func (f *facts) set(t tag) *facts {
	if f.members == nil {
		f.members = map[tag]*facts{}
	}
	if f.members[t] == nil {
		f.members[t] = &facts{}
	}
	return f.members[t]
}

func (f *facts) note(t tag) {
	f.count++
	if f.tags == nil {
		f.tags = map[tag]int64{}
	}
	f.tags[t]++
}

// scalar notes what a string or a number looks like.
func (f *facts) scalar(t tag, text []byte, ok bool) {
	switch {
	case t == 'S' && !ok:
		f.odd++
	case t == 'S':
		for _, digits := range []int{0, 3, 6} {
			if _, ok := isoTime(text, digits); ok {
				f.iso[digits]++
			}
		}
		if _, ok := isoDate(text); ok {
			f.day++
		}
	case t == 'N':
		_, whole, fraction, ok := canonical(text)
		if !ok {
			f.odd++
			return
		}
		f.whole, f.fraction = max(f.whole, whole), max(f.fraction, fraction)
		if v, why := int64Of(text); why == Fits {
			f.int64s++
			if v >= 1e9 && v < 4e9 {
				f.seconds++
			}
			if v >= 1e12 && v < 4e12 {
				f.millis++
			}
		}
	}
}

// Merge adds what another sample saw. The order of names is this one's, then the other's.
func (s *Sample) Merge(other *Sample) {
	s.Items += other.Items
	if s.attrs == nil {
		s.attrs = map[string]*facts{}
	}
	s.mergeNames(s.attrs, other.attrs)
}

func (s *Sample) mergeNames(into, from map[string]*facts) (more bool) {
	for _, name := range inOrder(from) {
		if f := s.name(into, name); f != nil {
			s.merge(f, from[name])
		} else {
			more = true
		}
	}
	return more
}

func (s *Sample) merge(f, o *facts) {
	f.count += o.count
	if f.tags == nil {
		f.tags = map[tag]int64{}
	}
	for t, n := range o.tags {
		f.tags[t] += n
	}
	f.plain += o.plain
	for i := range f.iso {
		f.iso[i] += o.iso[i]
	}
	f.day, f.odd, f.int64s = f.day+o.day, f.odd+o.odd, f.int64s+o.int64s
	f.seconds, f.millis = f.seconds+o.seconds, f.millis+o.millis
	f.whole, f.fraction = max(f.whole, o.whole), max(f.fraction, o.fraction)
	if o.elems != nil {
		s.merge(f.inside(), o.elems)
	}
	for t, m := range o.members {
		s.merge(f.set(t), m)
	}
	f.more = f.more || o.more
	if o.fields != nil {
		if f.fields == nil {
			f.fields = map[string]*facts{}
		}
		more := s.mergeNames(f.fields, o.fields)
		f.more = f.more || more
	}
}

// inOrder are the names in the order in which they were met.
func inOrder(attrs map[string]*facts) []string {
	return slices.SortedFunc(maps.Keys(attrs), func(a, b string) int {
		return cmp.Or(cmp.Compare(attrs[a].first, attrs[b].first), cmp.Compare(a, b))
	})
}
