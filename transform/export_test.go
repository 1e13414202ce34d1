package transform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDecodeExportReadsLines(t *testing.T) {
	keys := KeySchema{Hash: KeyAttr{"id", 'S'}, Range: KeyAttr{"at", 'N'}}
	dec, _ := ParseDecimal("-2.5")
	key := `{"at":{"N":"-2.5"},"id":{"S":"a\"\u00e9"}}`
	image := `{"x":{"L":[]},"at":{"N":"-2.5"},"y":{"BOOL":true},"id":{"S":"a\"\u00e9"}}`
	old := `{"id":{"S":"a\"é"},"z":{"NULL":true}}`
	const metadata = `"Metadata":{"WriteTimestampMicros":{"N":"1768387673917155"}}`
	incremental := func(op Op) Change { return Change{Op: op, Created: 1768387673917155, Keys: []byte(key)} }
	with := func(c Change, newImage, oldImage string) Change {
		if newImage != "" {
			c.New = []byte(newImage)
		}
		if oldImage != "" {
			c.Old = []byte(oldImage)
		}
		return c
	}
	for name, c := range map[string]struct {
		view View
		line string
		want Change
		rest string // "" for none
	}{
		"an item":                {ViewFull, `{"Item":` + image + `}`, with(Change{Op: Snapshot}, image, ""), `{"x":{"L":[]},"y":{"BOOL":true}}`},
		"an item with more":      {ViewFull, `{"Metadata":7,"Item":` + image + `,"x":[]}`, with(Change{Op: Snapshot}, image, ""), `{"x":{"L":[]},"y":{"BOOL":true}}`},
		"an item that is a key":  {ViewFull, `{"Item":` + key + `}`, with(Change{Op: Snapshot}, key, ""), `{}`},
		"an insert":              {ViewNewAndOld, `{` + metadata + `,"Keys":` + key + `,"NewImage":` + image + `}`, with(incremental(Insert), image, ""), `{"x":{"L":[]},"y":{"BOOL":true}}`},
		"an update":              {ViewNewAndOld, `{` + metadata + `,"Keys":` + key + `,"OldImage":` + old + `,"NewImage":` + image + `}`, with(incremental(Modify), image, old), `{"x":{"L":[]},"y":{"BOOL":true}}`},
		"an update, turned over": {ViewNewAndOld, "\t{ \"NewImage\" :" + image + `,"OldImage":` + old + `,"Keys":` + key + `,` + metadata + "}\r", with(incremental(Modify), image, old), `{"x":{"L":[]},"y":{"BOOL":true}}`},
		"a delete":               {ViewNewAndOld, `{` + metadata + `,"Keys":` + key + `,"OldImage":` + old + `}`, with(incremental(Remove), "", old), ""},
		"a delete without image": {ViewNewAndOld, `{` + metadata + `,"Keys":` + key + `,"NewImage":null}`, incremental(Remove), ""},
		"an upsert":              {ViewNew, `{` + metadata + `,"Keys":` + key + `,"NewImage":` + image + `}`, with(incremental(Modify), image, ""), `{"x":{"L":[]},"y":{"BOOL":true}}`},
		"a delete by key":        {ViewNew, `{` + metadata + `,"Keys":` + key + `}`, incremental(Remove), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Hash = KeyValue{Bytes: []byte("a\"é"), Exact: true}
			c.want.Range = KeyValue{Bytes: []byte("-2.5"), Dec: dec, Exact: true}
			var p Page
			agreeOnLines(t, keys, []byte(c.line), c.view, &p)
			if diff := cmp.Diff(Page{Changes: []Change{c.want}}, p, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Page{}, Change{})); diff != "" {
				t.Fatal("want - got +\n" + diff)
			}
			if got := string(p.Changes[0].AppendRest(nil)); got != c.rest {
				t.Errorf("_rest %s, want %s", got, c.rest)
			}
		})
	}
}

func TestDecodeExportRejectsWhatMakesNoSenseAndGoesOn(t *testing.T) {
	const item = `{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}`
	const put = `{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"1"}}}`
	deep := func(levels int) string {
		return `{"x":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `,` + item[1:]
	}
	for name, c := range map[string]struct {
		view   View
		line   string
		reason string // "" for none
	}{
		"a sound item":                        {ViewFull, item, ""},
		"a sound change":                      {ViewNew, put, ""},
		"an item in an incremental export":    {ViewNewAndOld, item, "a line of a full export in an incremental one"},
		"an item in one without old images":   {ViewNew, item, "a line of a full export in an incremental one"},
		"a change in a full export":           {ViewFull, put, "a line of an incremental export in a full one"},
		"a delete in a full export":           {ViewFull, `{"Keys":{"id":{"S":"a"}}}`, "a line of an incremental export in a full one"},
		"both at once":                        {ViewFull, item[:len(item)-1] + `,"OldImage":{}}`, "a line of an incremental export in a full one"},
		"both, one of them null":              {ViewFull, item[:len(item)-1] + `,"Keys":null}`, ""},
		"nothing in a full export":            {ViewFull, `{}`, "no Item"},
		"a null Item":                         {ViewFull, `{"Item":null}`, "no Item"},
		"nothing in an incremental export":    {ViewNew, `{"Metadata":{}}`, "no Keys"},
		"an item twice":                       {ViewFull, item[:len(item)-1] + `,` + item[1:], "second time"},
		"an item without its key":             {ViewFull, `{"Item":{"x":{"S":"a"}}}`, "Item lacks the partition key"},
		"an item with its key twice":          {ViewFull, `{"Item":{"id":{"S":"a"},"\u0069d":{"S":"a"}}}`, "Item has a key attribute twice"},
		"an item with a key of another type":  {ViewFull, `{"Item":{"id":{"N":"1"}}}`, "another type"},
		"an item with a bad number":           {ViewFull, `{"Item":{"id":{"S":"a"},"x":{"N":"1-"}}}`, "malformed number"},
		"an item that is a list":              {ViewFull, `{"Item":[]}`, "want an object"},
		"an item that is not UTF-8":           {ViewFull, "{\"Item\":{\"id\":{\"S\":\"a\"},\"x\":{\"S\":\"\xff\"}}}", "not UTF-8"},
		"an unknown field that is not UTF-8":  {ViewFull, "{\"x\":\"\xff\"," + item[1:], "not UTF-8"},
		"Keys without the key":                {ViewNew, `{"Keys":{}}`, "Keys lacks the partition key"},
		"Keys with more":                      {ViewNew, `{"Keys":{"id":{"S":"a"},"x":{"S":"a"}}}`, "not of the table's key"},
		"Keys that are not the image's":       {ViewNew, `{"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"b"}}}`, "differs from Keys"},
		"an image without the key":            {ViewNew, `{"Keys":{"id":{"S":"a"}},"NewImage":{}}`, "lacks a key"},
		"an old image without the key":        {ViewNewAndOld, `{"Keys":{"id":{"S":"a"}},"OldImage":{}}`, ""},
		"an old image that is broken":         {ViewNewAndOld, `{"Keys":{"id":{"S":"a"}},"OldImage":{"x":{"Q":""}}}`, "unknown attribute type"},
		"an old image nobody asked for":       {ViewNew, `{"Keys":{"id":{"S":"a"}},"OldImage":{}}`, ""},
		"a Metadata that is text":             {ViewNew, `{"Metadata":"x","Keys":{"id":{"S":"a"}}}`, "want an object"},
		"a Metadata twice":                    {ViewNew, `{"Metadata":{},"Metadata":{},"Keys":{"id":{"S":"a"}}}`, "second time"},
		"a Metadata with more":                {ViewNew, `{"Metadata":{"x":{"WriteTimestampMicros":0}},"Keys":{"id":{"S":"a"}}}`, ""},
		"no Metadata":                         {ViewNew, `{"Keys":{"id":{"S":"a"}}}`, ""},
		"text":                                {ViewFull, `hello`, "not JSON: want a JSON value at byte 0 of the line"},
		"HTML behind a space":                 {ViewFull, ` <html>`, "not JSON: want a JSON value at byte 1 of the line"},
		"another JSON value":                  {ViewFull, `[]`, "want an object at byte 0 of the line"},
		"an item cut off":                     {ViewFull, item[:20], "not JSON: "},
		"an item cut off before its last end": {ViewFull, item[:len(item)-1], "not JSON: want a comma or the end at byte 38"},
		"two items in a line":                 {ViewFull, item + item, "not JSON: more text behind the line's object"},
		"an item in two lines":                {ViewFull, strings.Replace(item, ",", ",\n", 1), "not JSON: "},
		"a byte order mark":                   {ViewFull, "\uFEFF" + item, "not JSON: "},
		"nested as deep as JSON may":          {ViewFull, deep(10_000), ""},
		"nested deeper":                       {ViewFull, deep(10_001), "not JSON: nested too deep"},
	} {
		t.Run(name, func(t *testing.T) {
			good := map[View]string{ViewFull: item, ViewNewAndOld: put, ViewNew: put}[c.view]
			var p Page
			lines := []byte(good + "\n" + c.line + "\n\n" + good)
			agreeOnLines(t, idKeys, lines, c.view, &p)
			want := strings.Count(c.line, "\n") + 1
			if c.reason == "" {
				if len(p.Changes) != 2+want || len(p.Rejects) != 0 {
					t.Fatalf("%d changes, %d rejects", len(p.Changes), len(p.Rejects))
				}
				return
			}
			if len(p.Changes) != 2 || len(p.Rejects) != want {
				t.Fatalf("%d changes and %d rejects, want 2 and %d", len(p.Changes), len(p.Rejects), want)
			}
			r := p.Rejects[0]
			if !strings.Contains(r.Reason, c.reason) {
				t.Errorf("reason %q, want %q in it", r.Reason, c.reason)
			}
			if raw, _, _ := strings.Cut(c.line, "\n"); string(r.Raw) != raw {
				t.Errorf("raw %s", r.Raw)
			}
			if !r.Seq.IsZero() {
				t.Errorf("sequence number %s", r.Seq)
			}
		})
	}
}

func TestDecodeExportReadsTheTimeOfTheWrite(t *testing.T) {
	const bad = int64(-1)
	for value, want := range map[string]int64{
		`{"N":"1768387673917155"}`:           1768387673917155,
		` { "N" : "1768387673917155" } `:     1768387673917155,
		`{"\u004e":"\u0031"}`:                1,
		`"1768387673917155"`:                 1768387673917155,
		`1768387673917155`:                   1768387673917155,
		`"1695353076000000."`:                1695353076000000,
		`1695353076000000.0`:                 1695353076000000,
		`1.695e15`:                           1695000000000000,
		`"1.695E+15"`:                        1695000000000000,
		`169500000000000000e-2`:              1695000000000000,
		`1695000000000000000000000000e-12`:   1695000000000000,
		`0`:                                  0,
		`-0`:                                 0,
		`"0e99999"`:                          0,
		`253402300799999999`:                 253402300799999999,
		`253402300800000000`:                 bad,
		`1e99999`:                            bad,
		`1e-99999`:                           bad,
		`1.5`:                                bad,
		`1695353076000000.00000000000000001`: bad,
		`169500000000000000e-3`:              169500000000000,
		`169500000000000001e-3`:              bad,
		`-1`:                                 bad,
		`null`:                               0,
		`true`:                               bad,
		`""`:                                 bad,
		`"2026-01-14"`:                       bad,
		`{"N":1}`:                            bad,
		`{"S":"1"}`:                          bad,
		`{"N":"1","S":"1"}`:                  bad,
		`{}`:                                 bad,
		`[1]`:                                bad,
		`1,"WriteTimestampMicros":1`:         bad,
	} {
		t.Run(value, func(t *testing.T) {
			var p Page
			line := fmt.Sprintf(`{"Metadata":{"WriteTimestampMicros":%s},"Keys":{"id":{"S":"a"}}}`, value)
			agreeOnLines(t, idKeys, []byte(line), ViewNew, &p)
			switch {
			case want == bad && len(p.Rejects) != 1:
				t.Errorf("taken as %d", p.Changes[0].Created)
			case want != bad && len(p.Rejects) != 0:
				t.Error(p.Rejects[0].Reason)
			case want != bad && p.Changes[0].Created != want:
				t.Errorf("taken as %d", p.Changes[0].Created)
			}
		})
	}
}

func TestDecodeExportSkipsEmptyLines(t *testing.T) {
	const item = `{"Item":{"id":{"S":"a"}}}`
	for name, c := range map[string]struct {
		lines string
		want  int
	}{
		"nothing":                   {"", 0},
		"line ends":                 {"\n\n\n", 0},
		"white space":               {" \t\r\n ", 0},
		"one without its end":       {item, 1},
		"one with it":               {item + "\n", 1},
		"line ends of another sort": {"\r\n" + item + "\r\n\r\n" + item + "\r\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			var p Page
			agreeOnLines(t, idKeys, []byte(c.lines), ViewFull, &p)
			if len(p.Changes) != c.want || len(p.Rejects) != 0 {
				t.Errorf("%d changes, %d rejects", len(p.Changes), len(p.Rejects))
			}
		})
	}
}

func TestDecodeExportWantsAView(t *testing.T) {
	p := Page{Changes: []Change{{Op: Insert}}, Next: "n"}
	if err := NewDecoder(idKeys).DecodeExport([]byte("{}"), 0, &p); err == nil {
		t.Error("no error without a view")
	}
	if len(p.Changes) != 0 || p.Next != "" {
		t.Error("the page is not empty")
	}
}
