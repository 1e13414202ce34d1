package transform

// span is a range of bytes; the zero span is none.
type span struct{ from, to int }

// rest tells where the key attributes that columns hold exactly, or for a
// Remove those that they do not, stand in the image.
type rest struct{}

// HasRest tells whether the row has a _rest: always for Insert and Modify; for
// Remove only if a key attribute does not fit its column.
func (c *Change) HasRest() bool { return c.Op != Remove }

// AppendRest appends the row's _rest to dst, or nothing without one.
func (c *Change) AppendRest(dst []byte) []byte { return dst }
