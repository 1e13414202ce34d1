package awssim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

type reply struct {
	status int
	header http.Header
	body   []byte
}

// Client returns the HTTP client of one caller, for aws.Config. A request waits only
// on timers and on its own context.
func (c *Cloud) Client(name string) aws.HTTPClient { return client{c, name} }

type client struct {
	cloud *Cloud
	name  string
}

func (cl client) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var b []byte
		var err error
		if r.ContentLength > 0 {
			b = make([]byte, r.ContentLength)
			_, err = io.ReadFull(r.Body, b)
		} else {
			b, err = io.ReadAll(r.Body)
		}
		r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read request body: %w", err)
		}
		body = b
	}
	rep, cut, err := cl.cloud.serve(r.Context(), cl.name, r, body)
	if err != nil {
		return nil, err
	}
	resp := &http.Response{
		Status:        strconv.Itoa(rep.status) + " " + http.StatusText(rep.status),
		StatusCode:    rep.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        rep.header.Clone(), // the SDK writes into it; an object keeps its own
		ContentLength: int64(len(rep.body)),
		Body:          io.NopCloser(bytes.NewReader(rep.body)),
		Request:       r,
	}
	if n, err := strconv.ParseInt(rep.header.Get("Content-Length"), 10, 64); err == nil {
		resp.ContentLength = n
	}
	if cut > 0 && cut < len(rep.body) {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(rep.body[:cut]), broken{}))
	}
	return resp, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ServeHTTP is the same cloud behind a real listener.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rep, cut, err := c.serve(r.Context(), "", r, body)
	if err != nil {
		panic(http.ErrAbortHandler) // breaks the connection without a reply
	}
	for k, v := range rep.header {
		w.Header()[k] = v
	}
	if w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	w.WriteHeader(rep.status)
	if cut > 0 && cut < len(rep.body) {
		w.Write(rep.body[:cut])
		panic(http.ErrAbortHandler)
	}
	w.Write(rep.body)
}

// serve takes a request through its faults. An error is a broken connection or a
// caller that gave up; whatever the service says is a reply.
func (c *Cloud) serve(ctx context.Context, name string, r *http.Request, body []byte) (reply, int, error) {
	call, err := c.newCall(name, r, body)
	if err != nil {
		return c.finish(call, failure(call, err), nil), 0, nil
	}
	f := c.fault(call)
	c.mu.Lock()
	c.count(call.Service, call.Operation, call.Table()).Calls++
	c.mu.Unlock()
	arrival := time.Now().Add(f.Delay)
	if err := sleep(ctx, f.Delay); err != nil {
		if f.Linger && !f.refuses() {
			time.AfterFunc(time.Until(arrival), func() { c.apply(call) })
		}
		return reply{}, 0, err
	}
	if f.refuses() {
		return c.finish(call, failure(call, f.err(call.Service)), nil), 0, nil
	}
	rep := c.apply(call)
	if f.Twice {
		rep = c.apply(call)
	}
	if f.After != nil {
		f.After()
	}
	if err := sleep(ctx, f.DelayReply); err != nil {
		return reply{}, 0, err
	}
	if f.DropReply {
		return reply{}, 0, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return c.finish(call, rep, f.RewriteReply), f.CutReply, nil
}

// apply does what the call asks for, at once.
func (c *Cloud) apply(call *Call) reply {
	if err := c.checkRegion(call); err != nil {
		return failure(call, err)
	}
	c.settle()
	switch call.Service {
	case "dynamodb", "streams":
		out, err := c.applyJSON(call)
		if err != nil {
			return failure(call, err)
		}
		return reply{status: 200, body: out}
	case "sts":
		return c.applySTS(call)
	default:
		return c.applyS3(call)
	}
}

// finish adds the headers that every reply has.
func (c *Cloud) finish(call *Call, rep reply, rewrite func([]byte) []byte) reply {
	if rewrite != nil && rep.status < 300 {
		rep.body = rewrite(rep.body)
	}
	if rep.header == nil {
		rep.header = http.Header{}
	}
	h := rep.header
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	id := fmt.Sprintf("%016X", mix(c.cfg.Seed, uint64(call.N)))
	switch call.Service {
	case "s3":
		h.Set("X-Amz-Request-Id", id)
	case "sts":
		h.Set("X-Amzn-Requestid", id)
		h.Set("Content-Type", "text/xml")
	default:
		h.Set("X-Amzn-Requestid", id)
		h.Set("Content-Type", "application/x-amz-json-1.0")
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(rep.body)), 10))
	}
	return rep
}

// sleep waits for d, less if the caller gives up first.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err())
	}
}
