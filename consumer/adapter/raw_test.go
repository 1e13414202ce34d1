package adapter_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"

	"dynamolake/consumer/adapter"
)

// atOnce retries without waiting.
func atOnce(o *dynamodbstreams.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

// filled is a stream of one shard, and the iterator and body of its only page.
func filled(t *testing.T, records int) (f *fakeStream, iterator, body string) {
	f = newFake(t)
	s := f.add("", 0, 256)
	texts := make([]string, records)
	for i := range records {
		f.put(i%256, i)
	}
	for i, r := range s.records {
		texts[i] = r.text
	}
	f.roll(s, 1)
	return f, s.ID + "|0|0", `{"Records":[` + strings.Join(texts, ",") + `]}`
}

func TestRawCapture(t *testing.T) {
	body := func(change func(resp *http.Response, whole []byte)) func(*http.Response) {
		return func(resp *http.Response) {
			whole, _ := io.ReadAll(resp.Body)
			change(resp, whole)
		}
	}
	replace := func(resp *http.Response, b []byte) { resp.Body = io.NopCloser(bytes.NewReader(b)) }
	for name, test := range map[string]struct {
		refuse func(call int) *refusal // by attempt, from 1
		calls  int
	}{
		"a page arrives at once": {func(int) *refusal { return nil }, 1},
		"a 500 is retried": {func(call int) *refusal {
			if call == 1 {
				return &refusal{status: 500, code: "InternalServerError"}
			}
			return nil
		}, 2},
		"a throttled call is retried": {func(call int) *refusal {
			if call < 3 {
				return &refusal{status: 400, code: "ThrottlingException"}
			}
			return nil
		}, 3},
		"a body that breaks off is read again": {func(call int) *refusal {
			if call == 1 {
				return &refusal{shape: body(func(resp *http.Response, whole []byte) {
					resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), brokenReader{}))
				})}
			}
			return nil
		}, 2},
		"a body shorter than its Content-Length is read again": {func(call int) *refusal {
			if call == 1 {
				return &refusal{shape: body(func(resp *http.Response, whole []byte) {
					replace(resp, whole[:len(whole)-1])
					resp.Header.Del("X-Amz-Crc32")
				})}
			}
			return nil
		}, 2},
		"a body with a flipped bit is read again": {func(call int) *refusal {
			if call == 1 {
				return &refusal{shape: body(func(resp *http.Response, whole []byte) {
					flipped := bytes.Clone(whole)
					flipped[len(flipped)/2] ^= 1
					replace(resp, flipped)
				})}
			}
			return nil
		}, 2},
		"a body of unknown length and without checksum is taken as it is": {func(int) *refusal {
			return &refusal{shape: func(resp *http.Response) {
				resp.ContentLength = -1
				resp.Header.Del("X-Amz-Crc32")
			}}
		}, 1},
		"a body in gzip that nobody asked for is unpacked": {func(int) *refusal {
			return &refusal{shape: body(func(resp *http.Response, whole []byte) {
				if got := resp.Request.Header.Get("Accept-Encoding"); got != "identity" {
					t.Errorf("Accept-Encoding %q", got)
				}
				var packed bytes.Buffer
				zw := gzip.NewWriter(&packed)
				zw.Write(whole)
				zw.Close()
				replace(resp, packed.Bytes())
				resp.ContentLength = int64(packed.Len())
				resp.Header.Set("Content-Encoding", "gzip")
				resp.Header.Del("X-Amz-Crc32")
			})}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, iterator, want := filled(t, 40)
			f.refuse = func(_ string, _ request, call int) *refusal { return test.refuse(call) }
			raw := &adapter.Raw{Buf: []byte("before")}
			out, err := f.client(atOnce).GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("before"+want, string(raw.Buf)); diff != "" {
				t.Errorf("kept body (-want +got):\n%s", diff)
			}
			if out.Records != nil || out.NextShardIterator != nil {
				t.Errorf("the SDK decoded the body too: %d records", len(out.Records))
			}
			if f.calls["GetRecords"] != test.calls {
				t.Errorf("%d attempts, want %d", f.calls["GetRecords"], test.calls)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// early answers before net/http has looked for the end of the request's body.
type early struct{ f aws.HTTPClient }

func (e early) Do(r *http.Request) (*http.Response, error) {
	resp, err := e.f.Do(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &late{ReadCloser: resp.Body, request: r.Body}
	return resp, nil
}

// late looks for it while the answer is read. An error there breaks the connection.
type late struct {
	io.ReadCloser
	request io.Reader
}

func (l *late) Read(b []byte) (int, error) {
	if n, err := io.Copy(io.Discard, l.request); n != 0 || err != nil {
		return 0, fmt.Errorf("the request's body had %d bytes more: %v: use of closed network connection", n, err)
	}
	return l.ReadCloser.Read(b)
}

func TestAnAnswerThatOvertakesItsRequestArrives(t *testing.T) {
	f, iterator, want := filled(t, 40)
	raw := &adapter.Raw{}
	client := f.client(atOnce, func(o *dynamodbstreams.Options) { o.HTTPClient = early{f} })
	if _, err := client.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw)); err != nil {
		t.Fatal(err)
	}
	if calls := f.calls["GetRecords"]; string(raw.Buf) != want || calls != 1 {
		t.Errorf("%d bytes after %d calls, want %d after one", len(raw.Buf), calls, len(want))
	}
}

func TestRawCaptureKeepsErrorsTyped(t *testing.T) {
	f, iterator, _ := filled(t, 3)
	for code, is := range map[string]func(error) bool{
		"ExpiredIteratorException":   func(err error) bool { return errors.As(err, new(*streamtypes.ExpiredIteratorException)) },
		"TrimmedDataAccessException": func(err error) bool { return errors.As(err, new(*streamtypes.TrimmedDataAccessException)) },
		"LimitExceededException":     func(err error) bool { return errors.As(err, new(*streamtypes.LimitExceededException)) },
	} {
		t.Run(code, func(t *testing.T) {
			f.refuse = func(string, request, int) *refusal { return &refusal{status: 400, code: code} }
			raw := &adapter.Raw{Buf: []byte("before")}
			_, err := f.client(atOnce).GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw))
			if !is(err) {
				t.Errorf("got %T: %v", err, err)
			}
			if string(raw.Buf) != "before" {
				t.Errorf("an error left %q in the buffer", raw.Buf)
			}
		})
	}
}

func TestABodyThatNeverArrivesWholeIsAnError(t *testing.T) {
	f, iterator, _ := filled(t, 3)
	f.refuse = func(string, request, int) *refusal {
		return &refusal{shape: func(resp *http.Response) {
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"Records":[`), brokenReader{}))
		}}
	}
	raw := &adapter.Raw{Buf: []byte("before")}
	_, err := f.client(atOnce).GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw))
	if !errors.Is(err, io.ErrUnexpectedEOF) || f.calls["GetRecords"] != 3 {
		t.Errorf("%d attempts, error %v", f.calls["GetRecords"], err)
	}
	if string(raw.Buf) != "before" {
		t.Errorf("a torn body left %q in the buffer", raw.Buf)
	}
}

func TestRawCaptureGivesUpWithItsContext(t *testing.T) {
	f, iterator, _ := filled(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	f.refuse = func(string, request, int) *refusal {
		return &refusal{shape: func(resp *http.Response) {
			resp.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
				cancel()
				return 0, ctx.Err()
			}))
		}}
	}
	raw := &adapter.Raw{}
	_, err := f.client(atOnce).GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw))
	if !errors.Is(err, context.Canceled) || f.calls["GetRecords"] != 1 {
		t.Errorf("%d attempts, error %v", f.calls["GetRecords"], err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestRawCaptureLeavesOtherCallsAlone(t *testing.T) {
	f, _, _ := filled(t, 3)
	raw := &adapter.Raw{}
	out, err := f.client().DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(streamARN)}, adapter.CaptureRaw(raw))
	if err != nil || len(out.StreamDescription.Shards) != 2 || len(raw.Buf) != 0 {
		t.Errorf("DescribeStream = %v, %v; kept %q", out, err, raw.Buf)
	}
}

func TestRawCaptureManyAtOnce(t *testing.T) {
	client := newFake(t)
	var readers sync.WaitGroup
	for reader := range 8 {
		s := client.add("", reader, reader+1)
		for n := range 20 {
			client.put(reader, n)
		}
		readers.Go(func() {
			iterator := s.ID + "|0|0"
			raw := &adapter.Raw{}
			streams := client.client()
			for range 50 {
				raw.Buf = raw.Buf[:0]
				if _, err := streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw)); err != nil {
					t.Error(err)
				}
				if got := strings.Count(string(raw.Buf), `"NewImage":{"n":{"N":"`); got != 20 || !strings.Contains(string(raw.Buf), s.ID) {
					t.Errorf("reader %d has %d records of another shard", reader, got)
				}
			}
		})
	}
	readers.Wait()
}

// TestRawCaptureOverRealHTTP meets net/http's own handling of lengths and gzip.
func TestRawCaptureOverRealHTTP(t *testing.T) {
	f, iterator, want := filled(t, 400)
	attempts := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := f.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(resp.ContentLength))
		w.Header().Set("X-Amz-Crc32", resp.Header.Get("X-Amz-Crc32"))
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("the client asks for gzip")
		}
		if attempts++; attempts == 1 {
			io.CopyN(w, resp.Body, resp.ContentLength/2)
			panic(http.ErrAbortHandler) // the connection breaks in the middle
		}
		io.Copy(w, resp.Body)
	}))
	defer server.Close()
	client := f.client(atOnce, func(o *dynamodbstreams.Options) {
		o.BaseEndpoint, o.HTTPClient = &server.URL, server.Client()
	})
	raw := &adapter.Raw{Buf: make([]byte, 0, 16)}
	if _, err := client.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator}, adapter.CaptureRaw(raw)); err != nil {
		t.Fatal(err)
	}
	if string(raw.Buf) != want || attempts != 2 {
		t.Errorf("kept %d bytes of %d in %d attempts", len(raw.Buf), len(want), attempts)
	}
}
