package awssim

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// filesManifest is manifest-files.json: a line for each file of data.
func filesManifest(files []exportFile) []byte {
	var out []byte
	for _, f := range files {
		b := body{'{'}
		b.int("itemCount", f.items)
		b.text("md5Checksum", base64MD5(f.body))
		b.text("etag", strings.Trim(partsETag([]*object{{body: f.body}}), `"`))
		b.text("dataFileS3Key", f.key)
		out = append(append(out, b...), "}\n"...)
	}
	return out
}

// summaryManifest is manifest-summary.json, of the version for its kind of export.
func (e *export) summaryManifest(filter bool) []byte {
	b := body{'{'}
	if e.full {
		b.text("version", "2020-06-30")
	} else {
		b.text("version", "2023-08-01")
	}
	b.text("exportArn", e.arn)
	b.text("startTime", milliTime(e.start))
	b.text("endTime", milliTime(e.end))
	b.text("tableArn", e.t.arn)
	b.text("tableId", e.t.id)
	if e.full {
		b.text("exportTime", milliTime(e.to))
	} else {
		b.text("exportFromTime", milliTime(e.from))
		b.text("exportToTime", milliTime(e.to))
	}
	b.text("s3Bucket", e.bucket)
	b.orNull("s3Prefix", e.prefix)
	b.text("s3SseAlgorithm", e.sse)
	b.orNull("s3SseKmsKeyId", e.kms)
	b.text("manifestFilesS3Key", e.key(e.id, "manifest-files.json"))
	b.int("billedSizeBytes", e.billed)
	b.int("itemCount", e.items)
	b.text("outputFormat", e.format)
	if !e.full {
		b.text("outputView", e.view)
		b.text("exportType", e.kind())
	}
	if filter && e.filter != nil {
		b.name("filterSpecification")
		b = append(b, e.filter.text...)
	}
	return append(b, '}')
}

func milliTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func base64MD5(data []byte) string {
	sum := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// serviceObject is what the service uploads: in one part, if there is anything.
func serviceObject(data []byte, at time.Time) *object {
	o := &object{body: data, modified: at, header: http.Header{"Content-Type": {"binary/octet-stream"}}}
	if len(data) == 0 {
		sum := md5.Sum(nil)
		o.etag = `"` + hex.EncodeToString(sum[:]) + `"`
	} else {
		o.etag = partsETag([]*object{o})
	}
	return o
}

func putFiles(b *bucket, files []exportFile, at time.Time) {
	for _, f := range files {
		b.put(f.key, serviceObject(f.body, at))
	}
}

// putWithSum puts a manifest and its checksum beside it.
func putWithSum(b *bucket, name string, data []byte, at time.Time) {
	b.put(name+".json", serviceObject(data, at))
	b.put(name+".md5", serviceObject([]byte(base64MD5(data)), at))
}
