package adapter_test

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dynamolake/consumer/adapter"
)

// pageServer answers every call with one and the same page.
type pageServer struct {
	body   string
	header http.Header
}

// newPageServer has a page of records with two images of about 1 KB each.
func newPageServer(records int) *pageServer {
	image := func(i int) string {
		var attributes strings.Builder
		fmt.Fprintf(&attributes, `{"pk":{"S":"customer#%06d"},"sk":{"S":"order#%08d"}`, i%977, i)
		for a := range 24 {
			fmt.Fprintf(&attributes, `,"attribute_%02d":{"S":"value %d"},"number_%02d":{"N":"%d.25"}`, a, i*a, a, i+a)
		}
		return attributes.String() + "}"
	}
	texts := make([]string, records)
	for i := range texts {
		texts[i] = fmt.Sprintf(`{"eventID":"%032x","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1",`+
			`"dynamodb":{"ApproximateCreationDateTime":1.7638848E9,"Keys":{"pk":{"S":"customer#%06d"},"sk":{"S":"order#%08d"}},"NewImage":%s,"OldImage":%s,`+
			`"SequenceNumber":"%026d","SizeBytes":2100,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`, i, i%977, i, image(i), image(i+1), 1_000_000+i)
	}
	body := `{"Records":[` + strings.Join(texts, ",") + `],"NextShardIterator":"next"}`
	return &pageServer{body, http.Header{
		"Content-Type": {"application/x-amz-json-1.0"},
		"X-Amz-Crc32":  {strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)},
	}}
}

func (s *pageServer) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: s.header,
		ContentLength: int64(len(s.body)), Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}

func (s *pageServer) client() *dynamodbstreams.Client {
	return (&fakeStream{}).client(func(o *dynamodbstreams.Options) { o.HTTPClient = s })
}

// swapRaw is the other way to keep the body: the Deserialize step's middleware is
// replaced. It is here to be compared with.
func swapRaw(raw *adapter.Raw) func(*dynamodbstreams.Options) {
	return func(o *dynamodbstreams.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			_, err := stack.Deserialize.Swap("OperationDeserializer", swapped{raw})
			return err
		})
	}
}

type swapped struct{ raw *adapter.Raw }

func (swapped) ID() string { return "OperationDeserializer" }

func (s swapped) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, md, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, md, err
	}
	resp := out.RawResponse.(*smithyhttp.Response)
	s.raw.Buf, err = adapter.AppendBody(s.raw.Buf, resp.Response)
	resp.Body.Close()
	out.Result = &dynamodbstreams.GetRecordsOutput{}
	return out, md, err
}

func BenchmarkGetRecords(b *testing.B) {
	for _, records := range []int{0, 1000} {
		server := newPageServer(records)
		client := server.client()
		in := &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("some iterator"), Limit: aws.Int32(1000)}
		run := func(name string, call func(raw *adapter.Raw) error) {
			b.Run(fmt.Sprintf("records=%d/%s", records, name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(server.body)))
				raw := &adapter.Raw{}
				for b.Loop() {
					raw.Buf = raw.Buf[:0]
					if err := call(raw); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("sdk", func(*adapter.Raw) error {
			_, err := client.GetRecords(b.Context(), in)
			return err
		})
		run("raw", func(raw *adapter.Raw) error {
			_, err := client.GetRecords(b.Context(), in, adapter.CaptureRaw(raw))
			return err
		})
		run("raw by middleware", func(raw *adapter.Raw) error {
			_, err := client.GetRecords(b.Context(), in, swapRaw(raw))
			return err
		})
	}
}

// BenchmarkStreams is a page's whole way to the Worker's hands.
func BenchmarkStreams(b *testing.B) {
	server := newPageServer(1000)
	client := adapter.New(server.client(), streamARN, unpaced)
	it := aws.String(`{"Shard":"s","Type":"TRIM_HORIZON","Upstream":"some iterator"}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(server.body)))
	for b.Loop() {
		out, err := client.GetRecords(b.Context(), &kinesis.GetRecordsInput{ShardIterator: it})
		if err != nil || len(out.Records) != 1000 {
			b.Fatal(len(out.Records), err)
		}
	}
}
