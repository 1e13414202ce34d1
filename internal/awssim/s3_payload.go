package awssim

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/textproto"
	"strconv"
	"strings"
)

// payload is the object data of a write, out of aws-chunked framing if it is in
// one, with the checksums that the sender gave in headers or trailers. Wrong
// checksums are refused.
func payload(call *Call) (data []byte, said map[string]string, err error) {
	data = call.Body
	said = map[string]string{}
	sha := call.header.Get("X-Amz-Content-Sha256")
	if strings.HasPrefix(sha, "STREAMING-") {
		if data, err = dechunk(call.Body, said); err != nil {
			return nil, nil, err
		}
		if n, err := strconv.Atoi(call.header.Get("X-Amz-Decoded-Content-Length")); err == nil && n != len(data) {
			return nil, nil, fail(400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
		}
	} else if len(sha) == 64 {
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != sha {
			return nil, nil, fail(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
		}
	}
	for name, v := range call.header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") && name != "X-Amz-Checksum-Algorithm" && name != "X-Amz-Checksum-Type" {
			said[name] = v[0]
		}
	}
	for name, v := range said {
		h := checksum(name)
		if h == nil {
			continue
		}
		h.Write(data)
		if base64.StdEncoding.EncodeToString(h.Sum(nil)) != v {
			return nil, nil, fail(400, "BadDigest", "The %s you specified did not match what we received.", strings.TrimPrefix(name, "X-Amz-Checksum-"))
		}
	}
	if want := call.header.Get("Content-Md5"); want != "" {
		if sum := md5.Sum(data); base64.StdEncoding.EncodeToString(sum[:]) != want {
			return nil, nil, fail(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	return data, said, nil
}

func checksum(header string) hash.Hash {
	switch header {
	case "X-Amz-Checksum-Crc32":
		return crc32.NewIEEE()
	case "X-Amz-Checksum-Crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "X-Amz-Checksum-Crc64nvme":
		return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5))
	case "X-Amz-Checksum-Sha1":
		return sha1.New()
	case "X-Amz-Checksum-Sha256":
		return sha256.New()
	}
	return nil
}

// dechunk undoes aws-chunked: chunks of "size[;extension]\r\ndata\r\n", one of size 0,
// then trailers, of which the checksums are kept.
func dechunk(b []byte, trailers map[string]string) ([]byte, error) {
	bad := fail(400, "IncompleteBody", "The request body terminated unexpectedly")
	var out []byte
	for {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		if !ok {
			return nil, bad
		}
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(size, 16, 40)
		if err != nil {
			return nil, fail(400, "InvalidRequest", "chunk size %q: %v", size, err)
		}
		b = rest
		if n == 0 {
			break
		}
		if uint64(len(b)) < n+2 || string(b[n:n+2]) != "\r\n" {
			return nil, bad
		}
		out = append(out, b[:n]...)
		b = b[n+2:]
	}
	for _, line := range strings.Split(string(b), "\r\n") {
		if name, v, ok := strings.Cut(line, ":"); ok {
			if name = textproto.CanonicalMIMEHeaderKey(name); strings.HasPrefix(name, "X-Amz-Checksum-") {
				trailers[name] = strings.TrimSpace(v)
			}
		}
	}
	return out, nil
}

// partsETag is the ETag of an object made of parts.
func partsETag(parts []*object) string {
	h := md5.New()
	for _, p := range parts {
		sum := md5.Sum(p.body)
		h.Write(sum[:])
	}
	return fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(h.Sum(nil)), len(parts))
}
