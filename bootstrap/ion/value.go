package ion

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/amazon-ion/ion-go/ion"
)

// maxDepth is how deep L and M may nest. DynamoDB stops at 32; the rest is room
// for the day it does not.
const maxDepth = 64

// attribute writes a field of a struct as an attribute; depth is how many M and L
// are around it.
func (c *converter) attribute(depth int) error {
	name, err := c.name()
	if err != nil {
		return err
	}
	c.member(name)
	return c.value(depth)
}

// value writes a typed value, as {"S":"text"}.
func (c *converter) value(depth int) error {
	tag, err := c.tag()
	if err != nil {
		return err
	}
	if (tag == "L" || tag == "M") && depth == maxDepth {
		return errors.New("nested too deep")
	}
	c.out = append(c.out, `{"`...)
	c.out = append(c.out, tag...)
	c.out = append(c.out, `":`...)
	switch tag {
	case "NULL":
		c.out = append(c.out, "true"...)
	case "L":
		err = c.container('[', func() error { return c.value(depth + 1) }, ']')
	case "M":
		err = c.container('{', func() error { return c.attribute(depth + 1) }, '}')
	case "SS", "NS", "BS":
		err = c.container('[', func() error { return c.element(tag[:1]) }, ']')
	default:
		err = c.scalar(tag)
	}
	if err != nil {
		return err
	}
	c.close('}')
	return nil
}

// tag tells which attribute type the value has.
func (c *converter) tag() (string, error) {
	kind := c.in.Type()
	annotations, err := c.in.Annotations()
	if err != nil {
		return "", blameless(err)
	}
	if len(annotations) != 0 {
		if text := annotations[0].Text; text != nil && len(annotations) == 1 && kind == ion.ListType && !c.in.IsNull() {
			switch *text {
			case "$dynamodb_SS", "$dynamodb_NS", "$dynamodb_BS":
				return (*text)[len("$dynamodb_"):], nil
			}
		}
		return "", fmt.Errorf("an annotation that a %s does not have", kind)
	}
	if kind != ion.NullType && c.in.IsNull() {
		return "", fmt.Errorf("a null of type %s", kind)
	}
	switch kind {
	case ion.NullType:
		return "NULL", nil
	case ion.BoolType:
		return "BOOL", nil
	case ion.IntType, ion.DecimalType, ion.FloatType:
		return "N", nil
	case ion.StringType, ion.SymbolType:
		return "S", nil
	case ion.BlobType:
		return "B", nil
	case ion.ListType:
		return "L", nil
	case ion.StructType:
		return "M", nil
	}
	return "", fmt.Errorf("a %s, which is no attribute value", kind)
}

// element writes an element of a set of tag.
func (c *converter) element(tag string) error {
	switch has, err := c.tag(); {
	case err != nil:
		return err
	case has != tag:
		return fmt.Errorf("a value of type %s in a set of type %sS", has, tag)
	}
	if err := c.scalar(tag); err != nil {
		return err
	}
	c.out = append(c.out, ',')
	return nil
}

// scalar writes the content of a scalar that is not null.
func (c *converter) scalar(tag string) error {
	switch tag {
	case "BOOL":
		b, err := c.in.BoolValue()
		if err != nil {
			return err
		}
		c.out = strconv.AppendBool(c.out, *b)
	case "N":
		return c.number()
	case "S":
		text, err := c.text()
		if err != nil {
			return err
		}
		c.out = appendText(c.out, text)
	case "B":
		data, err := c.in.ByteValue()
		if err != nil {
			return err
		}
		c.out = append(c.out, '"')
		c.out = base64.StdEncoding.AppendEncode(c.out, data)
		c.out = append(c.out, '"')
	}
	return nil
}

// text is the text of a string or symbol.
func (c *converter) text() (string, error) {
	if c.in.Type() == ion.SymbolType {
		return c.symbol()
	}
	s, err := c.in.StringValue()
	if err != nil {
		return "", blameless(err)
	}
	return *s, nil
}

// number writes a number in the form that DynamoDB writes, as a string.
func (c *converter) number() error {
	c.out = append(c.out, '"')
	switch c.in.Type() {
	case ion.IntType:
		n, err := c.in.BigIntValue()
		if err != nil {
			return err
		}
		c.out = appendNumber(c.out, n.String(), 0)
	case ion.DecimalType:
		d, err := c.in.DecimalValue()
		if err != nil {
			return err
		}
		n, exponent := d.CoEx()
		c.out = appendNumber(c.out, n.String(), int(exponent))
	case ion.FloatType:
		f, err := c.in.FloatValue()
		if err != nil {
			return err
		}
		if math.IsNaN(*f) || math.IsInf(*f, 0) {
			return errors.New("a float that is no number")
		}
		c.out = appendFloat(c.out, *f)
	}
	c.out = append(c.out, '"')
	return nil
}
