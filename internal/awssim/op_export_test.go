package awssim_test

import (
	"errors"
	"fmt"
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

type exportInput = dynamodb.ExportTableToPointInTimeInput

func says(err error, code, text string) bool {
	var api interface {
		ErrorCode() string
		ErrorMessage() string
	}
	return errors.As(err, &api) && api.ErrorCode() == code && strings.Contains(api.ErrorMessage(), text)
}

// twoHours is a world whose table is two hours old and has had recovery on for one.
func twoHours(t *testing.T) *world {
	w := newExportWorld(t, awssim.Config{})
	if err := w.SetPITR("orders", 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
	if err := w.SetPITR("orders", 35); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
	return w
}

func TestExportsThatAreRefused(t *testing.T) {
	const invalid, badTime = "ValidationException", "InvalidExportTimeException"
	now := time.Date(2000, 1, 1, 2, 0, 1, 0, time.UTC) // in the world of two hours
	at := func(d time.Duration) func(*exportInput) {
		return func(in *exportInput) { in.ExportTime = aws.Time(now.Add(d)) }
	}
	window := func(from, to time.Duration) func(*exportInput) {
		return func(in *exportInput) {
			in.ExportType = types.ExportTypeIncrementalExport
			in.IncrementalExportSpecification = &types.IncrementalExportSpecification{ExportFromTime: aws.Time(now.Add(from)), ExportToTime: aws.Time(now.Add(to))}
		}
	}
	arn := func(a string) func(*exportInput) { return func(in *exportInput) { in.TableArn = &a } }
	for _, c := range []struct {
		name       string
		change     func(*exportInput)
		code, text string // "" = accepted
	}{
		{"at once", func(*exportInput) {}, "", ""},
		{"as of now", at(0), "", ""},
		{"as of a second from now", at(time.Second), badTime, "Export Time is invalid"},
		{"from before the table", at(-3 * time.Hour), badTime, "Export Time is invalid"},
		{"from before recovery", at(-90 * time.Minute), badTime, "Point in Time Recovery is not available for specified export time"},
		{"as of the earliest time", at(-time.Hour), "", ""},
		{"a window of 15 min until now", window(-15*time.Minute, 0), "", ""},
		{"a window from the earliest time", window(-time.Hour, 0), "", ""},
		{"a window into the future", window(-15*time.Minute, time.Second), badTime, "cannot be greater than the current time"},
		{"a window of less than 15 min", window(-15*time.Minute, -time.Second), badTime, "Difference between export period from time and export period to time is less than 15 minutes"},
		{"a window that ends before it begins", window(-15*time.Minute, -time.Hour), badTime, "Difference between export period"},
		{"a window from before the table", window(-3*time.Hour, 0), badTime, "cannot be less than the table creation time"},
		{"a window from before recovery", window(-time.Hour-time.Second, 0), badTime, "not available"},
		{"an unknown table", arn("arn:aws:dynamodb:eu-west-1:123456789012:table/nothing"), "TableNotFoundException", "Table not found"},
		{"a table of another account", arn("arn:aws:dynamodb:eu-west-1:000000000000:table/orders"), "AccessDeniedException", ""},
		{"a name for an ARN", arn("orders"), invalid, "tableArn is not a valid ARN"},
		{"an index", arn("arn:aws:dynamodb:eu-west-1:123456789012:table/orders/index/x"), invalid, "Table ARN is invalid"},
		{"an empty prefix", func(in *exportInput) { in.S3Prefix = aws.String("") }, invalid, "s3Prefix"},
		{"an empty token", func(in *exportInput) { in.ClientToken = aws.String("") }, invalid, "clientToken"},
		{"a token with a dollar", func(in *exportInput) { in.ClientToken = aws.String("a$") }, invalid, "clientToken"},
		{"an empty bucket", func(in *exportInput) { in.S3Bucket = aws.String("") }, invalid, "s3Bucket"},
		{"a bucket that is none", func(in *exportInput) { in.S3Bucket = aws.String("arn:aws:s3:::lake") }, invalid, "s3Bucket"},
		{"an unknown format", func(in *exportInput) { in.ExportFormat = "CSV" }, invalid, "exportFormat"},
		{"a key without KMS", func(in *exportInput) { in.S3SseKmsKeyId = aws.String("k") }, invalid, "KMS Key Id"},
		{"a window for a full export", func(in *exportInput) { window(-time.Hour, 0)(in); in.ExportType = types.ExportTypeFullExport }, invalid, "should not be provided"},
		{"a window for no type", func(in *exportInput) { window(-time.Hour, 0)(in); in.ExportType = "" }, invalid, "expected to be Incremental Export"},
		{"an increment without a window", func(in *exportInput) { in.ExportType = types.ExportTypeIncrementalExport }, invalid, "Specification expected"},
		{"a window without a beginning", func(in *exportInput) {
			window(0, 0)(in)
			in.IncrementalExportSpecification.ExportFromTime = nil
		}, invalid, "ExportFromTime must be provided"},
		{"a view that is called otherwise", func(in *exportInput) {
			window(-time.Hour, 0)(in)
			in.IncrementalExportSpecification.ExportViewType = "NEW_IMAGES"
		}, invalid, "exportViewType"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := twoHours(t)
				if !time.Now().Equal(now) {
					t.Fatalf("it is %s", time.Now())
				}
				_, err := w.full(c.change)
				if c.code == "" && err != nil || c.code != "" && !says(err, c.code, c.text) {
					t.Errorf("error %v, want %q %q", err, c.code, c.text)
				}
			})
		})
	}
}

func TestAWindowIsADayAtMost(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{})
		from := time.Now()
		time.Sleep(25 * time.Hour)
		if _, err := w.increment(from, from.Add(24*time.Hour)); err != nil {
			t.Errorf("24 h: %v", err)
		}
		if _, err := w.increment(from, from.Add(24*time.Hour+time.Second)); !says(err, "InvalidExportTimeException", "Difference between export period") {
			t.Errorf("24 h and a second: %v", err)
		}
	})
}

func TestATokenMakesOneExport(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{})
		with := func(token string, change func(*exportInput)) (*types.ExportDescription, error) {
			return w.full(func(in *exportInput) { in.ClientToken = &token; change(in) })
		}
		same := func(*exportInput) {}
		if _, err := with("t", func(in *exportInput) { in.ExportTime = aws.Time(time.Now().Add(time.Hour)) }); err == nil {
			t.Fatal("an export of the future was accepted")
		}
		first, err := with("t", same) // the refused request has not taken the token
		if err != nil {
			t.Fatal(err)
		}
		again, err := with("t", same)
		if err != nil || *again.ExportArn != *first.ExportArn {
			t.Errorf("again: %v, error %v", again, err)
		}
		if _, err := with("t", func(in *exportInput) { in.S3Prefix = aws.String("p") }); !says(err, "ExportConflictException", "Duplicate request detected") {
			t.Errorf("with another prefix: %v", err)
		}
		if _, err := w.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("other"), AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}},
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := with("t", func(in *exportInput) { in.TableArn = aws.String(strings.Replace(*in.TableArn, "orders", "other", 1)) }); !says(err, "ExportConflictException", "") {
			t.Errorf("of another table: %v", err)
		}
		one, err1 := w.full()
		two, err2 := w.full()
		if err1 != nil || err2 != nil || *one.ExportArn == *two.ExportArn || *one.ExportArn == *first.ExportArn {
			t.Errorf("without a token: %v %v, errors %v %v", one, two, err1, err2)
		}
		time.Sleep(8*time.Hour - time.Second)
		if again, err = with("t", same); err != nil || *again.ExportArn != *first.ExportArn || again.ExportStatus != types.ExportStatusCompleted {
			t.Errorf("within 8 h: %v, error %v", again, err)
		}
		time.Sleep(time.Second)
		if again, err = with("t", same); err != nil || *again.ExportArn == *first.ExportArn {
			t.Errorf("after 8 h: %v, error %v", again, err)
		}
	})
}

func TestAnExportTakesItsTime(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{ExportTakes: 7 * time.Minute})
		w.put("a", "1")
		time.Sleep(time.Second)
		keys := func() string {
			out, err := w.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(len(out.Contents))
		}
		d, err := w.full()
		if err != nil || d.ExportStatus != types.ExportStatusInProgress || d.EndTime != nil || d.ItemCount != nil || d.ExportManifest != nil {
			t.Fatalf("%+v, error %v", d, err)
		}
		began := *d.StartTime
		w.put("b", "1")
		time.Sleep(7*time.Minute - time.Millisecond)
		if d = w.describe(d.ExportArn); d.ExportStatus != types.ExportStatusInProgress || keys() != "1" {
			t.Errorf("before its end: %s, %s objects", d.ExportStatus, keys())
		}
		time.Sleep(time.Millisecond)
		if n := keys(); n != "9" { // seen in S3 first
			t.Errorf("%s objects", n)
		}
		time.Sleep(time.Hour)
		d = w.describe(d.ExportArn)
		if d.ExportStatus != types.ExportStatusCompleted || !d.EndTime.Equal(began.Add(7*time.Minute)) || *d.ItemCount != 1 || *d.BilledSizeBytes != 0 || !d.ExportTime.Equal(began) {
			t.Errorf("%+v", d)
		}
		time.Sleep(90 * 24 * time.Hour)
		if _, err := w.db.DescribeExport(t.Context(), &dynamodb.DescribeExportInput{ExportArn: d.ExportArn}); code(err) != "ExportNotFoundException" {
			t.Errorf("after 90 days: %v", err)
		}
		if n := keys(); n != "9" {
			t.Errorf("%s objects after 90 days", n)
		}
	})
}
