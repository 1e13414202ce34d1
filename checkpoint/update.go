package checkpoint

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// update is one conditional UpdateItem.
type update struct {
	set    item     // attribute -> value
	add    item     // attribute -> number
	remove []string // attributes
	where  []string // conditions, all of which must hold
	args   item     // values of the conditions, by placeholder
}

// expressions renders it, the same text for the same attributes. Attributes go by
// placeholders: some are, or may become, reserved words.
func (u update) expressions() (expr, cond string, names map[string]string, values item) {
	names, values = map[string]string{}, item{}
	name := func(attr string) string {
		names["#"+attr] = attr
		return "#" + attr
	}
	var b strings.Builder
	clause := func(word string, parts []string) {
		if len(parts) > 0 {
			b.WriteString(word + strings.Join(parts, ", "))
		}
	}
	assign := func(of item, between string) (parts []string) {
		for _, attr := range slices.Sorted(maps.Keys(of)) {
			values[":"+attr] = of[attr]
			parts = append(parts, name(attr)+between+":"+attr)
		}
		return parts
	}
	clause("SET ", assign(u.set, " = "))
	clause(" ADD ", assign(u.add, " "))
	var removed []string
	for _, attr := range u.remove {
		removed = append(removed, name(attr))
	}
	clause(" REMOVE ", removed)
	for _, w := range u.where {
		for _, word := range strings.FieldsFunc(w, func(r rune) bool { return strings.ContainsRune(" ()=<>", r) }) {
			if attr, ok := strings.CutPrefix(word, "#"); ok {
				name(attr)
			}
		}
	}
	for k, v := range u.args {
		values[k] = v
	}
	return strings.TrimSpace(b.String()), strings.Join(u.where, " AND "), names, values
}

// one is what a counter is raised by.
func one() types.AttributeValue { return num(1) }
