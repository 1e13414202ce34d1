package bootstrap

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"dynamolake/checkpoint/ledger"
	"dynamolake/transform"
	"dynamolake/writer"
)

// objects is an export in memory.
type objects map[string]string

func (o objects) open(_ context.Context, key string, from int64, _ string) (io.ReadCloser, string, error) {
	text, ok := o[key]
	if !ok {
		return nil, "", fmt.Errorf("read %s: %w", key, writer.ErrNotFound)
	}
	return io.NopCloser(strings.NewReader(text[from:])), "", nil
}
func (o objects) remove(_ context.Context, key string) error { delete(o, key); return nil }
func (o objects) address(key string) string                  { return "mem://" + key }

func sumOf(text string) string {
	sum := md5.Sum([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

const (
	someARN       = "arn:aws:dynamodb:eu-north-1:123456789123:table/test"
	fullSummary   = `{"version":"2020-06-30","exportArn":"` + someARN + `/export/01768385930622-efd1a093","startTime":"2026-01-14T10:18:50.622Z","endTime":"2026-01-14T10:24:58.984Z","tableArn":"` + someARN + `","tableId":"id-1","exportTime":"2026-01-14T10:18:50.622Z","s3Bucket":"b","s3Prefix":"p","s3SseAlgorithm":"AES256","s3SseKmsKeyId":null,"manifestFilesS3Key":"p/AWSDynamoDB/01768385930622-efd1a093/manifest-files.json","billedSizeBytes":0,"itemCount":3,"outputFormat":"DYNAMODB_JSON"}`
	windowSummary = `{"version":"2023-08-01","exportArn":"` + someARN + `/export/01768388186000-4a2fc3ff","tableArn":"` + someARN + `","tableId":"id-1","exportFromTime":"2026-01-14T10:35:00.000Z","exportToTime":"2026-01-14T10:50:00.000Z","manifestFilesS3Key":"p/AWSDynamoDB/01768385930622-efd1a093/manifest-files.json","itemCount":3,"outputFormat":"DYNAMODB_JSON","outputView":"NEW_AND_OLD_IMAGES","exportType":"INCREMENTAL_EXPORT"}`
	someFiles     = `{"itemCount":0,"md5Checksum":"FjvgqIxwymKf1RbbqtrZag==","etag":"e-1","dataFileS3Key":"p/AWSDynamoDB/x/data/a.json.gz"}` + "\n" +
		`{"itemCount":3,"md5Checksum":"y+zg5fVeudb3R3DOQ+RKgA==","etag":"e-1","dataFileS3Key":"p/AWSDynamoDB/x/data/b.json.gz"}` + "\n"
	somePath = "p/AWSDynamoDB/01768385930622-efd1a093/manifest-summary.json"
)

// anExport is one whose objects fit together, before change.
func anExport(summary, files string) objects {
	dir := "p/AWSDynamoDB/01768385930622-efd1a093/"
	return objects{
		somePath: summary, dir + "manifest-summary.md5": sumOf(summary),
		dir + "manifest-files.json": files, dir + "manifest-files.md5": sumOf(files),
	}
}

func (o objects) manifest(t *testing.T) (*manifest, error) {
	t.Helper()
	m, _, err := readManifest(t.Context(), func(moved) raw { return o }, somePath)
	return m, err
}

func TestManifestsOfBothVersions(t *testing.T) {
	m, err := anExport(fullSummary, someFiles).manifest(t)
	if err != nil {
		t.Fatal(err)
	}
	_, to := m.times(ledger.RealTiming())
	if !m.full() || m.view() != transform.ViewFull || len(m.Files) != 2 || m.Files[1].Items != 3 || (ledger.Export{ARN: m.ExportARN}).ID() != "01768385930622-efd1a093" ||
		!to.Equal(time.Date(2026, 1, 14, 10, 18, 50, 0, time.UTC)) || m.exact(ledger.RealTiming()) {
		t.Errorf("full: %+v, time %v", m, to)
	}
	if m, err = anExport(windowSummary, someFiles).manifest(t); err != nil {
		t.Fatal(err)
	}
	from, to := m.times(ledger.RealTiming())
	if m.full() || m.view() != transform.ViewNewAndOld || !m.exact(ledger.RealTiming()) ||
		!from.Equal(time.Date(2026, 1, 14, 10, 35, 0, 0, time.UTC)) || to.Sub(from) != 15*time.Minute {
		t.Errorf("window: %+v", m)
	}
}

func TestManifestsAsTheyMayBe(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(objects)
		summary string
		files   string
	}{
		{name: "with fields that nobody knows", summary: strings.Replace(fullSummary, `{"version"`, `{"news":{"a":[1]},"version"`, 1), files: strings.ReplaceAll(someFiles, `{"itemCount"`, `{"news":{"a":[1]},"itemCount"`)},
		{name: "with a checksum as the guide calls it", change: func(o objects) {
			for key := range o {
				if stem, ok := strings.CutSuffix(key, ".md5"); ok {
					o[stem+".checksum"] = o[key] + "\n"
					delete(o, key)
				}
			}
		}},
		{name: "without a newline at the end", files: strings.TrimSuffix(someFiles, "\n")},
		{name: "with a view as the API's prose has it", summary: strings.Replace(windowSummary, "NEW_AND_OLD_IMAGES", "NEW_IMAGES", 1)},
		{name: "with a filter that is null", summary: strings.Replace(fullSummary, `{"version"`, `{"filterSpecification":null,"version"`, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.summary == "" {
				c.summary = fullSummary
			}
			if c.files == "" {
				c.files = someFiles
			}
			o := anExport(c.summary, c.files)
			if c.change != nil {
				c.change(o)
			}
			if m, err := o.manifest(t); err != nil || len(m.Files) != 2 {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func TestAManifestSaysThatItsExportIsFiltered(t *testing.T) {
	for name, filtered := range map[string]string{
		`"filterSpecification":{"x":1},`: "filterSpecification", `"exportFilter":"x",`: "exportFilter", `"filterSpecification":null,`: "", ``: "",
	} {
		m, err := anExport(strings.Replace(fullSummary, `"version"`, name+`"version"`, 1), someFiles).manifest(t)
		if err != nil || m.Filtered != filtered {
			t.Errorf("with %s: %v, %q", name, err, m.Filtered)
		}
	}
}

func TestManifestsThatAreRefused(t *testing.T) {
	with := func(old, now string) objects {
		s, f := strings.Replace(fullSummary, old, now, 1), strings.Replace(someFiles, old, now, 1)
		return anExport(s, f)
	}
	without := func(name string) objects {
		o := anExport(fullSummary, someFiles)
		delete(o, strings.Replace(somePath, "manifest-summary.json", name, 1))
		return o
	}
	other := anExport(fullSummary, someFiles)
	other[strings.Replace(somePath, "summary.json", "files.json", 1)] += " "
	for _, c := range []struct {
		name string
		o    objects
		want string
	}{
		{"a sum that is another", with(`"itemCount":3,"md5`, `"itemCount":4,"md5`), "its files have 4 items, the summary counts 3"},
		{"a checksum that is another", other, "its MD5 is not that of manifest-files.md5"},
		{"no checksum", without("manifest-summary.md5"), "it is not there"},
		{"no files", without("manifest-files.json"), "manifest-files.json is damaged: it is not there"},
		{"an unknown format", with(`DYNAMODB_JSON`, `CSV`), `"CSV" is unknown`},
		{"a file twice", with("a.json.gz", "b.json.gz"), "there twice"},
		{"a file without a key", with(`"dataFileS3Key"`, `"key"`), "line 1 lacks"},
		{"no time", with(`"exportTime"`, `"time"`), "lacks exportTime"},
		{"no JSON", anExport("{", someFiles), "no summary"},
		{"a view that nobody knows", anExport(strings.Replace(windowSummary, "NEW_AND_OLD_IMAGES", "X", 1), someFiles), `"X" is unknown`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := c.o.manifest(t)
			if err == nil || !strings.Contains(err.Error(), c.want) || !lasting(err) {
				t.Errorf("%+v, error %v, want %q", m, err, c.want)
			}
		})
	}
}

func TestOfAnotherTable(t *testing.T) {
	m, err := anExport(fullSummary, someFiles).manifest(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		t    Table
		want string
	}{
		{Table{ARN: someARN, ID: "id-1"}, ""},
		{Table{ARN: someARN}, ""},
		{Table{ARN: someARN + "2", ID: "id-1"}, "it is of table"},
		{Table{ARN: someARN, ID: "id-2"}, "earlier table"},
	} {
		err := m.of(c.t)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.t, err, c.want)
		}
	}
}

func TestWhereACopyIs(t *testing.T) {
	const key = "p/q/AWSDynamoDB/01-a/manifest-summary.json"
	for _, c := range []struct{ path, data string }{
		{key, "p/q/AWSDynamoDB/data/f.gz"},
		{"/mnt/copy/" + key, "/mnt/copy/p/q/AWSDynamoDB/data/f.gz"},
		{"/mnt/copy/AWSDynamoDB/01-a/manifest-summary.json", "/mnt/copy/AWSDynamoDB/data/f.gz"},
		{"AWSDynamoDB/01-a/manifest-summary.json", "AWSDynamoDB/data/f.gz"},
		{"/mnt/q/AWSDynamoDB/01-a/manifest-summary.json", "/mnt/q/AWSDynamoDB/data/f.gz"},
		{"/mnt/01-a/manifest-summary.json", ""},
		{"/mnt/xAWSDynamoDB/01-a/manifest-summary.json", ""},
	} {
		m, ok := rebase(c.path, key)
		if ok != (c.data != "") || ok && m.at("p/q/AWSDynamoDB/data/f.gz") != c.data {
			t.Errorf("%s: %+v %v gives %s, want %s", c.path, m, ok, m.at("p/q/AWSDynamoDB/data/f.gz"), c.data)
		}
	}
}
