package bootstrap_test

import (
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/bootstrap"
	"dynamolake/checkpoint/ledger"
	"dynamolake/internal/awssim"
	"dynamolake/transform"
	"dynamolake/writer"
)

const realExport = "../../shared/fixtures/real-export"

// realOptions are those of a lake in a folder for the table of the real exports.
func realOptions(t *testing.T) bootstrap.Options {
	t.Helper()
	lake, err := writer.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := bootstrap.Defaults()
	o.Store, o.Worker, o.OldImage = lake, "importer", true
	o.Table = bootstrap.Table{
		Name: "test", ARN: "arn:aws:dynamodb:eu-north-1:123456789123:table/test", Account: "123456789123", Region: "eu-north-1",
		Keys: transform.KeySchema{Hash: transform.KeyAttr{Name: "pk", Type: 'S'}, Range: transform.KeyAttr{Name: "sk", Type: 'S'}},
	}
	o.Ledger = ledger.NewStore(document{lake, "123456789123/eu-north-1/test/_ledger/ledger.json"}, o.Table.ARN)
	return o
}

func TestRealExportsFold(t *testing.T) {
	if _, err := os.Stat(realExport); err != nil {
		t.Skip("the real exports are not here")
	}
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(realExport)); err != nil {
		t.Fatal(err)
	}
	o := realOptions(t)
	take := func(id string, hole bool) (bootstrap.Result, error) {
		return bootstrap.FromExport(t.Context(), o, bootstrap.Import{From: "file://" + root + "/AWSDynamoDB/" + id + "/manifest-summary.json", Hole: hole})
	}
	full, one, two := "01768385930622-efd1a093", "01768386924000-d339e52d", "01768388186000-4a2fc3ff"
	// Whoever published them hid his account and bucket in the summaries, and left their checksums.
	var damaged *bootstrap.Damaged
	if _, err := take(full, false); !errors.As(err, &damaged) {
		t.Errorf("a summary that was changed: %v", err)
	}
	for _, id := range []string{full, one, two} {
		stem := filepath.Join(root, "AWSDynamoDB", id, "manifest-summary")
		body, err := os.ReadFile(stem + ".json")
		if err != nil {
			t.Fatal(err)
		}
		sum := md5.Sum(body)
		if err := os.WriteFile(stem+".md5", []byte(base64.StdEncoding.EncodeToString(sum[:])), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := take(one, false); err == nil || !strings.Contains(err.Error(), "the full export that it follows first") {
		t.Errorf("a window before all: %v", err)
	}
	for _, c := range []struct {
		id    string
		hole  bool
		items int64
		want  string
	}{
		{full, false, 3, ""},
		{two, false, 0, "begins at 2026-01-14T10:18:50Z"},
		{one, false, 0, "it takes a window that begins at 2026-01-14T10:18:50Z"}, // AWS was asked for 10:20
		{one, true, 6, ""},
		{one, false, 6, ""}, // again
		{two, false, 5, ""},
	} {
		r, err := take(c.id, c.hole)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || r.Items != c.items {
			t.Fatalf("%s: %+v, %v, want %d items and %q", c.id, r, err, c.items, c.want)
		}
	}
	l, err := o.Ledger.Read(t.Context())
	if err != nil || l.Base() == nil || l.Epochs[1].Windows != 2 || len(l.Gaps) != 1 {
		t.Fatalf("%v %s", err, l.JSON())
	}
	var rows []row
	checked := 0
	for obj, err := range o.Store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasSuffix(obj.Key, ".parquet"):
			rows = append(rows, readFile(t, o.Store, obj.Key, o.Table.Keys)...)
		case strings.Contains(obj.Key, "_ledger/exports/"):
			body, _, err := o.Store.Get(t.Context(), obj.Key)
			var r struct{ Checked, Mismatched int }
			if err == nil {
				err = json.Unmarshal(body, &r)
			}
			if err != nil || r.Mismatched != 0 {
				t.Errorf("%s: %+v %v", obj.Key, r, err)
			}
			checked += r.Checked
		}
	}
	if checked == 0 {
		t.Error("no old image was checked")
	}
	want := foldReal(t, root, full, one, two)
	if got := fold(l, rows); !maps.Equal(got, want) || len(want) == 0 {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

// foldReal applies the lines of some exports with nothing of ours but Canonical.
func foldReal(t *testing.T, root string, ids ...string) map[string]string {
	t.Helper()
	state := map[string]string{}
	for _, id := range ids {
		files, err := os.ReadFile(filepath.Join(root, "AWSDynamoDB", id, "manifest-files.json"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(files)) {
			var f struct{ DataFileS3Key string }
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Fatal(err)
			}
			in, err := os.Open(filepath.Join(root, f.DataFileS3Key))
			if err != nil {
				t.Fatal(err)
			}
			z, err := gzip.NewReader(in)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			in.Close()
			for l := range strings.Lines(string(text)) {
				var r struct{ Item, Keys, NewImage map[string]json.RawMessage }
				if err := json.Unmarshal([]byte(l), &r); err != nil {
					t.Fatal(err)
				}
				item := r.NewImage
				if r.Item != nil {
					item, r.Keys = r.Item, map[string]json.RawMessage{"pk": r.Item["pk"], "sk": r.Item["sk"]}
				}
				keys, _ := json.Marshal(r.Keys)
				key := canonical(t, string(keys))
				if item == nil {
					delete(state, key)
					continue
				}
				image, _ := json.Marshal(item)
				state[key] = canonical(t, string(image))
			}
		}
	}
	return state
}

// export makes an export that is none of ours.
func (w *world) export(format types.ExportFormat, from, to time.Time) string {
	w.Helper()
	in := &dynamodb.ExportTableToPointInTimeInput{TableArn: &w.table.ARN, S3Bucket: aws.String("lake"), S3Prefix: aws.String("foreign/a"), ExportFormat: format}
	if from.IsZero() {
		in.ExportTime = &to
	} else {
		in.ExportType = types.ExportTypeIncrementalExport
		in.IncrementalExportSpecification = &types.IncrementalExportSpecification{ExportFromTime: &from, ExportToTime: &to}
	}
	out, err := w.db.ExportTableToPointInTime(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	for {
		time.Sleep(time.Minute)
		d, err := w.db.DescribeExport(w.Context(), &dynamodb.DescribeExportInput{ExportArn: out.ExportDescription.ExportArn})
		if err != nil {
			w.Fatal(err)
		}
		if d.ExportDescription.ExportStatus == types.ExportStatusCompleted {
			return "s3://lake/" + *d.ExportDescription.ExportManifest
		}
	}
}

func TestExportsOfOthersInBothFormats(t *testing.T) {
	for _, format := range []types.ExportFormat{types.ExportFormatIon, types.ExportFormatDynamodbJson} {
		t.Run(string(format), func(t *testing.T) {
			inWorld(t, awssim.Config{Seed: 20}, func(w *world) {
				w.live(time.Minute, 60)
				w.pitr(35)
				at := time.Now().Add(time.Second).Truncate(time.Second)
				time.Sleep(2 * time.Second)
				take := func(from string) bootstrap.Result {
					w.Helper()
					r, err := bootstrap.FromExport(w.Context(), w.options("importer", func(o *bootstrap.Options) { o.DropRaw = true }), bootstrap.Import{From: from})
					if err != nil {
						w.Fatal(err)
					}
					return r
				}
				full := w.export(format, time.Time{}, at)
				if r := take(full); r.Already || !r.To.Equal(at) {
					w.Errorf("%+v", r)
				}
				if r := take(full); !r.Already {
					w.Errorf("again: %+v", r)
				}
				w.wantItemsAt(at)
				w.live(time.Hour, 60)
				next := at.Add(40 * time.Minute)
				window := w.export(format, at, next)
				if r := take(window); r.Already || !r.To.Equal(next) || r.Items == 0 {
					w.Errorf("%+v", r)
				}
				w.wantItemsAt(next)
				// Ours go on where it ends.
				w.catchUp()
				if !w.reach().After(next) {
					w.Error("nothing went on")
				}
				w.wantItemsAt(w.reach())
				w.wantOnce()
				if n := len(w.objects("foreign/a/AWSDynamoDB")); n < 10 {
					w.Errorf("%d objects of others are left", n)
				}
			})
		})
	}
}

func TestWhatCannotBeImported(t *testing.T) {
	inWorld(t, awssim.Config{Seed: 21}, func(w *world) {
		w.live(time.Minute, 30)
		w.pitr(35)
		at := time.Now().Add(time.Second).Truncate(time.Second)
		time.Sleep(2 * time.Second)
		full := w.export(types.ExportFormatDynamodbJson, time.Time{}, at)
		o := w.options("importer")
		_, err := bootstrap.FromExport(w.Context(), o, bootstrap.Import{From: "s3://lake"})
		w.wantAdvice(err, "manifest-summary.json")
		_, err = bootstrap.FromExport(w.Context(), o, bootstrap.Import{From: full + "x"})
		var damaged *bootstrap.Damaged
		if !errors.As(err, &damaged) {
			w.Errorf("%v", err)
		}
		other := o
		other.Table.ID = "another"
		_, err = bootstrap.FromExport(w.Context(), other, bootstrap.Import{From: full})
		w.wantAdvice(err, "earlier table of this name")
		if _, err = bootstrap.FromExport(w.Context(), other, bootstrap.Import{From: full, Same: true}); err != nil {
			w.Error(err)
		}
	})
}
