package rule

import (
	"bytes"
	"testing"

	"dynamolake/transform"
	"dynamolake/transform/schema"
)

// FuzzMaskAndFilter masks whatever the decoder takes, and asks filters of it.
func FuzzMaskAndFilter(f *testing.F) {
	for _, image := range []string{
		`{}`, `{"secret":{"S":"x"},"n":{"N":"1.0"}}`, `{"\u0073ecret":{"M":{"in":{"L":[]}}}, "m" : {"M":{"secret":{"S":""},"x":{"NS":["1"]}}}}`,
		`{"l":{"L":[{"M":{"in":{"S":"a"},"out":{"S":"b"}}},{"N":"9e99"},{"NULL":true},{"BS":["AA=="]},{"SS":["\ud800"]}]}}`,
	} {
		f.Add([]byte(image))
	}
	d := compile(f, `
datasets:
  - name: all
    filter: item.exists(k, item[k] == 1 || (type(item[k]) == list && item[k].size() > 3)) || item == {"a":1}
    drop: [secret, m.secret, l.in]
    redact: [r]
    hash: [n, m.x]
`, Options{Salt: []byte("s")}).Datasets[0]
	f.Fuzz(func(t *testing.T, image []byte) {
		if len(image) < 2 || image[0] != '{' {
			return
		}
		text := `{"pk":{"S":"k"},"sk":{"N":"1"}` + map[bool]string{true: "", false: ","}[string(image) == "{}"] + string(image[1:])
		body := `{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{"pk":{"S":"k"},"sk":{"N":"1"}},"NewImage":` + text + `}}],"NextShardIterator":"i"}`
		var page transform.Page
		if err := transform.NewDecoder(testKeys).Decode([]byte(body), &page); err != nil || len(page.Changes) != 1 {
			return
		}
		c := &page.Changes[0]
		_, _ = d.Route(c)
		masked := d.Mask(nil, c.New)
		if _, err := transform.Canonical(c.New); err == nil {
			if _, err := transform.Canonical(masked); err != nil {
				t.Fatalf("%v\n%s\n%s", err, c.New, masked)
			}
		}
		if again := d.Mask(nil, masked); len(again) == 0 {
			t.Fatal("a masked image cannot be masked")
		}
		for name, v := range schema.Attributes(masked) {
			switch text := string(name.Text()); {
			case text == "secret":
				t.Fatalf("secret is still there: %s", masked)
			case text == "r" && string(v) != `{"S":"REDACTED"}`:
				t.Fatalf("r is %s", v)
			case text == "n" && !bytes.HasPrefix(v, []byte(`{"S":"`)):
				t.Fatalf("n is %s", v)
			case (text == "m" || text == "l") && (bytes.Contains(v, []byte(`"M":{"secret"`)) || bytes.HasPrefix(v, []byte(`{"L":[{"M":{"in"`))):
				t.Fatalf("%s is %s", text, v)
			}
		}
	})
}
