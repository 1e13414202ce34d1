package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/internal/awssim"
	"dynamolake/internal/scene"
)

// refusedStart runs `consume` against a cloud behind a real listener, with
// settings of the environment alone, and expects it to end with one line. It must
// end by itself: the context is only there so that a failure is not a hang.
func refusedStart(t *testing.T, cloud *awssim.Cloud, wrap func(http.Handler) http.Handler, args ...string) string {
	t.Helper()
	var handler http.Handler = cloud
	if wrap != nil {
		handler = wrap(cloud)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out, err bytes.Buffer
	code := run(ctx, append([]string{"consume", "--log-level=error"}, args...), []string{"DYNAMOLAKE_TABLE=orders", "DYNAMOLAKE_LAKE=s3://lake/p"}, streams{out: &out, err: &err})
	if ctx.Err() != nil {
		t.Fatal("it did not end by itself")
	}
	text := err.String()
	if code != 1 || out.Len() != 0 || strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "dynamolake consume: ") {
		t.Errorf("exit code %d, want 1 and one line; stdout %q, stderr:\n%s", code, out.String(), text)
	}
	return text
}

func newScene(t *testing.T) *scene.Scene {
	t.Helper()
	s, err := scene.Open(t.Context(), awssim.New(awssim.Config{}), 2)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func deny(service, operation, code string) func(*awssim.Call) awssim.Fault {
	return func(call *awssim.Call) awssim.Fault {
		if call.Service == service && (operation == "" || call.Operation == operation) {
			return awssim.Fault{Code: code, Message: "User: arn:aws:iam::123456789012:user/u is not authorized"}
		}
		return awssim.Fault{}
	}
}

func TestConsumeEndsAtOnceWhereItCouldNeverWork(t *testing.T) {
	const denied = "AccessDeniedException"
	for _, c := range []struct {
		name  string
		fault func(*awssim.Call) awssim.Fault
		args  []string
		want  string
	}{
		{"an unknown table", nil, []string{"--table=order"}, `table "order" does not exist in eu-west-1; check the name, the account and AWS_REGION`},
		{"no permission to describe the table", deny("dynamodb", "DescribeTable", denied), nil, "permission dynamodb:DescribeTable is missing on table orders"},
		{"no permission to list shards", deny("streams", "DescribeStream", denied), nil, "permission dynamodb:DescribeStream is missing on arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/"},
		{"no permission for iterators", deny("streams", "GetShardIterator", denied), nil, "permission dynamodb:GetShardIterator is missing on arn:aws:"},
		{"no permission to read", deny("streams", "GetRecords", denied), nil, "permission dynamodb:GetRecords is missing on arn:aws:"},
		{"no permission to make the lease table", deny("dynamodb", "CreateTable", denied), nil, "create table dynamolake-orders: permission missing; allow dynamodb:DescribeTable, CreateTable,"},
		{"no permission to read the lease table", deny("dynamodb", "Scan", denied), nil, "use table dynamolake-orders: permission missing; allow"},
		{"no permission to make leases", deny("dynamodb", "PutItem", denied), nil, "use table dynamolake-orders: permission missing; allow"},
		{"no permission to write leases", deny("dynamodb", "UpdateItem", denied), nil, "use table dynamolake-orders: permission missing; allow"},
		{"no permission to remove leases", deny("dynamodb", "DeleteItem", denied), nil, "use table dynamolake-orders: permission missing; allow"},
		{"no permission to write to the lake", deny("s3", "PutObject", "AccessDenied"), nil, "access denied; the lake needs s3:PutObject and s3:GetObject on its objects and s3:ListBucket on bucket lake"},
		{"no such bucket", nil, []string{"--lake=s3://pond"}, "there is no bucket pond; create it or correct the lake's address"},
		{"a bucket in another region", func(call *awssim.Call) awssim.Fault {
			if call.Service == "s3" {
				return awssim.Fault{Status: 301, Code: "PermanentRedirect"}
			}
			return awssim.Fault{}
		}, nil, "bucket lake is in another region; set AWS_REGION to the bucket's region"},
		{"credentials that have expired", deny("dynamodb", "", "ExpiredTokenException"), nil, `describing table "orders": AWS does not accept the credentials (ExpiredTokenException); check AWS_PROFILE or the role`},
		{"credentials that nobody knows", deny("dynamodb", "", "UnrecognizedClientException"), nil, "AWS does not accept the credentials (UnrecognizedClientException)"},
		{"credentials that S3 has seen expire", func(call *awssim.Call) awssim.Fault {
			if call.Service == "s3" {
				return awssim.Fault{Status: 403, Code: "ExpiredToken"}
			}
			return awssim.Fault{}
		}, nil, "the credentials were refused; check them and the clock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AWS_REGION", "eu-west-1")
			s := newScene(t)
			if c.fault != nil {
				s.Cloud.Intercept(c.fault)
			}
			if text := refusedStart(t, s.Cloud, nil, c.args...); !strings.Contains(text, c.want) {
				t.Errorf("got  %swant %s", text, c.want)
			}
		})
	}
}

func TestConsumeInTheWrongRegion(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	if text := refusedStart(t, newScene(t).Cloud, nil); !strings.Contains(text, `table "orders" does not exist in us-east-1; check the name, the account and AWS_REGION`) {
		t.Error(text)
	}
}

func TestConsumeWithoutARegion(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	if text := refusedStart(t, newScene(t).Cloud, nil); !strings.Contains(text, "no AWS region; set AWS_REGION") {
		t.Error(text)
	}
}

func TestConsumeRefusesAStoreThatIgnoresIfNoneMatch(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	text := refusedStart(t, newScene(t).Cloud, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-None-Match")
			next.ServeHTTP(w, r)
		})
	})
	if !strings.Contains(text, "it ignores If-None-Match") || !strings.Contains(text, "use a store that has conditional writes") {
		t.Error(text)
	}
}

// TestConsumeSaysHowToTurnTheStreamOn for every stream that cannot feed the lake.
func TestConsumeSaysHowToTurnTheStreamOn(t *testing.T) {
	const on = "aws dynamodb update-table --table-name orders --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
	for _, c := range []struct {
		name string
		view ddbtypes.StreamViewType // empty: off
		args []string
		want string
	}{
		{"off", "", nil, `table "orders" has no stream; turn it on with: ` + on},
		{"keys only", ddbtypes.StreamViewTypeKeysOnly, nil, `the stream of table "orders" is KEYS_ONLY, which does not carry what items became`},
		{"old images only", ddbtypes.StreamViewTypeOldImage, nil, `the stream of table "orders" is OLD_IMAGE, which does not carry what items became`},
		{
			"old images asked for where there are none", ddbtypes.StreamViewTypeNewImage,
			[]string{"--old-image"},
			`old images were asked for, but the stream of table "orders" is NEW_IMAGE; leave --old-image out or change the stream`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AWS_REGION", "eu-west-1")
			s := newScene(t)
			db := dynamodb.NewFromConfig(s.Cloud.AWSConfig("author"))
			specify := func(spec *ddbtypes.StreamSpecification) {
				if _, err := db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(scene.TableName), StreamSpecification: spec}); err != nil {
					t.Fatal(err)
				}
			}
			specify(&ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(false)})
			if c.view != "" {
				specify(&ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: c.view})
			}
			text := refusedStart(t, s.Cloud, nil, c.args...)
			if !strings.Contains(text, c.want) || !strings.Contains(text, on) {
				t.Errorf("got  %swant %s", text, c.want)
			}
		})
	}
}
