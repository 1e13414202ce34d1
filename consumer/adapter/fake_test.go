package adapter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

const streamARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000"

// fakeStream is one DynamoDB stream below the SDK's HTTP client. Items are spread
// over 256 slots, and an open shard owns a range of them.
type fakeStream struct {
	mu     sync.Mutex
	shards []*fakeShard
	seq    int
	calls  map[string]int
	// refuse, if set, may answer a call in the service's place.
	refuse func(op string, in request, call int) *refusal
	// life of an iterator; 0 means for ever.
	life time.Duration
}

type fakeShard struct {
	ID, Parent string
	from, to   int // slots
	first      int // sequence number
	end        int // 0: open
	trimmed    int // records gone from the head
	hidden     bool
	records    []fakeRecord
}

type fakeRecord struct {
	seq  int
	at   time.Time
	text string
}

type request struct {
	StreamArn, ShardID, ShardIteratorType, SequenceNumber, ShardIterator, ExclusiveStartShardID string
	Timestamp                                                                                   float64
	Limit                                                                                       int
}

type refusal struct {
	status int
	code   string
	// shape, if set, changes the response on its way to the client.
	shape func(*http.Response)
}

func newFake(t *testing.T) *fakeStream {
	f := &fakeStream{calls: map[string]int{}, seq: 100_000_000_000_000_000}
	t.Cleanup(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for op := range f.calls {
			if !slices.Contains([]string{"DescribeStream", "GetShardIterator", "GetRecords"}, op) {
				t.Errorf("the adapter called %s", op)
			}
		}
	})
	return f
}

func (f *fakeStream) client(opts ...func(*dynamodbstreams.Options)) *dynamodbstreams.Client {
	return dynamodbstreams.New(dynamodbstreams.Options{
		Region:     "eu-west-1",
		HTTPClient: f,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDFAKE", SecretAccessKey: "secret"}, nil
		}),
	}, opts...)
}

// add opens a shard over the given slots.
func (f *fakeStream) add(parent string, from, to int) *fakeShard {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open(parent, from, to)
}

func (f *fakeStream) open(parent string, from, to int) *fakeShard {
	f.seq++
	s := &fakeShard{ID: fmt.Sprintf("shardId-%020d-%08x", 1_700_000_000_000+len(f.shards), len(f.shards)), Parent: parent, from: from, to: to, first: f.seq}
	f.shards = append(f.shards, s)
	return s
}

// roll closes a shard and opens n children.
func (f *fakeStream) roll(s *fakeShard, n int) []*fakeShard {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.end = f.seq
	var children []*fakeShard
	for i := range n {
		width := (s.to - s.from) / n
		children = append(children, f.open(s.ID, s.from+i*width, s.from+(i+1)*width))
	}
	return children
}

func (f *fakeStream) leaves() []*fakeShard {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.shards), func(s *fakeShard) bool { return s.end != 0 })
}

// put writes a change of an item to the open shard of its slot.
func (f *fakeStream) put(slot int, n int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.shards {
		if s.end == 0 && s.from <= slot && slot < s.to {
			f.seq += 3
			now := time.Now()
			text := fmt.Sprintf(`{"eventID":"%x","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"eu-west-1",`+
				`"dynamodb":{"ApproximateCreationDateTime":%d,"Keys":{"sk":{"N":"7"},"pk":{"S":"<%d>"}},"NewImage":{"n":{"N":"%d"},"b":{"B":"AAE="}, "sk":{"N":"7"},"pk":{"S":"<%d>"}},`+
				`"SequenceNumber":"%d","SizeBytes":59,"StreamViewType":"NEW_IMAGE"}}`, f.seq, now.Unix(), slot, n, slot, f.seq)
			s.records = append(s.records, fakeRecord{f.seq, now, text})
			return strconv.Itoa(f.seq)
		}
	}
	panic(fmt.Sprintf("no open shard for slot %d", slot))
}

func (f *fakeStream) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// Do is the HTTP client below the SDK.
func (f *fakeStream) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !strings.Contains(r.Header.Get("Authorization"), "AKIDFAKE") {
		return nil, fmt.Errorf("%s is not signed", op)
	}
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.calls[op]++
	refused := (*refusal)(nil)
	if f.refuse != nil {
		refused = f.refuse(op, in, f.calls[op])
	}
	status, body := http.StatusOK, ""
	if refused != nil && refused.code != "" {
		status, body = refused.status, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"as told"}`, refused.code)
	} else {
		var code string
		if body, code = f.serve(op, in); code != "" {
			status, body = 400, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"from the fake"}`, code)
		}
	}
	f.mu.Unlock()
	resp := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{
			"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Requestid": {"REQUEST"},
			"X-Amz-Crc32": {strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 10)},
		},
		Body: io.NopCloser(strings.NewReader(body)),
	}
	if refused != nil && refused.shape != nil {
		refused.shape(resp)
	}
	return resp, nil
}

func (f *fakeStream) serve(op string, in request) (body, code string) {
	switch op {
	case "DescribeStream":
		return f.describe(in), ""
	case "GetShardIterator":
		s := f.find(in.ShardID)
		if s == nil {
			return "", "ResourceNotFoundException"
		}
		at, code := s.position(in)
		return fmt.Sprintf(`{"ShardIterator":"%s|%d|%d"}`, s.ID, at, time.Now().UnixNano()), code
	case "GetRecords":
		if in.Limit > 1000 {
			return "", "ValidationException"
		}
		return f.records(in)
	}
	return "", "UnknownOperationException"
}

func (f *fakeStream) find(id string) *fakeShard {
	for _, s := range f.shards {
		if s.ID == id && !s.hidden {
			return s
		}
	}
	return nil
}

func (f *fakeStream) describe(in request) string {
	var shards []string
	last := ""
	for _, s := range f.shards {
		if s.hidden || s.ID <= in.ExclusiveStartShardID {
			continue
		}
		if len(shards) == 100 {
			last = fmt.Sprintf(`,"LastEvaluatedShardId":"%s"`, f.lastOf(shards))
			break
		}
		text := fmt.Sprintf(`{"ShardId":"%s","SequenceNumberRange":{"StartingSequenceNumber":"%d"`, s.ID, s.first)
		if s.end != 0 {
			text += fmt.Sprintf(`,"EndingSequenceNumber":"%d"`, s.end)
		}
		text += "}"
		if s.Parent != "" {
			text += fmt.Sprintf(`,"ParentShardId":"%s"`, s.Parent)
		}
		shards = append(shards, text+"}")
	}
	return fmt.Sprintf(`{"StreamDescription":{"StreamArn":"%s","StreamStatus":"ENABLED","Shards":[%s]%s}}`, in.StreamArn, strings.Join(shards, ","), last)
}

func (*fakeStream) lastOf(shards []string) string {
	return strings.Split(shards[len(shards)-1], `"`)[3]
}

// position is the index of the first record to read.
func (s *fakeShard) position(in request) (int, string) {
	switch in.ShardIteratorType {
	case "TRIM_HORIZON":
		return s.trimmed, ""
	case "LATEST":
		return len(s.records), ""
	case "AT_TIMESTAMP":
		at := slices.IndexFunc(s.records[s.trimmed:], func(r fakeRecord) bool { return float64(r.at.Unix()) >= in.Timestamp })
		if at < 0 {
			return len(s.records), ""
		}
		return at + s.trimmed, ""
	}
	seq, err := strconv.Atoi(in.SequenceNumber)
	if err != nil {
		return 0, "ValidationException"
	}
	if in.ShardIteratorType == "AFTER_SEQUENCE_NUMBER" {
		seq++
	}
	at := slices.IndexFunc(s.records, func(r fakeRecord) bool { return r.seq >= seq })
	if at < 0 {
		at = len(s.records)
	}
	if at < s.trimmed {
		return 0, "TrimmedDataAccessException"
	}
	return at, ""
}

func (f *fakeStream) records(in request) (string, string) {
	part := strings.Split(in.ShardIterator, "|")
	s := f.find(part[0])
	if s == nil {
		return "", "ResourceNotFoundException"
	}
	at, _ := strconv.Atoi(part[1])
	issued, _ := strconv.Atoi(part[2])
	if f.life > 0 && time.Now().UnixNano()-int64(issued) > int64(f.life) {
		return "", "ExpiredIteratorException"
	}
	if at < s.trimmed {
		return "", "TrimmedDataAccessException"
	}
	limit := in.Limit
	if limit == 0 {
		limit = 1000
	}
	to := min(at+limit, len(s.records))
	var texts []string
	for _, r := range s.records[at:to] {
		texts = append(texts, r.text)
	}
	next := fmt.Sprintf(`,"NextShardIterator":"%s|%d|%d"`, s.ID, to, time.Now().UnixNano())
	if s.end != 0 && to == len(s.records) {
		next = ""
	}
	return fmt.Sprintf(`{"Records":[%s]%s}`, strings.Join(texts, ","), next), ""
}
