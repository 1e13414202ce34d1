package transform

import (
	"fmt"
	"strings"
	"testing"
)

// TestExportedItemsComeBack takes items that are awkward on purpose through the
// decoder and back.
func TestExportedItemsComeBack(t *testing.T) {
	keys := KeySchema{Hash: KeyAttr{`a."b"`, 'S'}, Range: KeyAttr{"n", 'N'}}
	const hash = `"a.\"b\"":{"S":"k"}`
	for name, item := range map[string]string{
		"38 digits":                  `{` + hash + `,"n":{"N":"12345678901234567890123456789.012345678"},"x":{"N":"99999999999999999999999999999999999999"}}`,
		"38 digits that do not fit":  `{` + hash + `,"n":{"N":"99999999999999999999999999999999999999"}}`,
		"a key with an exponent":     `{` + hash + `,"n":{"N":"1E+125"},"x":{"N":"-9.9999999999999999999999999999999999999E-130"}}`,
		"a key with zeros":           `{` + hash + `,"n":{"N":"1.50"}}`,
		"empty strings and binaries": `{` + hash + `,"n":{"N":"0"},"":{"S":""},"b":{"B":""},"m":{"M":{"":{"S":""}}}}`,
		"sets":                       `{"s":{"SS":["","a","\u0000"]},"ns":{"NS":["1","1e-130","-0.5"]},"bs":{"BS":["","AA=="]},"n":{"N":"7"},` + hash + `}`,
		"nested":                     `{"m":{"M":{"l":{"L":[{"M":{"a.\"b\"":{"S":"not the key"}}},{"L":[]},{"NULL":true}]}}},` + hash + `,"n":{"N":"7"}}`,
		"names of all sorts":         `{"a.b":{"S":""},"\"":{"S":""},"\\":{"S":""},"漢😀":{"S":""},"\ud83d\ude00":{"S":""},"\/":{"S":""},"\u0000":{"S":""},` + hash + `,"n":{"N":"7"}}`,
		"half surrogates":            `{"\udc00":{"S":"\ud800"},"a.\"b\"":{"S":"\ud800"},"n":{"N":"7"}}`,
		"escapes in the key":         `{"\u0061\u002e\"b\"":{"S":"\u006b\n"},"\u006e":{"N":"\u0037"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var p Page
			agreeOnLines(t, keys, []byte(`{"Item":`+item+"}\n"), ViewFull, &p) // rebuilds it
			key := item
			if len(p.Changes) == 1 {
				key = fmt.Sprintf(`{"a.\"b\"":{"S":%s},"n":{"N":"%s"}}`, hashText(item), p.Changes[0].Range.Bytes)
			}
			agreeOnLines(t, keys, []byte(`{"Keys":`+key+`,"OldImage":`+item+`,"NewImage":`+item+`}`), ViewNewAndOld, &p)
			if len(p.Changes) != 1 || p.Changes[0].Op != Modify {
				t.Fatal("the change is no change")
			}
			agreeOnLines(t, keys, []byte(`{"Keys":`+key+`,"OldImage":`+item+`}`), ViewNewAndOld, &p)
			if len(p.Changes) != 1 || p.Changes[0].Op != Remove {
				t.Fatal("the delete is no delete")
			}
		})
	}
}

// hashText is how an item above writes its key's text.
func hashText(item string) string {
	for _, text := range []string{`"\ud800"`, `"\u006b\n"`} {
		if strings.Contains(item, text) {
			return text
		}
	}
	return `"k"`
}
