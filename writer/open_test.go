package writer

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"dynamolake/transform"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	client := func() (*s3.Client, error) { return s3.New(s3.Options{}), nil }
	for _, c := range []struct{ lake, want string }{
		{"s3://bucket", "s3://bucket/k"},
		{"s3://bucket/", "s3://bucket/k"},
		{"s3://bucket/a/b/", "s3://bucket/a/b/k"},
		{"file://" + dir + "/x%20y", "file://" + dir + "/x y/k"},
		{"s3://", `lake "s3://": no bucket; give s3://bucket/prefix or file:///absolute/folder`},
		{"s3:///prefix", "no bucket"},
		{"s3://b/a//c", "the prefix has an empty part"},
		{"s3://b/a?x=y", "hold no ?"},
		{"file://relative", "not absolute"},
		{"file:///%zz", "badly escaped"},
		{"gs://bucket", "unknown scheme gs"},
		{"/folder", "not an address"},
		{"", "not an address"},
	} {
		store, err := Open(c.lake, client)
		got := fmt.Sprint(err)
		switch s := store.(type) {
		case *S3:
			got = s.address("k")
		case *Folder:
			got = s.address("k")
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.lake, got, c.want)
		}
	}
	if _, err := Open("s3://b", func() (*s3.Client, error) { return nil, errors.New("no region") }); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Errorf("got %v", err)
	}
	if _, err := Open("file://"+filepath.Join("/dev/null", "x"), client); err == nil || !strings.Contains(err.Error(), "open file:///dev/null/x") {
		t.Errorf("got %v", err)
	}
}

func TestPutRejects(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			rejects := []transform.Reject{
				{Seq: seqOf(7), Raw: []byte(`{"a":1.50,"b":"<x>"}`), Reason: "no keys"},
				{Raw: []byte("not \x00json"), Reason: "not JSON"},
			}
			for range 2 { // a replay changes nothing
				if err := PutRejects(t.Context(), store, "1/r/t/", "shard-1", rejects); err != nil {
					t.Fatal(err)
				}
			}
			got := map[string]string{}
			for o, err := range store.List(t.Context(), "1/r/t/rejects/") {
				if err != nil {
					t.Fatal(err)
				}
				body, _, err := store.Get(t.Context(), o.Key)
				if err != nil {
					t.Fatal(err)
				}
				got[o.Key] = string(body)
			}
			want := map[string]string{
				"1/r/t/rejects/stream/shard-1/" + seqOf(7).String() + ".json":                                        `{"reason":"no keys","shard":"shard-1","seq":"` + seqOf(7).String() + `","record":{"a":1.50,"b":"<x>"}}` + "\n",
				"1/r/t/rejects/stream/shard-1/7fc0a6155522b43b3eb4c5d4c446cc0a0b354beda41d92b92e1b0b0f69201827.json": `{"reason":"not JSON","shard":"shard-1","base64":"bm90IABqc29u"}` + "\n",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
