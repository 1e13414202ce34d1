package awssim_test

import (
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

func TestAnExportFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*exportInput)
		meddle  func(*world, *types.ExportDescription) error
		code    string
		text    string
		objects int // left in bucket "lake"
	}{
		{"without its bucket", func(in *exportInput) { in.S3Bucket = aws.String("nowhere") }, nil, "S3NoSuchBucket", "bucket does not exist", 0},
		{"to a bucket of others", func(in *exportInput) { in.S3BucketOwner = aws.String("000000000000") }, nil, "S3AccessDenied", "Access Denied", 0},
		{"when told to", func(*exportInput) {}, func(w *world, d *types.ExportDescription) error {
			return w.FailExport(*d.ExportArn, "S3AccessDenied", "revoked")
		}, "S3AccessDenied", "revoked", 1 + 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := newExportWorld(t, awssim.Config{})
				token := func(in *exportInput) { in.ClientToken = aws.String("t") }
				d, err := w.full(token, c.change)
				if err != nil || d.ExportStatus != types.ExportStatusInProgress {
					t.Fatalf("%v, error %v", d, err)
				}
				if c.meddle != nil {
					if err := c.meddle(w, d); err != nil {
						t.Fatal(err)
					}
				}
				d = w.wait(d, nil)
				if d.ExportStatus != types.ExportStatusFailed || *d.FailureCode != c.code || !strings.Contains(*d.FailureMessage, c.text) || d.EndTime == nil || d.ExportManifest != nil || d.ItemCount != nil {
					t.Errorf("%+v", d)
				}
				out, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
				if err != nil || len(out.Contents) != c.objects {
					t.Errorf("%d objects, error %v", len(out.Contents), err)
				}
				if again, err := w.full(token, c.change); err != nil || *again.ExportArn != *d.ExportArn || again.ExportStatus != types.ExportStatusFailed {
					t.Errorf("the token leads to %v, error %v", again, err)
				}
				if err := w.FailExport(*d.ExportArn, "x", "x"); err == nil {
					t.Error("it failed twice")
				}
			})
		})
	}
}

func TestSoManyExportsAtOnce(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{ExportLimit: 2})
		for range 2 {
			if _, err := w.full(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.full(); code(err) != "LimitExceededException" {
			t.Errorf("the third: %v", err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := w.full(); err != nil {
			t.Errorf("when two are through: %v", err)
		}
	})
}

// An export that is under way outlives the recovery it reads, and its table.
func TestAnExportKeepsItsData(t *testing.T) {
	for name, meddle := range map[string]func(*world) error{
		"recovery is turned off": func(w *world) error { return w.SetPITR("orders", 0) },
		"the table is deleted": func(w *world) error {
			_, err := w.db.DeleteTable(w.t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
			return err
		},
		"nobody looks for a while": func(w *world) error { time.Sleep(40 * 24 * time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := newExportWorld(t, awssim.Config{})
				w.put("a", "1")
				time.Sleep(time.Second)
				d, err := w.full()
				w.put("a", "2")
				if err := meddle(w); err != nil {
					t.Fatal(err)
				}
				if name != "the table is deleted" {
					w.put("a", "3")
				}
				d = w.wait(d, err)
				compare(t, w.lines(d), `{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}}`)
				if took := d.EndTime.Sub(*d.StartTime); took != 5*time.Minute {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestTheRecoveryPeriodPassesOverAnExport(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{})
		if err := w.SetPITR("orders", 1); err != nil {
			t.Fatal(err)
		}
		w.put("a", "1")
		time.Sleep(time.Second)
		at := time.Now()
		time.Sleep(29 * time.Second)
		w.put("a", "2")
		time.Sleep(24*time.Hour - time.Minute)
		d, err := w.full(func(in *exportInput) { in.ExportTime = &at })
		time.Sleep(2 * time.Minute)
		w.put("a", "3")
		compare(t, w.lines(w.wait(d, err)), `{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}}`)
	})
}

func TestExportsAreListed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{ExportTakes: -1})
		var want []string
		for range 7 {
			d, err := w.full()
			if err != nil {
				t.Fatal(err)
			}
			want = append([]string{*d.ExportArn}, want...)
		}
		list := func(arn *string) (got []string) {
			for p := dynamodb.NewListExportsPaginator(w.db, &dynamodb.ListExportsInput{TableArn: arn, MaxResults: aws.Int32(3)}); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range out.ExportSummaries {
					if got = append(got, *e.ExportArn); e.ExportStatus != types.ExportStatusCompleted || e.ExportType != types.ExportTypeFullExport {
						t.Errorf("%+v", e)
					}
				}
			}
			return got
		}
		for _, arn := range []*string{nil, w.tableARN()} {
			if got := list(arn); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("listed %q, want %q", got, want)
			}
		}
		if got := list(aws.String(*w.tableARN() + "x")); len(got) != 0 {
			t.Errorf("of another table: %q", got)
		}
		if got := w.Exports("orders"); len(got) != 7 || got[0].ARN != want[6] || got[0].Status != "COMPLETED" || !got[0].Full {
			t.Errorf("%+v", got)
		}
		if _, err := w.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")}); err != nil {
			t.Fatal(err)
		}
		if a, b := list(w.tableARN()), list(nil); len(a) != 0 || len(b) != 7 {
			t.Errorf("when the table is gone: %d, and %d of all", len(a), len(b))
		}
		for arn, want := range map[string]string{
			want[0] + "0":           "ExportNotFoundException",
			*w.tableARN():           "ValidationException",
			strings.Repeat("x", 40): "ValidationException",
			strings.Replace(want[0], ":123456789012:", ":000000000000:", 1): "AccessDeniedException",
		} {
			if _, err := w.db.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: &arn}); code(err) != want {
				t.Errorf("describe %s: %v, want %s", arn, err, want)
			}
		}
	})
}
