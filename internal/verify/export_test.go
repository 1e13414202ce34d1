package verify

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// exported is a full export of some images, under a prefix that is not the one it was made for.
func exported(at time.Time, images []string) fstest.MapFS {
	const made, now = "their/prefix/AWSDynamoDB/01777630000000-cccc/", "copy/AWSDynamoDB/01777630000000-cccc/"
	files := fstest.MapFS{}
	sum := func(b []byte) string {
		s := md5.Sum(b)
		return base64.StdEncoding.EncodeToString(s[:])
	}
	var parts [3][]string // the last stays empty
	for i, image := range images {
		parts[i%2] = append(parts[i%2], `{"Item":`+image+`}`+"\n")
	}
	var manifest bytes.Buffer
	for i, lines := range parts {
		var body bytes.Buffer
		if len(lines) > 0 {
			z := gzip.NewWriter(&body)
			io.WriteString(z, strings.Join(lines, "")) //nolint:errcheck // memory
			z.Close()
		}
		name := fmt.Sprintf("data/%d.json.gz", i)
		files[now+name] = &fstest.MapFile{Data: body.Bytes()}
		fmt.Fprintf(&manifest, `{"itemCount":%d,"md5Checksum":%q,"etag":"x-1","dataFileS3Key":%q}`+"\n", len(lines), sum(body.Bytes()), made+name)
	}
	summary := fmt.Appendf(nil, `{"version":"2020-06-30","exportTime":%q,"manifestFilesS3Key":%q,"itemCount":%d,"outputFormat":"DYNAMODB_JSON"}`,
		at.Format(time.RFC3339), made+"manifest-files.json", len(images))
	for name, body := range map[string][]byte{"manifest-files": manifest.Bytes(), "manifest-summary": summary} {
		files[now+name+".json"] = &fstest.MapFile{Data: body}
		files[now+name+".md5"] = &fstest.MapFile{Data: []byte(sum(body))}
	}
	return files
}

const summaryKey = "copy/AWSDynamoDB/01777630000000-cccc/manifest-summary.json"

func openExported(t testing.TB, files fs.FS) (*Export, error) {
	return OpenExport(t.Context(), func(_ context.Context, key string) (io.ReadCloser, error) { return files.Open(key) }, summaryKey, "file:///"+summaryKey, tableKeys)
}

func (w *world) againstExport(files fs.FS) (Report, error) {
	x, err := openExported(w.t, files)
	w.must(err)
	o := w.options()
	o.Depth, o.AgainstExport = DepthNames, x
	return Run(w.t.Context(), o)
}

// images are those of the table, sorted.
func (w *world) images() []string { return slices.Sorted(maps.Values(w.table)) }

func TestALakeIsComparedWithAnExport(t *testing.T) {
	w := grown(t, folder(t))
	young := []int{3, 4, 5, 6, 7, 8, 9} // changed after the export at minute 61, or too close to it
	all := int64(len(w.table))
	for _, c := range []struct {
		name   string
		at     int // minute of the export
		images func() []string
		want   Compared
		kind   Kind
		text   string
	}{
		{name: "what the table is", at: 140, images: w.images, want: Compared{Items: all, Lake: all, Equal: all, Passes: 1}},
		{
			name: "an older one: what changed later is not compared", at: 61,
			images: func() []string {
				then := maps.Clone(w.table)
				for _, n := range young {
					then[keyJSON(n)] = imageJSON(n, "then")
				}
				return slices.Sorted(maps.Values(then))
			},
			// Item 8 is gone in the lake by now.
			want: Compared{Items: all + 1, Lake: all, Equal: all - 6, TooYoung: 7, Passes: 1},
		},
		{
			name: "an item differs", at: 140, kind: Item, text: "in the attributes n, value;",
			images: func() []string {
				return append(slices.DeleteFunc(w.images(), func(i string) bool { return i == imageJSON(11, "seeded") }), strings.Replace(imageJSON(11, "x"), "1.50", "1.51", 1))
			},
			want: Compared{Items: all, Lake: all, Equal: all - 1, Differing: 1, Passes: 1},
		},
		{
			name: "an item is only in the lake", at: 140, kind: Item, text: "does not",
			images: func() []string { return w.images()[1:] },
			want:   Compared{Items: all - 1, Lake: all, Equal: all - 1, Differing: 1, Passes: 1},
		},
		{
			name: "an item is only in the export", at: 140, kind: Item, text: "has never had",
			images: func() []string { return append(w.images(), imageJSON(500, "x")) },
			want:   Compared{Items: all + 1, Lake: all, Equal: all, Differing: 1, Passes: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := w.againstExport(exported(minute(c.at), c.images()))
			if err != nil {
				t.Fatal(err)
			}
			c.want.With, c.want.At = "export file:///"+summaryKey, minute(c.at)
			if *r.Compared != c.want {
				t.Errorf("%+v\nwant %+v", *r.Compared, c.want)
			}
			if r.Proven != (c.kind == "") || c.kind != "" && (r.Counts[c.kind] != 1 || !strings.Contains(r.Doubts[0].Text, c.text)) {
				t.Errorf("%+v", r.Doubts)
			}
		})
	}
}

func TestAnExportBeyondTheLakeIsNotCompared(t *testing.T) {
	w := grown(t, folder(t))
	for _, at := range []int{5, 151} {
		r, err := w.againstExport(exported(minute(at), w.images()))
		if err != nil || r.Proven || r.Counts[Behind] != 1 {
			t.Errorf("minute %d: %+v %v", at, r.Doubts, err)
		}
	}
}

func TestADamagedExportIsNotCompared(t *testing.T) {
	w := grown(t, folder(t))
	for name := range exported(minute(140), w.images()) {
		files := exported(minute(140), w.images())
		f := files[name]
		if len(f.Data) == 0 {
			f.Data = []byte("x")
		} else {
			f.Data[len(f.Data)/2] ^= 1
		}
		x, err := openExported(t, files)
		if err == nil {
			err = x.each(t.Context(), func(int64) {}, func(_, _ []byte) error { return nil })
		}
		if err == nil {
			t.Errorf("%s was damaged, and nothing is said", name)
		}
		delete(files, name)
		if x, err = openExported(t, files); err == nil {
			err = x.each(t.Context(), func(int64) {}, func(_, _ []byte) error { return nil })
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
}
