package awssim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What exports look like in AWS: members in their order.
const (
	fullSummary = "version:text exportArn:text startTime:text endTime:text tableArn:text tableId:text exportTime:text" +
		" s3Bucket:text s3Prefix:null s3SseAlgorithm:text s3SseKmsKeyId:null manifestFilesS3Key:text" +
		" billedSizeBytes:number itemCount:number outputFormat:text"
	incrementalSummary = "version:text exportArn:text startTime:text endTime:text tableArn:text tableId:text exportFromTime:text exportToTime:text" +
		" s3Bucket:text s3Prefix:null s3SseAlgorithm:text s3SseKmsKeyId:null manifestFilesS3Key:text" +
		" billedSizeBytes:number itemCount:number outputFormat:text outputView:text exportType:text"
	filesLine  = "itemCount:number md5Checksum:text etag:text dataFileS3Key:text"
	itemLine   = "Item:object"
	insertLine = "Metadata:object Keys:object NewImage:object"
	updateLine = "Metadata:object Keys:object OldImage:object NewImage:object"
	deleteLine = "Metadata:object Keys:object OldImage:object"
)

var (
	fullKey        = regexp.MustCompile(`^AWSDynamoDB/0[0-9]{13}-[0-9a-f]{8}/data/[a-z2-7]{26}\.json\.gz$`)
	incrementalKey = regexp.MustCompile(`^AWSDynamoDB/data/[a-z2-7]{26}\.json\.gz$`)
)

func (x exported) check(t *testing.T, full bool) {
	t.Helper()
	summary, key, shapes := incrementalSummary, incrementalKey, []string{insertLine, updateLine, deleteLine}
	if full {
		summary, key, shapes = fullSummary, fullKey, []string{itemLine}
	}
	if x.summary != summary {
		t.Errorf("summary %s\n   want %s", x.summary, summary)
	}
	if x.files != filesLine || len(x.keys) != 4 {
		t.Errorf("%d files, as %s", len(x.keys), x.files)
	}
	for _, k := range x.keys {
		if !key.MatchString(k) {
			t.Errorf("data at %s", k)
		}
	}
	for _, s := range x.lineShapes {
		if !slices.Contains(shapes, s) {
			t.Errorf("a line of %s", s)
		}
	}
}

func TestRealExportsLookAsSaidHere(t *testing.T) {
	const dir = "../../../shared/fixtures/real-export"
	summaries, _ := filepath.Glob(dir + "/AWSDynamoDB/*/manifest-summary.json")
	if len(summaries) == 0 {
		t.Skip("no real exports in " + dir)
	}
	seen := map[string]bool{}
	for _, path := range summaries {
		key, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		// Their publisher put other names for account and bucket into the summaries.
		x := readEdited(t, filepath.ToSlash(key), true, func(key string) []byte {
			b, err := os.ReadFile(filepath.Join(dir, key))
			if err != nil {
				t.Fatal(err)
			}
			return b
		})
		x.check(t, x.summary == fullSummary)
		for _, s := range append(x.lineShapes, x.summary) {
			seen[s] = true
		}
	}
	for _, s := range []string{fullSummary, incrementalSummary, itemLine, insertLine, updateLine, deleteLine} {
		if !seen[s] {
			t.Errorf("none of the real exports has %s", s)
		}
	}
}

// golden is a world with two exports: of an item, and of an insert, an update and a delete.
func golden(t *testing.T, change ...func(*dynamodb.ExportTableToPointInTimeInput)) (w *world, full, inc *types.ExportDescription) {
	w = newExportWorld(t, awssim.Config{Seed: 1})
	w.put("kept", "1.2300E+5")
	w.put("gone", "1")
	time.Sleep(time.Second)
	full = w.wait(w.full(change...))
	from := time.Now().Truncate(time.Second)
	w.put("kept", "-0.50")
	w.put("new", "3")
	w.remove("gone")
	time.Sleep(20 * time.Minute)
	return w, full, w.wait(w.increment(from, from.Add(15*time.Minute), change...))
}

func (w *world) remove(pk string) {
	w.t.Helper()
	_, err := w.db.DeleteItem(w.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestExportsLookAsInAWS(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w, full, inc := golden(t)
		get := func(key string) []byte { b, _ := w.object(key); return b }
		readExport(t, *full.ExportManifest, get).check(t, true)
		x := readExport(t, *inc.ExportManifest, get)
		x.check(t, false)
		slices.Sort(x.lineShapes)
		if want := []string{insertLine, deleteLine, updateLine}; !slices.Equal(x.lineShapes, want) {
			t.Errorf("lines %q", x.lineShapes)
		}
		for i, key := range x.keys { // the store's ETag is the manifest's
			if _, etag := w.object(key); x.perFile[i] == 0 && etag != "7deb4078f238dd87d6af0538152c04e9-1" {
				t.Errorf("%s: ETag %s", key, etag)
			}
		}
	})
}

func TestTheTextOfAnExport(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w, full, inc := golden(t)
		text := func(key *string) string { b, _ := w.object(*key); return string(b) }
		id := func(d *types.ExportDescription) string {
			return (*d.ExportArn)[strings.LastIndex(*d.ExportArn, "/")+1:]
		}
		for _, c := range []struct {
			d            *types.ExportDescription
			prefix, want string
		}{
			{full, "00946684802000-", `{"version":"2020-06-30","exportArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/orders/export/ID",` +
				`"startTime":"2000-01-01T00:00:02.000Z","endTime":"2000-01-01T00:05:02.000Z","tableArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/orders",` +
				`"tableId":"TABLE","exportTime":"2000-01-01T00:00:02.000Z","s3Bucket":"lake","s3Prefix":null,"s3SseAlgorithm":"AES256","s3SseKmsKeyId":null,` +
				`"manifestFilesS3Key":"AWSDynamoDB/ID/manifest-files.json","billedSizeBytes":0,"itemCount":2,"outputFormat":"DYNAMODB_JSON"}`},
			{inc, "00946686302000-", `{"version":"2023-08-01","exportArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/orders/export/ID",` +
				`"startTime":"2000-01-01T00:25:02.000Z","endTime":"2000-01-01T00:30:02.000Z","tableArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/orders",` +
				`"tableId":"TABLE","exportFromTime":"2000-01-01T00:05:02.000Z","exportToTime":"2000-01-01T00:20:02.000Z","s3Bucket":"lake","s3Prefix":null,"s3SseAlgorithm":"AES256","s3SseKmsKeyId":null,` +
				`"manifestFilesS3Key":"AWSDynamoDB/ID/manifest-files.json","billedSizeBytes":10000000,"itemCount":3,"outputFormat":"DYNAMODB_JSON","outputView":"NEW_AND_OLD_IMAGES","exportType":"INCREMENTAL_EXPORT"}`},
		} {
			want := strings.NewReplacer("ID", id(c.d), "TABLE", *c.d.TableId).Replace(c.want)
			if got := text(c.d.ExportManifest); got != want || !strings.HasPrefix(id(c.d), c.prefix) {
				t.Errorf("summary %s\n   want %s", got, want)
			}
		}
		compare(t, w.lines(full), `{"Item":{"pk":{"S":"gone"},"v":{"N":"1"}}}`, `{"Item":{"pk":{"S":"kept"},"v":{"N":"123000"}}}`)
		compare(
			t, w.lines(inc),
			`{"Metadata":{"WriteTimestampMicros":{"N":"946685102000000"}},"Keys":{"pk":{"S":"gone"}},"OldImage":{"pk":{"S":"gone"},"v":{"N":"1"}}}`,
			`{"Metadata":{"WriteTimestampMicros":{"N":"946685102000000"}},"Keys":{"pk":{"S":"kept"}},"OldImage":{"pk":{"S":"kept"},"v":{"N":"123000"}},"NewImage":{"pk":{"S":"kept"},"v":{"N":"-0.5"}}}`,
			`{"Metadata":{"WriteTimestampMicros":{"N":"946685102000000"}},"Keys":{"pk":{"S":"new"}},"NewImage":{"pk":{"S":"new"},"v":{"N":"3"}}}`,
		)
	})
}

// compare compares lines in any order. Items of a full export may have their
// attributes in any order: of two, both are tried.
func compare(t *testing.T, got []string, want ...string) {
	t.Helper()
	got = slices.Clone(got)
	for i, l := range got {
		if strings.HasPrefix(l, `{"Item":{"v":`) {
			v, pk, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(l, `{"Item":{`), `}}`), `,`)
			got[i] = fmt.Sprintf(`{"Item":{%s,%s}}`, pk, v)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("lines\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheSameSeedMakesTheSameExports(t *testing.T) {
	all := func(seed uint64) (text string) {
		bubble.Run(t, func(t *testing.T) {
			w := newExportWorld(t, awssim.Config{Seed: seed, ClockSkew: time.Second})
			for i := range 50 {
				w.put(fmt.Sprint(i), "1")
			}
			time.Sleep(time.Minute)
			w.wait(w.full())
			list, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list.Contents {
				text += *o.Key + " " + *o.ETag + "\n"
			}
		})
		return text
	}
	if one, again, other := all(1), all(1), all(2); one != again || one == other {
		t.Errorf("seed 1\n%s\nagain\n%s\nseed 2\n%s", one, again, other)
	}
}

func TestAnExportIsWhereItSays(t *testing.T) {
	for _, c := range []struct{ prefix, dir string }{{"a/b", "a/b/AWSDynamoDB/"}, {"c/", "c/AWSDynamoDB/"}} {
		bubble.Run(t, func(t *testing.T) {
			w, full, inc := golden(t, func(in *dynamodb.ExportTableToPointInTimeInput) { in.S3Prefix = &c.prefix })
			get := func(key string) []byte { b, _ := w.object(key); return b }
			for _, d := range []*types.ExportDescription{full, inc} {
				x := readExport(t, *d.ExportManifest, get)
				for _, key := range append(x.keys, *d.ExportManifest) {
					if !strings.HasPrefix(key, c.dir) {
						t.Errorf("%s is not below %s", key, c.dir)
					}
				}
				if !strings.Contains(x.summary, "s3Prefix:text") || *d.S3Prefix != c.prefix {
					t.Errorf("prefix %q: %s", *d.S3Prefix, x.summary)
				}
			}
		})
	}
}

func TestAnExportInIon(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w, full, inc := golden(t, func(in *dynamodb.ExportTableToPointInTimeInput) { in.ExportFormat = types.ExportFormatIon })
		var swapped []string
		for _, l := range w.lines(full) {
			swapped = append(swapped, strings.Replace(l, `{v:123d3,pk:"kept"}`, `{pk:"kept",v:123d3}`, 1))
			swapped[len(swapped)-1] = strings.Replace(swapped[len(swapped)-1], `{v:1.,pk:"gone"}`, `{pk:"gone",v:1.}`, 1)
		}
		compare(t, swapped, `$ion_1_0 {Item:{pk:"gone",v:1.}}`, `$ion_1_0 {Item:{pk:"kept",v:123d3}}`)
		compare(
			t, w.lines(inc),
			`$ion_1_0 {Record:{Keys:{pk:"gone"},Metadata:{WriteTimestampMicros:946685102000000.},OldImage:{pk:"gone",v:1.}}}`,
			`$ion_1_0 {Record:{Keys:{pk:"kept"},Metadata:{WriteTimestampMicros:946685102000000.},OldImage:{pk:"kept",v:123d3},NewImage:{pk:"kept",v:-0.5}}}`,
			`$ion_1_0 {Record:{Keys:{pk:"new"},Metadata:{WriteTimestampMicros:946685102000000.},NewImage:{pk:"new",v:3.}}}`,
		)
		b, _ := w.object(*inc.ExportManifest)
		files, _ := w.object(strings.Replace(*inc.ExportManifest, "summary", "files", 1))
		if !strings.Contains(string(b), `"outputFormat":"ION"`) || strings.Count(string(files), `.ion.gz"`) != 4 {
			t.Errorf("manifests %s\n%s", b, files)
		}
	})
}
