package ion

import (
	"errors"
	"fmt"

	"github.com/amazon-ion/ion-go/ion"
)

// converter writes what in stands on to out, as JSON.
type converter struct {
	in  ion.Reader
	out []byte
}

// top writes a value of the line: an item, or nothing for the version marker.
func (c *converter) top() error {
	annotations, err := c.in.Annotations()
	switch {
	case err != nil:
		return blameless(err)
	case len(annotations) != 0:
		return errors.New("an annotation in front of the item")
	case c.in.Type() == ion.SymbolType:
		if name, err := c.symbol(); err != nil || name != "$ion_1_0" {
			return errors.New("a symbol that is not the version marker $ion_1_0")
		}
		return nil
	case c.in.Type() != ion.StructType || c.in.IsNull():
		return errors.New("no struct where the item should be")
	}
	c.out = append(c.out, '{')
	if err := c.fields(true); err != nil {
		return err
	}
	c.close('}')
	c.out[len(c.out)-1] = '\n'
	return nil
}

// fields writes what an item's struct has; outer tells that it may be in a Record.
func (c *converter) fields(outer bool) error {
	return c.each(func() error {
		name, err := c.name()
		if err != nil || c.in.IsNull() {
			return err
		}
		inside := func() error { return c.attribute(0) }
		switch name {
		case "Record":
			if !outer {
				return nil
			}
			if c.in.Type() != ion.StructType {
				return errors.New("the Record is no struct")
			}
			return c.fields(false)
		case "Metadata":
			inside = c.metadata
		case "Item", "Keys", "OldImage", "NewImage":
		default:
			return nil
		}
		if c.in.Type() != ion.StructType {
			return fmt.Errorf("%s is no struct", name)
		}
		c.member(name)
		return c.container('{', inside, '}')
	})
}

// metadata writes a field of Metadata, if it is the one that is known.
func (c *converter) metadata() error {
	name, err := c.name()
	if err != nil || name != "WriteTimestampMicros" || c.in.IsNull() {
		return err
	}
	c.member(name)
	return c.value(0)
}

// container writes what a struct or list has, by write.
func (c *converter) container(left byte, write func() error, right byte) error {
	c.out = append(c.out, left)
	if err := c.each(write); err != nil {
		return err
	}
	c.close(right)
	return nil
}

// each calls visit on everything in a struct or list.
func (c *converter) each(visit func() error) error {
	if err := c.in.StepIn(); err != nil {
		return blameless(err)
	}
	for c.in.Next() {
		if err := visit(); err != nil {
			return err
		}
	}
	if err := c.in.Err(); err != nil {
		return blameless(err)
	}
	return blameless(c.in.StepOut())
}

// Whoever writes something into a container puts a comma behind it; close takes the
// last one back.
func (c *converter) close(right byte) {
	if last := len(c.out) - 1; c.out[last] == ',' {
		c.out = c.out[:last]
	}
	c.out = append(c.out, right, ',')
}

func (c *converter) member(name string) {
	c.out = append(appendText(c.out, name), ':')
}

// name is the name of the field.
func (c *converter) name() (string, error) {
	name, err := c.in.FieldName()
	if err != nil || name == nil || name.Text == nil {
		return "", errors.New("a field without a known name")
	}
	return *name.Text, nil
}

// symbol is the text of a symbol.
func (c *converter) symbol() (string, error) {
	s, err := c.in.SymbolValue()
	if err != nil || s == nil || s.Text == nil {
		return "", errors.New("a symbol without a known text")
	}
	return *s.Text, nil
}
