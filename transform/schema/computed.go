package schema

import "bytes"

// Parse makes the cell that a scalar column holds of a text: an S's, an N's or a B's
// base64. With a misfit beyond Rounded there is none.
func (t Type) Parse(text []byte) (Cell, Misfit) {
	tag := tag('N')
	switch {
	case t.Kind == Binary:
		tag = 'B'
	case t.Kind == String:
		return Cell{Bytes: text}, Fits
	case t.Form == ISO:
		tag = 'S'
	case t.Kind == Bool || t.Kind >= List:
		return Cell{}, OtherType
	}
	if bytes.ContainsAny(text, "\"\\") {
		return Cell{}, Spelling
	}
	n := node{kind: scalarNode, typ: t, span: leafSpan{to: 1}}
	r := Run{cells: make([][]Cell, 1)}
	quoted := append(append([]byte{'"'}, text...), '"')
	if _, why := r.content(quoted, 0, tag, &n, 0); why > Rounded {
		return Cell{}, why
	}
	return r.cells[0][0], Fits
}
