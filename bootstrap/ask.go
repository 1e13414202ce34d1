package bootstrap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dynamolake/checkpoint/ledger"
	"dynamolake/writer"
)

// tokenLife is how long an old token is trusted to bring back its export; AWS promises
// eight hours after the first request.
const tokenLife = 7 * time.Hour

// token is the client token of a request: the same for all who want the same. Another epoch wants
// an export of its own: the rows of one are in one epoch. AWS takes 64 characters.
func token(in *dynamodb.ExportTableToPointInTimeInput, epoch int64, x ledger.Export, f *Filter) string {
	h := sha256.New()
	for _, part := range []string{
		*in.TableArn, *in.S3Bucket, aws.ToString(in.S3Prefix), string(in.ExportType),
		seconds(x.From), seconds(x.To), string(view(x)), string(in.ExportFormat), strconv.Itoa(x.Try),
		strconv.FormatInt(epoch, 10),
	} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	if f != nil {
		h.Write(f.text())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func kind(x ledger.Export) types.ExportType {
	if x.From.IsZero() {
		return types.ExportTypeFullExport
	}
	return types.ExportTypeIncrementalExport
}

func view(x ledger.Export) types.ExportViewType {
	if x.From.IsZero() {
		return ""
	}
	return types.ExportViewTypeNewAndOldImages
}

func seconds(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// request is what AWS is asked for.
func (w *workshop) request(epoch int64, x ledger.Export) *dynamodb.ExportTableToPointInTimeInput {
	in := &dynamodb.ExportTableToPointInTimeInput{
		TableArn:       &w.Table.ARN,
		S3Bucket:       &w.Raw.Bucket,
		S3Prefix:       optional(w.Raw.key(strings.Trim(writer.ExportPrefix(w.prefix(), x.From, x.To), "/"))),
		S3BucketOwner:  optional(w.Raw.Owner),
		S3SseAlgorithm: w.Raw.SSE,
		S3SseKmsKeyId:  optional(w.Raw.KMSKey),
		ExportFormat:   types.ExportFormatDynamodbJson,
		ExportType:     kind(x),
	}
	if x.From.IsZero() {
		in.ExportTime = aws.Time(x.To)
	} else {
		in.IncrementalExportSpecification = &types.IncrementalExportSpecification{
			ExportFromTime: aws.Time(x.From), ExportToTime: aws.Time(x.To), ExportViewType: view(x),
		}
	}
	if w.Filter != nil {
		in.FilterSpecification = w.Filter.specification(w.Table.Keys)
	}
	in.ClientToken = aws.String(token(in, epoch, x, w.Filter))
	return in
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ask starts an export, or finds the one that was started before.
func (w *workshop) ask(ctx context.Context, epoch int64, x ledger.Export) (*types.ExportDescription, error) {
	if !x.Asked.IsZero() && time.Since(x.Asked) > tokenLife {
		d, err := w.asked(ctx, epoch, x)
		if err != nil || d != nil {
			return d, err
		}
	}
	out, err := w.DynamoDB.ExportTableToPointInTime(ctx, w.request(epoch, x))
	if err != nil {
		return nil, w.explain("export "+described(x)+" of table "+w.Table.Name, "ExportTableToPointInTime", err)
	}
	return out.ExportDescription, nil
}

// asked looks among the table's exports for the one of a token; nil if it is not there.
func (w *workshop) asked(ctx context.Context, epoch int64, x ledger.Export) (*types.ExportDescription, error) {
	want := *w.request(epoch, x).ClientToken
	pages := dynamodb.NewListExportsPaginator(w.DynamoDB, &dynamodb.ListExportsInput{TableArn: &w.Table.ARN})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, w.explain("list exports of table "+w.Table.Name, "ListExports", err)
		}
		for _, s := range page.ExportSummaries {
			// The id begins with the time of its start; nothing older can be it.
			if at, ok := started(aws.ToString(s.ExportArn)); ok && at.Before(x.Asked.Add(-w.Timing.Skew)) {
				continue
			}
			d, err := w.describe(ctx, aws.ToString(s.ExportArn))
			if err != nil {
				return nil, err
			}
			if aws.ToString(d.ClientToken) == want && d.ExportStatus != types.ExportStatusFailed {
				return d, nil
			}
		}
	}
	return nil, nil
}

// started is the time in an export's id.
func started(arn string) (time.Time, bool) {
	id := ledger.Export{ARN: arn}.ID()
	if len(id) < 14 {
		return time.Time{}, false
	}
	ms, err := strconv.ParseInt(id[:14], 10, 64)
	return time.UnixMilli(ms), err == nil
}

func (w *workshop) describe(ctx context.Context, arn string) (*types.ExportDescription, error) {
	out, err := w.DynamoDB.DescribeExport(ctx, &dynamodb.DescribeExportInput{ExportArn: &arn})
	if err != nil {
		return nil, w.explain("ask for export "+arn, "DescribeExport", err)
	}
	return out.ExportDescription, nil
}

// described names an export for people.
func described(x ledger.Export) string {
	if x.From.IsZero() {
		return "everything at " + x.To.UTC().Format(time.RFC3339)
	}
	return x.From.UTC().Format(time.RFC3339) + " to " + x.To.UTC().Format(time.RFC3339)
}
