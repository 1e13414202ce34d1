package writer

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// s3Behind is a lake on a fake S3 that answers through a middleware.
func s3Behind(t *testing.T, wrap func(http.Handler) http.Handler) *S3 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("lake"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(wrap(gofakes3.New(backend).Server()))
	t.Cleanup(server.Close)
	return NewS3(clientOf(server.URL), "lake", "")
}

func answer(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>because</Message></Error>`, code)
}

// TestS3KnowsItsOwnWrite through the SDK's retries.
func TestS3KnowsItsOwnWrite(t *testing.T) {
	for _, c := range []struct {
		name string
		// meddle answers the nth PUT itself, and tells whether the effect happens.
		meddle func(n int32) (effect bool, status int, code string)
		puts   int32
	}{
		{"409 is asked again", func(n int32) (bool, int, string) {
			if n <= 2 {
				return false, 409, "ConditionalRequestConflict"
			}
			return true, 0, ""
		}, 3},
		{"500 after the effect, then 412 to the SDK's resend", func(n int32) (bool, int, string) {
			if n == 1 {
				return true, 500, "InternalError"
			}
			return true, 0, ""
		}, 2},
		{"503 before the effect", func(n int32) (bool, int, string) {
			if n == 1 {
				return false, 503, "SlowDown"
			}
			return true, 0, ""
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var puts atomic.Int32
			store := s3Behind(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodPut {
						next.ServeHTTP(w, r)
						return
					}
					if r.Header.Get("If-None-Match") != "*" {
						t.Error("a PUT without If-None-Match: *")
					}
					effect, status, code := c.meddle(puts.Add(1))
					if status == 0 {
						next.ServeHTTP(w, r)
						return
					}
					if effect {
						next.ServeHTTP(httptest.NewRecorder(), r)
					}
					answer(w, status, code)
				})
			})
			f := encodeRange(t, 0, 1, 3, false)
			link, won, err := NewChain(store, testPrefix()).Commit(t.Context(), f)
			if err != nil || !won || link.End != seqOf(3) || puts.Load() != c.puts {
				t.Errorf("%+v, won %t, %d PUTs (want %d), %v", link, won, puts.Load(), c.puts, err)
			}
		})
	}
}

func TestS3ErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status     int
		code, want string
	}{
		{404, "NoSuchBucket", "there is no bucket lake; create it"},
		{403, "AccessDenied", "access denied; the lake needs s3:PutObject"},
		{403, "InvalidAccessKeyId", "the credentials were refused"},
		{301, "PermanentRedirect", "another region (us-west-2); set AWS_REGION"},
		{400, "AuthorizationHeaderMalformed", "another region (us-west-2); set AWS_REGION"},
		{501, "NotImplemented", "use one that supports conditional PUT"},
		{400, "InvalidRequest", "the store refuses the request"},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.code), func(t *testing.T) {
			store := s3Behind(t, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("x-amz-bucket-region", "us-west-2")
					answer(w, c.status, c.code)
				})
			})
			put := store.PutNew(t.Context(), "k", nil, nil)
			_, _, get := store.Get(t.Context(), "k")
			for op, err := range map[string]error{"write": put, "read": get} {
				var se *StoreError
				if !errors.As(err, &se) || !strings.HasPrefix(err.Error(), op+" s3://lake/k: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v, want %q", op, err, c.want)
				}
			}
		})
	}
}

// TestS3HeadOfWhatIsNotThere: a HEAD has no body to tell why.
func TestS3HeadOfWhatIsNotThere(t *testing.T) {
	status := 404
	store := s3Behind(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
	})
	if _, err := store.Head(t.Context(), "k"); !errors.Is(err, ErrNotFound) {
		t.Errorf("404: %v", err)
	}
	status = 403
	if _, err := store.Head(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "s3:ListBucket") {
		t.Errorf("403: %v", err)
	}
}

// ignoring is a store that does not look at a header.
func ignoring(header string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del(header)
			next.ServeHTTP(w, r)
		})
	}
}

func TestProbeRefusesAStoreThatIgnoresTheCondition(t *testing.T) {
	deaf := s3Behind(t, ignoring("If-None-Match"))
	err := Probe(t.Context(), deaf, "w")
	if err == nil || !strings.Contains(err.Error(), "ignores If-None-Match") || !strings.Contains(err.Error(), "use a store that") {
		t.Errorf("got %v", err)
	}
	if err := Probe(t.Context(), NewS3(fakeS3(t), "nobucket", ""), "w"); err == nil || !strings.Contains(err.Error(), "there is no bucket nobucket") {
		t.Errorf("got %v", err)
	}
}
