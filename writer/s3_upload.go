package writer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	partBytes = 8 << 20 // S3 wants 5 MiB at least and takes 10,000 of them
	abortTime = 30 * time.Second
)

var errUploaded = errors.New("the upload is over")

// buffers are for parts: uploads follow each other.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Create starts an upload; nothing is sent yet. What fits into a part becomes a
// single PUT with If-None-Match. More becomes a multipart upload, one part on the
// way while the next is filled; the name is checked before it is completed, for
// stores that do not, and with If-None-Match as it is.
//
// The object's metadata gets an "attempt", by which the upload knows its own object
// where a reply was lost.
func (s *S3) Create(ctx context.Context, key string, meta map[string]string) (Upload, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("write %s: %w", s.address(key), err)
	}
	u := &s3Upload{s: s, key: key, attempt: rand.Text(), meta: map[string]string{}}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	u.sending.buf, u.filling = buffers.Get().(*[]byte), buffers.Get().(*[]byte)
	maps.Copy(u.meta, meta)
	u.meta["attempt"] = u.attempt
	return u, nil
}

// s3Upload fills one buffer while the other is sent.
type s3Upload struct {
	s       *S3
	ctx     context.Context
	cancel  context.CancelCauseFunc
	key     string
	meta    map[string]string
	attempt string

	filling *[]byte
	sending part          // the last part that was sent
	sent    chan struct{} // closed when sending is; nil when nothing is under way
	id      string        // of the multipart upload; empty until there is one
	parts   []types.CompletedPart
	err     error // what Write and Commit return from now on
}

// part is what the goroutine of a part is given and leaves.
type part struct {
	buf  *[]byte
	id   string
	done types.CompletedPart
	err  error
}

func (u *s3Upload) Write(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if u.err != nil {
			return n, u.err
		}
		buf := *u.filling
		if len(buf) == partBytes {
			u.send()
			continue
		}
		more := b[n:min(len(b), n+partBytes-len(buf))]
		if need := len(buf) + len(more); need > cap(buf) {
			buf = append(make([]byte, 0, min(partBytes, max(2*cap(buf), need, 64<<10))), buf...)
		}
		*u.filling = append(buf, more...)
		n += len(more)
	}
	return n, nil
}

// send has the filled buffer sent when the one before has been.
func (u *s3Upload) send() {
	if u.wait(); u.err != nil {
		return
	}
	u.filling, u.sending.buf = u.sending.buf, u.filling
	*u.filling = (*u.filling)[:0]
	u.sent = make(chan struct{})
	go func(p *part, number int32, sent chan struct{}) {
		defer close(sent)
		p.done, p.err = u.upload(p, number)
	}(&u.sending, int32(len(u.parts)+1), u.sent)
}

// wait takes the result of the part under way.
func (u *s3Upload) wait() {
	if u.sent == nil {
		return
	}
	<-u.sent
	u.sent, u.id = nil, u.sending.id
	if u.sending.err != nil {
		u.err = u.sending.err
		return
	}
	u.parts = append(u.parts, u.sending.done)
}

// upload sends a part, and starts the multipart upload before the first.
func (u *s3Upload) upload(p *part, number int32) (done types.CompletedPart, err error) {
	key := aws.String(u.s.prefix + u.key)
	if p.id == "" {
		out, err := u.s.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{Bucket: &u.s.bucket, Key: key, Metadata: u.meta})
		if err != nil {
			return done, u.s.explain("write", u.key, err)
		}
		p.id = aws.ToString(out.UploadId)
	}
	out, err := u.s.client.UploadPart(u.ctx, &s3.UploadPartInput{
		Bucket: &u.s.bucket, Key: key, UploadId: &p.id, PartNumber: &number, Body: bytes.NewReader(*p.buf),
	})
	if err != nil {
		return done, u.s.explain("write", u.key, err)
	}
	// S3 wants the checksum again that it was sent with the part.
	return types.CompletedPart{
		PartNumber: &number, ETag: out.ETag,
		ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
		ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256,
	}, nil
}

func (u *s3Upload) Commit(ctx context.Context) error {
	if u.err != nil && u.filling == nil {
		return u.err
	}
	stop := context.AfterFunc(ctx, func() { u.cancel(context.Cause(ctx)) })
	defer stop()
	u.wait()
	var err error
	switch {
	case u.err != nil:
		err = u.err
	case u.id == "":
		err = u.put(ctx)
	default:
		if u.send(); u.err == nil {
			u.wait()
		}
		if err = u.err; err == nil {
			err = u.complete(ctx)
		}
	}
	if err != nil {
		_ = u.abort(ctx) // what matters is why
	}
	u.over()
	return err
}

func (u *s3Upload) Abort(ctx context.Context) error {
	if u.filling == nil {
		return nil
	}
	u.cancel(errUploaded)
	u.wait()
	err := u.abort(ctx)
	u.over()
	return err
}

// abort forgets the parts that S3 has.
func (u *s3Upload) abort(ctx context.Context) error {
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_, err := u.s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.s.bucket, Key: aws.String(u.s.prefix + u.key), UploadId: &u.id})
	if code(err) == "NoSuchUpload" {
		return nil
	}
	return u.s.explain("delete", u.key, err)
}

// over gives the buffers back. Nothing is under way.
func (u *s3Upload) over() {
	for _, b := range []*[]byte{u.filling, u.sending.buf} {
		*b = (*b)[:0]
		buffers.Put(b)
	}
	u.filling, u.sending.buf = nil, nil
	u.cancel(errUploaded)
	if u.err == nil {
		u.err = errUploaded
	}
}
