package transform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var idKeys = KeySchema{Hash: KeyAttr{"id", 'S'}}

// sound is an INSERT whose fields a case may replace.
var sound = map[string]string{
	"eventID":                     `"e1"`,
	"eventName":                   `"INSERT"`,
	"SequenceNumber":              `"100000000000000000001"`,
	"ApproximateCreationDateTime": `1763890000`,
	"SizeBytes":                   `26`,
	"Keys":                        `{"id":{"S":"a"}}`,
	"NewImage":                    `{"id":{"S":"a"},"n":{"N":"1"}}`,
}

// record writes a sound record with some fields replaced; "" leaves one out.
func record(replace map[string]string) string {
	field := func(name string) string {
		value, ok := replace[name]
		if !ok {
			value = sound[name]
		}
		if value == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:%s`, name, value)
	}
	return `{"awsRegion":"eu-west-1"` + field("eventID") + field("eventName") + field("userIdentity") +
		`,"dynamodb":{"StreamViewType":"NEW_AND_OLD_IMAGES"` + field("SequenceNumber") + field("ApproximateCreationDateTime") +
		field("SizeBytes") + field("Keys") + field("NewImage") + field("OldImage") + `}}`
}

func answer(records ...string) []byte {
	return []byte(`{"NextShardIterator":"next","Records":[` + strings.Join(records, ",") + `]}`)
}

func TestDecodeReadsARecord(t *testing.T) {
	keys := KeySchema{Hash: KeyAttr{"id", 'S'}, Range: KeyAttr{"at", 'N'}}
	var p Page
	err := NewDecoder(keys).Decode(answer(record(map[string]string{
		"eventName": `"MODIFY"`,
		"Keys":      `{"at":{"N":"-2.5"},"id":{"S":"a\"\u00e9"}}`,
		"NewImage":  `{"x":{"L":[]},"at":{"N":"-2.5"},"y":{"BOOL":true},"id":{"S":"a\"\u00e9"}}`,
		"OldImage":  ` {"id" : {"S":"a\"é"}} `,
	})), &p)
	if err != nil {
		t.Fatal(err)
	}
	dec, _ := ParseDecimal("-2.5")
	seq, _ := ParseSeq("100000000000000000001")
	want := Page{
		Next: "next", Last: seq, LastCreated: 1763890000_000000,
		Changes: []Change{{
			Seq: seq, Created: 1763890000_000000, Size: 26, EventID: []byte("e1"), Op: Modify,
			Keys:  []byte(`{"at":{"N":"-2.5"},"id":{"S":"a\"\u00e9"}}`),
			New:   []byte(`{"x":{"L":[]},"at":{"N":"-2.5"},"y":{"BOOL":true},"id":{"S":"a\"\u00e9"}}`),
			Old:   []byte(`{"id" : {"S":"a\"é"}}`),
			Hash:  KeyValue{Bytes: []byte("a\"é"), Exact: true},
			Range: KeyValue{Bytes: []byte("-2.5"), Dec: dec, Exact: true},
		}},
	}
	if diff := cmp.Diff(want, p, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Page{}, Change{})); diff != "" {
		t.Error("want - got +\n" + diff)
	}
	if got, want := string(p.Changes[0].AppendRest(nil)), `{"x":{"L":[]},"y":{"BOOL":true}}`; got != want {
		t.Errorf("_rest %s, want %s", got, want)
	}
}

func TestDecodeRejectsWhatMakesNoSenseAndGoesOn(t *testing.T) {
	deep := func(levels int) string {
		return `{"id":{"S":"a"},"d":` + strings.Repeat(`{"L":[`, levels) + `{"S":""}` + strings.Repeat(`]}`, levels) + `}`
	}
	for name, c := range map[string]struct {
		replace map[string]string
		reason  string // "" for none
	}{
		"a sound record is taken":                    {nil, ""},
		"no eventName":                               {map[string]string{"eventName": ""}, "no eventName"},
		"an eventName nobody knows":                  {map[string]string{"eventName": `"UPSERT"`}, "unknown eventName"},
		"no SequenceNumber":                          {map[string]string{"SequenceNumber": ""}, "no SequenceNumber"},
		"a SequenceNumber of letters":                {map[string]string{"SequenceNumber": `"x1"`}, "malformed SequenceNumber"},
		"a SequenceNumber of zeros":                  {map[string]string{"SequenceNumber": `"000"`}, "malformed SequenceNumber"},
		"a SequenceNumber of 41 digits":              {map[string]string{"SequenceNumber": `"` + strings.Repeat("1", 41) + `"`}, "malformed SequenceNumber"},
		"no Keys":                                    {map[string]string{"Keys": ""}, "no Keys"},
		"Keys null":                                  {map[string]string{"Keys": "null"}, "no Keys"},
		"Keys without the key":                       {map[string]string{"Keys": `{}`}, "lacks the partition key"},
		"Keys with something more":                   {map[string]string{"Keys": `{"id":{"S":"a"},"x":{"S":"a"}}`}, "not of the table's key"},
		"Keys with the key twice":                    {map[string]string{"Keys": `{"id":{"S":"a"},"\u0069d":{"S":"a"}}`}, "not of the table's key"},
		"a key of another type":                      {map[string]string{"Keys": `{"id":{"N":"1"}}`}, "another type"},
		"no NewImage":                                {map[string]string{"NewImage": ""}, "INSERT without NewImage"},
		"a NewImage on REMOVE":                       {map[string]string{"eventName": `"REMOVE"`}, "REMOVE with a NewImage"},
		"an image without the key":                   {map[string]string{"NewImage": `{"n":{"N":"1"}}`}, "lacks a key"},
		"an image with another key":                  {map[string]string{"NewImage": `{"id":{"S":"b"}}`}, "differs from Keys"},
		"an image with the key escaped otherwise":    {map[string]string{"NewImage": `{"\u0069d":{"S":"\u0061"}}`}, ""},
		"an image with the key twice":                {map[string]string{"NewImage": `{"id":{"S":"a"},"\u0069d":{"S":"a"}}`}, "twice"},
		"an image with a type nobody knows":          {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"Q":"a"}}`}, "unknown attribute type"},
		"an image with a null":                       {map[string]string{"NewImage": `{"id":{"S":"a"},"x":null}`}, "want an object"},
		"an image with a null in a type":             {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"S":null}}`}, "want a string"},
		"an image with two types":                    {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"S":"","N":"1"}}`}, "two types"},
		"an image with no type":                      {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{}}`}, "without a type"},
		"an image with a bad number":                 {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"N":"1-"}}`}, "malformed number"},
		"an image with a bad number in a set":        {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"NS":["1",""]}}`}, "malformed number"},
		"an image with bad base64":                   {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"B":"abc"}}`}, "malformed base64"},
		"an image with escaped base64":               {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"B":"ab\/c"}}`}, ""},
		"an image with a line end in base64":         {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"B":"abcd\n"}}`}, "malformed base64"},
		"an image with a string for a BOOL":          {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"BOOL":"true"}}`}, "want true or false"},
		"an image that is a list":                    {map[string]string{"NewImage": `[]`}, "want an object"},
		"an image 32 levels deep":                    {map[string]string{"NewImage": deep(32)}, ""},
		"an image 64 levels deep":                    {map[string]string{"NewImage": deep(64)}, ""},
		"an image 65 levels deep":                    {map[string]string{"NewImage": deep(65)}, "nested too deep"},
		"an image 2,000 levels deep":                 {map[string]string{"NewImage": deep(2000)}, "nested too deep"},
		"an old image that is broken":                {map[string]string{"OldImage": `{"x":{"Q":""}}`}, "unknown attribute type"},
		"an old image without the key":               {map[string]string{"OldImage": `{}`}, ""},
		"an empty set and a number of 50 digits":     {map[string]string{"NewImage": `{"id":{"S":"a"},"x":{"SS":[]},"y":{"N":"` + strings.Repeat("7", 50) + `"}}`}, ""},
		"an attribute without a name":                {map[string]string{"NewImage": `{"id":{"S":"a"},"":{"S":""}}`}, ""},
		"a creation time of text":                    {map[string]string{"ApproximateCreationDateTime": `"2026"`}, "want a JSON value"},
		"a creation time out of range":               {map[string]string{"ApproximateCreationDateTime": `1e12`}, "out of range"},
		"a creation time before 1970":                {map[string]string{"ApproximateCreationDateTime": `-1`}, "out of range"},
		"no creation time":                           {map[string]string{"ApproximateCreationDateTime": ""}, ""},
		"a size with a fraction":                     {map[string]string{"SizeBytes": `1.5`}, "no whole number"},
		"a size beyond reason":                       {map[string]string{"SizeBytes": `1234567890123456789`}, "out of range"},
		"no size":                                    {map[string]string{"SizeBytes": "null"}, ""},
		"an eventID that is a number":                {map[string]string{"eventID": "1"}, "want a string"},
		"no eventID":                                 {map[string]string{"eventID": ""}, ""},
		"an eventID with half a surrogate pair":      {map[string]string{"eventID": `"\ud800"`}, "eventID is not UTF-8"},
		"an image with half a surrogate pair":        {map[string]string{"NewImage": `{"id":{"S":"a"},"\udfff":{"S":"\ud800"}}`}, ""},
		"an image with text that is not UTF-8":       {map[string]string{"NewImage": "{\"id\":{\"S\":\"a\"},\"x\":{\"S\":\"\xff\"}}"}, "not UTF-8"},
		"a userIdentity that is text":                {map[string]string{"userIdentity": `"me"`}, "want an object"},
		"a userIdentity that is null":                {map[string]string{"userIdentity": "null"}, ""},
		"a field twice":                              {map[string]string{"eventName": `"INSERT","eventName":"INSERT"`}, "second time"},
		"a field twice, the second time escaped":     {map[string]string{"SizeBytes": `1,"\u0053izeBytes":1`}, "second time"},
		"a field twice, the second time null":        {map[string]string{"SizeBytes": `1,"SizeBytes":null`}, ""},
		"an unknown field with anything in it":       {map[string]string{"SizeBytes": `1,"new":{"a":[1e5,null,{"b":"\ud800"}]}`}, ""},
		"a key with half a surrogate pair in both":   {map[string]string{"Keys": `{"id":{"S":"\ud800"}}`, "NewImage": `{"id":{"S":"\ud800"}}`}, ""},
		"a key with half of another surrogate pair":  {map[string]string{"Keys": `{"id":{"S":"\ud800"}}`, "NewImage": `{"id":{"S":"\ud801"}}`}, "differs from Keys"},
		"an image with white space in every place":   {map[string]string{"NewImage": " {\n\"id\" :\t{ \"S\" : \"a\" } , \"l\" : { \"L\" : [ { \"NULL\" : true } ] } }\r"}, ""},
		"an image with a name of 64 KB":              {map[string]string{"NewImage": `{"id":{"S":"a"},"` + strings.Repeat("n", 65535) + `":{"S":""}}`}, ""},
		"two images of 400 KB, with escaped quotes":  {map[string]string{"NewImage": `{"id":{"S":"a"},"t":{"S":"` + strings.Repeat(`\"`, 200_000) + `"}}`, "OldImage": `{"t":{"B":"` + strings.Repeat(`AAAA`, 100_000) + `"}}`}, ""},
		"an image with a name that ends in a escape": {map[string]string{"NewImage": `{"id":{"S":"a"},"\\":{"S":"\\\\"}}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var p Page
			body := answer(record(nil), record(c.replace), record(nil))
			agree(t, idKeys, body, &p)
			if c.reason == "" {
				if len(p.Changes) != 3 || len(p.Rejects) != 0 {
					t.Fatalf("%d changes, rejects %.300s", len(p.Changes), p.Rejects)
				}
				return
			}
			if len(p.Changes) != 2 || len(p.Rejects) != 1 {
				t.Fatalf("%d changes and %d rejects, want 2 and 1", len(p.Changes), len(p.Rejects))
			}
			r := p.Rejects[0]
			if !strings.Contains(r.Reason, c.reason) {
				t.Errorf("reason %q, want %q in it", r.Reason, c.reason)
			}
			if string(r.Raw) != record(c.replace) {
				t.Errorf("raw %s", r.Raw)
			}
			if _, seqToo := c.replace["SequenceNumber"]; r.Seq.IsZero() != seqToo {
				t.Errorf("sequence number %s", r.Seq)
			}
		})
	}
}

func TestDecodeTellsTheTimeToLive(t *testing.T) {
	for name, c := range map[string]struct {
		op, identity string
		want         bool
	}{
		"as the service spells it":   {"REMOVE", `{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`, true},
		"as Lambda events spell it":  {"REMOVE", `{"type":"Service","principalId":"dynamodb.amazonaws.com"}`, true},
		"another service":            {"REMOVE", `{"PrincipalId":"replication.dynamodb.amazonaws.com","Type":"Service"}`, false},
		"a user":                     {"REMOVE", `{"PrincipalId":"dynamodb.amazonaws.com","Type":"User"}`, false},
		"half of it":                 {"REMOVE", `{"Type":"Service","PrincipalId":null}`, false},
		"no delete at all":           {"INSERT", `{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`, false},
		"nobody":                     {"REMOVE", ``, false},
		"with a field nobody knows":  {"REMOVE", `{"PrincipalId":"dynamodb.amazonaws.com","x":[{}],"Type":"Service"}`, true},
		"with white space":           {"REMOVE", ` { "PrincipalId" : "dynamodb.amazonaws.com" , "Type" : "Service" } `, true},
		"with an escape in the name": {"REMOVE", `{"PrincipalId":"dynamodb.amazonaws.com","\u0054ype":"Service"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			image := sound["NewImage"]
			if c.op == "REMOVE" {
				image = ""
			}
			var p Page
			agree(t, idKeys, answer(record(map[string]string{"eventName": `"` + c.op + `"`, "userIdentity": c.identity, "NewImage": image})), &p)
			if len(p.Changes) != 1 || p.Changes[0].TTL != c.want {
				t.Errorf("got %+v", p.Changes)
			}
		})
	}
}

func TestDecodeReadsTheCreationTimeInMicroseconds(t *testing.T) {
	for text, want := range map[string]int64{
		"1763890000":               1763890000_000000,
		"1.76389E9":                1763890000_000000,
		"1763890000.5":             1763890000_500000,
		"1763890000.1234569":       1763890000_123456,
		"1763890000.000000":        1763890000_000000,
		"17638900000000000000e-10": 1763890000_000000,
		"0.00000176389e15":         1763890000_000000,
		"1e-99999":                 0,
		"0":                        0,
		"-0.0":                     0,
		"253402300799.9999999999":  253402300799_999999,
	} {
		var p Page
		agree(t, idKeys, answer(record(map[string]string{"ApproximateCreationDateTime": text})), &p)
		if len(p.Changes) != 1 || p.Changes[0].Created != want {
			t.Errorf("%s: got %+v, want %d", text, p.Changes, want)
		}
	}
}

func TestDecodeReadsThePage(t *testing.T) {
	type page struct {
		Next             string
		Changes, Rejects int
		Last             string
	}
	const seq1, seq2 = "100000000000000000001", "200000000000000000000"
	first, second := record(nil), record(map[string]string{"SequenceNumber": `"` + seq2 + `"`})
	broken := record(map[string]string{"SequenceNumber": `"` + seq2 + `"`, "eventName": ""})
	for name, c := range map[string]struct {
		body string
		want page
		err  string
	}{
		"an empty page":                    {`{"NextShardIterator":"n","Records":[]}`, page{Next: "n", Last: "0"}, ""},
		"the last page":                    {`{"Records":[` + first + `]}`, page{Changes: 1, Last: seq1}, ""},
		"the last page, with a null":       {`{"Records":[` + first + `],"NextShardIterator":null}`, page{Changes: 1, Last: seq1}, ""},
		"an iterator with escapes":         {`{"NextShardIterator":"a\/\u0062"}`, page{Next: "a/b", Last: "0"}, ""},
		"no Records but an iterator":       {`{"NextShardIterator":"n","Records":null}`, page{Next: "n", Last: "0"}, ""},
		"the last sequence number":         {`{"Records":[` + first + `,` + second + `]}`, page{Changes: 2, Last: seq2}, ""},
		"the last one is a reject":         {`{"Records":[` + first + `,` + broken + `]}`, page{Changes: 1, Rejects: 1, Last: seq2}, ""},
		"records that are no objects":      {`{"Records":[null,1,"x",[],{}]}`, page{Rejects: 5, Last: "0"}, ""},
		"fields nobody knows":              {`{"x":{"Records":[1]},"Records":[],"y":[true]}`, page{Last: "0"}, ""},
		"nothing at all":                   {``, page{}, "want an object at byte 0 of 0"},
		"an empty object":                  {`{}`, page{}, "neither Records nor NextShardIterator"},
		"an answer of another kind":        {`{"message":"hello"}`, page{}, "neither Records nor NextShardIterator"},
		"nothing but nulls":                {`{"Records":null,"NextShardIterator":null}`, page{}, "neither Records nor NextShardIterator"},
		"HTML":                             {`<html>`, page{}, "want an object"},
		"a list":                           {`[]`, page{}, "want an object"},
		"Records twice":                    {`{"Records":[],"Records":[]}`, page{}, "second time"},
		"the iterator twice":               {`{"NextShardIterator":"a","NextShardIterator":"b"}`, page{}, "second time"},
		"Records of another kind":          {`{"Records":{}}`, page{}, "want a list"},
		"an iterator of another kind":      {`{"NextShardIterator":5}`, page{}, "want a string"},
		"more behind it":                   {`{"Records":[]}{}`, page{}, "more text behind the answer"},
		"a page cut off in a string":       {`{"Records":[` + first[:30], page{}, "ends inside a string"},
		"a page cut off behind a record":   {`{"Records":[` + first + `,`, page{}, "ends too early"},
		"a page cut off in a later record": {`{"Records":[` + first + `,` + second[:len(second)-5], page{}, "at byte"},
		"a record that is no JSON":         {`{"Records":[` + first + `,{"eventName":INSERT}]}`, page{}, "want a JSON value"},
		"a control character":              {"{\"Records\":[\"\x01\"]}", page{}, "control character"},
		"an unknown escape":                {`{"Records":["\x"]}`, page{}, "unknown escape"},
		"half a unicode escape":            {`{"Records":["\u12g4"]}`, page{}, "unknown escape"},
		"a comma too many":                 {`{"Records":[],}`, page{}, "want a string"},
		"a number with a leading zero":     {`{"Records":[01]}`, page{}, "want a comma"},
		"a malformed number":               {`{"x":1.,"Records":[]}`, page{}, "malformed number"},
		"nested as deep as JSON may":       {`{"Records":[],"x":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}`, page{Last: "0"}, ""},
		"nested deeper":                    {`{"Records":[],"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, page{}, "nested too deep"},
	} {
		t.Run(name, func(t *testing.T) {
			var p Page
			agree(t, idKeys, []byte(c.body), &p)
			err := NewDecoder(idKeys).Decode([]byte(c.body), &p)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), "decode GetRecords answer: ") {
					t.Errorf("error %v, want %q in it", err, c.err)
				}
				c.want.Last = "0"
			}
			got := page{p.Next, len(p.Changes), len(p.Rejects), p.Last.Digits()}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error("want - got +\n" + diff)
			}
		})
	}
}

func TestDecodeKeepsNothingOfTheBodyBefore(t *testing.T) {
	var p Page
	d := NewDecoder(idKeys)
	if err := d.Decode(answer(record(nil), record(nil), `{}`), &p); err != nil {
		t.Fatal(err)
	}
	if err := d.Decode([]byte(`{"NextShardIterator":"n","Records":[]}`), &p); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Changes[:cap(p.Changes)] {
		if c.Keys != nil || c.New != nil {
			t.Error("a change of the page before still holds its body")
		}
	}
	for _, r := range p.Rejects[:cap(p.Rejects)] {
		if r.Raw != nil {
			t.Error("a reject of the page before still holds its body")
		}
	}
	if !p.Last.IsZero() || p.LastCreated != 0 {
		t.Error("the position of the page before is still there")
	}
}

func TestUnescapedKeysOutliveTheGrowthOfTheArena(t *testing.T) {
	var records []string
	for i := range 500 {
		key := fmt.Sprintf(`{"id":{"S":"%s\u0021%d"}}`, strings.Repeat("k", 100), i)
		records = append(records, record(map[string]string{"Keys": key, "NewImage": key}))
	}
	var p Page
	if err := NewDecoder(idKeys).Decode(answer(records...), &p); err != nil {
		t.Fatal(err)
	}
	held := 0
	for i := range p.Changes {
		if want := fmt.Sprintf("%s!%d", strings.Repeat("k", 100), i); string(p.Changes[i].Hash.Bytes) != want {
			t.Fatalf("key %d is %s", i, p.Changes[i].Hash.Bytes)
		}
		held += len(p.Changes[i].Hash.Bytes)
	}
	if p.Bytes() < held {
		t.Errorf("the page says it holds %d bytes, but its keys alone have %d", p.Bytes(), held)
	}
}

func TestDecodeAllocatesNothingPerRecord(t *testing.T) {
	body := benchPage(true)
	d, p := NewDecoder(benchKeys), new(Page)
	allocs := testing.AllocsPerRun(10, func() {
		if err := d.Decode(body, p); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 { // the iterator's string
		t.Errorf("%v allocations a page", allocs)
	}
}
