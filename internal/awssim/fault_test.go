package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// once gives the fault to the first call of the operation.
func once(op string, f awssim.Fault) func(*awssim.Call) awssim.Fault {
	done := false
	return func(c *awssim.Call) awssim.Fault {
		if c.Operation != op || done {
			return awssim.Fault{}
		}
		done = true
		return f
	}
}

// add adds one to item "a"; without retries when told so.
func (w *world) add(ctx context.Context, opts ...func(*dynamodb.Options)) error {
	_, err := w.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}},
		UpdateExpression: aws.String("ADD v :1"), ExpressionAttributeValues: map[string]types.AttributeValue{":1": &types.AttributeValueMemberN{Value: "1"}},
	}, opts...)
	return err
}

func noRetry(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }

func TestFaultsDoWhatTheySay(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    awssim.Fault
		opts     []func(*dynamodb.Options)
		wantCode string
		wantAdds int
		wantTime time.Duration
	}{
		{"a refused call has no effect", awssim.Fault{Code: "ValidationException"}, nil, "ValidationException", 0, 0},
		{"the SDK sends a throttled call again", awssim.Fault{Code: "ThrottlingException"}, nil, "", 1, 0},
		{"a missing permission is said", awssim.Fault{Code: "AccessDeniedException", Message: "User is not authorized to perform: dynamodb:UpdateItem"}, nil, "AccessDeniedException", 0, 0},
		{"a call without a reply has its effect", awssim.Fault{DropReply: true}, []func(*dynamodb.Options){noRetry}, "RequestSendError", 1, 0},
		{"and when the SDK sends it again it has it twice", awssim.Fault{DropReply: true}, nil, "", 2, 0},
		{"a doubled call has its effect twice", awssim.Fault{Twice: true}, nil, "", 2, 0},
		{"a slow call waits before its effect and after", awssim.Fault{Delay: 3 * time.Second, DelayReply: 4 * time.Second}, nil, "", 1, 7 * time.Second},
		{"a reply that breaks off is an error", awssim.Fault{CutReply: 1}, []func(*dynamodb.Options){noRetry}, "DeserializationError", 1, 0},
		{"a server error is sent again", awssim.Fault{Status: 500}, nil, "", 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				w := newWorld(t, awssim.Config{Seed: 1})
				w.Intercept(once("UpdateItem", c.fault))
				start := time.Now()
				err := w.add(t.Context(), c.opts...)
				got := ""
				if err != nil {
					got = code(err)
				}
				if c.wantCode == "RequestSendError" || c.wantCode == "DeserializationError" {
					if err == nil {
						t.Error("no error")
					}
				} else if got != c.wantCode {
					t.Errorf("error %v, want code %q", err, c.wantCode)
				}
				if took := time.Since(start); c.wantTime > 0 && took != c.wantTime {
					t.Errorf("took %s, want %s", took, c.wantTime)
				}
				want := map[string]string{}
				if c.wantAdds > 0 {
					want[`{"pk":{"S":"a"}}`] = fmt.Sprintf(`{"pk":{"S":"a"},"v":{"N":"%d"}}`, c.wantAdds)
				}
				if items := w.Items("orders"); fmt.Sprint(items) != fmt.Sprint(want) {
					t.Errorf("items %v, want %v", items, want)
				}
			})
		})
	}
}

func TestACallerThatGivesUpMayStillHaveItsEffect(t *testing.T) {
	for _, linger := range []bool{false, true} {
		bubble.Run(t, func(t *testing.T) {
			w := newWorld(t, awssim.Config{})
			w.Intercept(once("UpdateItem", awssim.Fault{Delay: time.Minute, Linger: linger}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			if err := w.add(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
			if n := len(w.Items("orders")); n != 0 {
				t.Errorf("%d items at once", n)
			}
			time.Sleep(59*time.Second - time.Nanosecond)
			if n := len(w.Items("orders")); n != 0 {
				t.Errorf("%d items before the delay was over", n)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if n := len(w.Items("orders")); (n == 1) != linger {
				t.Errorf("linger %t: %d items after the delay", linger, n)
			}
		})
	}
}

func TestInterceptorsAimAtOneCallerAndMayUseCommands(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		var seen []string
		remove := w.Intercept(func(c *awssim.Call) awssim.Fault {
			seen = append(seen, fmt.Sprintf("%s %s %s %s", c.Client, c.Service, c.Operation, c.Table()))
			if c.Client == "victim" {
				return awssim.Fault{Code: "ProvisionedThroughputExceededException", After: func() { t.Error("After ran on a refused call") }}
			}
			return awssim.Fault{After: func() { _ = w.RollAll("orders") }}
		})
		w.put("a", "1")
		victim := dynamodb.NewFromConfig(w.AWSConfig("victim"), noRetry)
		_, err := victim.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}}})
		var throttled *types.ProvisionedThroughputExceededException
		if !errors.As(err, &throttled) {
			t.Errorf("victim: %v", err)
		}
		remove()
		w.put("b", "1")
		if got, want := strings.Join(seen, "; "), "tester dynamodb PutItem orders; victim dynamodb GetItem orders"; got != want {
			t.Errorf("seen %s, want %s", got, want)
		}
		if n := len(w.Shards("orders")); n != 2 {
			t.Errorf("%d shards after one roll, want 2", n)
		}
		counts := w.Counts()
		if got := counts[awssim.CountKey{Service: "dynamodb", Operation: "PutItem", Target: "orders"}]; got != (awssim.Count{Calls: 2, Units: 2}) || w.WriteUnits("orders") != 2 {
			t.Errorf("puts %+v", got)
		}
	})
}

func TestStreamFaultsAreTyped(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		w.put("a", "1")
		it, err := w.iterator(w.Shards("orders")[0].ID, streamtypes.ShardIteratorTypeTrimHorizon, "")
		if err != nil {
			t.Fatal(err)
		}
		w.Intercept(once("GetRecords", awssim.Fault{Code: "LimitExceededException"}))
		get := func() (*dynamodbstreams.GetRecordsOutput, error) {
			return w.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it}, func(o *dynamodbstreams.Options) { o.RetryMaxAttempts = 1 })
		}
		var limit *streamtypes.LimitExceededException
		if _, err := get(); !errors.As(err, &limit) {
			t.Errorf("throttled: %v", err)
		}
		w.Intercept(once("GetRecords", awssim.Fault{RewriteReply: func(b []byte) []byte { return []byte(strings.Replace(string(b), "INSERT", "MODIFY", 1)) }}))
		if out, err := get(); err != nil || out.Records[0].EventName != streamtypes.OperationTypeModify {
			t.Errorf("rewritten: %v, error %v", out, err)
		}
	})
}

func TestAConflictInABucketIsInjected(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newWorld(t, awssim.Config{})
		b := aws.String("lake")
		if _, err := w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: b}); err != nil {
			t.Fatal(err)
		}
		w.Intercept(once("PutObject", awssim.Fault{Status: 409}))
		put := func() error {
			_, err := w.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
			return err
		}
		if err := put(); code(err) != "ConditionalRequestConflict" {
			t.Errorf("first: %v", err)
		}
		if err := put(); err != nil {
			t.Errorf("second: %v", err)
		}
		w.Intercept(once("PutObject", awssim.Fault{DropReply: true}))
		*b = "lake"
		_, err := w.s3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: aws.String("k2"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
		if code(err) != "PreconditionFailed" {
			t.Errorf("a put whose first reply was lost is refused to its own writer: %v", err)
		}
	})
}

func TestAConflictAtTheEndOfAnUploadIsInjected(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{})
		b, key := aws.String("lake"), aws.String("k")
		up, err := w.s3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: b, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		part, err := w.s3.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: b, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
		if err != nil {
			t.Fatal(err)
		}
		complete := func() error {
			_, err := w.s3.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
				Bucket: b, Key: key, UploadId: up.UploadId, IfNoneMatch: aws.String("*"),
				MultipartUpload: &s3types.CompletedMultipartUpload{Parts: []s3types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}},
			})
			return err
		}
		w.Intercept(once("CompleteMultipartUpload", awssim.Fault{Status: 409}))
		if err := complete(); code(err) != "ConditionalRequestConflict" {
			t.Errorf("first: %v", err)
		}
		if err := complete(); err != nil {
			t.Errorf("second: %v", err)
		}
	})
}

func TestExportsAreIntercepted(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		w := newExportWorld(t, awssim.Config{})
		var targets []string
		w.Intercept(func(c *awssim.Call) awssim.Fault {
			targets = append(targets, c.Operation+" "+c.Table())
			return awssim.Fault{}
		})
		w.Intercept(once("ExportTableToPointInTime", awssim.Fault{Code: "AccessDeniedException"}))
		if _, err := w.full(); code(err) != "AccessDeniedException" {
			t.Errorf("denied: %v", err)
		}
		w.Intercept(once("ExportTableToPointInTime", awssim.Fault{DropReply: true}))
		d, err := w.full() // the SDK tries again, with the token of the first time
		if err != nil || len(w.Exports("orders")) != 1 {
			t.Fatalf("%v, error %v, %d exports", d, err, len(w.Exports("orders")))
		}
		w.describe(d.ExportArn)
		want := "ExportTableToPointInTime orders|ExportTableToPointInTime orders|ExportTableToPointInTime orders|DescribeExport orders"
		if got := strings.Join(targets, "|"); got != want {
			t.Errorf("calls %s, want %s", got, want)
		}
	})
}

func TestTheSameCloudIsServedOverRealHTTP(t *testing.T) {
	c := awssim.New(awssim.Config{})
	srv := httptest.NewServer(c)
	defer srv.Close()
	conf := c.AWSConfig("")
	conf.HTTPClient, conf.BaseEndpoint = srv.Client(), &srv.URL
	objects := s3.NewFromConfig(conf)
	ctx := t.Context()
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("lake")}); err != nil {
		t.Fatal(err)
	}
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("a/b"), Body: strings.NewReader("body")}); err != nil {
		t.Fatal(err)
	}
	tables, err := dynamodb.NewFromConfig(conf).ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil || len(tables.TableNames) != 0 {
		t.Errorf("tables %v, error %v", tables, err)
	}
	c.Intercept(once("PutObject", awssim.Fault{DropReply: true}))
	if _, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("lake"), Key: aws.String("c"), Body: strings.NewReader("x")}, func(o *s3.Options) { o.RetryMaxAttempts = 1 }); err == nil {
		t.Error("a dropped reply came")
	}
	if head, err := objects.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("lake"), Key: aws.String("a/b")}); err != nil || *head.ContentLength != 4 {
		t.Errorf("head %v, error %v", head, err)
	}
}

func TestAnotherRegionHasNoneOfIt(t *testing.T) {
	w := newWorld(t, awssim.Config{})
	conf := w.AWSConfig("x")
	conf.Region = "us-east-1"
	_, err := dynamodb.NewFromConfig(conf).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("table: %v", err)
	}
	_, err = s3.NewFromConfig(conf).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("lake")})
	if code(err) != "AuthorizationHeaderMalformed" {
		t.Errorf("bucket: %v", err)
	}
}
