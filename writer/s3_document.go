package writer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// swapTries is how often a Swap is sent that was lost, or met another one.
const swapTries = 6

// Load reads a document. The version is its ETag.
func (s *S3) Load(ctx context.Context, key string) ([]byte, string, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)}, quiet)
	if err != nil {
		return nil, "", s.explain("read", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", s.address(key), err)
	}
	return body, aws.ToString(out.ETag), nil
}

// Swap is a PUT with If-Match, or with If-None-Match where there is no document.
//
// It is not the SDK that sends again, because it would not tell: a refusal is
// somebody else's change only if none of the requests before it could have landed.
// Where one could, the attempt in the object's metadata tells whose it is; and
// if it is not ours, ours may still have been there in between.
func (s *S3) Swap(ctx context.Context, key string, body []byte, version string) (string, error) {
	attempt := rand.Text()
	in := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: aws.String(s.prefix + key), Metadata: map[string]string{"attempt": attempt},
	}
	if version == "" {
		in.IfNoneMatch = aws.String("*")
	} else {
		in.IfMatch = &version
	}
	var lost error // of a request that may have landed
	for try := 0; ; try++ {
		in.Body = bytes.NewReader(body)
		out, err := s.client.PutObject(ctx, in, once)
		if err == nil {
			return aws.ToString(out.ETag), nil
		}
		switch st := status(err); {
		case st == http.StatusPreconditionFailed || st == http.StatusNotFound && code(err) == "NoSuchKey":
			if lost == nil {
				return "", fmt.Errorf("write %s: %w", s.address(key), ErrChanged)
			}
			if etag, ours, err := s.written(ctx, key, attempt); ours {
				return etag, nil
			} else if err != nil && !errors.Is(err, ErrNotFound) {
				return "", err
			}
			return "", fmt.Errorf("write %s: it was changed after a reply had been lost: %w", s.address(key), lost)
		case st == http.StatusConflict: // nobody has won yet
			if try >= swapTries-1 {
				return "", fmt.Errorf("write %s: %w", s.address(key), err)
			}
		default:
			explained := s.explain("write", key, err)
			var final *StoreError
			if errors.As(explained, &final) || ctx.Err() != nil || try >= swapTries-1 {
				return "", explained
			}
			lost = err
		}
		if err := pause(ctx, try); err != nil {
			return "", fmt.Errorf("write %s: %w", s.address(key), err)
		}
	}
}

// written tells whether the object is that of an attempt.
func (s *S3) written(ctx context.Context, key, attempt string) (etag string, ours bool, err error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)})
	if err != nil {
		return "", false, s.explain("look up", key, err)
	}
	return aws.ToString(out.ETag), out.Metadata["attempt"] == attempt, nil
}

// once sends a request a single time.
func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// quiet does without the SDK's log line for each object that has no checksum.
func quiet(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true }

// code is the service's word for an error.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
