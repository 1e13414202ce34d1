package transform

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// RebuildItem puts an item together again from a row: the values of the key
// columns and _rest (nil where that is null). A column's value is a KeyValue:
// Exact false for null, Bytes for S and B, Dec for N. It returns the item in the
// form of [Canonical]; for a Remove the item is only the key.
//
// An attribute that is both in its column and in _rest, or in neither, is an error.
func RebuildItem(keys KeySchema, hash, rng KeyValue, rest []byte) ([]byte, error) {
	item := attrs{}
	if len(rest) > 0 {
		var err error
		if item, err = readItem(rest); err != nil {
			return nil, fmt.Errorf("rebuild an item: _rest: %w", err)
		}
	}
	err := item.putKey(keys.Hash, hash)
	if err == nil && keys.HasRange() {
		err = item.putKey(keys.Range, rng)
	}
	if err != nil {
		return nil, fmt.Errorf("rebuild an item: %w", err)
	}
	return item.appendTo(nil), nil
}

// RebuildKey puts together only the key. rest may be _rest or the whole item; it is read
// only where a column does not hold its attribute.
func RebuildKey(keys KeySchema, hash, rng KeyValue, rest []byte) ([]byte, error) {
	key := attrs{}
	put := func(attr KeyAttr, v KeyValue) error {
		if !v.Exact && len(rest) > 0 {
			all, err := readItem(rest)
			if err != nil {
				return fmt.Errorf("_rest: %w", err)
			}
			if name := `"` + quoteText(attr.Name) + `"`; all[name] != nil {
				key[name] = all[name]
			}
		}
		return key.putKey(attr, v)
	}
	err := put(keys.Hash, hash)
	if err == nil && keys.HasRange() {
		err = put(keys.Range, rng)
	}
	if err != nil {
		return nil, fmt.Errorf("rebuild a key: %w", err)
	}
	return key.appendTo(nil), nil
}

// putKey adds a key attribute from its column.
func (a attrs) putKey(attr KeyAttr, v KeyValue) error {
	name := `"` + quoteText(attr.Name) + `"`
	inRest, ok := a[name]
	tag := `{"` + string(rune(attr.Type)) + `":"`
	switch {
	case ok && v.Exact:
		return errors.New("a key attribute is both in its column and in _rest")
	case ok && len(inRest) > len(tag) && string(inRest[:len(tag)]) == tag:
		return nil
	case ok:
		return errors.New("a key attribute in _rest has another type than the table's key")
	case !v.Exact:
		return errors.New("a key attribute is neither in its column nor in _rest")
	}
	var text string
	switch attr.Type {
	case 'S':
		text = quoteText(string(v.Bytes))
	case 'N':
		text = FormatDecimal(v.Dec)
	case 'B':
		text = base64.StdEncoding.EncodeToString(v.Bytes)
	}
	a[name] = []byte(tag + text + `"}`)
	return nil
}
