package writer

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Open returns the lake at an address: s3://bucket/prefix or file:///folder. The
// S3 client is asked for only when it is needed.
func Open(lake string, client func() (*s3.Client, error)) (Lake, error) {
	bad := func(why string) error {
		return fmt.Errorf("lake %q: %s; give s3://bucket/prefix or file:///absolute/folder", lake, why)
	}
	scheme, rest, ok := strings.Cut(lake, "://")
	if !ok {
		return nil, bad("not an address")
	}
	switch scheme {
	case "s3":
		bucket, prefix, _ := strings.Cut(rest, "/")
		prefix = strings.Trim(prefix, "/")
		switch {
		case bucket == "":
			return nil, bad("no bucket")
		case strings.ContainsAny(rest, "?#*"):
			return nil, bad("a bucket and prefix hold no ?, # or *")
		case strings.Contains(prefix, "//"):
			return nil, bad("the prefix has an empty part")
		}
		c, err := client()
		if err != nil {
			return nil, fmt.Errorf("lake %q: %w", lake, err)
		}
		return NewS3(c, bucket, prefix), nil
	case "file":
		if !strings.HasPrefix(rest, "/") {
			return nil, bad("the folder's path is not absolute")
		}
		path, err := url.PathUnescape(rest)
		if err != nil {
			return nil, bad("the path is badly escaped")
		}
		return NewFolder(path)
	}
	return nil, bad("unknown scheme " + scheme)
}
