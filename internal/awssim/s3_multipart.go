package awssim

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An upload is a multipart upload under way.
type upload struct {
	key    string
	header http.Header
	parts  map[int]*object
}

const minPart = 5 << 20 // of all parts but the last

var errNoSuchUpload = fail(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")

func (b *bucket) upload(call *Call) (string, *upload, error) {
	id := call.url.Query().Get("uploadId")
	u := b.uploads[id]
	if u == nil || u.key != call.key {
		return id, nil, errNoSuchUpload
	}
	return id, u, nil
}

func (c *Cloud) createMultipartUpload(call *Call, b *bucket) (reply, error) {
	c.ids++
	id := fmt.Sprintf("%016x%016x", mix(c.cfg.Seed, c.ids), c.ids)
	b.uploads[id] = &upload{key: call.key, header: keptHeaders(call), parts: map[int]*object{}}
	return xmlReply(fmt.Sprintf("<InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>",
		xmlText(call.bucket), xmlText(call.key), id)), nil
}

func (c *Cloud) uploadPart(call *Call, b *bucket) (reply, error) {
	_, u, err := b.upload(call)
	if err != nil {
		return reply{}, err
	}
	n, err := strconv.Atoi(call.url.Query().Get("partNumber"))
	if err != nil || n < 1 || n > 10_000 {
		return reply{}, fail(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	u.parts[n] = call.object
	return reply{status: 200, header: call.object.writtenHeader()}, nil
}

func (c *Cloud) abortMultipartUpload(call *Call, b *bucket) (reply, error) {
	id, _, err := b.upload(call)
	if err != nil {
		return reply{}, err
	}
	delete(b.uploads, id)
	return reply{status: 204}, nil
}

func (c *Cloud) completeMultipartUpload(call *Call, b *bucket) (reply, error) {
	id, u, err := b.upload(call)
	if err != nil {
		return reply{}, err
	}
	data, _, err := payload(call)
	if err != nil {
		return reply{}, err
	}
	var in struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(data, &in); err != nil || len(in.Part) == 0 {
		return reply{}, fail(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if err := mayWrite(call, b.objects[call.key]); err != nil {
		return reply{}, err
	}
	var parts []*object
	o := &object{modified: time.Now(), header: u.header}
	for i, p := range in.Part {
		part := u.parts[p.PartNumber]
		if part == nil || strings.Trim(p.ETag, `"`) != strings.Trim(part.etag, `"`) {
			return reply{}, fail(400, "InvalidPart", "One or more of the specified parts could not be found. The part might not have been uploaded, or the specified entity tag might not have matched the part's entity tag.")
		}
		if i > 0 && p.PartNumber <= in.Part[i-1].PartNumber {
			return reply{}, fail(400, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
		}
		if i < len(in.Part)-1 && len(part.body) < minPart {
			return reply{}, fail(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		parts = append(parts, part)
		o.body = append(o.body, part.body...)
	}
	o.etag = partsETag(parts)
	b.put(call.key, o)
	delete(b.uploads, id)
	return xmlReply(fmt.Sprintf("<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><ETag>%s</ETag></CompleteMultipartUploadResult>",
		xmlText(call.bucket), xmlText(call.key), xmlText(o.etag))), nil
}
