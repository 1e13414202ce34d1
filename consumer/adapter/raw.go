package adapter

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Raw is where the body of a GetRecords response goes. The caller owns Buf
// before and after the call; during it nobody else may touch it.
type Raw struct {
	// Buf is appended to, and grown once to the response's Content-Length where
	// its capacity is short. After an error it is as long as before the call.
	Buf []byte
}

// CaptureRaw makes one GetRecords call keep its response body instead of
// decoding it:
//
//	raw := &adapter.Raw{Buf: buf[:0]}
//	_, err := client.GetRecords(ctx, in, adapter.CaptureRaw(raw))
//	// raw.Buf holds the JSON; the output is empty, NextShardIterator included.
//
// Signing, retries, time limits and typed errors work as ever: only a 2xx body
// is kept. A body that breaks off, is shorter than its Content-Length or does
// not match its x-amz-crc32 is an error that the retryer retries, and of several
// attempts only the last one's body is kept. The body is asked for without
// compression; one that comes in gzip all the same is unpacked.
//
// Other operations given this option are not changed.
func CaptureRaw(raw *Raw) func(*dynamodbstreams.Options) {
	return func(o *dynamodbstreams.Options) {
		o.Protocol = rawProtocol{ClientProtocol: o.Protocol, raw: raw, start: len(raw.Buf)}
	}
}

// rawProtocol takes the place of the wire protocol for one call.
type rawProtocol struct {
	smithyhttp.ClientProtocol
	raw   *Raw
	start int // where this call's body begins; earlier bytes are the caller's
}

func (p rawProtocol) SerializeRequest(
	ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request,
) error {
	// Otherwise net/http asks for gzip by itself, and hides the length.
	req.Header.Set("Accept-Encoding", "identity")
	if err := p.ClientProtocol.SerializeRequest(ctx, op, in, req); err != nil {
		return err
	}
	return readOnly(req)
}

// readOnly hides the WriteTo of the request's body. The SDK closes the body once the answer has
// begun, which may be before net/http has looked whether there is more of it. Then Read says that
// there is not, but the SDK's WriteTo returns io.EOF, an error to net/http: it breaks the
// connection in the middle of the answer, and the retry costs up to a second. Seen with a few calls
// in a hundred to a server near by, on a machine short of CPU.
func readOnly(req *smithyhttp.Request) error {
	body, ok := req.GetStream().(io.ReadSeeker)
	if !ok {
		return nil
	}
	changed, err := req.SetStream(struct{ io.ReadSeeker }{body})
	if err == nil {
		*req = *changed
	}
	return err
}

func (p rawProtocol) DeserializeResponse(
	ctx context.Context, op *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable,
) error {
	p.raw.Buf = p.raw.Buf[:p.start]
	if _, ok := out.(*dynamodbstreams.GetRecordsOutput); !ok || resp.StatusCode/100 != 2 {
		return p.ClientProtocol.DeserializeResponse(ctx, op, types, resp, out)
	}
	buf, err := appendBody(p.raw.Buf, resp.Response)
	p.raw.Buf = buf[:p.start]
	if err != nil {
		if ctx.Err() != nil {
			return &aws.RequestCanceledError{Err: ctx.Err()}
		}
		return &tornBody{err: err}
	}
	p.raw.Buf = buf
	return nil
}

// maxPresize bounds what a Content-Length alone may make us allocate. Real pages
// hold 1 MB of items, a few MB as JSON.
const maxPresize = 32 << 20

// appendBody reads the whole body behind buf. The returned slice may have grown
// even if there is an error.
func appendBody(buf []byte, resp *http.Response) ([]byte, error) {
	start := len(buf)
	if resp.ContentLength > 0 {
		// One byte more lets the last Read see EOF without growing.
		buf = slices.Grow(buf, int(min(resp.ContentLength, maxPresize))+1)
	}
	buf, err := appendAll(buf, resp.Body)
	if err != nil {
		return buf, fmt.Errorf("read response body: %w", err)
	}
	body := buf[start:]
	if want := resp.ContentLength; want >= 0 && int64(len(body)) != want {
		return buf, fmt.Errorf("read response body: %d bytes, Content-Length says %d", len(body), want)
	}
	// The checksum covers the bytes on the wire, so not what net/http unpacked.
	if header := resp.Header.Get("X-Amz-Crc32"); header != "" && !resp.Uncompressed {
		want, err := strconv.ParseUint(header, 10, 32)
		if err != nil {
			return buf, fmt.Errorf("read x-amz-crc32 header: %w", err)
		}
		if got := crc32.ChecksumIEEE(body); got != uint32(want) {
			return buf, fmt.Errorf("read response body: crc32 is %d, x-amz-crc32 says %d", got, want)
		}
	}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		return unzip(buf, start)
	}
	return buf, nil
}

// unzip replaces the gzip stream in buf[start:] with what it holds.
func unzip(buf []byte, start int) ([]byte, error) {
	packed := slices.Clone(buf[start:])
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return buf, fmt.Errorf("unpack response body: %w", err)
	}
	buf, err = appendAll(buf[:start], zr)
	if err != nil {
		return buf, fmt.Errorf("unpack response body: %w", err)
	}
	return buf, nil
}

func appendAll(buf []byte, r io.Reader) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(512, len(buf)/2))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// tornBody is a 2xx response that did not arrive whole. The call only reads, so
// it may always be made again.
type tornBody struct{ err error }

func (e *tornBody) Error() string        { return e.err.Error() }
func (e *tornBody) Unwrap() error        { return e.err }
func (e *tornBody) RetryableError() bool { return true }
