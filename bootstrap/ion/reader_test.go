package ion

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"dynamolake/transform"
)

// readAll reads ION to the end and checks that nothing depends on how it comes.
func readAll(t *testing.T, text string) (string, error) {
	t.Helper()
	whole, err := io.ReadAll(NewReader(strings.NewReader(text)))
	pieces, errToo := io.ReadAll(iotest.OneByteReader(NewReader(iotest.HalfReader(strings.NewReader(text)))))
	if string(whole) != string(pieces) || fmt.Sprint(err) != fmt.Sprint(errToo) {
		t.Errorf("in pieces it is %.500q and %v, in one go %.500q and %v", pieces, errToo, whole, err)
	}
	return string(whole), err
}

const bookION = `$ion_1_0 {Item:{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",ISBN:"333-3333333333",Id:103.,InPublication:false,PageCount:6d2,Price:2d3,ProductCategory:"Book",Title:"Book 103 Title"}}`

const bookJSON = `{"Item":{"Authors":{"SS":["Author1","Author2"]},"Dimensions":{"S":"8.5 x 11.0 x 1.5"},"ISBN":{"S":"333-3333333333"},` +
	`"Id":{"N":"103"},"InPublication":{"BOOL":false},"PageCount":{"N":"600"},"Price":{"N":"2000"},"ProductCategory":{"S":"Book"},"Title":{"S":"Book 103 Title"}}}`

func TestReaderTurnsLinesIntoDynamoDBJSON(t *testing.T) {
	const metadata = `"Metadata":{"WriteTimestampMicros":{"N":"1695353076000000"}}`
	for name, c := range map[string]struct {
		line, want string
	}{
		"the documentation's item": {bookION, bookJSON},
		"without a marker":         {strings.TrimPrefix(bookION, "$ion_1_0 "), bookJSON},
		"a change in its Record": {
			`$ion_1_0 {Record:{Keys:{Id:103.},Metadata:{WriteTimestampMicros:1695353076000000.},OldImage:{Id:103.},NewImage:{Id:103.,a:"b"}}}`,
			`{"Keys":{"Id":{"N":"103"}},` + metadata + `,"OldImage":{"Id":{"N":"103"}},"NewImage":{"Id":{"N":"103"},"a":{"S":"b"}}}`,
		},
		"a change without one": {
			`$ion_1_0 {Metadata:{WriteTimestampMicros:1695353076000000},Keys:{Id:103},NewImage:{Id:103}}`,
			`{` + metadata + `,"Keys":{"Id":{"N":"103"}},"NewImage":{"Id":{"N":"103"}}}`,
		},
		"a delete":                   {`{Record:{Keys:{id:"a"},Metadata:{},NewImage:null,OldImage:null.struct}}`, `{"Keys":{"id":{"S":"a"}},"Metadata":{}}`},
		"fields nobody knows":        {`{v:2007-01-01,Record:{x:(a b),Record:{},Metadata:{y:{{"clob"}},WriteTimestampMicros:1},Keys:{}}}`, `{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{}}`},
		"an item of nothing":         {`{Item:{}}`, `{"Item":{}}`},
		"a struct of nothing":        {`{}`, `{}`},
		"names in quotes of a sort":  {`{'Item':{'a.b':1,"c d":2,'$4':3,'':4,"":5,'it\'s':6,"\"":7}}`, `{"Item":{"a.b":{"N":"1"},"c d":{"N":"2"},"$4":{"N":"3"},"":{"N":"4"},"":{"N":"5"},"it's":{"N":"6"},"\"":{"N":"7"}}}`},
		"names that look like words": {`{Item:{'null':1,'true':2,'nan':3}}`, `{"Item":{"null":{"N":"1"},"true":{"N":"2"},"nan":{"N":"3"}}}`},
		"comments and white space":   {"{ /* a */ Item : { a : 1 , } } // b", `{"Item":{"a":{"N":"1"}}}`},
		"two items in a line":        {`{Item:{a:1}} $ion_1_0 {Item:{a:2}}`, "{\"Item\":{\"a\":{\"N\":\"1\"}}}\n{\"Item\":{\"a\":{\"N\":\"2\"}}}"},
		"symbols":                    {`{Item:{a:b,c:'d e'}}`, `{"Item":{"a":{"S":"b"},"c":{"S":"d e"}}}`},
		"nulls":                      {`{Item:{a:null,b:null.null}}`, `{"Item":{"a":{"NULL":true},"b":{"NULL":true}}}`},
		"blobs":                      {`{Item:{a:{{}},b:{{ 3q2+ 7w== }}}}`, `{"Item":{"a":{"B":""},"b":{"B":"3q2+7w=="}}}`},
		"sets": {
			`{Item:{s:$dynamodb_SS::["","a",b],n:$dynamodb_NS::[1,2.50,-3d-2],b:$dynamodb_BS::[{{AA==}},{{}}],e:$dynamodb_SS::[],q:'$dynamodb_NS'::[7]}}`,
			`{"Item":{"s":{"SS":["","a","b"]},"n":{"NS":["1","2.5","-0.03"]},"b":{"BS":["AA==",""]},"e":{"SS":[]},"q":{"NS":["7"]}}}`,
		},
		"nested": {
			`{Item:{l:[1,"a",[],{},null,[{m:{l:[$dynamodb_SS::["x"]]}}]],m:{a:{b:{}},c:{{AA==}}}}}`,
			`{"Item":{"l":{"L":[{"N":"1"},{"S":"a"},{"L":[]},{"M":{}},{"NULL":true},{"L":[{"M":{"m":{"M":{"l":{"L":[{"SS":["x"]}]}}}}}]}]},"m":{"M":{"a":{"M":{"b":{"M":{}}}},"c":{"B":"AA=="}}}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(t, c.line+"\n")
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want+"\n" {
				t.Errorf("\n%s want\n%s", got, c.want)
			}
			var p transform.Page
			d := transform.NewDecoder(transform.KeySchema{Hash: transform.KeyAttr{Name: "Id", Type: 'N'}})
			if err := d.DecodeExport([]byte(got), transform.ViewFull, &p); err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Rejects {
				if strings.Contains(r.Reason, "JSON") {
					t.Errorf("what came out is %s", r.Reason)
				}
			}
		})
	}
}

func TestReaderGoesThroughAFile(t *testing.T) {
	file := bookION + "\n\n" + bookION + "\r\n \n$ion_1_0\n" + bookION
	got, err := readAll(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat(bookJSON+"\n", 3); got != want {
		t.Errorf("\n%s want\n%s", got, want)
	}
	for _, empty := range []string{"", "\n", "$ion_1_0\n"} {
		if got, err := readAll(t, empty); got != "" || err != nil {
			t.Errorf("%q became %q, %v", empty, got, err)
		}
	}
}

func TestReaderNamesTheLineThatIsWrong(t *testing.T) {
	deep := func(n int) string { return `{Item:{a:` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}` }
	if _, err := readAll(t, deep(64)); err != nil {
		t.Error("64 levels:", err)
	}
	for name, c := range map[string]struct {
		line, err string
	}{
		"a line cut off":               {bookION[:60], "malformed ION at about byte 61"},
		"a line cut off in a string":   {`{Item:{a:"b`, "malformed ION at about byte 11"},
		"a brace too many":             {`{Item:{}}}`, "malformed ION at about byte 9"},
		"JSON of another kind":         {`{"Item":"x"}`, "Item is no struct"},
		"a list":                       {`[]`, "no struct where the item should be"},
		"a null struct":                {`null.struct`, "no struct"},
		"another version":              {`$ion_2_0 {}`, "version marker"},
		"a symbol id":                  {`{Item:{$99:1}}`, "malformed value"},
		"an annotated item":            {`a::{Item:{}}`, "an annotation"},
		"an Item that is a list":       {`{Item:[]}`, "Item is no struct"},
		"a Record that is a string":    {`{Record:"a"}`, "Record is no struct"},
		"a clob":                       {`{Item:{a:{{"x"}}}}`, "a clob, which is no attribute value"},
		"a timestamp":                  {`{Item:{a:2007-02-23T}}`, "a timestamp, which is"},
		"an sexp":                      {`{Item:{a:(1 2)}}`, "a sexp, which is"},
		"a typed null":                 {`{Item:{a:null.string}}`, "a null of type string"},
		"an unknown annotation":        {`{Item:{a:x::1}}`, "an annotation"},
		"an annotated struct":          {`{Item:{a:$dynamodb_SS::{}}}`, "an annotation"},
		"an annotated null list":       {`{Item:{a:$dynamodb_SS::null.list}}`, "an annotation"},
		"two annotations":              {`{Item:{a:$dynamodb_SS::$dynamodb_SS::[]}}`, "an annotation"},
		"a number among strings":       {`{Item:{a:$dynamodb_SS::[1]}}`, "a value of type N in a set of type SS"},
		"a null among numbers":         {`{Item:{a:$dynamodb_NS::[1,null]}}`, "a value of type NULL in a set of type NS"},
		"a set among binaries":         {`{Item:{a:$dynamodb_BS::[$dynamodb_BS::[]]}}`, "a value of type BS in a set of type BS"},
		"no number":                    {`{Item:{a:nan}}`, "a float that is no number"},
		"an infinite number":           {`{Item:{a:-inf}}`, "a float that is no number"},
		"a malformed number":           {`{Item:{a:1d}}`, "malformed value"},
		"malformed base64":             {`{Item:{a:{{A}}}}`, "malformed value"},
		"an escape nobody knows":       {`{Item:{a:"\q"}}`, "malformed ION at about byte 10"},
		"half a pair":                  {`{Item:{a:"\ud83d"}}`, "half a surrogate pair"},
		"the other half":               {`{Item:{a:"\ude00\ud83d"}}`, "half a surrogate pair"},
		"no character":                 {`{Item:{a:"\U00110000"}}`, "no character at all"},
		"a name that looks like an id": {`{Item:{"$4":1}}`, "looks like a symbol id"},
		"nested too deep":              {deep(65), "nested too deep"},
		"nested far too deep":          {`{Item:{a:` + strings.Repeat("{b:", 100_000), "nested too deep"},
		"binary":                       {"\xe0\x01\x00\xea", "binary ION"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(t, bookION+"\n\n"+c.line+"\n"+bookION+"\n")
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), "read ION: line 3: ") {
				t.Errorf("error %v, want %q in it", err, c.err)
			}
			if got != bookJSON+"\n" {
				t.Errorf("before the error came %.300q", got)
			}
		})
	}
}

func TestReaderHandsOnTheErrorBelow(t *testing.T) {
	broken := errors.New("broken pipe")
	got, err := io.ReadAll(NewReader(io.MultiReader(strings.NewReader(bookION+"\n{Item:"), iotest.ErrReader(broken))))
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if string(got) != bookJSON+"\n" {
		t.Errorf("before it came %.300q", got)
	}
}

func TestReaderHoldsOneLine(t *testing.T) {
	_, err := io.Copy(io.Discard, NewReader(io.MultiReader(strings.NewReader("\n{"), zeros{})))
	if err == nil || !strings.Contains(err.Error(), "line 2 has more than") {
		t.Error(err)
	}
	text := strings.Repeat("x", 400_000)
	got, err := readAll(t, `{Item:{a:"`+text+`"}}`)
	if err != nil || got != `{"Item":{"a":{"S":"`+text+`"}}}`+"\n" {
		t.Error("an item of 400 KB does not come through:", err)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{'0'}, len(p))), nil }
