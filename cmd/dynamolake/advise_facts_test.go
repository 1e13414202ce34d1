package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/encoding/cbor"

	"dynamolake/internal/advise"
	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
	"dynamolake/internal/scene"
)

var exampleImportance = advise.Importance{"freshness": 5, "engineering": 4, "cost": 3, "volume": 4, "downstream": 3}

// withTable tells a story of a table with three shards, 200 requests old.
func withTable(t *testing.T, story func(t *testing.T, s *scene.Scene)) {
	bubble.Run(t, func(t *testing.T) {
		s, err := scene.Open(t.Context(), awssim.New(awssim.Config{}), 3)
		if err != nil {
			t.Fatal(err)
		}
		author := s.Author(1, 50)
		for range 200 {
			if err := author.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(48 * time.Hour)
		story(t, s)
	})
}

// adviseOf asks about the scene's table, as the given AWS client.
func adviseOf(t *testing.T, cfg aws.Config, change func(*advising)) (text string, err error) {
	t.Helper()
	c := advising{table: scene.TableName, output: "text", plan: advise.Plan{
		Importance: maps.Clone(exampleImportance), FullEvery: 24 * time.Hour, Window: time.Hour, Flush: 15 * time.Second, Workers: 2,
	}}
	if change != nil {
		change(&c)
	}
	var out bytes.Buffer
	err = c.run(t.Context(), streams{out: &out, err: io.Discard}, func(context.Context) (aws.Config, error) { return cfg, nil })
	return out.String(), err
}

func wantLines(t *testing.T, text string, lines map[string]string) {
	t.Helper()
	for name, want := range lines {
		if got := lineOf(t, text, name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFactsComeFromAWS(t *testing.T) {
	withTable(t, func(t *testing.T, s *scene.Scene) {
		cfg := s.Cloud.AWSConfig("observer")
		text, err := adviseOf(t, cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantLines(t, text, map[string]string{
			"table": "orders", "open shards": "3  ", "stream": "NEW_AND_OLD_IMAGES", "billing mode": "PAY_PER_REQUEST",
			"point-in-time recovery": "off  ",
			// The simulator has no CloudWatch.
			"write units a second": "unknown", "writes a second": "unknown",
			"! writes a second": "(--writes-per-second if you know them): unknown; cloudwatch:GetMetricStatistics did not answer: ",
		})
		for _, name := range []string{"items", "size", "average item"} {
			if got := lineOf(t, text, name); strings.HasPrefix(got, "unknown") || strings.HasPrefix(got, "0 ") {
				t.Errorf("%s: %s", name, got)
			}
		}
		if !strings.Contains(text, "aws dynamodb update-continuous-backups --region "+cfg.Region) || strings.Contains(text, "update-table") {
			t.Errorf("it does not turn on what is off, or turns on what is on:\n%s", text)
		}
		if _, err := dynamodb.NewFromConfig(cfg).UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
			TableName:                        aws.String(scene.TableName),
			PointInTimeRecoverySpecification: &ddbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
		}); err != nil {
			t.Fatal(err)
		}
		if text, err = adviseOf(t, cfg, nil); err != nil || strings.Contains(text, "update-continuous-backups") {
			t.Errorf("%v\n%s", err, text)
		}
		wantLines(t, text, map[string]string{"point-in-time recovery": "on  "})
	})
}

func TestFlagsOverrideFacts(t *testing.T) {
	withTable(t, func(t *testing.T, s *scene.Scene) {
		items, size, writes, shards := int64(1000), int64(2e9), 7.5, 9
		text, err := adviseOf(t, s.Cloud.AWSConfig("observer"), func(c *advising) {
			c.items, c.size, c.writes, c.shards = &items, &size, &writes, &shards
		})
		if err != nil {
			t.Fatal(err)
		}
		wantLines(t, text, map[string]string{
			"items": "1,000", "size": "2 GB", "average item": "2 MB", "writes a second": "7.5", "open shards": "9  ", "stream": "NEW_AND_OLD_IMAGES",
		})
		if strings.Contains(text, "\n!") {
			t.Errorf("CloudWatch was asked for what was given:\n%s", text)
		}
	})
}

// TestWhatAWSRefusesIsUnknown denies one call after the other, and then all.
func TestWhatAWSRefusesIsUnknown(t *testing.T) {
	withTable(t, func(t *testing.T, s *scene.Scene) {
		denied := map[string]bool{}
		s.Cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			if call.Client == "observer" && denied[call.Operation] {
				return awssim.Fault{Code: "AccessDeniedException", Message: "User is not authorized\nto perform this"}
			}
			return awssim.Fault{}
		})
		for _, c := range []struct{ call, fact, line string }{
			{"DescribeContinuousBackups", "point-in-time recovery", "! point-in-time recovery: unknown; dynamodb:DescribeContinuousBackups did not answer: AccessDeniedException: User is not authorized to perform this\n"},
			{"DescribeStream", "open shards", "! open shards: unknown; dynamodb:DescribeStream did not answer: AccessDeniedException"},
			{"DescribeTable", "items", "! the table: unknown; dynamodb:DescribeTable did not answer: AccessDeniedException"},
		} {
			denied[c.call] = true
			text, err := adviseOf(t, s.Cloud.AWSConfig("observer"), nil)
			if err != nil {
				t.Fatal(err)
			}
			// Shards can be estimated.
			if got := lineOf(t, text, c.fact); !strings.HasPrefix(got, "unknown") && !strings.Contains(got, "estimated") {
				t.Errorf("%s: %s", c.fact, got)
			}
			if !strings.Contains(text, c.line) || !strings.Contains(text, "RECOMMENDED  stream export, with 70 points") {
				t.Errorf("no %q, or no recommendation in\n%s", c.line, text)
			}
		}
	})
}

func TestATableThatIsNotThereIsAnError(t *testing.T) {
	withTable(t, func(t *testing.T, s *scene.Scene) {
		_, err := adviseOf(t, s.Cloud.AWSConfig("observer"), func(c *advising) { c.table = "odrers" })
		if err == nil || !strings.Contains(err.Error(), `table "odrers" does not exist in `) {
			t.Errorf("%v", err)
		}
	})
}

func TestWithoutAWSItNamesOffline(t *testing.T) {
	c := advising{table: "t", plan: advise.Plan{Importance: exampleImportance}}
	err := c.run(t.Context(), streams{}, func(context.Context) (aws.Config, error) { return aws.Config{}, errors.New("no AWS region") })
	if err == nil || !strings.Contains(err.Error(), "no AWS region; or give --offline") {
		t.Errorf("%v", err)
	}
}

// withCloudWatch answers what goes to CloudWatch; the rest goes on.
type withCloudWatch struct {
	aws.HTTPClient
	sums  []float64
	asked []string
}

func (w *withCloudWatch) Do(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Path, "/GraniteServiceVersion20100801/") {
		return w.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.asked = append(w.asked, string(body))
	points := cbor.List{}
	for _, sum := range w.sums {
		points = append(points, cbor.Map{"Sum": cbor.Float64(sum)})
	}
	answer := cbor.Encode(cbor.Map{"Label": cbor.String("ConsumedWriteCapacityUnits"), "Datapoints": points})
	return &http.Response{
		StatusCode: 200, Header: http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}},
		Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: r,
	}, nil
}

func TestWritesComeFromCloudWatch(t *testing.T) {
	withTable(t, func(t *testing.T, s *scene.Scene) {
		cfg := s.Cloud.AWSConfig("observer")
		watch := &withCloudWatch{HTTPClient: cfg.HTTPClient, sums: []float64{3600, 7200, 86400}}
		cfg.HTTPClient = watch
		text, err := adviseOf(t, cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		// 97,200 units in the 48 whole hours that the table has lived, items below 1 KB.
		wantLines(t, text, map[string]string{"write units a second": "0.56", "writes a second": "0.56"})
		if got := lineOf(t, text, "write units a second"); !strings.Contains(got, "CloudWatch, mean of 2d0h") {
			t.Errorf("%s", got)
		}
		for _, want := range []string{"AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", scene.TableName} {
			if len(watch.asked) != 1 || !strings.Contains(watch.asked[0], want) {
				t.Errorf("it was asked %q, without %s", watch.asked, want)
			}
		}
		if strings.Contains(text, "\n!") || strings.Contains(text, "at least") && strings.Contains(text, "sum of what is known") {
			t.Errorf("something is unknown:\n%s", text)
		}
		watch.sums = nil
		if text, err = adviseOf(t, cfg, nil); err != nil {
			t.Fatal(err)
		}
		wantLines(t, text, map[string]string{"writes a second": "0  "})
		if !strings.Contains(text, "it has nothing, as of a table without writes") {
			t.Errorf("it does not say that CloudWatch has nothing:\n%s", text)
		}
	})
}
