package rule

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// Redacted is the text that stands for what must not be seen.
const Redacted = "REDACTED"

// mask is what to do with an attribute, or with those inside it.
type mask struct {
	action byte // 'd' drop, 'r' redact, 'h' hash; 0: go inside
	inside map[string]*mask
	salt   []byte
}

// newMask returns nil if nothing is masked.
func newMask(d *schema.Dataset, salt []byte) *mask {
	root := &mask{salt: salt}
	put := func(paths []schema.Path, action byte) {
		for _, p := range paths {
			at := root
			for _, name := range p {
				if at.inside == nil {
					at.inside = map[string]*mask{}
				}
				if at.inside[name] == nil {
					at.inside[name] = &mask{salt: salt}
				}
				at = at.inside[name]
			}
			at.action = action
		}
	}
	put(d.Drop, 'd')
	put(d.Redact, 'r')
	put(d.Hash, 'h')
	if root.inside == nil {
		return nil
	}
	return root
}

// Masks tells whether there is anything to mask.
func (d *Dataset) Masks() bool { return d.mask != nil }

// Mask appends an image without what must not be seen in this dataset: of _rest, of columns
// and of an old image alike. What is dropped is gone; what is redacted is the
// string REDACTED, whatever it was; what is hashed is the string of the lower-case hex of
// SHA-256 over the salt and the value: the text of an S, the digits of an N, the bytes of a
// B, the canonical DynamoDB JSON of all else. Paths go through maps, and through the maps in
// lists.
func (d *Dataset) Mask(dst, image []byte) []byte {
	if d.mask == nil {
		return append(dst, image...)
	}
	return d.mask.object(dst, image)
}

func (m *mask) object(dst, object []byte) []byte {
	dst = append(dst, '{')
	empty := true
	for name, value := range schema.Attributes(object) {
		inner := m.inside[string(name.Text())]
		if inner != nil && inner.action == 'd' {
			continue
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		dst = append(dst, '"')
		dst = append(dst, name...)
		dst = append(dst, `":`...)
		dst = inner.value(dst, value)
	}
	return append(dst, '}')
}

// value appends a masked value; a nil mask leaves it as it is.
func (m *mask) value(dst []byte, v schema.Value) []byte {
	if m == nil {
		return append(dst, v...)
	}
	switch m.action {
	case 'r':
		return append(dst, `{"S":"`+Redacted+`"}`...)
	case 'h':
		dst = append(dst, `{"S":"`...)
		dst = hex.AppendEncode(dst, m.hash(v))
		return append(dst, `"}`...)
	}
	switch v.Type() {
	case "M":
		dst = append(dst, `{"M":`...)
		return append(m.object(dst, v.Object()), '}')
	case "L":
		dst = append(dst, `{"L":[`...)
		first := true
		for e := range v.Elements() {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = m.value(dst, e)
		}
		return append(dst, "]}"...)
	}
	return append(dst, v...)
}

func (m *mask) hash(v schema.Value) []byte {
	var of []byte
	switch v.Type() {
	case "S", "N":
		of, _ = v.Text()
	case "B":
		text, _ := v.Text()
		of, _ = base64.StdEncoding.DecodeString(string(text))
	default:
		whole, err := transform.Canonical(append(append([]byte(`{"":`), v...), '}'))
		if err != nil {
			of = v // an attribute twice inside: no canonical form, but nothing to see either
			break
		}
		of = bytes.TrimSuffix(bytes.TrimPrefix(whole, []byte(`{"":`)), []byte("}"))
	}
	h := sha256.New()
	h.Write(m.salt)
	h.Write(of)
	return h.Sum(nil)
}
