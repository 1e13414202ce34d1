package emulators_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"dynamolake/internal/emulators"
)

func s3Client(t *testing.T) *s3.Client {
	endpoint, access, secret := emulators.S3(t)
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint,
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(access, secret, ""),
	})
}

func TestASecondConditionalPutIsRefused(t *testing.T) {
	client := s3Client(t)
	bucket := newBucket(t, "conditional")
	put := func(body string) error {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket:      &bucket,
			Key:         aws.String("a/b"),
			Body:        bytes.NewReader([]byte(body)),
			IfNoneMatch: aws.String("*"),
			Metadata:    map[string]string{"end": "7"},
		})
		return err
	}
	if err := put("first"); err != nil {
		t.Fatal(err)
	}
	var refused smithy.APIError
	if err := put("second"); !errors.As(err, &refused) || refused.ErrorCode() != "PreconditionFailed" {
		t.Errorf("the second PUT: %v, want PreconditionFailed", err)
	}
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("a/b")})
	if err != nil {
		t.Fatal(err)
	}
	if head.Metadata["end"] != "7" || *head.ContentLength != int64(len("first")) {
		t.Errorf("the object has %d bytes and metadata %v, want the first PUT's", *head.ContentLength, head.Metadata)
	}
}
