package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"dynamolake/internal/awssim"
	"dynamolake/internal/bubble"
)

// randomBytes do not repeat, so that parts cannot be mistaken for each other.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}

// upload writes in pieces of odd sizes.
func upload(ctx context.Context, lake Uploads, key string, body []byte) error {
	u, err := lake.Create(ctx, key, map[string]string{"source": "full"})
	if err != nil {
		return err
	}
	for n := 1; len(body) > 0; n = n*3 + 1 {
		piece := min(n, len(body))
		if _, err := u.Write(body[:piece]); err != nil {
			return errors.Join(err, u.Abort(ctx))
		}
		body = body[piece:]
	}
	return u.Commit(ctx)
}

func TestUploadsOnEveryLake(t *testing.T) {
	for name, lakeOf := range lakes {
		t.Run(name, func(t *testing.T) {
			lake := lakeOf(t)
			ctx := t.Context()
			for _, size := range []int{0, 1000, partBytes, partBytes + 1, 2*partBytes + 1000} {
				key := fmt.Sprintf("a/%d", size)
				want := randomBytes(size)
				if err := upload(ctx, lake, key, want); err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				got, _, err := lake.Get(ctx, key)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes: %d, %v", size, len(got), err)
				}
				if o, err := lake.Head(ctx, key); err != nil || name != "folder" && (o.Meta["source"] != "full" || o.Meta["attempt"] == "") {
					t.Errorf("%d bytes: %+v, %v", size, o, err)
				}
				if err := upload(ctx, lake, key, want[:size/2]); !errors.Is(err, ErrExists) {
					t.Errorf("%d bytes again: %v", size, err)
				}
				if got, _, err := lake.Get(ctx, key); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes after another try: %d, %v", size, len(got), err)
				}
				for _, full := range []bool{false, true} {
					u, err := lake.Create(ctx, key+"-aborted", nil)
					if err != nil {
						t.Fatal(err)
					}
					if full {
						if _, err := u.Write(want); err != nil {
							t.Error(err)
						}
					}
					if err := errors.Join(u.Abort(ctx), u.Abort(ctx)); err != nil {
						t.Error(err)
					}
					if _, err := u.Write([]byte("x")); err == nil {
						t.Error("written after it was aborted")
					}
					if err := u.Commit(ctx); err == nil {
						t.Error("committed after it was aborted")
					}
				}
				if _, err := lake.Head(ctx, key+"-aborted"); !errors.Is(err, ErrNotFound) {
					t.Errorf("an aborted upload: %v", err)
				}
			}
			if f, ok := lake.(*Folder); ok && temps(t, f) != 0 {
				t.Errorf("%d temporary files are left", temps(t, f))
			}
		})
	}
}

// TestS3UploadsEndOnce whatever happens to the calls.
func TestS3UploadsEndOnce(t *testing.T) {
	const small, large = 1000, 2*partBytes + 1000
	refuse := func(status int, code string) awssim.Fault { return awssim.Fault{Status: status, Code: code} }
	for _, c := range []struct {
		name  string
		size  int
		call  string
		fault func(n int, other *S3) awssim.Fault // of the nth such call
		want  string                              // part of the error; empty for none
		is    error
		calls int
	}{
		{name: "a lost reply to a PUT", size: small, call: "PutObject", calls: 2, fault: func(n int, _ *S3) awssim.Fault { return awssim.Fault{DropReply: n == 1} }},
		{name: "all replies to a PUT are lost", size: small, call: "PutObject", calls: 3, fault: func(int, *S3) awssim.Fault { return awssim.Fault{DropReply: true} }},
		{name: "a PUT never arrives", size: small, call: "PutObject", calls: 3, want: "SlowDown", fault: func(int, *S3) awssim.Fault { return refuse(503, "SlowDown") }},
		{name: "another has the name of a small object", size: small, call: "PutObject", calls: 1, is: ErrExists, fault: first},
		{name: "a PUT is denied", size: small, call: "PutObject", calls: 1, want: "access denied; the lake needs s3:PutObject", fault: func(int, *S3) awssim.Fault { return refuse(403, "AccessDenied") }},
		{name: "a lost reply to Complete", size: large, call: "CompleteMultipartUpload", calls: 2, fault: func(n int, _ *S3) awssim.Fault { return awssim.Fault{DropReply: n == 1} }},
		{name: "another is faster", size: large, call: "CompleteMultipartUpload", calls: 1, is: ErrExists, fault: first},
		{name: "409 and nobody has won", size: large, call: "CompleteMultipartUpload", calls: 3, fault: func(n int, _ *S3) awssim.Fault {
			if n < 3 {
				return refuse(409, "ConditionalRequestConflict")
			}
			return awssim.Fault{}
		}},
		{name: "409 and another has won", size: large, call: "CompleteMultipartUpload", calls: 1, is: ErrExists, fault: func(n int, other *S3) awssim.Fault {
			first(n, other)
			return refuse(409, "ConditionalRequestConflict")
		}},
		{name: "Complete never arrives", size: large, call: "CompleteMultipartUpload", calls: 3 * completeTries, want: "SlowDown", fault: func(int, *S3) awssim.Fault { return refuse(503, "SlowDown") }},
		{name: "the upload was cleaned away", size: large, call: "CompleteMultipartUpload", calls: 1, want: "NoSuchUpload", fault: func(int, *S3) awssim.Fault { return refuse(404, "NoSuchUpload") }},
		{name: "Complete is denied", size: large, call: "CompleteMultipartUpload", calls: 1, want: "access denied", fault: func(int, *S3) awssim.Fault { return refuse(403, "AccessDenied") }},
		{name: "a part is sent again", size: large, call: "UploadPart", calls: 4, fault: func(n int, _ *S3) awssim.Fault { return awssim.Fault{DropReply: n == 2} }},
		{name: "a part is denied", size: large, call: "UploadPart", calls: 1, want: "access denied", fault: func(int, *S3) awssim.Fault { return refuse(403, "AccessDenied") }},
		{name: "the last part is denied", size: large, call: "UploadPart", calls: 3, want: "access denied", fault: func(n int, _ *S3) awssim.Fault {
			if n == 3 {
				return refuse(403, "AccessDenied")
			}
			return awssim.Fault{}
		}},
		{name: "an upload is denied", size: large, call: "CreateMultipartUpload", calls: 1, want: "access denied", fault: func(int, *S3) awssim.Fault { return refuse(403, "AccessDenied") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble.Run(t, func(t *testing.T) {
				lake, cloud := simulated(t)
				other, calls := simulatedFor(cloud, "other"), 0
				done := map[string]int{}
				cloud.Intercept(func(call *awssim.Call) (f awssim.Fault) {
					if call.Client != "writer" {
						return f
					}
					if call.Operation == c.call {
						calls++
						f = c.fault(calls, other)
					}
					if f.Status == 0 {
						done[call.Operation]++
					}
					return f
				})
				want := randomBytes(c.size)
				err := upload(t.Context(), lake, "k", want)
				got, _, getErr := lake.Get(t.Context(), "k")
				switch {
				case c.is != nil:
					if !errors.Is(err, c.is) || string(got) != "other" {
						t.Errorf("got %v and %.20q, want %v", err, got, c.is)
					}
				case c.want != "":
					if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(getErr, ErrNotFound) {
						t.Errorf("got %v and %v, want %q", err, getErr, c.want)
					}
				case err != nil || !bytes.Equal(got, want):
					t.Errorf("got %v and %d bytes, want %d", err, len(got), len(want))
				}
				if calls != c.calls {
					t.Errorf("%d calls of %s, want %d", calls, c.call, c.calls)
				}
				if failed := err != nil && done["CreateMultipartUpload"] > 0; failed != (done["AbortMultipartUpload"] > 0) {
					t.Errorf("%v, and calls %v", err, done)
				}
			})
		})
	}
}

// first lets another writer be first.
func first(_ int, other *S3) awssim.Fault {
	if err := other.PutNew(context.Background(), "k", []byte("other"), nil); err != nil && !errors.Is(err, ErrExists) {
		panic(err)
	}
	return awssim.Fault{}
}

// TestS3UploadsSendWhileTheyAreFilled: one part is on its way, the next is taken.
func TestS3UploadsSendWhileTheyAreFilled(t *testing.T) {
	lake, cloud := simulated(t)
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	cloud.Intercept(func(call *awssim.Call) awssim.Fault {
		if call.Operation == "UploadPart" {
			arrived <- struct{}{}
			<-release
		}
		return awssim.Fault{}
	})
	body := randomBytes(3 * partBytes)
	u, err := lake.Create(t.Context(), "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(body[:2*partBytes]); err != nil { // must not wait
		t.Fatal(err)
	}
	<-arrived
	more := make(chan error)
	go func() {
		_, err := u.Write(body[2*partBytes:])
		more <- err
	}()
	select {
	case err := <-more:
		t.Errorf("a third part was taken with two in memory, %v", err)
		close(release)
	case <-time.After(50 * time.Millisecond):
		close(release)
		if err := <-more; err != nil {
			t.Error(err)
		}
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _, err := lake.Get(t.Context(), "k"); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestS3UploadsEndWithTheirContext(t *testing.T) {
	for _, late := range []bool{false, true} {
		lake, cloud := simulated(t)
		ctx, cancel := context.WithCancel(t.Context())
		aborts := 0
		cloud.Intercept(func(call *awssim.Call) awssim.Fault {
			switch call.Operation {
			case "UploadPart":
				cancel()
				return awssim.Fault{Delay: time.Hour}
			case "AbortMultipartUpload":
				aborts++
			}
			return awssim.Fault{}
		})
		createCtx, commitCtx := ctx, t.Context()
		if late {
			createCtx, commitCtx = commitCtx, createCtx
		}
		u, err := lake.Create(createCtx, "k", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(randomBytes(partBytes + 1)); err != nil {
			t.Fatal(err)
		}
		if err := u.Commit(commitCtx); !errors.Is(err, context.Canceled) || aborts != 1 {
			t.Errorf("got %v, %d aborts", err, aborts)
		}
		if _, err := lake.Head(t.Context(), "k"); !errors.Is(err, ErrNotFound) {
			t.Errorf("something is there: %v", err)
		}
	}
}

func TestUploadToAFullDisk(t *testing.T) {
	f := smallDisk(t)
	err := upload(t.Context(), f, "a/b", make([]byte, 2<<20))
	var se *StoreError
	if !errors.As(err, &se) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk is full") || strings.Contains(err.Error(), tempDir) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Head(t.Context(), "a/b"); !errors.Is(err, ErrNotFound) || temps(t, f) != 0 {
		t.Errorf("%v, %d temporary files", err, temps(t, f))
	}
	if err := upload(t.Context(), f, "a/b", make([]byte, 500<<10)); err != nil {
		t.Errorf("with space again: %v", err)
	}
}
