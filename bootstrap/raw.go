package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/writer"
)

// raw is where an export lies: a bucket, or a folder with a copy.
type raw interface {
	// open begins to read an object at an offset. etag, where it is not empty, is what
	// the object must still have. Not there is [writer.ErrNotFound].
	open(ctx context.Context, key string, from int64, etag string) (body io.ReadCloser, tag string, err error)
	// remove leaves no object of that name.
	remove(ctx context.Context, key string) error
	address(key string) string
}

// inBucket is an export in S3.
type inBucket struct {
	client *s3.Client
	bucket string
	moved
}

// moved is a copy of an export under another place than its manifest says.
type moved struct{ base, drop string }

func (m moved) at(key string) string { return m.base + strings.TrimPrefix(key, m.drop) }

func (b inBucket) open(ctx context.Context, key string, from int64, etag string) (io.ReadCloser, string, error) {
	in := &s3.GetObjectInput{Bucket: &b.bucket, Key: aws.String(b.at(key))}
	if from > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", from))
		in.IfMatch = optional(etag)
	}
	out, err := b.client.GetObject(ctx, in, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	if err != nil {
		return nil, "", explainS3("read "+b.address(key), b.bucket, err)
	}
	return out.Body, aws.ToString(out.ETag), nil
}

func (b inBucket) remove(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: aws.String(b.at(key))})
	return explainS3("delete "+b.address(key), b.bucket, err)
}

func (b inBucket) address(key string) string { return "s3://" + b.bucket + "/" + b.at(key) }

// inFolder is a copy of an export on a disk.
type inFolder struct{ moved }

func (f inFolder) open(_ context.Context, key string, from int64, _ string) (io.ReadCloser, string, error) {
	file, err := os.Open(filepath.FromSlash(f.at(key)))
	if errors.Is(err, fs.ErrNotExist) {
		err = writer.ErrNotFound
	}
	if err == nil && from > 0 {
		_, err = file.Seek(from, io.SeekStart)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", f.address(key), err)
	}
	return file, "", nil
}

// remove is never asked for: what is imported is left alone.
func (f inFolder) remove(context.Context, string) error { return errors.ErrUnsupported }

func (f inFolder) address(key string) string { return "file://" + f.at(key) }

// rebase tells where the objects of an export are, given where its summary is
// and the key that the summary had when it was written. False when the two have nothing
// in common.
func rebase(path, key string) (moved, bool) {
	least := strings.LastIndex("/"+key, "/AWSDynamoDB/")
	if least < 0 {
		return moved{}, false
	}
	for drop := 0; drop <= least; {
		if rest := key[drop:]; path == rest || strings.HasSuffix(path, "/"+rest) {
			return moved{base: strings.TrimSuffix(path, rest), drop: key[:drop]}, true
		}
		i := strings.IndexByte(key[drop:], '/')
		if i < 0 {
			break
		}
		drop += i + 1
	}
	return moved{}, false
}

// small reads an object whole.
func small(ctx context.Context, from raw, key string) ([]byte, error) {
	body, err := io.ReadAll(&resuming{ctx: ctx, from: from, key: key})
	if err != nil {
		return nil, err
	}
	return body, nil
}

// resuming reads an object to its end, over as many connections as that takes.
type resuming struct {
	ctx  context.Context
	from raw
	key  string

	body  io.ReadCloser
	etag  string
	at    int64
	fails int   // since the last byte
	err   error // that ended it
}

// resumes is how many connections may break before a byte comes.
const resumes = 5

func (r *resuming) Read(p []byte) (int, error) {
	for {
		var n int
		var err error
		if r.body == nil {
			r.body, r.etag, err = r.from.open(r.ctx, r.key, r.at, r.etag)
			if err != nil && (errors.Is(err, writer.ErrNotFound) || lasting(err)) {
				r.err = err
				return 0, err
			}
		}
		if err == nil {
			if n, err = r.body.Read(p); n > 0 {
				r.at, r.fails = r.at+int64(n), 0
				return n, nil
			}
			if err == nil || err == io.EOF {
				return 0, err
			}
		}
		r.close()
		if r.fails++; r.fails >= resumes || r.ctx.Err() != nil {
			r.err = fmt.Errorf("read %s at byte %d: %w", r.from.address(r.key), r.at, err)
			return 0, r.err
		}
		if r.err = pause(r.ctx, 100*time.Millisecond<<r.fails); r.err != nil {
			return 0, r.err
		}
	}
}

func (r *resuming) close() {
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
}
