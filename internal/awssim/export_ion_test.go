package awssim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func readItem(t *testing.T, text string) item {
	t.Helper()
	n, err := parseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	it, err := parseItem(n)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestItemsInIon(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		// The developer guide's sample.
		{
			`{"Authors":{"SS":["Author1","Author2"]},"Dimensions":{"S":"8.5 x 11.0 x 1.5"},"ISBN":{"S":"333-3333333333"},"Id":{"N":"103"},"InPublication":{"BOOL":false},"PageCount":{"N":"600"},"Price":{"N":"2000"},"ProductCategory":{"S":"Book"},"Title":{"S":"Book 103 Title"}}`,
			`{Authors:$dynamodb_SS::["Author1","Author2"],Dimensions:"8.5 x 11.0 x 1.5",ISBN:"333-3333333333",Id:103.,InPublication:false,PageCount:6d2,Price:2d3,ProductCategory:"Book",Title:"Book 103 Title"}`,
		},
		{`{"a":{"N":"0"},"b":{"N":"-10"},"c":{"N":"-1.50"},"d":{"N":"1e-3"},"e":{"N":"101"}}`, `{a:0.,b:-1d1,c:-1.5,d:0.001,e:101.}`},
		{`{"b":{"B":"AAE="},"bs":{"BS":["AA==","AQ=="]},"ns":{"NS":["1","20"]}}`, `{b:{{AAE=}},bs:$dynamodb_BS::[{{AA==}},{{AQ==}}],ns:$dynamodb_NS::[1.,2d1]}`},
		{`{"l":{"L":[{"S":"a"},{"NULL":true},{"L":[]}]},"m":{"M":{"x":{"BOOL":true},"y":{"M":{}}}}}`, `{l:["a",null,[]],m:{x:true,y:{}}}`},
		{`{"null":{"S":"\"\n\\€"},"it's \"a\" \\":{"S":""},"$ion_1_0":{"S":"x"},"1a":{"S":"y"}}`, `{'$ion_1_0':"x",'1a':"y",'it\'s "a" \\':"",'null':"\"\n\\€"}`},
	} {
		want := c.want
		if got := string(readItem(t, c.in).appendIon(nil)); got != want {
			t.Errorf("%s\n in Ion %s\n   want %s", c.in, got, want)
		}
	}
}

func TestScrambledItemsSayTheSame(t *testing.T) {
	it := readItem(t, `{"a":{"SS":["1","2","3","4"]},"b":{"L":[{"NS":["1","2","3","4"]},{"S":"last"}]},"c":{"M":{"x":{"S":"x"},"y":{"BS":["AA==","AQ==","Ag=="]},"z":{"NULL":true}}}}`)
	before := it.String()
	texts := map[bool][]string{}
	for seed := range uint64(20) {
		for _, attrs := range []bool{true, false} {
			s := scrambled(it, rand.New(rand.NewPCG(seed, 0)), attrs)
			if again := scrambled(it, rand.New(rand.NewPCG(seed, 0)), attrs); again.String() != s.String() {
				t.Errorf("of one seed %s and %s", s, again)
			}
			sorted := slices.IsSortedFunc(s, func(a, b attr) int { return int(a.name[0]) - int(b.name[0]) })
			if !attrs && !sorted {
				t.Errorf("attributes are not sorted: %s", s)
			}
			texts[attrs] = append(texts[attrs], s.String())
			if back := readItem(t, s.String()); !equalItems(back, it) {
				t.Errorf("%s is not %s", back, it)
			}
		}
	}
	for attrs, all := range texts {
		slices.Sort(all)
		if n := len(slices.Compact(all)); n < 15 {
			t.Errorf("attributes too %v: %d orders of 20", attrs, n)
		}
	}
	if it.String() != before {
		t.Errorf("the item itself became %s", it)
	}
}
