package transform

import "testing"

func TestAKeyIsRebuiltFromItsColumnsOrTheRest(t *testing.T) {
	keys := KeySchema{Hash: KeyAttr{Name: "h", Type: 'S'}, Range: KeyAttr{Name: "r", Type: 'N'}}
	hash := KeyValue{Bytes: []byte("a"), Exact: true}
	none := KeyValue{}
	for _, c := range []struct {
		name      string
		keys      KeySchema
		hash, rng KeyValue
		rest      string
		want      string // empty: an error
	}{
		{"the columns hold it, and the rest is not looked at", KeySchema{Hash: keys.Hash}, hash, none, `no JSON`, `{"h":{"S":"a"}}`},
		{"a number that its column does not hold", keys, hash, none, `{"x":{"S":"y"},"r":{"N":"1.50"}}`, `{"h":{"S":"a"},"r":{"N":"1.5"}}`},
		{"the whole item will do for the rest", keys, hash, none, `{"h":{"S":"a"},"r":{"N":"1.50"},"x":{"S":"y"}}`, `{"h":{"S":"a"},"r":{"N":"1.5"}}`},
		{"an attribute without a name", KeySchema{Hash: KeyAttr{Type: 'S'}}, hash, none, ``, `{"":{"S":"a"}}`},
		{"it is nowhere", keys, hash, none, `{"x":{"S":"y"}}`, ``},
		{"there is no rest", keys, hash, none, ``, ``},
		{"another type than the table's", keys, hash, none, `{"r":{"S":"1"}}`, ``},
		{"a rest that makes no sense", keys, hash, none, `{`, ``},
	} {
		got, err := RebuildKey(c.keys, c.hash, c.rng, []byte(c.rest))
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %s, error %v; want %s", c.name, got, err, c.want)
		}
	}
}
