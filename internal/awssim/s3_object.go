package awssim

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	errNoSuchKey    = fail(404, "NoSuchKey", "The specified key does not exist.")
	errPrecondition = fail(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
)

// newObject reads the body of a PutObject or an UploadPart and checks what the
// sender says about it.
func newObject(call *Call) (*object, error) {
	data, said, err := payload(call)
	if err != nil {
		return nil, err
	}
	sum := md5.Sum(data)
	o := &object{body: data, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: time.Now(), header: keptHeaders(call)}
	for name, v := range said {
		o.header.Set(name, v)
	}
	meta := 0
	for name, v := range o.header {
		if rest, ok := strings.CutPrefix(name, "X-Amz-Meta-"); ok {
			meta += len(rest) + len(v[0])
		}
	}
	if meta > 2<<10 {
		return nil, fail(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	if len(call.key) > 1024 {
		return nil, fail(400, "KeyTooLongError", "Your key is too long")
	}
	return o, nil
}

// keptHeaders are those of a write that a read gives back.
func keptHeaders(call *Call) http.Header {
	kept := http.Header{"Content-Type": {"binary/octet-stream"}}
	for name, v := range call.header {
		switch name {
		case "Content-Type", "Cache-Control", "Content-Disposition", "Content-Language":
			kept[name] = v
		case "Content-Encoding":
			var rest []string
			for _, e := range strings.Split(v[0], ",") {
				if e = strings.TrimSpace(e); e != "aws-chunked" {
					rest = append(rest, e)
				}
			}
			if len(rest) > 0 {
				kept.Set(name, strings.Join(rest, ","))
			}
		default:
			if strings.HasPrefix(name, "X-Amz-Meta-") {
				kept[name] = v
			}
		}
	}
	return kept
}

// mayWrite checks If-None-Match and If-Match of a write against what is there.
func mayWrite(call *Call, have *object) error {
	if none := call.header.Get("If-None-Match"); none != "" {
		if none != "*" {
			return fail(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
		}
		if have != nil {
			return errPrecondition
		}
	}
	if match := call.header.Get("If-Match"); match != "" {
		if have == nil {
			return errNoSuchKey
		}
		if match != "*" && match != have.etag && match != strings.Trim(have.etag, `"`) {
			return errPrecondition
		}
	}
	return nil
}

func (c *Cloud) putObject(call *Call, b *bucket) (reply, error) {
	if err := mayWrite(call, b.objects[call.key]); err != nil {
		return reply{}, err
	}
	b.put(call.key, call.object)
	return reply{status: 200, header: call.object.writtenHeader()}, nil
}

// writtenHeader is what a write answers: the ETag and the checksums.
func (o *object) writtenHeader() http.Header {
	h := http.Header{"Etag": {o.etag}}
	for name, v := range o.header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") {
			h[name] = v
		}
	}
	return h
}

// getObject is GetObject and HeadObject.
func (c *Cloud) getObject(call *Call, b *bucket) (reply, error) {
	o := b.objects[call.key]
	if o == nil {
		return reply{}, errNoSuchKey
	}
	switch match, none := call.header.Get("If-Match"), call.header.Get("If-None-Match"); {
	case match != "" && match != "*" && strings.Trim(match, `"`) != strings.Trim(o.etag, `"`):
		return reply{}, errPrecondition
	case none != "" && (none == "*" || none == o.etag):
		return reply{}, fail(304, "NotModified", "Not Modified")
	}
	h := http.Header{"Etag": {o.etag}, "Accept-Ranges": {"bytes"}, "Last-Modified": {o.modified.UTC().Format(http.TimeFormat)}}
	rep := reply{status: 200, header: h, body: o.body}
	whole := true
	if spec := call.header.Get("Range"); spec != "" {
		from, to, ok := byteRange(spec, len(o.body))
		if !ok {
			return reply{}, fail(416, "InvalidRange", "The requested range is not satisfiable")
		}
		rep.status, rep.body, whole = 206, o.body[from:to], false
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(o.body)))
	}
	for name, v := range o.header {
		if sum := strings.HasPrefix(name, "X-Amz-Checksum-"); !sum || whole && call.header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
			h[name] = v
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(rep.body)))
	if call.method == "HEAD" {
		rep.body = nil
	}
	return rep, nil
}

// byteRange reads "bytes=a-b", "bytes=a-" and "bytes=-n".
func byteRange(spec string, size int) (from, to int, ok bool) {
	first, last, ok := strings.Cut(strings.TrimPrefix(spec, "bytes="), "-")
	if !ok {
		return 0, 0, false
	}
	if first == "" {
		n, err := strconv.Atoi(last)
		return max(0, size-n), size, err == nil && n > 0 && size > 0
	}
	from, err := strconv.Atoi(first)
	if err != nil || from >= size {
		return 0, 0, false
	}
	to = size
	if last != "" {
		n, err := strconv.Atoi(last)
		if err != nil || n < from {
			return 0, 0, false
		}
		to = min(size, n+1)
	}
	return from, to, true
}

func (c *Cloud) deleteObject(call *Call, b *bucket) (reply, error) {
	if err := mayWrite(call, b.objects[call.key]); err != nil {
		return reply{}, err
	}
	b.remove(call.key)
	return reply{status: 204}, nil
}
