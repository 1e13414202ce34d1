package bootstrap

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

func TestEveryCodeHasItsAdvice(t *testing.T) {
	table := Table{Name: "orders", ARN: someARN, Region: "eu-north-1"}
	for _, c := range []struct {
		call, code, message string
		want                string // part of the advice; empty: it passes
		is                  error
	}{
		{"ExportTableToPointInTime", "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'orders'", "aws dynamodb update-continuous-backups --region eu-north-1 --table-name orders --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true", nil},
		{"ExportTableToPointInTime", "InvalidExportTimeException", "Export Time is invalid", "35 days; make a new full export with: dynamolake bootstrap --table orders", nil},
		{"ExportTableToPointInTime", "InvalidExportTimeException", "Difference between export period from time and export period to time is less than 15 minutes", "15 minutes to 24 hours", nil},
		{"ExportTableToPointInTime", "InvalidExportTimeException", "Incremental export period to time cannot be greater than the current time", "", errEarly},
		{"ExportTableToPointInTime", "LimitExceededException", "", "", errBusy},
		{"ExportTableToPointInTime", "ExportConflictException", "Duplicate request detected", "give all workers the same settings", nil},
		{"ExportTableToPointInTime", "AccessDeniedException", "User: x is not authorized to perform: dynamodb:ExportTableToPointInTime", "allow this role dynamodb:ExportTableToPointInTime on " + someARN, nil},
		{"ExportTableToPointInTime", "AccessDeniedException", "User: x is not authorized to perform: s3:PutObject", "s3:AbortMultipartUpload", nil},
		{"ExportTableToPointInTime", "AccessDeniedException", "not authorized to use the KMS key", "kms:GenerateDataKey", nil},
		{"DescribeExport", "AccessDeniedException", "", "dynamodb:DescribeExport on " + someARN + "/export/*", nil},
		{"DescribeExport", "ExportNotFoundException", "", "90 days", nil},
		{"DescribeContinuousBackups", "TableNotFoundException", "", "no such table in eu-north-1", nil},
		{"DescribeTable", "ResourceNotFoundException", "", "no such table", nil},
		{"UpdateContinuousBackups", "ContinuousBackupsUnavailableException", "", "", errSettling},
		{"DescribeTable", "ExpiredTokenException", "", "credentials", nil},
		{"ExportTableToPointInTime", "ValidationException", "bad", "refuses the request", nil},
		{"DescribeExport", "ThrottlingException", "", "", nil},
		{"DescribeExport", "InternalServerError", "", "", nil},
	} {
		err := explain("do it", c.call, table, &smithy.GenericAPIError{Code: c.code, Message: c.message})
		if lasting(err) != (c.want != "") || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s of %s: %v, want %q", c.code, c.call, err, c.want)
		}
	}
	if explain("x", "y", table, nil) != nil {
		t.Error("an error from none")
	}
}

func TestWhyExportsFail(t *testing.T) {
	raw := Raw{Bucket: "b", Prefix: "p/"}
	for _, c := range []struct {
		code, message, want string
		passes              bool
	}{
		{"S3NoSuchBucket", "The specified bucket does not exist", "aws s3 mb s3://b", false},
		{"S3AccessDenied", "Access Denied", "s3:PutObjectAcl and s3:AbortMultipartUpload on arn:aws:s3:::b/p/AWSDynamoDB/*", false},
		{"KMSAccessDenied", "denied", "kms:Decrypt", false},
		{"InternalServerError", "try again", "gave it up", true},
	} {
		fix, passes := failed(c.code, c.message, raw, Table{})
		if passes != c.passes || !strings.Contains(fix, c.want) {
			t.Errorf("%s: %q %v, want %q %v", c.code, fix, passes, c.want, c.passes)
		}
	}
}
