package bootstrap

import (
	"fmt"
	"strings"
	"testing"

	"dynamolake/transform"
	"dynamolake/transform/rule"
	"dynamolake/transform/schema"
	"dynamolake/writer"
	"dynamolake/writer/dataset"
)

func TestWhatADatasetTakesOfATable(t *testing.T) {
	s, err := schema.Parse([]byte(`datasets:
  - {name: all}
  - {name: some, filter: 'item.kind == "a"'}
  - {name: log, mode: append_only, deletes: drop}
  - {name: masked, drop: [secret]}
`))
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Compile(s, dataset.Options{Table: "t", Keys: shapeKeys, Rules: rule.Options{Salt: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]takes{"all": {all: true, plain: true}, "some": {}, "log": {append: true}, "masked": {all: true}} {
		if got := takesOf(set, name); got != want {
			t.Errorf("%s takes %+v, want %+v", name, got, want)
		}
	}
	if got := takesOf(dataset.Whole(dataset.Options{Keys: shapeKeys}), "all"); !got.plain {
		t.Errorf("without a schema: %+v", got)
	}
}

func TestSamplesAreSpreadOverTheDataFiles(t *testing.T) {
	for _, c := range []struct {
		items string // one digit a file
		want  string
	}{
		{"", ""}, {"0", ""}, {"1", "0"}, {"010", "1"}, {"1111", "0 1 2 3"}, {"11111111", "0 2 4 6"}, {"0101010101", "1 3 5 7"}, {"0101010100", "1 3 5 7"},
	} {
		var files []dataFile
		for i, digit := range c.items {
			files = append(files, dataFile{Key: fmt.Sprint(i), Items: int64(digit - '0')})
		}
		var got []string
		for _, f := range spread(files) {
			got = append(got, f.Key)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("of %q: %q, want %s", c.items, got, c.want)
		}
	}
}

func TestDatasetsHaveTheirMemory(t *testing.T) {
	for _, c := range []struct {
		memory           int64 // MiB
		datasets         int
		files1, together int
	}{
		{64, 1, 1, 1}, {64, 3, 1, 1}, {256, 1, 2, 3}, {256, 3, 1, 3}, {256, 9, 1, 3}, {512, 3, 2, 7}, {4096, 9, 2, 63},
	} {
		o := Options{Memory: c.memory << 20}
		if got := o.files(c.datasets); got > c.files1 {
			t.Errorf("%d MiB, %d datasets: %d files at once, want at most %d", c.memory, c.datasets, got, c.files1)
		}
		if got := o.together(); got != c.together {
			t.Errorf("%d MiB: %d datasets at once, want %d", c.memory, got, c.together)
		}
	}
}

// Blank lines and lines that make no sense have a number too.
func TestRejectsFindTheirLines(t *testing.T) {
	lines := `{"Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}

no JSON
{"Item":{"pk":{"S":"b"},"sk":{"S":"1"}}}
{"Item":{"sk":{"S":"1"}}}
{"Item":{"pk":{"S":"c"},"sk":{"S":"1"}}}`
	var page transform.Page
	body := []byte(lines) // the page aliases it
	if err := transform.NewDecoder(shapeKeys).DecodeExport(body, transform.ViewFull, &page); err != nil {
		t.Fatal(err)
	}
	refused := []writer.Refusal{{Change: page.Changes[1], Reason: "one"}, {Change: page.Changes[2], Reason: "two"}}
	strays := []stray{{change: 2, reason: "nobody's"}}
	strays = placed(strays, page.Changes, "x", refused)
	strays = placed(strays, page.Changes, "y", refused[1:])
	bad := &rejects{export: "e", dataFile: "data/f.json.gz"}
	if err := bad.add(body, 100, page.Rejects, strays); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range bad.held {
		got = append(got, strings.TrimPrefix(j.key("p/"), "p/rejects/exports/e/f.json.gz-"))
	}
	if want := "102.json 103@x.json 104.json 105.json 105@x.json 105@y.json"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %s", got, want)
	}
	if bad.count != 6 || bad.nobodys != 3 || bad.senseless != 2 {
		t.Errorf("counts %+v", bad)
	}
	if err := bad.add(body, 100, nil, []stray{{change: 9}}); err == nil {
		t.Error("a reject without a line was lost")
	}
}
