package scenario

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S3 is what must hold of buckets.
var S3 = []Scenario{
	{"an object is put once when it must not be there", tryPutIfAbsent},
	{"an object is replaced only when it is the one that was seen", tryPutIfMatch},
	{"what was put comes back with its metadata", tryRoundTrip},
	{"a part of an object can be read", tryRanges},
	{"an object is read only when it is the one that was seen", tryReadIfMatch},
	{"a listing is in order, in pages, by prefix, and after a key", tryListing},
	{"a listing folds keys at a delimiter", tryDelimiter},
	{"a deleted object is gone, and deleting it again is no error", tryDelete},
	{"parts become one object, once when it must not be there", tryMultipart},
	{"an upload of one part has the ETag of one, and is read in ranges", tryOnePart},
	{"an upload that began first is refused when another object came before its end", tryLateComplete},
	{"an upload that is aborted leaves nothing", tryAbort},
	{"a body that is not what was sent is refused", tryCorrupt},
	{"what is not there is not found", tryAbsent},
}

// bucket makes a bucket for the scenario. It is left behind; servers are thrown away.
func (env Env) bucket(t *testing.T, name string) *string {
	t.Helper()
	name = env.Prefix + name
	if _, err := env.S3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return &name
}

func tryPutIfAbsent(t *testing.T, env Env) {
	b := env.bucket(t, "absent")
	put := func(body string) error {
		_, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: aws.String("a/b"), Body: strings.NewReader(body), IfNoneMatch: aws.String("*")})
		return err
	}
	if err := put("first"); err != nil {
		t.Fatal(err)
	}
	if err := put("second"); codeOf(err) != "PreconditionFailed" {
		t.Errorf("the second: %v", err)
	}
	if got := env.body(t, b, "a/b"); got != "first" {
		t.Errorf("the object is %q", got)
	}
	if _, err := env.S3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: b, Key: aws.String("a/b")}); err != nil {
		t.Fatal(err)
	}
	if err := put("third"); err != nil {
		t.Errorf("after its deletion: %v", err)
	}
}

func (env Env) body(t *testing.T, b *string, key string) string {
	t.Helper()
	out, err := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	got, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func tryPutIfMatch(t *testing.T, env Env) {
	b := env.bucket(t, "match")
	key := aws.String("ledger.json")
	put := func(body, etag string) (*s3.PutObjectOutput, error) {
		in := &s3.PutObjectInput{Bucket: b, Key: key, Body: strings.NewReader(body)}
		if etag != "" {
			in.IfMatch = &etag
		}
		return env.S3.PutObject(t.Context(), in)
	}
	if _, err := put("x", `"0123456789abcdef0123456789abcdef"`); codeOf(err) != "NoSuchKey" {
		t.Errorf("where there is none: %v", err)
	}
	one, err := put("one", "")
	if err != nil {
		t.Fatal(err)
	}
	two, err := put("two", *one.ETag)
	if err != nil {
		t.Fatalf("with the ETag of the first: %v", err)
	}
	if _, err := put("three", *one.ETag); codeOf(err) != "PreconditionFailed" {
		t.Errorf("with an ETag from before: %v", err)
	}
	if got := env.body(t, b, *key); got != "two" {
		t.Errorf("the object is %q", got)
	}
	head, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: key})
	if err != nil || *head.ETag != *two.ETag {
		t.Errorf("head %v, error %v; want ETag %s", head, err, *two.ETag)
	}
	_, err = env.S3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: b, Key: key, IfMatch: one.ETag})
	if codeOf(err) != "PreconditionFailed" {
		t.Errorf("deleted with an ETag from before: %v", err)
	}
}

func tryRoundTrip(t *testing.T, env Env) {
	b := env.bucket(t, "trip")
	for _, key := range []string{"plain", "a/b c/d+e=f", "ünïcode/€", "100%/&?#;:@,"} {
		for _, meta := range []map[string]string{{"after": "1", "end-cursor": "000000000000000000000000000000000000002"}, {}} { // the second replaces all of the first
			_, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("body"), Metadata: meta, ContentType: aws.String("application/vnd.apache.parquet")})
			if err != nil {
				t.Fatalf("put %q: %v", key, err)
			}
			head, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: &key})
			if err != nil {
				t.Fatalf("head %q: %v", key, err)
			}
			if fmt.Sprint(head.Metadata) != fmt.Sprint(meta) || *head.ContentLength != 4 || *head.ContentType != "application/vnd.apache.parquet" || time.Since(*head.LastModified) > time.Hour {
				t.Errorf("head %q: %v, %d bytes, %s, %s; want %v", key, head.Metadata, *head.ContentLength, *head.ContentType, head.LastModified, meta)
			}
			if got := env.body(t, b, key); got != "body" {
				t.Errorf("get %q: %q", key, got)
			}
		}
	}
}

func tryRanges(t *testing.T, env Env) {
	b := env.bucket(t, "range")
	if _, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("0123456789")}); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{"bytes=0-3": "0123", "bytes=4-": "456789", "bytes=-2": "89", "bytes=8-100": "89"} {
		out, err := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: aws.String("k"), Range: &spec})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(out.Body)
		if string(got) != want || *out.ContentLength != int64(len(want)) {
			t.Errorf("%s: %q of %d bytes, want %q", spec, got, *out.ContentLength, want)
		}
	}
	if _, err := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: aws.String("k"), Range: aws.String("bytes=10-")}); codeOf(err) != "InvalidRange" {
		t.Errorf("past the end: %v", err)
	}
}

func tryListing(t *testing.T, env Env) {
	b := env.bucket(t, "list")
	for i := range 25 {
		for _, dir := range []string{"a", "b"} {
			key := fmt.Sprintf("%s/after-%02d", dir, 24-i)
			if _, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("x")}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		prefix, after string
		size          int32
		first, last   string
		n, pages      int
	}{
		{"", "", 1000, "a/after-00", "b/after-24", 50, 1},
		{"b/", "", 10, "b/after-00", "b/after-24", 25, 3},
		{"a/after-1", "", 5, "a/after-10", "a/after-19", 10, 2},
		{"a/", "a/after-20", 3, "a/after-21", "a/after-24", 4, 2},
		{"nothing", "", 3, "", "", 0, 1},
	} {
		in := &s3.ListObjectsV2Input{Bucket: b, Prefix: &c.prefix, MaxKeys: &c.size}
		if c.after != "" {
			in.StartAfter = &c.after
		}
		var keys []string
		pages := 0
		for p := s3.NewListObjectsV2Paginator(env.S3, in); p.HasMorePages(); pages++ {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range out.Contents {
				keys = append(keys, *o.Key)
				if *o.Size != 1 || *o.ETag == "" {
					t.Errorf("%s: %d bytes, ETag %s", *o.Key, *o.Size, *o.ETag)
				}
			}
		}
		if len(keys) != c.n || pages < c.pages || pages > c.pages+1 || c.n > 0 && (keys[0] != c.first || keys[len(keys)-1] != c.last) {
			t.Errorf("prefix %q after %q by %d: %d keys on %d pages: %v", c.prefix, c.after, c.size, len(keys), pages, keys)
		}
	}
}

func tryDelimiter(t *testing.T, env Env) {
	b := env.bucket(t, "fold")
	for _, key := range []string{"x/1", "x/2", "y/1", "z", "zz/1"} {
		if _, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int32{1, 2, 1000} {
		var got []string
		for p := s3.NewListObjectsV2Paginator(env.S3, &s3.ListObjectsV2Input{Bucket: b, Delimiter: aws.String("/"), MaxKeys: &size}); p.HasMorePages(); {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range out.CommonPrefixes {
				got = append(got, *c.Prefix)
			}
			for _, o := range out.Contents {
				got = append(got, *o.Key)
			}
		}
		if len(got) != 4 {
			t.Errorf("pages of %d: %v", size, got)
		}
	}
}

func tryDelete(t *testing.T, env Env) {
	b := env.bucket(t, "del")
	for _, key := range []string{"one", "two", "three"} {
		if _, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: &key, Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := env.S3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: b, Key: aws.String("one")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := env.S3.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("two")}, {Key: aws.String("three")}}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := env.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: b})
	if err != nil || len(out.Contents) != 0 {
		t.Errorf("left: %v, error %v", out.Contents, err)
	}
	if _, err := env.S3.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: b}); err != nil {
		t.Errorf("delete the bucket: %v", err)
	}
}

func tryMultipart(t *testing.T, env Env) {
	b := env.bucket(t, "parts")
	key := aws.String("big.parquet")
	big := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	upload := func() error {
		up, err := env.S3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: b, Key: key, Metadata: map[string]string{"end": "7"}})
		if err != nil {
			t.Fatal(err)
		}
		var parts []types.CompletedPart
		for i, body := range [][]byte{big, []byte("tail")} {
			n := int32(i + 1)
			out, err := env.S3.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: b, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: bytes.NewReader(body)})
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: &n, ChecksumCRC32: out.ChecksumCRC32})
		}
		_, err = env.S3.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId, IfNoneMatch: aws.String("*"), MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		if err != nil {
			_, _ = env.S3.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: b, Key: key, UploadId: up.UploadId})
		}
		return err
	}
	if err := upload(); err != nil {
		t.Fatal(err)
	}
	if err := upload(); codeOf(err) != "PreconditionFailed" {
		t.Errorf("the second: %v", err)
	}
	head, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if *head.ContentLength != 5<<20+4 || head.Metadata["end"] != "7" || !strings.HasSuffix(*head.ETag, `-2"`) {
		t.Errorf("%d bytes, %v, %s", *head.ContentLength, head.Metadata, *head.ETag)
	}
	if got := env.body(t, b, *key); got != string(big)+"tail" {
		t.Errorf("the parts came back otherwise")
	}
}

func tryCorrupt(t *testing.T, env Env) {
	b := env.bucket(t, "corrupt")
	sum := md5.Sum([]byte("other"))
	_, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("body"), ContentMD5: aws.String(base64.StdEncoding.EncodeToString(sum[:]))})
	if codeOf(err) != "BadDigest" {
		t.Errorf("a wrong MD5: %v", err)
	}
	_, err = env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: aws.String("k"), Body: strings.NewReader("body"), ChecksumCRC32: aws.String("AAAAAA==")})
	if codeOf(err) != "BadDigest" {
		t.Errorf("a wrong CRC32: %v", err)
	}
	for _, alg := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
		key := aws.String("by-" + string(alg))
		if _, err := env.S3.PutObject(t.Context(), &s3.PutObjectInput{Bucket: b, Key: key, Body: strings.NewReader("body"), ChecksumAlgorithm: alg}); err != nil {
			t.Errorf("put with %s: %v", alg, err)
			continue
		}
		head, err := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil || aws.ToString(head.ChecksumCRC32)+aws.ToString(head.ChecksumCRC32C)+aws.ToString(head.ChecksumCRC64NVME)+aws.ToString(head.ChecksumSHA1)+aws.ToString(head.ChecksumSHA256) == "" {
			t.Errorf("no checksum by %s: %v", alg, err)
		}
	}
}

func tryAbsent(t *testing.T, env Env) {
	b := env.bucket(t, "none")
	_, head := env.S3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: b, Key: aws.String("k")})
	_, get := env.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: b, Key: aws.String("k")})
	_, bucket := env.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(env.Prefix + "nowhere")})
	_, headBucket := env.S3.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String(env.Prefix + "nowhere")})
	for _, c := range []struct {
		what, want string
		err        error
	}{{"HEAD", "NotFound", head}, {"GET", "NoSuchKey", get}, {"LIST", "NoSuchBucket", bucket}, {"HEAD bucket", "NotFound", headBucket}} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%s: %v, want %s", c.what, c.err, c.want)
		}
	}
}
