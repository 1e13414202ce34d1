package awssim

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

func (c *Cloud) listObjectsV2(call *Call, b *bucket) (reply, error) {
	q := call.url.Query()
	prefix, delimiter := q.Get("prefix"), q.Get("delimiter")
	limit := 1000
	if s := q.Get("max-keys"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return reply{}, fail(400, "InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
		}
		limit = min(limit, n)
	}
	after := q.Get("start-after")
	if t := q.Get("continuation-token"); t != "" {
		raw, err := base64.RawURLEncoding.DecodeString(t)
		if err != nil {
			return reply{}, fail(400, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(raw)
	}
	text := xmlText
	if q.Get("encoding-type") == "url" {
		text = url.QueryEscape
	}
	var contents, groups strings.Builder
	n, truncated, last := 0, false, ""
	from := sort.Search(len(b.keys), func(i int) bool { return b.keys[i] >= prefix && b.keys[i] > after })
	for i := from; i < len(b.keys); i++ {
		key := b.keys[i]
		if !strings.HasPrefix(key, prefix) {
			break
		}
		group := ""
		if at := strings.Index(key[len(prefix):], delimiter); delimiter != "" && at >= 0 {
			group = key[:len(prefix)+at+len(delimiter)]
			if strings.HasPrefix(after, group) || group == last {
				continue
			}
		}
		if n == limit {
			truncated = true
			break
		}
		n++
		if group != "" {
			fmt.Fprintf(&groups, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", text(group))
			last = group
			continue
		}
		o := b.objects[key]
		fmt.Fprintf(&contents, "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>",
			text(key), isoTime(o.modified), xmlText(o.etag), len(o.body))
		last = key
	}
	var x strings.Builder
	fmt.Fprintf(&x, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name><Prefix>%s</Prefix><MaxKeys>%d</MaxKeys><KeyCount>%d</KeyCount><IsTruncated>%t</IsTruncated>`,
		xmlText(call.bucket), text(prefix), limit, n, truncated)
	if truncated && n > 0 {
		fmt.Fprintf(&x, "<NextContinuationToken>%s</NextContinuationToken>", base64.RawURLEncoding.EncodeToString([]byte(last)))
	}
	x.WriteString(contents.String())
	x.WriteString(groups.String())
	x.WriteString("</ListBucketResult>")
	return xmlReply(x.String()), nil
}

func (c *Cloud) deleteObjects(call *Call, b *bucket) (reply, error) {
	data, _, err := payload(call)
	if err != nil {
		return reply{}, err
	}
	var in struct {
		Quiet  bool
		Object []struct{ Key string }
	}
	if err := xml.Unmarshal(data, &in); err != nil || len(in.Object) > 1000 {
		return reply{}, fail(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	var x strings.Builder
	x.WriteString("<DeleteResult>")
	for _, o := range in.Object {
		b.remove(o.Key)
		if !in.Quiet {
			fmt.Fprintf(&x, "<Deleted><Key>%s</Key></Deleted>", xmlText(o.Key))
		}
	}
	x.WriteString("</DeleteResult>")
	return xmlReply(x.String()), nil
}
