package awssim

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A bucket keeps its keys sorted for listings. Nothing in an object changes once it
// is stored.
type bucket struct {
	created time.Time
	keys    []string
	objects map[string]*object
	uploads map[string]*upload
}

type object struct {
	body     []byte
	etag     string // quoted
	modified time.Time
	header   http.Header // content type, user metadata and checksums, to be sent back
}

func (b *bucket) put(key string, o *object) {
	if b.objects[key] == nil {
		i, _ := slices.BinarySearch(b.keys, key)
		b.keys = slices.Insert(b.keys, i, key)
	}
	b.objects[key] = o
}

func (b *bucket) remove(key string) {
	if b.objects[key] != nil {
		i, _ := slices.BinarySearch(b.keys, key)
		b.keys = slices.Delete(b.keys, i, i+1)
		delete(b.objects, key)
	}
}

// routeS3 finds bucket, key and operation. Buckets come before our own host name, or first in
// the path.
func (call *Call) routeS3(r *http.Request) {
	name := r.Host
	if name == "" {
		name = r.URL.Host
	}
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if b, ok := strings.CutSuffix(name, "."+host); ok {
		call.bucket, call.key = b, path
	} else {
		call.bucket, call.key, _ = strings.Cut(path, "/")
	}
	call.Target = call.bucket
	if call.key != "" {
		call.Target += "/" + call.key
	}
	call.Operation = operationS3(r.Method, call, r.URL.Query().Has)
}

func operationS3(method string, call *Call, has func(string) bool) string {
	switch {
	case call.bucket == "":
		return "ListBuckets"
	case call.key == "":
		switch {
		case method == "PUT":
			return "CreateBucket"
		case method == "DELETE":
			return "DeleteBucket"
		case method == "HEAD":
			return "HeadBucket"
		case method == "POST" && has("delete"):
			return "DeleteObjects"
		case has("location"):
			return "GetBucketLocation"
		case has("list-type"):
			return "ListObjectsV2"
		}
	case method == "GET":
		return "GetObject"
	case method == "HEAD":
		return "HeadObject"
	case method == "PUT" && has("uploadId"):
		return "UploadPart"
	case method == "PUT" && call.header.Get("X-Amz-Copy-Source") == "":
		return "PutObject"
	case method == "DELETE" && has("uploadId"):
		return "AbortMultipartUpload"
	case method == "DELETE":
		return "DeleteObject"
	case method == "POST" && has("uploads"):
		return "CreateMultipartUpload"
	case method == "POST" && has("uploadId"):
		return "CompleteMultipartUpload"
	}
	return method + "?" + call.url.RawQuery
}

// bucketOperations are those that need the bucket to be there.
var bucketOperations = map[string]func(*Cloud, *Call, *bucket) (reply, error){
	"AbortMultipartUpload":    (*Cloud).abortMultipartUpload,
	"CompleteMultipartUpload": (*Cloud).completeMultipartUpload,
	"CreateMultipartUpload":   (*Cloud).createMultipartUpload,
	"DeleteBucket":            (*Cloud).deleteBucket,
	"DeleteObject":            (*Cloud).deleteObject,
	"DeleteObjects":           (*Cloud).deleteObjects,
	"GetBucketLocation":       (*Cloud).getBucketLocation,
	"GetObject":               (*Cloud).getObject,
	"HeadBucket":              (*Cloud).headBucket,
	"HeadObject":              (*Cloud).getObject,
	"ListObjectsV2":           (*Cloud).listObjectsV2,
	"PutObject":               (*Cloud).putObject,
	"UploadPart":              (*Cloud).uploadPart,
}

func (c *Cloud) applyS3(call *Call) reply {
	if call.Operation == "PutObject" || call.Operation == "UploadPart" {
		o, err := newObject(call) // hashes the body, so before the lock
		if err != nil {
			return failure(call, err)
		}
		call.object = o
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch call.Operation {
	case "CreateBucket":
		return c.createBucket(call)
	case "ListBuckets":
		return c.listBuckets()
	}
	op := bucketOperations[call.Operation]
	if op == nil {
		return failure(call, fail(501, "NotImplemented", "the simulator does not do %s", call.Operation))
	}
	b := c.buckets[call.bucket]
	if b == nil {
		return failure(call, fail(404, "NoSuchBucket", "The specified bucket does not exist"))
	}
	rep, err := op(c, call, b)
	if err != nil {
		return failure(call, err)
	}
	return rep
}

func (c *Cloud) createBucket(call *Call) reply {
	if c.buckets[call.bucket] != nil {
		return failure(call, fail(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it."))
	}
	c.buckets[call.bucket] = &bucket{created: time.Now(), objects: map[string]*object{}, uploads: map[string]*upload{}}
	return reply{status: 200, header: http.Header{"Location": {"/" + call.bucket}}}
}

func (c *Cloud) deleteBucket(call *Call, b *bucket) (reply, error) {
	if len(b.keys) > 0 {
		return reply{}, fail(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	delete(c.buckets, call.bucket)
	return reply{status: 204}, nil
}

func (c *Cloud) headBucket(*Call, *bucket) (reply, error) { return reply{status: 200}, nil }

func (c *Cloud) listBuckets() reply {
	var x strings.Builder
	x.WriteString(`<ListAllMyBucketsResult><Buckets>`)
	names := make([]string, 0, len(c.buckets))
	for name := range c.buckets {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&x, "<Bucket><Name>%s</Name><CreationDate>%s</CreationDate></Bucket>", xmlText(name), isoTime(c.buckets[name].created))
	}
	x.WriteString(`</Buckets></ListAllMyBucketsResult>`)
	return xmlReply(x.String())
}

func (c *Cloud) getBucketLocation(*Call, *bucket) (reply, error) {
	return xmlReply("<LocationConstraint>" + c.cfg.Region + "</LocationConstraint>"), nil
}

func isoTime(t time.Time) string {
	return t.UTC().Truncate(time.Second).Format("2006-01-02T15:04:05.000Z")
}

func xmlReply(x string) reply {
	return reply{status: 200, header: http.Header{"Content-Type": {"application/xml"}}, body: []byte(`<?xml version="1.0" encoding="UTF-8"?>` + x)}
}

// failureS3 is an error as S3 sends it; a HEAD has no body to say it in.
func failureS3(call *Call, e *apiError) reply {
	rep := xmlReply(fmt.Sprintf("<Error><Code>%s</Code><Message>%s</Message><Resource>/%s</Resource></Error>", e.code, xmlText(e.message), xmlText(call.Target)))
	rep.status = e.status
	if call.method == "HEAD" || e.status == 304 {
		rep.body = nil
	}
	return rep
}
