package schema

// eachID visits the field ids of a dataset, each in front of those inside it.
func (d *Dataset) eachID(visit func(id *int, of string, line int)) {
	for i := range d.Columns {
		c := &d.Columns[i]
		visit(&c.ID, "column "+c.Name, c.Line)
		c.Type.eachID("column "+c.Name, c.Line, visit)
	}
}

func (t *Type) eachID(of string, line int, visit func(id *int, of string, line int)) {
	if t.Kind == List || t.Kind == Set {
		visit(&t.ElemID, "the element of "+of, line)
		t.Elem.eachID(of, line, visit)
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		visit(&f.ID, "field "+f.Name+" of "+of, line)
		f.Type.eachID("field "+f.Name+" of "+of, line, visit)
	}
}

// Number gives ids to what has none. A column that prev, which may be nil, has under the same name
// and with the same type keeps its id there, whatever its place, and so do its elements and
// fields. An id that was given once, in prev or before it, is never given again:
// LastID remembers.
func (s *Schema) Number(prev *Schema) {
	for i := range s.Datasets {
		d := &s.Datasets[i]
		d.LastID = max(d.LastID, firstFieldID-1)
		d.eachID(func(id *int, _ string, _ int) { d.LastID = max(d.LastID, *id) })
		if prev != nil {
			if old := prev.Dataset(d.Name); old != nil {
				last := old.LastID
				old.eachID(func(id *int, _ string, _ int) { last = max(last, *id) })
				d.LastID = max(d.LastID, last)
				d.inherit(old, last)
			}
		}
		d.eachID(func(id *int, _ string, _ int) {
			if *id == 0 {
				d.LastID++
				*id = d.LastID
			}
		})
	}
}

// inherit takes over the ids of old, whose last one is given. What old does not have under its name and type gets no id that was given
// before, though the file says one: it may be of a version that was shown, and edited.
func (d *Dataset) inherit(old *Dataset, last int) {
	d.eachID(func(id *int, _ string, _ int) {
		if *id <= last {
			*id = 0
		}
	})
	for i := range d.Columns {
		c := &d.Columns[i]
		if o := old.column(c.Name); o != nil && o.Name == c.Name && sameShape(&c.Type, &o.Type) {
			c.ID = o.ID
			inheritType(&c.Type, &o.Type)
		}
	}
}

func inheritType(t, old *Type) {
	if t.Elem != nil {
		t.ElemID = old.ElemID
		inheritType(t.Elem, old.Elem)
	}
	for i := range t.Fields {
		for j := range old.Fields {
			f, o := &t.Fields[i], &old.Fields[j]
			if f.Name == o.Name && sameShape(&f.Type, &o.Type) {
				f.ID = o.ID
				inheritType(&f.Type, &o.Type)
			}
		}
	}
}

// sameShape tells whether two types are one but for the fields of structs.
func sameShape(a, b *Type) bool { return a.String() == b.String() }

// clone copies a schema with all that hangs on it and is ever changed.
func (s *Schema) clone() *Schema {
	c := *s
	c.Datasets = append([]Dataset(nil), s.Datasets...)
	for i := range c.Datasets {
		d := &c.Datasets[i]
		d.Columns = append([]Column(nil), d.Columns...)
		for j := range d.Columns {
			d.Columns[j].Type = d.Columns[j].Type.clone()
		}
	}
	return &c
}

func (t Type) clone() Type {
	if t.Elem != nil {
		e := t.Elem.clone()
		t.Elem = &e
	}
	t.Fields = append([]Field(nil), t.Fields...)
	for i := range t.Fields {
		t.Fields[i].Type = t.Fields[i].Type.clone()
	}
	return t
}
