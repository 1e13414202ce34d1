package awssim_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"dynamolake/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// newExportWorld is a world whose table has had recovery on for a second, and
// a bucket "lake".
func newExportWorld(t *testing.T, cfg awssim.Config) *world {
	t.Helper()
	w := newWorld(t, cfg)
	if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lake")}); err != nil {
		t.Fatal(err)
	}
	if err := w.SetPITR("orders", 35); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	return w
}

func (w *world) tableARN() *string { return aws.String(w.arn[:strings.Index(w.arn, "/stream/")]) }

func (w *world) full(change ...func(*dynamodb.ExportTableToPointInTimeInput)) (*types.ExportDescription, error) {
	in := &dynamodb.ExportTableToPointInTimeInput{TableArn: w.tableARN(), S3Bucket: aws.String("lake")}
	for _, f := range change {
		f(in)
	}
	out, err := w.db.ExportTableToPointInTime(w.t.Context(), in)
	if err != nil {
		return nil, err
	}
	return out.ExportDescription, nil
}

func (w *world) increment(from, to time.Time, change ...func(*dynamodb.ExportTableToPointInTimeInput)) (*types.ExportDescription, error) {
	return w.full(append([]func(*dynamodb.ExportTableToPointInTimeInput){func(in *dynamodb.ExportTableToPointInTimeInput) {
		in.ExportType = types.ExportTypeIncrementalExport
		in.IncrementalExportSpecification = &types.IncrementalExportSpecification{ExportFromTime: &from, ExportToTime: &to}
	}}, change...)...)
}

func (w *world) describe(arn *string) *types.ExportDescription {
	w.t.Helper()
	out, err := w.db.DescribeExport(w.t.Context(), &dynamodb.DescribeExportInput{ExportArn: arn})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.ExportDescription
}

// wait lets time pass until the export is over.
func (w *world) wait(d *types.ExportDescription, err error) *types.ExportDescription {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	for range 100 {
		if d = w.describe(d.ExportArn); d.ExportStatus != types.ExportStatusInProgress {
			return d
		}
		time.Sleep(time.Minute)
	}
	w.t.Fatalf("%s is still under way", *d.ExportArn)
	return nil
}

func (w *world) object(key string) ([]byte, string) {
	w.t.Helper()
	out, err := w.s3.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: aws.String("lake"), Key: &key})
	if err != nil {
		w.t.Fatalf("get %s: %v", key, err)
	}
	b, err := io.ReadAll(out.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return b, strings.Trim(*out.ETag, `"`)
}

// lines are the lines of data of an export that is complete.
func (w *world) lines(d *types.ExportDescription) []string {
	w.t.Helper()
	if d.ExportStatus != types.ExportStatusCompleted {
		w.t.Fatalf("%s is %s: %s", *d.ExportArn, d.ExportStatus, aws.ToString(d.FailureMessage))
	}
	return readExport(w.t, *d.ExportManifest, func(key string) []byte { b, _ := w.object(key); return b }).lines
}

type exported struct {
	summary    string   // its shape
	files      string   // the shape of a line
	lineShapes []string // of each line of data
	lines      []string
	perFile    []int
	keys       []string // of data
}

// readExport follows the manifests of an export, checks everything that can be
// worked out again, and returns what it saw.
func readExport(t *testing.T, summaryKey string, get func(key string) []byte) exported {
	t.Helper()
	return readEdited(t, summaryKey, false, get)
}

// readEdited also reads an export whose summary was edited after its checksum was made.
func readEdited(t *testing.T, summaryKey string, edited bool, get func(key string) []byte) exported {
	t.Helper()
	var x exported
	manifest := func(key string) []byte {
		b := get(key)
		sum := md5.Sum(b)
		said := string(get(strings.TrimSuffix(key, ".json") + ".md5"))
		if want := base64.StdEncoding.EncodeToString(sum[:]); len(said) != 24 || said != want && !(edited && key == summaryKey) {
			t.Errorf("%s: its .md5 is %q, want %s", key, said, want)
		}
		return b
	}
	var summary struct {
		ManifestFilesS3Key string
		ItemCount          int
	}
	raw := manifest(summaryKey)
	if err := json.Unmarshal(raw, &summary); err != nil || bytes.ContainsAny(raw, "\n ") {
		t.Errorf("%s: %v, or it is not one line", raw, err)
	}
	x.summary = shape(t, raw)
	if dir := strings.TrimSuffix(summaryKey, "manifest-summary.json"); len(get(dir+"_started")) != 0 || summary.ManifestFilesS3Key != dir+"manifest-files.json" {
		t.Errorf("%s: _started is not empty, or the files are elsewhere: %s", summaryKey, summary.ManifestFilesS3Key)
	}
	raw = manifest(summary.ManifestFilesS3Key)
	if !bytes.HasSuffix(raw, []byte("}\n")) {
		t.Errorf("manifest-files.json does not end with a newline")
	}
	sum := 0
	for _, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		var f struct {
			ItemCount                        int
			Md5Checksum, Etag, DataFileS3Key string
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if s := shape(t, []byte(line)); x.files != "" && x.files != s {
			t.Errorf("lines of manifest-files.json have several shapes: %s", s)
		} else {
			x.files = s
		}
		packed := get(f.DataFileS3Key)
		once := md5.Sum(packed)
		again := md5.Sum(once[:])
		if f.Md5Checksum != base64.StdEncoding.EncodeToString(once[:]) || f.Etag != hex.EncodeToString(again[:])+"-1" {
			t.Errorf("%s: md5 %s and etag %s are not its own", f.DataFileS3Key, f.Md5Checksum, f.Etag)
		}
		if string(packed[:10]) != "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" {
			t.Errorf("%s: header %x", f.DataFileS3Key, packed[:10])
		}
		if f.ItemCount == 0 && (len(packed) != 20 || f.Md5Checksum != "FjvgqIxwymKf1RbbqtrZag==" || f.Etag != "7deb4078f238dd87d6af0538152c04e9-1") {
			t.Errorf("%s: an empty partition of %d bytes, %s, %s", f.DataFileS3Key, len(packed), f.Md5Checksum, f.Etag)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for l := range strings.Lines(string(data)) {
			lines = append(lines, strings.TrimSuffix(l, "\n"))
			if strings.HasPrefix(l, "{") {
				x.lineShapes = append(x.lineShapes, shape(t, []byte(l)))
			}
		}
		if len(lines) != f.ItemCount || len(data) > 0 && data[len(data)-1] != '\n' {
			t.Errorf("%s: %d lines, want %d, each with a newline", f.DataFileS3Key, len(lines), f.ItemCount)
		}
		sum += f.ItemCount
		x.perFile = append(x.perFile, f.ItemCount)
		x.keys = append(x.keys, f.DataFileS3Key)
		x.lines = append(x.lines, lines...)
	}
	if sum != summary.ItemCount {
		t.Errorf("%d items in the files, %d in the summary", sum, summary.ItemCount)
	}
	return x
}

// shape is the members of an object in their order, with the types of their values.
func shape(t *testing.T, raw []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for d.More() {
		name, err := d.Token()
		var v any
		if err == nil {
			err = d.Decode(&v)
		}
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		kind := map[string]string{"string": "text", "float64": "number", "<nil>": "null", "map[string]interface {}": "object"}[fmt.Sprintf("%T", v)]
		out = append(out, fmt.Sprint(name, ":", kind))
	}
	return strings.Join(out, " ")
}
