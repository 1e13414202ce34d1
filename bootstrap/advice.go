package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"dynamolake/writer"
)

// Advice is an error that passes only when a person does something. Its text is one
// line that says what.
type Advice struct {
	What string // what was attempted, or what is the case
	Fix  string
	Err  error // may be nil
}

func (a *Advice) Error() string {
	if a.Err == nil {
		return a.What + ": " + a.Fix
	}
	return a.What + ": " + a.Fix + ": " + cause(a.Err)
}

func (a *Advice) Unwrap() error { return a.Err }

// Lasting tells [ledger.Store] and [Repairer] that trying again is no use.
func (*Advice) Lasting() bool { return true }

// cause is what the service said, without the SDK's story of the request.
func cause(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": ")
	}
	return err.Error()
}

// lasting tells whether only a person can mend it.
func lasting(err error) bool {
	var l interface{ Lasting() bool }
	var store *writer.StoreError
	return errors.As(err, &l) && l.Lasting() || errors.As(err, &store)
}

// errBusy: AWS has as many exports under way as it allows; in a while it has not.
var errBusy = errors.New("AWS makes as many exports as it allows already")

// errEarly: AWS does not know all of a window yet.
var errEarly = errors.New("the window ends too close to now")

// errSettling: the table is too young for point-in-time recovery.
var errSettling = errors.New("backups are still being enabled for the table")

func enablePITR(t Table) string {
	return "aws dynamodb update-continuous-backups --region " + t.Region + " --table-name " + t.Name +
		" --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
}

func enableStream(t Table) string {
	return "aws dynamodb update-table --region " + t.Region + " --table-name " + t.Name +
		" --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
}

// explain is the only place that knows the codes of DynamoDB's calls. What stays a plain error
// may pass by itself.
func explain(doing, call string, t Table, err error) error {
	if err == nil {
		return nil
	}
	advise := func(fix string) error { return &Advice{doing, fix, err} }
	plain := fmt.Errorf("%s: %w", doing, err)
	var api smithy.APIError
	if !errors.As(err, &api) {
		return plain
	}
	text := strings.ToLower(api.ErrorMessage())
	switch code := api.ErrorCode(); code {
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation":
		if call == "ExportTableToPointInTime" && strings.Contains(text, "s3:") {
			return advise("access denied to the bucket; allow this role s3:PutObject, s3:PutObjectAcl and s3:AbortMultipartUpload on its objects")
		}
		if strings.Contains(text, "kms") {
			return advise("access denied to the key; allow this role kms:GenerateDataKey and kms:Decrypt on it")
		}
		on := t.ARN
		if call == "DescribeExport" {
			on += "/export/*"
		}
		return advise("access denied; allow this role dynamodb:" + call + " on " + on)
	case "UnrecognizedClientException", "ExpiredTokenException", "ExpiredToken", "InvalidSignatureException", "InvalidClientTokenId", "MissingAuthenticationTokenException", "IncompleteSignature":
		return advise("the credentials were refused; check them and the clock")
	case "PointInTimeRecoveryUnavailableException":
		return &Advice{doing, "point-in-time recovery is off, and exports need it; turn it on with: " + enablePITR(t), err}
	case "InvalidExportTimeException":
		switch {
		case strings.Contains(text, "to time cannot be greater") || strings.Contains(text, "future"):
			return fmt.Errorf("%s: %w: %w", doing, errEarly, err)
		case strings.Contains(text, "difference between"):
			return advise("AWS exports windows of 15 minutes to 24 hours")
		}
		return advise("AWS cannot export that time: it reaches back to when point-in-time recovery was turned on, at most 35 days; make a new full export with: dynamolake bootstrap --table " + t.Name)
	case "TableNotFoundException", "ResourceNotFoundException":
		return advise("there is no such table in " + t.Region + "; check the name, the account and AWS_REGION")
	case "ContinuousBackupsUnavailableException":
		return fmt.Errorf("%s: %w: %w", doing, errSettling, err)
	case "LimitExceededException":
		return fmt.Errorf("%s: %w: %w", doing, errBusy, err)
	case "ExportConflictException":
		return advise("another worker asked for the same export with another owner of the bucket or another encryption; give all workers the same settings")
	case "ExportNotFoundException":
		return advise("AWS does not know the export any more, it forgets after 90 days; import it from its manifest-summary.json, or make a new full export with: dynamolake bootstrap --table " + t.Name)
	case "ValidationException":
		if call == "ExportTableToPointInTime" && (strings.Contains(text, "expression") || strings.Contains(text, "filter") || strings.Contains(text, "key condition") || strings.Contains(text, "key schema")) {
			return advise("AWS refuses the filter; mend its expressions, names and values")
		}
		return advise("AWS refuses the request; check the bucket's name and prefix")
	}
	return plain
}

// failed says what the failure of an export means, and whether it may pass.
func failed(code, message string, raw Raw, t Table) (fix string, passes bool) {
	text := strings.ToLower(code + " " + message)
	has := func(word string) bool { return strings.Contains(text, word) }
	switch {
	case has("nosuchbucket") || has("bucket does not exist"):
		return "there is no bucket " + raw.Bucket + "; create it with: aws s3 mb s3://" + raw.Bucket, false
	case has("kms"):
		return "the bucket's key cannot be used; allow this role kms:GenerateDataKey and kms:Decrypt on it, and keep it enabled and in the bucket's region", false
	case has("accessdenied") || has("access denied") || has("not authorized") || has("forbidden"):
		return "DynamoDB may not write to bucket " + raw.Bucket + "; allow this role s3:PutObject, s3:PutObjectAcl and s3:AbortMultipartUpload on arn:aws:s3:::" + raw.Bucket + "/" + raw.key("AWSDynamoDB/*"), false
	case has("requesterpays") || has("requester pays"):
		return "exports cannot go to a requester-pays bucket; name another bucket", false
	case has("pointintimerecovery") || has("point in time recovery"):
		return "point-in-time recovery was turned off meanwhile; turn it on with: " + enablePITR(t), false
	}
	return "AWS gave it up", true
}

// explainS3 does so for reading exports.
func explainS3(doing, bucket string, err error) error {
	if err == nil {
		return nil
	}
	code := ""
	var api smithy.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	var re *awshttp.ResponseError
	status := 0
	if errors.As(err, &re) {
		status = re.HTTPStatusCode()
	}
	advise := func(fix string) error { return &Advice{doing, fix, err} }
	switch {
	case errors.Is(err, context.Canceled):
	case code == "NoSuchBucket":
		return advise("there is no bucket " + bucket + "; check the address")
	case status == http.StatusMovedPermanently || code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed":
		return advise("bucket " + bucket + " is in another region; give its region")
	case strings.HasPrefix(code, "KMS"):
		return advise("the key of bucket " + bucket + " cannot be used; allow this role kms:Decrypt on it")
	case status == http.StatusForbidden && (code == "ExpiredToken" || code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "RequestTimeTooSkewed"):
		return advise("the credentials were refused; check them and the clock")
	case status == http.StatusForbidden:
		return advise("access denied; allow this role s3:GetObject on the export's objects in bucket " + bucket + ", and s3:ListBucket on it (without it S3 says denied for what is not there), and s3:DeleteObject to drop them")
	case status == http.StatusNotFound:
		return fmt.Errorf("%s: %w", doing, writer.ErrNotFound)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
