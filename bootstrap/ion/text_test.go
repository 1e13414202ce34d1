package ion

import (
	"strings"
	"testing"

	"dynamolake/transform"
)

func TestTextComesThroughEscapes(t *testing.T) {
	for ion, want := range map[string]string{
		`""`:                                 ``,
		`"a\"b\\c\/d\'e\?"`:                  `a\"b\\c/d'e?`,
		`"\0\a\b\t\n\f\r\v"`:                 `\u0000\u0007\u0008\t\n\u000c\r\u000b`,
		`"\x41\xe9"`:                         `Aé`,
		`"\u00e9\u6f22\U0001F600"`:           `é漢😀`,
		`"\ud83d\ude00\uD83D\uDE00"`:         `😀😀`,
		`"\\ud83d\\\ud83d\ude00"`:            `\\ud83d\\😀`,
		`"\U0000d83d\ude00"`:                 `😀`,
		`"ünï 😀 漢"`:                          `ünï 😀 漢`,
		`'''long 'text' ''' ''' and more'''`: `long 'text'  and more`,
		`'a symbol'`:                         `a symbol`,
		`'\ud83d\ude00'`:                     `😀`,
		`"$4"`:                               `$4`,
		"\"\u2028\x7f\"":                     "\u2028\x7f",
	} {
		t.Run(ion, func(t *testing.T) {
			got, err := readAll(t, "{Item:{a:"+ion+"}}")
			if err != nil {
				t.Fatal(err)
			}
			if want = `{"Item":{"a":{"S":"` + want + "\"}}}\n"; got != want {
				t.Errorf("%s want %s", got, want)
			}
		})
	}
}

func TestTextThatIsNotUTF8IsRejectedBehind(t *testing.T) {
	got, err := readAll(t, "{Item:{id:\"a\",x:\"\xff\"}}\n{Item:{id:\"b\"}}\n")
	if err != nil {
		t.Fatal(err)
	}
	var p transform.Page
	d := transform.NewDecoder(transform.KeySchema{Hash: transform.KeyAttr{Name: "id", Type: 'S'}})
	if err := d.DecodeExport([]byte(got), transform.ViewFull, &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Changes) != 1 || len(p.Rejects) != 1 || !strings.Contains(p.Rejects[0].Reason, "not UTF-8") {
		t.Errorf("%d changes, %d rejects", len(p.Changes), len(p.Rejects))
	}
}
