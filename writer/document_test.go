package writer

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dynamolake/internal/awssim"
	"dynamolake/internal/emulators"
)

// simulated is a lake on the simulator's S3, as the caller "writer" sees it.
func simulated(t testing.TB) (*S3, *awssim.Cloud) {
	t.Helper()
	cloud := awssim.New(awssim.Config{})
	lake := simulatedFor(cloud, "writer")
	if _, err := lake.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("lake")}); err != nil {
		t.Fatal(err)
	}
	return lake, cloud
}

func simulatedFor(cloud *awssim.Cloud, caller string) *S3 {
	return NewS3(s3.NewFromConfig(cloud.AWSConfig(caller), func(o *s3.Options) { o.UsePathStyle = true }), "lake", "pre")
}

// lakes are all there are to test with, each made in its own subtest: the real
// server is not to be had everywhere.
var lakes = map[string]func(*testing.T) Lake{
	"S3": func(t *testing.T) Lake {
		_, cloud := simulated(t)
		server := httptest.NewServer(cloud) // between goroutines, replies must be copies
		t.Cleanup(server.Close)
		return NewS3(clientOf(server.URL), "lake", "pre")
	},
	"another S3": func(t *testing.T) Lake { return NewS3(fakeS3(t), "lake", "pre/fix") },
	"versitygw": func(t *testing.T) Lake {
		endpoint, access, secret := emulators.S3(t)
		client := s3.New(s3.Options{
			BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true,
			Credentials: credentials.NewStaticCredentialsProvider(access, secret, ""),
		})
		bucket := fmt.Sprintf("writer-%d", time.Now().UnixNano())
		if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
		return NewS3(client, bucket, "pre")
	},
	"folder": func(t *testing.T) Lake { return newFolder(t) },
}

func TestMain(m *testing.M) { emulators.Main(m) }

func TestDocumentsOnEveryLake(t *testing.T) {
	for name, lakeOf := range lakes {
		t.Run(name, func(t *testing.T) {
			lake := lakeOf(t)
			ctx := t.Context()
			const key = "1/r/t/_ledger/state.json"
			if _, _, err := lake.Load(ctx, key); !errors.Is(err, ErrNotFound) {
				t.Errorf("nothing there: %v", err)
			}
			if _, err := lake.Swap(ctx, key, []byte("x"), "no such version"); !errors.Is(err, ErrChanged) {
				t.Errorf("a change of nothing: %v", err)
			}
			first, err := lake.Swap(ctx, key, []byte("1"), "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := lake.Swap(ctx, key, []byte("x"), ""); !errors.Is(err, ErrChanged) {
				t.Errorf("created twice: %v", err)
			}
			second, err := lake.Swap(ctx, key, []byte("2"), first)
			if err != nil || second == first {
				t.Fatalf("the version %q became %q, %v", first, second, err)
			}
			if _, err := lake.Swap(ctx, key, []byte("x"), first); !errors.Is(err, ErrChanged) {
				t.Errorf("from an old version: %v", err)
			}
			body, version, err := lake.Load(ctx, key)
			if err != nil || string(body) != "2" || version != second {
				t.Errorf("%q at %q (want %q), %v", body, version, second, err)
			}
		})
	}
}

// increment adds one to the number that a document holds.
func increment(ctx context.Context, d Documents, key string) (int, error) {
	for {
		body, version, err := d.Load(ctx, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return 0, err
		}
		n := 0
		if err == nil {
			if n, err = strconv.Atoi(string(body)); err != nil {
				return 0, err
			}
		}
		_, err = d.Swap(ctx, key, []byte(strconv.Itoa(n+1)), version)
		if !errors.Is(err, ErrChanged) {
			return n + 1, err
		}
	}
}

func TestNoSwapIsLost(t *testing.T) {
	for name, lakeOf := range lakes {
		t.Run(name, func(t *testing.T) {
			lake := lakeOf(t)
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 10 {
						if _, err := increment(t.Context(), lake, "a/n"); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if body, _, err := lake.Load(t.Context(), "a/n"); err != nil || string(body) != "80" {
				t.Errorf("counted %s, %v", body, err)
			}
		})
	}
}

// TestS3SwapKnowsItsOwnWrite when replies are lost.
func TestS3SwapKnowsItsOwnWrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(n int, other *S3) awssim.Fault // of the nth PUT
		want  string                              // part of the error; empty for none
		is    error
		puts  int
		body  string
	}{
		{name: "409 is asked again", puts: 3, body: "mine", fault: func(n int, _ *S3) awssim.Fault {
			if n < 3 {
				return awssim.Fault{Status: 409, Code: "ConditionalRequestConflict"}
			}
			return awssim.Fault{}
		}},
		{name: "409 for ever ends", puts: swapTries, body: "old", want: "ConditionalRequestConflict", fault: func(int, *S3) awssim.Fault {
			return awssim.Fault{Status: 409, Code: "ConditionalRequestConflict"}
		}},
		{name: "503 before the effect", puts: 2, body: "mine", fault: func(n int, _ *S3) awssim.Fault {
			if n == 1 {
				return awssim.Fault{Status: 503, Code: "SlowDown"}
			}
			return awssim.Fault{}
		}},
		{name: "the reply is lost", puts: 2, body: "mine", fault: func(n int, _ *S3) awssim.Fault { return awssim.Fault{DropReply: n == 1} }},
		{name: "the reply is lost, and another changes it", puts: 2, body: "another's", want: "after a reply had been lost", fault: func(n int, other *S3) awssim.Fault {
			if n > 1 {
				return awssim.Fault{}
			}
			return awssim.Fault{DropReply: true, After: func() {
				_, version, err := other.Load(context.Background(), "k")
				if err == nil {
					_, err = other.Swap(context.Background(), "k", []byte("another's"), version)
				}
				if err != nil {
					panic(err)
				}
			}}
		}},
		{name: "access denied", puts: 1, body: "old", want: "access denied; the lake needs s3:PutObject", fault: func(int, *S3) awssim.Fault {
			return awssim.Fault{Status: 403, Code: "AccessDenied"}
		}},
		{name: "gone", puts: 1, is: ErrChanged, body: "", fault: func(_ int, other *S3) awssim.Fault {
			if err := other.Delete(context.Background(), "k"); err != nil {
				panic(err)
			}
			return awssim.Fault{}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lake, cloud := simulated(t)
			version, err := lake.Swap(t.Context(), "k", []byte("old"), "")
			if err != nil {
				t.Fatal(err)
			}
			puts, other := 0, simulatedFor(cloud, "other")
			cloud.Intercept(func(call *awssim.Call) awssim.Fault {
				if call.Operation != "PutObject" || call.Client != "writer" {
					return awssim.Fault{}
				}
				puts++
				return c.fault(puts, other)
			})
			newVersion, err := lake.Swap(t.Context(), "k", []byte("mine"), version)
			switch {
			case c.is != nil:
				if !errors.Is(err, c.is) {
					t.Errorf("got %v, want %v", err, c.is)
				}
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrChanged)):
				t.Errorf("got %v, want %q", err, c.want)
			}
			body, now, err := lake.Load(t.Context(), "k")
			if string(body) != c.body || err != nil && c.body != "" || c.want == "" && c.is == nil && now != newVersion {
				t.Errorf("%q at %s (swapped to %s), want %q; %v", body, now, newVersion, c.body, err)
			}
			if puts != c.puts {
				t.Errorf("%d PUTs, want %d", puts, c.puts)
			}
		})
	}
}

func TestProbeRefusesAStoreThatIgnoresIfMatch(t *testing.T) {
	for name, lakeOf := range lakes {
		t.Run(name, func(t *testing.T) {
			if err := Probe(t.Context(), lakeOf(t), "w"); err != nil {
				t.Error(err)
			}
		})
	}
	deaf := s3Behind(t, ignoring("If-Match"))
	if err := Probe(t.Context(), deaf, "w"); err == nil || !strings.Contains(err.Error(), "ignores If-Match") || !strings.Contains(err.Error(), "use a store that") {
		t.Errorf("got %v", err)
	}
}

// TestProbesLeaveFewObjects however often workers start, and at once: nobody deletes them.
func TestProbesLeaveFewObjects(t *testing.T) {
	for name, lakeOf := range lakes {
		t.Run(name, func(t *testing.T) {
			lake := lakeOf(t)
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					for n := range 5 {
						worker := "w"
						if i%2 == 0 {
							worker = fmt.Sprintf("host-%d-%d", i, n)
						}
						if err := Probe(t.Context(), lake, worker); err != nil {
							t.Errorf("start %d of %d: %v", n, i, err)
						}
					}
				})
			}
			all.Wait()
			n := 0
			for o, err := range lake.List(t.Context(), "_ledger/probe/") {
				if err != nil {
					t.Fatal(err)
				}
				if n++; o.Size > 100 {
					t.Errorf("%s has %d bytes", o.Key, o.Size)
				}
			}
			if n == 0 || n > 16 {
				t.Errorf("40 starts left %d objects", n)
			}
		})
	}
}

// TestProbeRefusesADocumentThatNobodyCanChange, though a refusal alone may be another's change.
func TestProbeRefusesADocumentThatNobodyCanChange(t *testing.T) {
	if err := Probe(t.Context(), stiff{newFolder(t)}, "w"); err == nil || !strings.Contains(err.Error(), "although nobody else has") {
		t.Errorf("got %v", err)
	}
}

// stiff refuses each change.
type stiff struct{ Lake }

func (stiff) Swap(context.Context, string, []byte, string) (string, error) {
	return "", ErrChanged
}
