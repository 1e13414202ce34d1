package bootstrap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/internal/attribute"
	"dynamolake/transform"
)

// Filter is what a snapshot has of the table, in the API's own words: AWS applies it before it exports. It suits no
// lake that is kept: a change that makes an item stop matching would leave no trace.
type Filter struct {
	// Key selects the items of one partition key, and of a part of its sort keys: a KeyConditionExpression. AWS
	// then reads no more than these.
	Key string `json:"key_condition,omitempty"`
	// Items selects items: a FilterExpression. With Key it may not name key attributes.
	Items string `json:"filter,omitempty"`
	// Attributes are those to keep, besides the key, without which there is no row: a ProjectionExpression.
	Attributes string `json:"attributes,omitempty"`
	// Names and Values are what stands for #name and :value in the three. Values are DynamoDB JSON.
	Names  map[string]string `json:"names,omitempty"`
	Values json.RawMessage   `json:"values,omitempty"`
}

// The most that AWS takes of one expression, in bytes.
const mostExpression = 4 << 10

// Check finds what AWS would refuse as far as the words alone show it, and puts the values into their canonical form.
func (f *Filter) Check() error {
	if f.Key == "" && f.Items == "" && f.Attributes == "" {
		return errors.New("nothing to select by: give --filter, --key-condition or --attributes; a copy of the whole table is what bootstrap makes")
	}
	for _, e := range []string{f.Key, f.Items, f.Attributes} {
		if len(e) > mostExpression {
			return fmt.Errorf("an expression of %d bytes: AWS takes %d", len(e), mostExpression)
		}
	}
	all := strings.Join([]string{f.Key, f.Items, f.Attributes}, " ")
	used := placeholders(all)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.Names)) {
		switch {
		case !strings.HasPrefix(name, "#") || f.Names[name] == "":
			errs = append(errs, fmt.Errorf("names: %q: want a #name, and the attribute that it stands for", name))
		case !used[name]:
			errs = append(errs, fmt.Errorf("names: no expression has %s", name))
		}
		delete(used, name)
	}
	if len(f.Values) > 0 {
		values, err := attribute.Parse(f.Values)
		if err != nil {
			return fmt.Errorf("values: want DynamoDB JSON like {\":paid\": {\"S\": \"paid\"}}: %w", err)
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			switch {
			case !strings.HasPrefix(name, ":"):
				errs = append(errs, fmt.Errorf("values: %q: want a name that begins with a colon", name))
			case !used[name]:
				errs = append(errs, fmt.Errorf("values: no expression has %s", name))
			}
			delete(used, name)
		}
		if f.Values, err = transform.Canonical(f.Values); err != nil {
			return err
		}
		if len(values) == 0 {
			f.Values = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		where := "names"
		if name[0] == ':' {
			where = "values"
		}
		errs = append(errs, fmt.Errorf("%s: nothing is said of %s", where, name))
	}
	return errors.Join(errs...)
}

// placeholders are the #names and :values of expressions.
func placeholders(text string) map[string]bool {
	found := map[string]bool{}
	for i := 0; i < len(text); i++ {
		if text[i] != '#' && text[i] != ':' {
			continue
		}
		n := 1
		for i+n < len(text) && wordByte(text[i+n]) {
			n++
		}
		found[text[i:i+n]] = true
		i += n - 1
	}
	return found
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Same tells whether two filters select the same.
func (f *Filter) Same(other *Filter) bool {
	if f == nil || other == nil {
		return f == other
	}
	return bytes.Equal(f.text(), other.text())
}

// text is the same for all who want the same.
func (f *Filter) text() []byte {
	text, _ := json.Marshal(f) // strings, and values that Check has seen
	return text
}

func (f *Filter) String() string {
	var parts []string
	for _, p := range []struct{ what, text string }{{"key", f.Key}, {"where", f.Items}, {"attributes", f.Attributes}} {
		if p.text != "" {
			parts = append(parts, p.what+" "+p.text)
		}
	}
	if len(f.Names) > 0 {
		names, _ := json.Marshal(f.Names)
		parts = append(parts, "names "+string(names))
	}
	if len(f.Values) > 0 {
		parts = append(parts, "values "+string(f.Values))
	}
	return strings.Join(parts, ", ")
}

// specification is what AWS is asked for.
func (f *Filter) specification(keys transform.KeySchema) *types.FilterSpecification {
	names := maps.Clone(f.Names)
	if names == nil {
		names = map[string]string{}
	}
	s := &types.FilterSpecification{KeyConditionExpression: optional(f.Key), FilterExpression: optional(f.Items)}
	if f.Attributes != "" {
		s.ProjectionExpression = aws.String(withKeys(f.Attributes, keys, names))
	}
	if len(names) > 0 {
		s.ExpressionAttributeNames = names
	}
	if len(f.Values) > 0 {
		s.ExpressionAttributeValues, _ = attribute.Parse(f.Values) // Check has seen them
	}
	return s
}

// withKeys is a projection that has the key's attributes too: nowhere does AWS say that it adds them.
func withKeys(projection string, keys transform.KeySchema, names map[string]string) string {
	there := map[string]bool{}
	for path := range strings.SplitSeq(projection, ",") {
		path = strings.TrimSpace(path)
		if name, ok := names[path]; ok {
			path = name
		}
		there[path] = true
	}
	add := func(key, placeholder string) {
		if key == "" || there[key] {
			return
		}
		for names[placeholder] != "" {
			placeholder += "_"
		}
		names[placeholder] = key
		projection += ", " + placeholder
	}
	add(keys.Hash.Name, "#hash")
	add(keys.Range.Name, "#range")
	return projection
}
