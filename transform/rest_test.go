package transform

import "testing"

func TestRestLeavesOutWhatTheKeyColumnsHold(t *testing.T) {
	both := KeySchema{Hash: KeyAttr{"h", 'S'}, Range: KeyAttr{"r", 'N'}}
	only := KeySchema{Hash: KeyAttr{"h", 'S'}}
	const removed = ""
	for name, c := range map[string]struct {
		keys       KeySchema
		key, image string // image removed for REMOVE
		want       string // "" for no _rest
	}{
		"the key first":                     {both, `{"h":{"S":"a"},"r":{"N":"1"}}`, `{"h":{"S":"a"},"r":{"N":"1"},"x":{"S":""}}`, `{"x":{"S":""}}`},
		"the key last":                      {both, `{"h":{"S":"a"},"r":{"N":"1"}}`, `{"x":{"S":""},"r":{"N":"1"},"h":{"S":"a"}}`, `{"x":{"S":""}}`},
		"the key in between":                {both, `{"h":{"S":"a"},"r":{"N":"1"}}`, `{"x":{"S":""},"r":{"N":"1"},"y":{"S":","},"h":{"S":"a"},"z":{"S":""}}`, `{"x":{"S":""},"y":{"S":","},"z":{"S":""}}`},
		"the key first and last":            {both, `{"h":{"S":"a"},"r":{"N":"1"}}`, `{"r":{"N":"1"},"x":{"S":""},"h":{"S":"a"}}`, `{"x":{"S":""}}`},
		"nothing but the key":               {both, `{"h":{"S":"a"},"r":{"N":"1"}}`, `{"r":{"N":"1"},"h":{"S":"a"}}`, `{}`},
		"nothing but a key of one":          {only, `{"h":{"S":"a"}}`, `{"h":{"S":"a"}}`, `{}`},
		"white space around":                {only, `{"h":{"S":"a"}}`, "{ \"x\":{\"S\":\"\"} ,\n \"h\" : {\"S\":\"a\"} }", `{ "x":{"S":""}}`},
		"white space around the key alone":  {only, `{"h":{"S":"a"}}`, "{ \"h\" : {\"S\":\"a\"} }", `{}`},
		"an escaped name":                   {only, `{"h":{"S":"a"}}`, `{"\u0068":{"S":"a"},"x":{"S":""}}`, `{"x":{"S":""}}`},
		"an attribute inside named so":      {only, `{"h":{"S":"a"}}`, `{"m":{"M":{"h":{"S":"a"}}},"h":{"S":"a"}}`, `{"m":{"M":{"h":{"S":"a"}}}}`},
		"a number that does not fit stays":  {both, `{"h":{"S":"a"},"r":{"N":"1e100"}}`, `{"h":{"S":"a"},"x":{"S":""},"r":{"N":"1e100"}}`, `{"x":{"S":""},"r":{"N":"1e100"}}`},
		"a number spelled otherwise stays":  {both, `{"h":{"S":"a"},"r":{"N":"1.50"}}`, `{"r":{"N":"1.50"},"h":{"S":"a"}}`, `{"r":{"N":"1.50"}}`},
		"a number of ten decimals stays":    {both, `{"h":{"S":"a"},"r":{"N":"0.0000000001"}}`, `{"r":{"N":"0.0000000001"},"h":{"S":"a"}}`, `{"r":{"N":"0.0000000001"}}`},
		"text that is no UTF-8 stays":       {only, `{"h":{"S":"\ud800"}}`, `{"h":{"S":"\ud800"},"x":{"S":""}}`, `{"h":{"S":"\ud800"},"x":{"S":""}}`},
		"a removal has none":                {both, `{"h":{"S":"a"},"r":{"N":"1"}}`, removed, ``},
		"a removal keeps what does not fit": {both, `{"h":{"S":"a"},"r":{"N":"1e100"}}`, removed, `{"r":{"N":"1e100"}}`},
		"and also in front of the other":    {both, "{ \"r\":{\"N\":\"1e100\"} , \"h\":{\"S\":\"a\"}}", removed, `{"r":{"N":"1e100"}}`},
		"and both if neither fits":          {both, `{"r":{"N":"1.0"} , "h":{"S":"\udfff"}}`, removed, `{"r":{"N":"1.0"},"h":{"S":"\udfff"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			replace := map[string]string{"Keys": c.key, "NewImage": c.image}
			if c.image == removed {
				replace["eventName"] = `"REMOVE"`
			}
			var p Page
			agree(t, c.keys, answer(record(replace)), &p)
			if len(p.Changes) != 1 {
				t.Fatal(p.Rejects)
			}
			change := &p.Changes[0]
			if got := string(change.AppendRest([]byte("before,"))); got != "before,"+c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if change.HasRest() != (c.want != "") {
				t.Errorf("HasRest is %t", change.HasRest())
			}
		})
	}
}

func TestRestOfAChangeThatNobodyDecodedIsItsImage(t *testing.T) {
	c := Change{Op: Insert, New: []byte(`{"a":{"S":""}}`)}
	if got := string(c.AppendRest(nil)); got != `{"a":{"S":""}}` {
		t.Error(got)
	}
	if got := string((&Change{Op: Modify}).AppendRest(nil)); got != `{}` {
		t.Error(got)
	}
}
