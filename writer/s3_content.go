package writer

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Open begins to read an object.
func (s *S3) Open(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)}, quiet)
	if err != nil {
		return nil, Object{}, s.explain("read", key, err)
	}
	return out.Body, Object{Key: key, Size: aws.ToInt64(out.ContentLength), Meta: out.Metadata, Modified: aws.ToTime(out.LastModified)}, nil
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, key string) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)})
	if code(err) == "NoSuchKey" { // not S3's answer, but some servers'
		return nil
	}
	return s.explain("delete", key, err)
}
