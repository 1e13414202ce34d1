package scenario

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func tryReadIfMatch(t *testing.T, env Env) {
	b := env.bucket(t, "readif")
	key := aws.String("data")
	put := func(body string) *string {
		out, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: key, Body: strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		return out.ETag
	}
	old := put("0123456789")
	now := put("abcdefghij")
	for _, part := range []*string{nil, aws.String("bytes=2-4")} {
		if _, err := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: key, Range: part, IfMatch: old}); codeOf(err) != "PreconditionFailed" {
			t.Errorf("with the ETag from before: %v", err)
		}
		out, err := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: key, Range: part, IfMatch: now})
		if err != nil {
			t.Fatal(err)
		}
		want := "abcdefghij"
		if part != nil {
			want = "cde"
		}
		if got, err := io.ReadAll(out.Body); string(got) != want || err != nil {
			t.Errorf("%q, error %v, want %q", got, err, want)
		}
	}
	if _, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: key, IfMatch: old}); codeOf(err) != "PreconditionFailed" {
		t.Errorf("HEAD with the ETag from before: %v", err)
	}
}

// An unfinished is a multipart upload with all its parts.
type unfinished struct {
	env   Env
	b     *string
	key   *string
	id    *string
	parts []types.CompletedPart
}

func (env Env) upload(t *testing.T, b *string, key string, bodies ...[]byte) *unfinished {
	t.Helper()
	up, err := env.S3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: b, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	u := &unfinished{env: env, b: b, key: &key, id: up.UploadId}
	for i, body := range bodies {
		n := int32(i + 1)
		out, err := env.S3.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: b, Key: &key, UploadId: u.id, PartNumber: &n, Body: bytes.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		u.parts = append(u.parts, types.CompletedPart{ETag: out.ETag, PartNumber: &n, ChecksumCRC32: out.ChecksumCRC32})
	}
	return u
}

func (u *unfinished) complete(t *testing.T, ifNoneMatch *string) error {
	_, err := u.env.S3.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: u.b, Key: u.key, UploadId: u.id, IfNoneMatch: ifNoneMatch, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	return err
}

func (u *unfinished) abort(t *testing.T) error {
	_, err := u.env.S3.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: u.b, Key: u.key, UploadId: u.id})
	return err
}

func tryOnePart(t *testing.T, env Env) {
	b := env.bucket(t, "onepart")
	body := []byte("one part may be as small as it likes")
	if err := env.upload(t, b, "k", body).complete(t, nil); err != nil {
		t.Fatal(err)
	}
	once := md5.Sum(body)
	again := md5.Sum(once[:])
	head, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if want := `"` + hex.EncodeToString(again[:]) + `-1"`; *head.ETag != want {
		t.Errorf("ETag %s, want %s", *head.ETag, want)
	}
	out, err := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: aws.String("k"), Range: aws.String("bytes=4-7"), IfMatch: head.ETag})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(out.Body); string(got) != "part" || err != nil {
		t.Errorf("%q, error %v", got, err)
	}
}

func tryLateComplete(t *testing.T, env Env) {
	b := env.bucket(t, "late")
	first := env.upload(t, b, "k", []byte("began first"))
	second := env.upload(t, b, "k", []byte("began second"))
	if err := second.complete(t, aws.String("*")); err != nil {
		t.Fatal(err)
	}
	if err := first.complete(t, aws.String("*")); codeOf(err) != "PreconditionFailed" {
		t.Errorf("the first: %v", err)
	}
	if got := env.body(t, b, "k"); got != "began second" {
		t.Errorf("the object is %q", got)
	}
	if err := first.abort(t); err != nil {
		t.Errorf("abort the first: %v", err)
	}
}

func tryAbort(t *testing.T, env Env) {
	b := env.bucket(t, "abort")
	u := env.upload(t, b, "k", []byte("part"))
	if err := u.abort(t); err != nil {
		t.Fatal(err)
	}
	if err := u.complete(t, nil); codeOf(err) != "NoSuchUpload" {
		t.Errorf("completed after all: %v", err)
	}
	if _, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: aws.String("k")}); codeOf(err) != "NotFound" {
		t.Errorf("HEAD: %v", err)
	}
	list, err := env.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: b})
	if err != nil || len(list.Contents) != 0 {
		t.Errorf("%d objects, error %v", len(list.Contents), err)
	}
}
