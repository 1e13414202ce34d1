package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxObject is the most that one PUT may hold.
const maxObject = 5 << 30

// S3 is a lake in a bucket.
type S3 struct {
	client *s3.Client
	bucket string
	prefix string // empty, or ends with a slash
}

// NewS3 returns the lake under a prefix of a bucket.
func NewS3(client *s3.Client, bucket, prefix string) *S3 {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &S3{client: client, bucket: bucket, prefix: prefix}
}

// PutNew is a single PUT with If-None-Match. While another PUT of the same name
// is under way S3 answers 409; nobody has won then, so it asks again.
func (s *S3) PutNew(ctx context.Context, key string, body []byte, meta map[string]string) error {
	if len(body) > maxObject {
		return &StoreError{"write", s.address(key), "larger than the 5 GiB that one PUT may hold; lower the flush limits", errors.New("too large")}
	}
	for try := 0; ; try++ {
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket:      &s.bucket,
			Key:         aws.String(s.prefix + key),
			Body:        bytes.NewReader(body),
			IfNoneMatch: aws.String("*"),
			Metadata:    meta,
		})
		switch status(err) {
		case http.StatusPreconditionFailed:
			return fmt.Errorf("write %s: %w", s.address(key), ErrExists)
		case http.StatusConflict:
			if err := pause(ctx, try); err != nil {
				return fmt.Errorf("write %s: %w", s.address(key), err)
			}
			continue
		}
		return s.explain("write", key, err)
	}
}

// Head reads an object's metadata.
func (s *S3) Head(ctx context.Context, key string) (Object, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)})
	if err != nil {
		return Object{}, s.explain("look up", key, err)
	}
	return Object{Key: key, Size: aws.ToInt64(out.ContentLength), Meta: out.Metadata, Modified: aws.ToTime(out.LastModified)}, nil
}

// Get reads an object.
func (s *S3) Get(ctx context.Context, key string) ([]byte, Object, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)}, quiet)
	if err != nil {
		return nil, Object{}, s.explain("read", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, Object{}, fmt.Errorf("read %s: %w", s.address(key), err)
	}
	return body, Object{Key: key, Size: int64(len(body)), Meta: out.Metadata, Modified: aws.ToTime(out.LastModified)}, nil
}

// List yields what S3 lists, in its order: bytewise by key.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: aws.String(s.prefix + prefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, s.explain("list", prefix, err))
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
				if !yield(Object{Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

func (s *S3) address(key string) string { return "s3://" + s.bucket + "/" + s.prefix + key }

// explain translates what S3 answers. What stays a plain error may pass by
// itself, and leaves the outcome of a PUT open.
func (s *S3) explain(op, key string, err error) error {
	if err == nil {
		return nil
	}
	code := code(err)
	hint := ""
	switch st := status(err); {
	case code == "NoSuchBucket":
		hint = "there is no bucket " + s.bucket + "; create it or correct the lake's address"
	case st == http.StatusMovedPermanently || code == "PermanentRedirect" || code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException":
		hint = "bucket " + s.bucket + " is in another region" + region(err) + "; set AWS_REGION to the bucket's region"
	case st == http.StatusForbidden && (code == "ExpiredToken" || code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "RequestTimeTooSkewed"):
		hint = "the credentials were refused; check them and the clock"
	case st == http.StatusForbidden && op == "delete":
		hint = "access denied; to delete its objects the lake needs s3:DeleteObject"
	case st == http.StatusForbidden:
		hint = "access denied; the lake needs s3:PutObject and s3:GetObject on its objects and s3:ListBucket on bucket " + s.bucket + " (without it S3 says denied for what is not there)"
	case code == "NoSuchUpload": // it was aborted, or is complete
		return fmt.Errorf("%s %s: %w", op, s.address(key), err)
	case st == http.StatusNotFound:
		return fmt.Errorf("%s %s: %w", op, s.address(key), ErrNotFound)
	case st == http.StatusNotImplemented:
		hint = "the store does not know this request; use one that supports conditional PUT (If-None-Match, If-Match)"
	case st >= 400 && st < 500 && st != http.StatusRequestTimeout && st != http.StatusTooManyRequests && code != "RequestTimeout" && code != "BadDigest":
		hint = "the store refuses the request"
	default:
		return fmt.Errorf("%s %s: %w", op, s.address(key), err)
	}
	return &StoreError{op, s.address(key), hint, err}
}

func status(err error) int {
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

// region names the bucket's own region if the reply told it.
func region(err error) string {
	var re *awshttp.ResponseError
	if errors.As(err, &re) && re.Response != nil {
		if r := re.Response.Header.Get("x-amz-bucket-region"); r != "" {
			return " (" + r + ")"
		}
	}
	return ""
}
